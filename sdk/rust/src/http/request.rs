//! A request.

use super::url;
use crate::bindings::contract::Credential;
use serde::Serialize;
use std::fmt::Display;
use std::time::Duration;

/// A request.
#[must_use = "a request is made by `send`"]
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The URL, with its query.
    pub url: String,
    /// The header fields: names and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty: there is none.
    pub body: Vec<u8>,
    pub(super) timeout: Duration,
    pub(super) max_bytes: usize,
    /// Why it cannot be made.
    pub(super) invalid: Option<String>,
}

impl Request {
    /// Begins a request of any method.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Duration::from_secs(30),
            max_bytes: 8 << 20,
            invalid: None,
        }
    }

    /// Adds a parameter to the query, encoded.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        url::add_query(&mut self.url, name, &value.to_string());
        self
    }

    /// Adds a header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With this token in the Authorization header.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// With the person's token in the Authorization header.
    pub fn credential(self, credential: &Credential) -> Self {
        self.header("authorization", credential.authorization())
    }

    /// With a body of JSON.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body,
            Err(error) => self.invalid = Some(error.to_string()),
        }
        self.header("content-type", "application/json")
    }

    /// With a body as browsers send forms.
    pub fn form<V: Display>(mut self, fields: &[(&str, V)]) -> Self {
        let mut query = String::new();
        for (name, value) in fields {
            url::add_query(&mut query, name, &value.to_string());
        }
        self.body = query.trim_start_matches('?').into();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// With a body of bytes; their type is a header field.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// For how long the request waits for a connection, for the response's head, and for each next part of its body: 30
    /// seconds unless this says otherwise. The whole call has the limit `call_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes the response may have: 8 MiB unless this says otherwise.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}
