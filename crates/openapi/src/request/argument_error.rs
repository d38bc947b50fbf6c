//! Errors in the arguments of a call.

/// What is wrong with an argument, for the model to correct it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ArgumentError {
    /// The tool has no argument of this name.
    #[error("there is no `{0}`")]
    Unknown(String),
    /// A required argument is absent.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A part of a path would be empty, and the path another one.
    #[error("`{0}` may not be empty")]
    Empty(String),
    /// A part of a path would lead to another path.
    #[error("`{0}` may not have `.` or `..` as a part, nor control characters")]
    Dots(String),
    /// A header cannot hold the value.
    #[error("`{0}` may not have line breaks or other control characters")]
    Control(String),
    /// A member of an object would be a parameter of another name.
    #[error("`{0}` may not have the member `{1}`")]
    Member(String, String),
    /// A file is neither text nor base64.
    #[error("`{0}` has to be an object with either `text` or `base64`")]
    File(String),
    /// The body has to be a text or an object.
    #[error("`{0}` has to be {1}")]
    Kind(String, &'static str),
    /// The path would be another operation's.
    #[error("the arguments make the path of another operation of the API")]
    OtherOperation,
    /// The URL would be too long.
    #[error("the arguments make a URL of more than {0} bytes")]
    TooLong(usize),
    /// The URL would lead elsewhere.
    #[error("the arguments do not make a URL of the API")]
    Url,
}
