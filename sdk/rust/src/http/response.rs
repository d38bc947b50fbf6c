//! A response.

use super::error::Error;
use serde::de::DeserializeOwned;

/// A response, whose body is there.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header fields: names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whose it is, for errors.
    pub(super) host: String,
}

impl Response {
    /// Makes a response, for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            ..Self::default()
        }
    }

    /// Returns the value of the first header field of this name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|(given, _)| given == name);
        field.map(|(_, value)| value.as_str())
    }

    /// Returns whether the status tells of success: 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the body, read as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Status`] if the status is no success, [`Error::InvalidBody`] if the body is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body = self.successful()?;
        serde_json::from_slice(body)
            .map_err(|error| Error::InvalidBody(self.host.clone(), error.to_string()))
    }

    /// Returns the body as a text.
    ///
    /// # Errors
    ///
    /// [`Error::Status`] if the status is no success, [`Error::InvalidBody`] if the body is not UTF-8.
    pub fn text(&self) -> Result<String, Error> {
        let body = self.successful()?;
        String::from_utf8(body.to_vec())
            .map_err(|error| Error::InvalidBody(self.host.clone(), error.to_string()))
    }

    fn successful(&self) -> Result<&[u8], Error> {
        if self.is_success() {
            Ok(&self.body)
        } else {
            Err(Error::Status(self.host.clone(), self.status))
        }
    }
}
