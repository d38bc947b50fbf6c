//! The work of a function, as a future, and its arguments by name.

use std::pin::Pin;

/// What a function does. There is no second thread.
pub type Work<T> = Pin<Box<dyn Future<Output = T>>>;

/// Names and values: what a prompt or a URI has in texts.
pub type Pairs = Vec<(String, String)>;
