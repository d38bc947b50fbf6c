//! The rules of the client against servers that a script plays.

mod calls;
mod credentials;
mod hostile;
mod lifecycles;
mod lists;
mod questions;
mod sessions;
