//! The people who can sign in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// A person, as Descope's user record has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The stable identifier that tokens carry as `sub`.
    pub subject: String,
    /// The full name.
    pub name: String,
    /// The email address.
    pub email: String,
    /// Whether the email address counts as verified.
    pub email_verified: bool,
    /// The address of a picture, if there is one.
    pub picture: Option<String>,
    /// The phone number in E.164 form, if there is one. It counts as verified.
    pub phone: Option<String>,
    /// What else is said of the person, such as `roles`, `permissions` and `tenants`. Descope says it in access tokens
    /// alone, the provider at `/openid` in ID tokens and access tokens.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

impl User {
    /// Returns a user with a verified `email` and no picture or phone. The subject is derived from the email address, so
    /// that one address is one person across logins and restarts.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        let email = email.into();
        let digest = Sha256::digest(email.to_lowercase().as_bytes());
        let mut subject = String::from("U");
        subject.push_str(&URL_SAFE_NO_PAD.encode(&digest[..20]));
        Self {
            subject,
            name: name.into(),
            email,
            email_verified: true,
            picture: None,
            phone: None,
            claims: Map::new(),
        }
    }

    /// Returns the same user with a picture.
    #[must_use]
    pub fn with_picture(mut self, address: impl Into<String>) -> Self {
        self.picture = Some(address.into());
        self
    }

    /// Returns the same user with a phone number.
    #[must_use]
    pub fn with_phone(mut self, number: impl Into<String>) -> Self {
        self.phone = Some(number.into());
        self
    }

    /// Returns the same user under another subject.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Returns the same user whose email address counts as verified or not.
    #[must_use]
    pub fn with_email_verified(mut self, verified: bool) -> Self {
        self.email_verified = verified;
        self
    }

    /// Returns the same user with a claim more.
    #[must_use]
    pub fn with_claim(mut self, name: impl Into<String>, value: Value) -> Self {
        self.claims.insert(name.into(), value);
        self
    }

    /// Returns the claims about this user that `scopes` open, `sub` always (OpenID Connect Core 1.0 section 5.4).
    pub(crate) fn claims(&self, scopes: &[String]) -> Map<String, Value> {
        let has = |wanted: &str| scopes.iter().any(|scope| scope == wanted);
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("sub", json!(self.subject));
        if has("profile") {
            put("name", json!(self.name));
            if let Some((given, family)) = self.name.split_once(' ') {
                put("given_name", json!(given));
                put("family_name", json!(family));
            }
            if let Some(picture) = &self.picture {
                put("picture", json!(picture));
            }
        }
        if has("email") {
            put("email", json!(self.email));
            put("email_verified", json!(self.email_verified));
        }
        if has("phone")
            && let Some(phone) = &self.phone
        {
            put("phone_number", json!(phone));
            put("phone_number_verified", json!(true));
        }
        claims
    }
}

impl Default for User {
    /// Returns the person whom the emulator signs in where no person was named.
    fn default() -> Self {
        Self::new("Local Developer", "developer@example.com")
    }
}
