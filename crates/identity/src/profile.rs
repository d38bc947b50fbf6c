//! Profiles of people.

use serde::{Deserialize, Serialize};

/// What the identity provider says of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The identifier: stable, and unique at the provider.
    pub subject: String,
    /// The full name.
    pub name: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// Whether the provider has verified the email address.
    pub email_verified: Option<bool>,
    /// The URL of a picture.
    pub picture: Option<String>,
    /// All claims, as the text of a JSON object. Most readers hand the text on.
    pub claims: String,
}

impl Profile {
    /// Makes a profile of which nothing but the subject is known.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            name: None,
            email: None,
            email_verified: None,
            picture: None,
            claims: "{}".to_owned(),
        }
    }
}
