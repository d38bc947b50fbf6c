//! JWT access tokens (RFC 9068): their claims, and the checks of a resource server.

use serde::{Deserialize, Serialize};

/// The `typ` of the JWT's header (RFC 9068 section 2.1).
pub const TYP: &str = "at+jwt";

/// Seconds by which clocks may differ.
const LEEWAY: u64 = 5;

/// The claims of an access token (RFC 9068 section 2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// The person: their subject at the identity provider.
    pub sub: String,
    /// The resources it is for.
    pub aud: Audience,
    /// The client it was issued to.
    pub client_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: u64,
    /// When it ends, in seconds since the Unix epoch.
    pub exp: u64,
    /// Its identifier.
    pub jti: String,
    /// The id of its grant: a token whose grant has ended has ended.
    pub grant: String,
    /// The key that its holder has to prove, if it is bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// What a token is bound to (RFC 7800 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The thumbprint of a key that a proof has to show (RFC 9449 section 6.1).
    pub jkt: String,
}

/// One audience or several (RFC 7519 section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    /// Returns the audience of these resources.
    pub fn of(mut resources: Vec<String>) -> Self {
        if resources.len() == 1 {
            Self::One(resources.remove(0))
        } else {
            Self::Many(resources)
        }
    }
}

/// What an access token is issued for.
#[derive(Clone, Debug)]
pub struct Issue<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// The person's subject.
    pub subject: &'a str,
    /// The resources.
    pub resources: Vec<String>,
    /// The client.
    pub client_id: &'a str,
    /// The scopes.
    pub scopes: &'a [String],
    /// The grant's id.
    pub grant: &'a str,
    /// When the grant ends, in seconds since the Unix epoch: no token outlives it.
    pub grant_expires_at: u64,
    /// Seconds it lives at most.
    pub lifetime: u64,
    /// Its identifier, which is random.
    pub id: String,
    /// The thumbprint of the key that it is bound to, if it is.
    pub key: Option<String>,
}

/// Why an access token is not accepted.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AccessTokenError {
    /// Another server issued it.
    #[error("the token was issued by another server")]
    Issuer,
    /// It is for something else.
    #[error("the token is for another resource")]
    Audience,
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// It was issued in the future.
    #[error("the token is not valid yet")]
    NotYet,
}

/// Returns the claims of a new access token, issued at `now` (seconds since the Unix epoch).
pub fn issue(issue: Issue<'_>, now: u64) -> Claims {
    Claims {
        iss: issue.issuer.to_owned(),
        sub: issue.subject.to_owned(),
        aud: Audience::of(issue.resources),
        client_id: issue.client_id.to_owned(),
        scope: issue.scopes.join(" "),
        iat: now,
        exp: issue
            .grant_expires_at
            .min(now.saturating_add(issue.lifetime)),
        jti: issue.id,
        grant: issue.grant.to_owned(),
        cnf: issue.key.map(|jkt| Confirmation { jkt }),
    }
}

/// Checks the claims of a token whose type and signature are good: that `issuer` issued it, for
/// one of `audiences`, and that it is good at `now` (seconds since the Unix epoch). Whether its
/// grant is alive is the caller's to ask.
///
/// # Errors
///
/// [`AccessTokenError`].
pub fn check(
    claims: &Claims,
    issuer: &str,
    audiences: &[impl AsRef<str>],
    now: u64,
) -> Result<(), AccessTokenError> {
    if claims.iss != issuer {
        return Err(AccessTokenError::Issuer);
    }
    let accepts = |audience: &String| audiences.iter().any(|ours| ours.as_ref() == audience);
    let for_us = match &claims.aud {
        Audience::One(audience) => accepts(audience),
        Audience::Many(all) => all.iter().any(accepts),
    };
    if !for_us {
        return Err(AccessTokenError::Audience);
    }
    if claims.exp <= now {
        return Err(AccessTokenError::Expired);
    }
    if claims.iat > now.saturating_add(LEEWAY) {
        return Err(AccessTokenError::NotYet);
    }
    Ok(())
}

impl Claims {
    /// Whether the token has a scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|known| known == scope)
    }

    /// Returns how it is to be presented: `Bearer` (RFC 6750 section 4), or `DPoP` with a proof of its key
    /// (RFC 9449 section 5).
    pub fn token_type(&self) -> &'static str {
        match self.cnf {
            None => "Bearer",
            Some(_) => "DPoP",
        }
    }

    /// Its scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://m.example";
    const MCP: &str = "https://m.example/mcp";

    fn claims(resources: &[&str]) -> Claims {
        issue(
            Issue {
                issuer: ISSUER,
                subject: "person",
                resources: resources.iter().map(|text| (*text).to_owned()).collect(),
                client_id: "client",
                scopes: &["tools".into(), "userinfo".into()],
                grant: "grant",
                grant_expires_at: 10_000,
                lifetime: 900,
                id: "jti".into(),
                key: None,
            },
            1000,
        )
    }

    #[test]
    fn a_token_is_good_for_its_issuer_audience_and_time_alone() {
        let claims = claims(&[MCP]);
        let check = |issuer, audience: &str, now| check(&claims, issuer, &[audience], now);
        assert_eq!(check(ISSUER, MCP, 1899), Ok(()));
        assert_eq!(check(ISSUER, MCP, 1900), Err(AccessTokenError::Expired));
        assert_eq!(check(ISSUER, MCP, 995), Ok(()));
        assert_eq!(check(ISSUER, MCP, 994), Err(AccessTokenError::NotYet));
        assert_eq!(check(MCP, MCP, 1000), Err(AccessTokenError::Issuer));
        assert_eq!(check(ISSUER, ISSUER, 1000), Err(AccessTokenError::Audience));
    }

    #[test]
    fn one_of_several_audiences_is_enough() {
        let claims = claims(&["https://m.example/sse", MCP]);
        assert_eq!(check(&claims, ISSUER, &["x", MCP], 1000), Ok(()));
        assert!(check(&claims, ISSUER, &["x"], 1000).is_err());
    }

    #[test]
    fn no_token_outlives_its_grant() {
        let mut late = claims(&[MCP]);
        late = issue(
            Issue {
                issuer: &late.iss,
                subject: &late.sub,
                resources: vec![MCP.into()],
                client_id: &late.client_id,
                scopes: &[],
                grant: &late.grant,
                grant_expires_at: 1010,
                lifetime: 900,
                id: late.jti.clone(),
                key: None,
            },
            1000,
        );
        assert_eq!(late.exp, 1010);
    }

    #[test]
    fn a_single_audience_is_written_as_a_string() {
        let json = serde_json::to_value(claims(&[MCP])).unwrap();
        assert_eq!(json["aud"], MCP);
        assert_eq!(json["scope"], "tools userinfo");
        assert_eq!(json.get("cnf"), None);
        let both = claims(&[MCP, ISSUER]);
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<Claims>(&json).unwrap(), both);
    }

    #[test]
    fn a_scope_is_a_whole_word() {
        let claims = claims(&[MCP]);
        assert!(claims.has_scope("tools") && claims.has_scope("userinfo"));
        assert!(!claims.has_scope("tool") && !claims.has_scope("tools userinfo"));
        assert!(!claims.has_scope(""));
    }
}
