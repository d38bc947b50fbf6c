//! Claims of Descope's tokens: whether a token is valid, for what, and until when. The signature is checked
//! elsewhere: a token is valid if both agree.

use crate::settings::Project;
use config::DESCOPE;
use identity::TokenKind;
use oidc::claims::{
    BrokenRule, audience, check_id_token, check_times, client, has_scopes, is_our_url, subject,
};
use serde_json::{Map, Value};

/// The rules of OpenID Connect Core section 3.1.3.7 for an ID token of the login with `nonce`, or for
/// one that came with a refresh (section 12.2).
pub(crate) fn id_token(
    claims: &Map<String, Value>,
    project: &Project,
    client_id: &str,
    nonce: Option<&str>,
    now: u64,
) -> Result<(), BrokenRule> {
    if issuer(claims, project).is_none() {
        return Err(BrokenRule::Issuer);
    }
    let is_us = |name: &str| name == client_id || name == project.id;
    check_id_token(claims, is_us, nonce, now)
}

/// A presented token, and that the project may have issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// The issuer identifier, below the configured base URL whichever of Descope's hosts the token
    /// names.
    pub(crate) issuer: String,
    /// In seconds since the Unix epoch.
    pub(crate) expires_at: u64,
}

/// Returns the rules for a presented token.
///
/// Descope signs access tokens, session tokens, ID tokens and refresh tokens of a project with the
/// same keys; only the first two are for presenting. An access token has scopes; a session token
/// says `DS`, and a refresh token `DSR`, for where Descope's SDKs keep it.
pub(crate) fn presented(
    claims: &Map<String, Value>,
    project: &Project,
    now: u64,
) -> Result<Checked, BrokenRule> {
    let issued_by = issuer(claims, project).ok_or(BrokenRule::Issuer)?;
    let is_session =
        issued_by == Issuer::Project && claims.get("drn").and_then(Value::as_str) == Some("DS");
    if !is_session
        && (claims.contains_key("drn") || !has_scopes(claims) || claims.contains_key("nonce"))
    {
        return Err(BrokenRule::NotForAccess);
    }
    let audience = audience(claims);
    // A session token is the project's, which its issuer names; most have no audience.
    let is_project_wide = is_session && !claims.contains_key("aud");
    if !is_project_wide && !is_for_us(&audience, project) {
        return Err(BrokenRule::Audience);
    }
    let expires_at = check_times(claims, now)?;
    let subject = subject(claims).ok_or(BrokenRule::NoSubject)?;
    let kind = match is_session {
        true if is_persons(claims) => TokenKind::Session,
        true => TokenKind::MachineSession,
        false if client(claims) == Some(subject) => TokenKind::ClientAccessToken,
        false => TokenKind::AccessToken,
    };
    Ok(Checked {
        kind,
        issuer: identifier(claims, project).ok_or(BrokenRule::Issuer)?,
        expires_at,
    })
}

/// Whether a session is a person's. What an access key is exchanged for is a session as well, of the
/// key. Descope's ids tell them apart: people's start with `U`, keys' with `K`. `dsub` has the id where
/// the project puts something else into `sub`.
fn is_persons(claims: &Map<String, Value>) -> bool {
    let id = claims.get("dsub").or_else(|| claims.get("sub"));
    id.and_then(Value::as_str)
        .is_some_and(|id| id.starts_with('U'))
}

/// Returns the issuer of a token as an identifier: a URL below the configured base URL.
fn identifier(claims: &Map<String, Value>, project: &Project) -> Option<String> {
    let issuer = claims.get("iss").and_then(Value::as_str)?;
    let path = below_descope(issuer, project).unwrap_or(&project.id);
    Some(format!("{}/{path}", project.base_url))
}

/// Whether it is one of the project's issuers.
pub(crate) fn is_issuer(issuer: &str, project: &Project) -> bool {
    issuer_of(issuer, project).is_some()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Issuer {
    /// The project itself: its sessions, and its OpenID Connect applications.
    Project,
    /// The inbound apps of the project.
    InboundApps,
    /// An MCP server that is defined in the project.
    McpServer,
}

fn issuer(claims: &Map<String, Value>, project: &Project) -> Option<Issuer> {
    issuer_of(claims.get("iss").and_then(Value::as_str)?, project)
}

/// Returns which of the project's issuers it is. A project with a custom domain may go by Descope's own
/// domain as well.
fn issuer_of(issuer: &str, project: &Project) -> Option<Issuer> {
    if issuer == project.id {
        return Some(Issuer::Project);
    }
    let path = below_descope(issuer, project)?;
    if path == project.id {
        return Some(Issuer::Project);
    }
    let app = path.strip_prefix("v1/apps/")?;
    if app == project.id {
        return Some(Issuer::InboundApps);
    }
    let server = app
        .strip_prefix("agentic/")?
        .strip_prefix(project.id.as_str())?
        .strip_prefix('/')?;
    let is_ours = match &project.mcp_server_id {
        Some(ours) => server == ours,
        None => {
            !server.is_empty()
                && server
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        }
    };
    is_ours.then_some(Issuer::McpServer)
}

/// Returns the path of a URL of Descope's, without the first slash.
fn below_descope<'a>(url: &'a str, project: &Project) -> Option<&'a str> {
    [project.base_url.as_str(), DESCOPE]
        .iter()
        .find_map(|base| url.strip_prefix(base)?.strip_prefix('/'))
}

