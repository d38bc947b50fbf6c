//! The caller of a function: the person and their client.

use crate::bindings::contract::{Caller, Credential};
use serde_json::{Map, Value};

impl Caller {
    /// Returns whether the person allowed the client this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|given| given == scope)
    }

    /// Returns everything that the identity provider said of the person.
    pub fn claims(&self) -> Map<String, Value> {
        serde_json::from_str(&self.profile.claims).unwrap_or_default()
    }
}

impl Credential {
    /// Returns the token. A presented one is the value of the request's Authorization header, as the person pasted it.
    pub fn as_str(&self) -> &str {
        let (Self::Presented(value) | Self::Upstream(value)) = self;
        value
    }

    /// Returns the value of an Authorization header with this token.
    pub fn authorization(&self) -> String {
        match self {
            Self::Presented(value) => value.clone(),
            Self::Upstream(token) => format!("Bearer {token}"),
        }
    }
}
