//! Errors of functions.

use crate::bindings::contract::Failure;
use std::any::Any;
use std::fmt::{self, Debug, Display};

/// The result of a function that fails with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a function failed. A function may as well fail with anything that has `Display`: that is an [`Error::Tool`].
///
/// `?` makes one of every error of the standard library's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The tool failed, in words for the model: a result with `isError`. Of a resource or a prompt, the text goes to
    /// the operator's log instead, as the client gets no such result.
    Tool(String),
    /// The arguments do not fit: what is wrong, for the model to mend it.
    InvalidArguments(String),
    /// There is no such resource.
    NotFound,
    /// Anything that is not the client's business: the text goes to the operator's log alone.
    Internal(String),
}

impl Error {
    /// Makes an error for the model to read.
    pub fn new(text: impl Display) -> Self {
        Self::Tool(text.to_string())
    }

    /// Makes an error that says what is wrong with the arguments.
    pub fn invalid_arguments(text: impl Display) -> Self {
        Self::InvalidArguments(text.to_string())
    }

    /// Makes an error for the operator's log.
    pub fn internal(text: impl Display) -> Self {
        Self::Internal(text.to_string())
    }

    #[doc(hidden)]
    pub fn from_display<E: Display + 'static>(error: E) -> Self {
        let any: &dyn Any = &error;
        match any.downcast_ref::<Self>() {
            Some(error) => error.clone(),
            None => Self::Tool(error.to_string()),
        }
    }

    /// Returns the failure of what has no way to tell the model.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::InvalidArguments(text) => Failure::InvalidArguments(text),
            Self::NotFound => Failure::NotFound,
            Self::Tool(text) | Self::Internal(text) => Failure::Internal(text),
        }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(text) | Self::InvalidArguments(text) | Self::Internal(text) => {
                f.write_str(text)
            }
            Self::NotFound => f.write_str("not found"),
        }
    }
}

// Not `std::error::Error` itself: this would be a second way from `Error` to `Error`.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}
