//! The answer about a token (RFC 7662 section 2.2).

use crate::access_token::{Audience, Claims, Confirmation};
use serde::Serialize;

/// What is told about a token. Of one that is not active nothing else is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    /// RFC 9449 section 6.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// What is told about a refresh token.
#[derive(Clone, Debug)]
pub struct RefreshToken<'a> {
    /// Who issued it.
    pub issuer: &'a str,
    /// To which client.
    pub client_id: &'a str,
    /// For whom.
    pub subject: &'a str,
    /// The scopes of the grant.
    pub scopes: &'a [String],
    /// The resources of the grant.
    pub resources: &'a [String],
    /// When the grant began, in seconds since the Unix epoch.
    pub created_at: u64,
    /// When it ends, likewise.
    pub expires_at: u64,
    /// The thumbprint of the key that it is bound to, if it is.
    pub key: Option<&'a str>,
}

impl Introspection {
    /// Returns a token that is unknown, has ended, or does not concern the caller: which of these is
    /// not told (RFC 7662 section 2.2).
    pub fn inactive() -> Self {
        Self::default()
    }

    /// Returns an access token that is good.
    pub fn access_token(claims: Claims) -> Self {
        Self {
            active: true,
            token_type: Some(claims.token_type()),
            scope: Some(claims.scope),
            client_id: Some(claims.client_id),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            sub: Some(claims.sub),
            aud: Some(claims.aud),
            iss: Some(claims.iss),
            jti: Some(claims.jti),
            cnf: claims.cnf,
        }
    }

    /// Returns a refresh token that is good. It has no `token_type`: nothing takes it but the token
    /// endpoint, and a resource must not mistake it for an access token.
    pub fn refresh_token(token: &RefreshToken<'_>) -> Self {
        Self {
            active: true,
            scope: Some(token.scopes.join(" ")),
            client_id: Some(token.client_id.to_owned()),
            token_type: None,
            exp: Some(token.expires_at),
            iat: Some(token.created_at),
            sub: Some(token.subject.to_owned()),
            aud: Some(Audience::of(token.resources.to_vec())),
            iss: Some(token.issuer.to_owned()),
            jti: None,
            cnf: token.key.map(|key| Confirmation {
                jkt: key.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_token_that_is_not_active_nothing_else_is_told() {
        let text = serde_json::to_string(&Introspection::inactive()).unwrap();
        assert_eq!(text, r#"{"active":false}"#);
    }
}
