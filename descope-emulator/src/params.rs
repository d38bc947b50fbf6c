//! Request parameters: a query, a form or a JSON object, each parameter at most once (RFC 6749 section 3.1).

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use serde_json::Value;

use crate::error::DescopeError;

/// The parameters of one request. An empty value counts as absent.
#[derive(Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query string or a form body.
    pub(crate) fn from_urlencoded(text: &[u8]) -> Result<Self, DescopeError> {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if params
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return Err(DescopeError::Malformed("A parameter is given twice"));
            }
        }
        Ok(Self(params))
    }

    /// Reads a body by its content type: a form or a JSON object of strings.
    pub(crate) fn from_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, DescopeError> {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase());
        match content_type.as_deref() {
            Some("application/x-www-form-urlencoded") => Self::from_urlencoded(body),
            Some("application/json") => Self::from_json(body),
            _ => Err(DescopeError::Malformed(
                "The body is neither a form nor JSON",
            )),
        }
    }

    fn from_json(body: &[u8]) -> Result<Self, DescopeError> {
        let object: BTreeMap<String, Value> = serde_json::from_slice(body)
            .map_err(|_| DescopeError::Malformed("The body is not a JSON object"))?;
        let mut params = BTreeMap::new();
        for (name, value) in object {
            match value {
                Value::String(value) => params.insert(name, value),
                Value::Null => None,
                _ => return Err(DescopeError::Malformed("A parameter is not a string")),
            };
        }
        Ok(Self(params))
    }

    /// Returns the parameter `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns the parameter `name`, which must be there.
    pub(crate) fn require(&self, name: &'static str) -> Result<&str, DescopeError> {
        self.get(name).ok_or(DescopeError::Missing(name))
    }
}
