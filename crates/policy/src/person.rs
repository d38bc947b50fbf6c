//! The person that a policy decides about, as the identity provider describes them.

use identity::Profile;
use serde_json::Value;

/// A profile, read for conditions.
pub(crate) struct Person<'a> {
    pub(crate) subject: &'a str,
    /// The email address in its two parts, if it is verified.
    pub(crate) email: Option<(&'a str, &'a str)>,
    pub(crate) claims: Value,
}

impl<'a> Person<'a> {
    pub(crate) fn new(profile: &'a Profile) -> Self {
        let claims: Value = serde_json::from_str(&profile.claims).unwrap_or_default();
        Self {
            subject: &profile.subject,
            email: profile
                .email
                .as_deref()
                .filter(|_| profile.email_verified == Some(true))
                .and_then(address),
            claims: if claims.is_object() {
                claims
            } else {
                Value::Null
            },
        }
    }
}

/// Returns the local part and the domain of an email address. Addresses with a quoted local part, a comment
/// or a second `@` (RFC 5321 section 4.1.2) are `None`: what reads them differently would find
/// another domain.
pub(crate) fn address(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.split_once('@')?;
    let is_plain = |char: char| {
        !char.is_whitespace() && !char.is_control() && !"@\"(),:;<>[\\]".contains(char)
    };
    let is_good = |part: &str| !part.is_empty() && part.chars().all(is_plain);
    (is_good(local) && is_good(domain)).then_some((local, domain))
}