/// Whether one of the names in an audience is ours. Where a token is bound to a resource by URL
/// (RFC 8707), the URL decides, though the project is named beside it: a token for another server
/// of the same project is not for us.
fn is_for_us(audience: &[&str], project: &Project) -> bool {
    let mut resources = audience
        .iter()
        .filter(|name| name.contains("://") && below_descope(name, project).is_none())
        .peekable();
    if resources.peek().is_some() {
        return resources.any(|url| is_our_url(url, project.public_url.as_deref()));
    }
    audience
        .iter()
        .any(|name| *name == project.id || project.client_id.as_deref() == Some(*name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use oidc::claims::scopes;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;
    const APPS: &str = "https://api.descope.com/v1/apps/P123";

    fn claims(changes: Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": APPS, "aud": ["P123"], "sub": "U1", "exp": NOW + 600, "iat": NOW, "scope": "openid email",
        });
        for (name, value) in changes.as_object().cloned().unwrap_or_default() {
            if value == json!("absent") {
                claims.as_object_mut().unwrap().remove(&name);
            } else {
                claims[name] = value;
            }
        }
        claims.as_object().cloned().unwrap()
    }

    fn checked(changes: Value) -> Result<Checked, BrokenRule> {
        presented(&claims(changes), &fixtures::project(), NOW)
    }

    fn check(changes: Value) -> Result<u64, BrokenRule> {
        checked(changes).map(|checked| checked.expires_at)
    }

    #[test]
    fn a_session_is_a_persons_or_a_machines_by_whose_id_it_has() {
        let kind = |changes: Value| {
            let mut all = json!({ "iss": "P123", "drn": "DS", "aud": "absent", "scope": "absent" });
            for (name, value) in changes.as_object().cloned().unwrap_or_default() {
                all[name] = value;
            }
            checked(all).unwrap().kind
        };
        assert_eq!(kind(json!({})), TokenKind::Session);
        assert_eq!(
            kind(json!({ "sub": "a", "dsub": "U1" })),
            TokenKind::Session
        );
        for machine in [
            json!({ "sub": "K1" }),
            json!({ "sub": "nightly" }),
            json!({ "sub": "U1", "dsub": "K1" }),
            json!({ "sub": "U1", "dsub": 7 }),
        ] {
            assert_eq!(
                kind(machine.clone()),
                TokenKind::MachineSession,
                "{machine}"
            );
        }
    }

    #[test]
    fn an_access_token_that_a_client_got_for_itself_is_told_apart() {
        let kind = |changes: Value| checked(changes).unwrap().kind;
        assert_eq!(kind(json!({ "azp": "app" })), TokenKind::AccessToken);
        for claim in ["azp", "client_id"] {
            let changes = json!({ claim: "U1" });
            assert_eq!(kind(changes), TokenKind::ClientAccessToken, "{claim}");
        }
    }

    #[test]
    fn an_issuer_is_named_below_the_configured_base_url() {
        let project = Project {
            base_url: "https://login.example.com".to_owned(),
            ..fixtures::project()
        };
        for (issuer, expected) in [
            (APPS, "https://login.example.com/v1/apps/P123"),
            (
                "https://login.example.com/v1/apps/agentic/P123/MS9",
                "https://login.example.com/v1/apps/agentic/P123/MS9",
            ),
            ("P123", "https://login.example.com/P123"),
        ] {
            let checked = presented(&claims(json!({ "iss": issuer })), &project, NOW);
            assert_eq!(checked.unwrap().issuer, expected);
        }
    }

    #[test]
    fn the_projects_own_id_is_no_client_of_ours() {
        let mut project = fixtures::project();
        assert_eq!(project.own_client_id(), Some(fixtures::CLIENT_ID));
        project.client_id = Some(fixtures::PROJECT.to_owned());
        assert_eq!(project.own_client_id(), None);
    }

    #[test]
    fn an_access_token_of_the_project_is_good_until_its_end() {
        assert_eq!(check(json!({})), Ok(NOW + 600));
    }

    #[test]
    fn each_of_the_projects_issuers_is_good_and_no_other() {
        for issuer in [
            APPS,
            "https://api.descope.com/v1/apps/agentic/P123/MS9",
            "https://api.descope.com/P123",
            "P123",
        ] {
            assert!(check(json!({ "iss": issuer })).is_ok(), "{issuer}");
        }
        for issuer in [
            json!("absent"),
            json!(7),
            json!(""),
            json!("P12"),
            json!("P1234"),
            json!("https://api.descope.com/v1/apps/P999"),
            json!("https://api.descope.com/v1/apps/P123/"),
            json!("https://api.descope.com/v1/apps/agentic/P999/MS9"),
            json!("https://api.descope.com/v1/apps/agentic/P123/"),
            json!("https://api.descope.com/v1/apps/agentic/P123/MS9/x"),
            json!("https://api.descope.com.evil.example/v1/apps/P123"),
            json!("http://api.descope.com/v1/apps/P123"),
            json!("https://evil.example/v1/apps/P123"),
            json!([APPS]),
        ] {
            assert_eq!(
                check(json!({ "iss": issuer })),
                Err(BrokenRule::Issuer),
                "{issuer}"
            );
        }
    }

    #[test]
    fn with_a_custom_domain_both_hosts_are_the_issuer() {
        let project = Project {
            base_url: "https://login.example.com".to_owned(),
            ..fixtures::project()
        };
        for issuer in [APPS, "https://login.example.com/v1/apps/P123"] {
            assert!(presented(&claims(json!({ "iss": issuer })), &project, NOW).is_ok());
        }
    }

    #[test]
    fn the_audience_is_the_project_or_our_app() {
        for audience in [
            json!("P123"),
            json!(["x", "P123"]),
            json!(fixtures::CLIENT_ID),
        ] {
            assert!(check(json!({ "aud": audience })).is_ok(), "{audience}");
        }
        for audience in [
            json!("absent"),
            json!([]),
            json!(""),
            json!("P999"),
            json!(["other"]),
            json!(7),
            json!({ "P123": 1 }),
        ] {
            assert_eq!(
                check(json!({ "aud": audience })),
                Err(BrokenRule::Audience),
                "{audience}"
            );
        }
    }

    #[test]
    fn a_token_bound_to_a_url_is_good_for_that_server_alone() {
        let ours = Project {
            public_url: Some("https://mcp.example.com".to_owned()),
            ..fixtures::project()
        };
        let check = |audience: Value, project: &Project| {
            presented(&claims(json!({ "aud": audience })), project, NOW)
        };
        for url in [
            "https://mcp.example.com/mcp",
            "https://mcp.example.com/",
            "https://mcp.example.com",
            "https://mcp.example.com/sse",
        ] {
            assert!(check(json!([url, "P123"]), &ours).is_ok(), "{url}");
            assert!(check(json!(url), &ours).is_ok(), "{url}");
        }
        for url in [
            "https://other.example.com/mcp",
            "https://mcp.example.com.evil.example/mcp",
            "https://mcp.example.com/mcp2",
            "http://127.0.0.1/mcp",
            "https://api.descope.com.evil.example/mcp",
        ] {
            assert_eq!(
                check(json!([url, "P123"]), &ours),
                Err(BrokenRule::Audience),
                "{url}"
            );
        }
        let local = fixtures::project();
        assert!(check(json!(["http://127.0.0.1:3000/mcp", "P123"]), &local).is_ok());
        assert!(check(json!(["https://mcp.example.com/mcp", "P123"]), &local).is_err());
        assert!(check(json!([APPS, "P123"]), &ours).is_ok());
    }

    #[test]
    fn a_session_token_needs_no_audience_but_a_wrong_one_is_refused() {
        let session = |changes: Value| {
            let mut all = json!({ "iss": "P123", "drn": "DS", "aud": "absent", "scope": "absent" });
            for (name, value) in changes.as_object().cloned().unwrap_or_default() {
                all[name] = value;
            }
            check(all)
        };
        assert!(session(json!({})).is_ok());
        assert!(session(json!({ "iss": "https://api.descope.com/P123" })).is_ok());
        assert!(session(json!({ "aud": ["P123"] })).is_ok());
        assert_eq!(session(json!({ "aud": "P999" })), Err(BrokenRule::Audience));
        assert_eq!(session(json!({ "aud": null })), Err(BrokenRule::Audience));
        assert_eq!(
            session(json!({ "drn": "DSR" })),
            Err(BrokenRule::NotForAccess)
        );
        assert_eq!(
            session(json!({ "drn": "absent" })),
            Err(BrokenRule::NotForAccess)
        );
        assert_eq!(
            session(json!({ "iss": APPS })),
            Err(BrokenRule::NotForAccess)
        );
    }

    #[test]
    fn an_id_token_or_a_refresh_token_is_not_for_presenting() {
        for changes in [
            json!({ "scope": "absent" }),
            json!({ "scope": 7 }),
            json!({ "nonce": "n" }),
            json!({ "drn": "DSR" }),
        ] {
            assert_eq!(check(changes), Err(BrokenRule::NotForAccess));
        }
    }

    #[test]
    fn times_are_kept_with_a_minute_of_leeway() {
        assert!(check(json!({ "exp": NOW - 59 })).is_ok());
        assert_eq!(check(json!({ "exp": NOW - 60 })), Err(BrokenRule::Expired));
        assert!(check(json!({ "exp": (NOW + 1) as f64 + 0.5 })).is_ok());
        for exp in [json!("absent"), json!(null), json!("soon"), json!(-1)] {
            assert_eq!(
                check(json!({ "exp": exp })),
                Err(BrokenRule::NoEnd),
                "{exp}"
            );
        }
        assert!(check(json!({ "nbf": NOW + 60 })).is_ok());
        assert_eq!(check(json!({ "nbf": NOW + 61 })), Err(BrokenRule::NotYet));
        assert_eq!(check(json!({ "nbf": "later" })), Err(BrokenRule::NotYet));
        assert!(check(json!({ "exp": u64::MAX })).is_ok());
    }

    #[test]
    fn a_token_without_a_subject_is_refused() {
        assert_eq!(
            check(json!({ "sub": "absent" })),
            Err(BrokenRule::NoSubject)
        );
        assert_eq!(check(json!({ "sub": "" })), Err(BrokenRule::NoSubject));
    }

    #[test]
    fn scopes_are_read_as_text_or_as_a_list() {
        for (scope, expected) in [
            (json!({ "scope": "a  b" }), vec!["a", "b"]),
            (json!({ "scope": ["a", 7, "b"] }), vec!["a", "b"]),
            (json!({ "scope": "absent", "scopes": ["a"] }), vec!["a"]),
            (json!({ "scope": "" }), vec![]),
        ] {
            assert_eq!(scopes(&claims(scope)).unwrap(), expected);
        }
        assert_eq!(scopes(&claims(json!({ "scope": "absent" }))), None);
    }

    #[test]
    fn a_token_of_another_mcp_server_of_the_project_is_refused_where_ours_is_named() {
        let mut project = fixtures::project();
        project.mcp_server_id = Some("MS9".to_owned());
        let check = |issuer: &str| presented(&claims(json!({ "iss": issuer })), &project, NOW);
        assert!(check("https://api.descope.com/v1/apps/agentic/P123/MS9").is_ok());
        assert!(check(APPS).is_ok());
        for other in ["MS8", "MS90", "MS9/x", ""] {
            let issuer = format!("https://api.descope.com/v1/apps/agentic/P123/{other}");
            assert_eq!(check(&issuer), Err(BrokenRule::Issuer));
        }
    }

    fn check_id_token(changes: Value) -> Result<(), BrokenRule> {
        let mut all = json!({ "aud": [fixtures::CLIENT_ID], "nonce": "n1", "scope": "absent" });
        for (name, value) in changes.as_object().cloned().unwrap_or_default() {
            all[name] = value;
        }
        id_token(
            &claims(all),
            &fixtures::project(),
            fixtures::CLIENT_ID,
            Some("n1"),
            NOW,
        )
    }

    #[test]
    fn an_id_token_is_ours_by_issuer_audience_nonce_and_time() {
        assert_eq!(check_id_token(json!({})), Ok(()));
        assert_eq!(check_id_token(json!({ "aud": "P123" })), Ok(()));
        for (changes, error) in [
            (json!({ "iss": "https://evil.example" }), BrokenRule::Issuer),
            (json!({ "aud": ["other"] }), BrokenRule::Audience),
            (json!({ "aud": "absent" }), BrokenRule::Audience),
            (
                json!({ "aud": [fixtures::CLIENT_ID, "other"] }),
                BrokenRule::Audience,
            ),
            (
                json!({ "aud": [fixtures::CLIENT_ID, "other"], "azp": "other" }),
                BrokenRule::Audience,
            ),
            (json!({ "nonce": "n2" }), BrokenRule::Nonce),
            (json!({ "nonce": "absent" }), BrokenRule::Nonce),
            (json!({ "exp": NOW - 60 }), BrokenRule::Expired),
            (json!({ "sub": "absent" }), BrokenRule::NoSubject),
        ] {
            assert_eq!(check_id_token(changes.clone()), Err(error), "{changes}");
        }
        let both = json!({ "aud": [fixtures::CLIENT_ID, "other"], "azp": fixtures::CLIENT_ID });
        assert_eq!(check_id_token(both), Ok(()));
    }
}
