//! Access tokens of the identity provider that are accepted, and the scopes of each.
//!
//! An MCP server accepts only tokens that were issued for it (2025-11-25, Authorization, Token Handling). The
//! identity component says what a token is; a claim that it leaves out counts against the token. Whether the token
//! is accepted is decided here, alike for every provider.

use config::{AuthorizationServer, PresentedTokens};
use identity::{Presented, TokenKind};
use oauth::resource::Resources;
use policy::Policy;

/// The configuration that decides about a token.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) authorization_server: &'a AuthorizationServer,
    pub(crate) presented: &'a config::Presented,
    /// The persons who may use the server, by the claims of the token.
    pub(crate) policy: &'a Policy,
    /// The scopes that exist.
    pub(crate) existing: &'a [String],
    /// The resources of this server.
    pub(crate) resources: &'a Resources,
}

/// Why a token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenRejection {
    /// It is not for this server.
    Token,
    /// It is for this server, and the policy refuses its holder.
    Person(policy::Refusal),
}

/// Returns the scopes of a token.
///
/// The policy decides about its holder. At an external authorization server that may be a client, which no
/// operator has configured here, so the policy decides about it as about a person.
///
/// # Errors
///
/// [`TokenRejection`].
pub(crate) fn scopes(token: &Presented, rules: &Rules<'_>) -> Result<Vec<String>, TokenRejection> {
    let scopes = scopes_of_token(token, rules).ok_or(TokenRejection::Token)?;
    let decided = rules.policy.decide(&token.profile, &scopes);
    decided.map_err(TokenRejection::Person)
}

fn scopes_of_token(token: &Presented, rules: &Rules<'_>) -> Option<Vec<String>> {
    let names_us = token
        .audience
        .iter()
        .any(|audience| rules.resources.has(audience));
    match rules.authorization_server {
        // The provider does not know our scopes, nor ask persons about them.
        AuthorizationServer::BuiltIn => {
            let is_taken = match (rules.presented.tokens, token.kind) {
                (PresentedTokens::Own, TokenKind::AccessToken) => names_us || is_our_clients(token),
                (PresentedTokens::Project, TokenKind::AccessToken | TokenKind::Session) => true,
                _ => false,
            };
            is_taken.then(|| rules.presented.scopes.clone())
        }
        // The scopes are what the person allowed the client, as far as they exist here.
        AuthorizationServer::External(external) => {
            let is_access_token = matches!(
                token.kind,
                TokenKind::AccessToken | TokenKind::ClientAccessToken
            );
            (is_access_token && token.issuer == external.issuer && names_us).then(|| {
                let granted = token.scopes.as_deref().unwrap_or_default();
                let existing = rules.existing.iter();
                let kept = existing.filter(|scope| granted.contains(scope));
                kept.cloned().collect()
            })
        }
    }
}

/// Returns whether the token was issued to our own client at the provider.
fn is_our_clients(token: &Presented) -> bool {
    let ours = token.our_client_id.as_deref().filter(|id| !id.is_empty());
    ours.is_some() && ours == token.client_id.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profile;
    use config::External;

    const ISSUER: &str = "https://api.descope.com/v1/apps/agentic/P1/MS1";
    const URL: &str = "https://mcp.example.com/mcp";

    /// An access token of another client of the project.
    fn others() -> Presented {
        Presented {
            profile: profile("ann"),
            kind: TokenKind::AccessToken,
            issuer: ISSUER.into(),
            audience: vec!["P1".into(), "another".into()],
            client_id: Some("another".into()),
            our_client_id: Some("ours".into()),
            scopes: Some(vec!["openid".into(), "tools".into()]),
            expires_at: 1,
        }
    }

    fn own() -> Presented {
        Presented {
            client_id: Some("ours".into()),
            ..others()
        }
    }

    fn for_us() -> Presented {
        Presented {
            audience: vec!["P1".into(), URL.into()],
            ..others()
        }
    }

    fn of_kind(kind: TokenKind, token: Presented) -> Presented {
        Presented { kind, ..token }
    }

    const OTHER_KINDS: [TokenKind; 3] = [
        TokenKind::ClientAccessToken,
        TokenKind::Session,
        TokenKind::MachineSession,
    ];

    fn scopes_at(
        server: &AuthorizationServer,
        tokens: PresentedTokens,
        token: &Presented,
    ) -> Option<String> {
        let existing = ["tools".to_owned(), "upstream_token".to_owned()];
        let rules = Rules {
            authorization_server: server,
            presented: &config::Presented {
                tokens,
                scopes: existing.to_vec(),
            },
            policy: &Policy::default(),
            existing: &existing,
            resources: &Resources::new("https://mcp.example.com"),
        };
        let taken = scopes(token, &rules);
        taken.ok().map(|scopes| scopes.join(" "))
    }

    fn built_in(tokens: PresentedTokens, token: &Presented) -> Option<String> {
        scopes_at(&AuthorizationServer::BuiltIn, tokens, token)
    }

    fn external(token: &Presented) -> Option<String> {
        let server = AuthorizationServer::External(External {
            mode: "descope",
            issuer: ISSUER.into(),
        });
        scopes_at(&server, PresentedTokens::Project, token)
    }

    #[test]
    fn own_takes_tokens_of_our_client_or_for_our_resource_alone() {
        let taken = Some("tools upstream_token".to_owned());
        assert_eq!(built_in(PresentedTokens::Own, &own()), taken);
        assert_eq!(built_in(PresentedTokens::Own, &for_us()), taken);
        assert_eq!(built_in(PresentedTokens::Own, &others()), None);
        for kind in OTHER_KINDS {
            for token in [own(), for_us()] {
                let token = of_kind(kind, token);
                assert_eq!(built_in(PresentedTokens::Own, &token), None, "{kind:?}");
            }
        }
    }

    #[test]
    fn a_token_without_a_client_is_not_our_clients() {
        for (client_id, our_client_id) in [
            (None, None),
            (None, Some("ours")),
            (Some("ours"), None),
            (Some(""), Some("")),
        ] {
            let token = Presented {
                client_id: client_id.map(str::to_owned),
                our_client_id: our_client_id.map(str::to_owned),
                ..others()
            };
            assert_eq!(built_in(PresentedTokens::Own, &token), None);
        }
    }

    #[test]
    fn project_takes_everything_of_a_persons_and_no_machines() {
        for token in [
            own(),
            for_us(),
            others(),
            of_kind(TokenKind::Session, others()),
        ] {
            assert!(built_in(PresentedTokens::Project, &token).is_some());
        }
        for kind in [TokenKind::ClientAccessToken, TokenKind::MachineSession] {
            let token = of_kind(kind, own());
            assert_eq!(built_in(PresentedTokens::Project, &token), None);
        }
    }

    #[test]
    fn off_takes_nothing() {
        for token in [own(), for_us(), of_kind(TokenKind::Session, others())] {
            assert_eq!(built_in(PresentedTokens::Off, &token), None);
        }
    }

    #[test]
    fn an_external_server_is_its_issuer_with_our_url_and_its_scopes() {
        assert_eq!(external(&for_us()).as_deref(), Some("tools"));
        let machine = of_kind(TokenKind::ClientAccessToken, for_us());
        assert_eq!(external(&machine).as_deref(), Some("tools"));
        let without = Presented {
            scopes: None,
            ..for_us()
        };
        assert_eq!(external(&without).as_deref(), Some(""));
        let elsewhere = Presented {
            issuer: "https://api.descope.com/v1/apps/P1".into(),
            ..for_us()
        };
        for token in [own(), others(), elsewhere] {
            assert_eq!(external(&token), None);
        }
        for kind in [TokenKind::Session, TokenKind::MachineSession] {
            assert_eq!(external(&of_kind(kind, for_us())), None);
        }
    }

    #[test]
    fn the_policy_decides_by_the_claims_of_the_token_what_its_holder_may() {
        let existing = ["tools".to_owned(), "upstream_token".to_owned()];
        let rules = r#"[{"who": "claim:/roles=staff", "scopes": "tools"}]"#;
        let policy = Policy::parse("claim:/roles,subject:root", rules, &existing).unwrap();
        let external = AuthorizationServer::External(External {
            mode: "descope",
            issuer: ISSUER.into(),
        });
        for server in [&AuthorizationServer::BuiltIn, &external] {
            let decided = |token: &Presented| {
                let rules = Rules {
                    authorization_server: server,
                    presented: &config::Presented {
                        tokens: PresentedTokens::Own,
                        scopes: existing.to_vec(),
                    },
                    policy: &policy,
                    existing: &existing,
                    resources: &Resources::new("https://mcp.example.com"),
                };
                scopes(token, &rules)
            };
            let with = |claims: &str| Presented {
                profile: identity::Profile {
                    claims: claims.into(),
                    ..profile("ann")
                },
                ..for_us()
            };
            let taken = decided(&with(r#"{"roles":["staff"]}"#));
            assert_eq!(taken, Ok(vec!["tools".to_owned()]));
            let refused = |refusal| Err(TokenRejection::Person(refusal));
            let none = decided(&with(r#"{"roles":["guest"]}"#));
            assert_eq!(none, refused(policy::Refusal::NoScope));
            assert_eq!(decided(&with("{}")), refused(policy::Refusal::NotAllowed));
            // A token for another server is refused for every holder.
            let others = Presented {
                audience: vec!["another".into()],
                client_id: Some("another".into()),
                ..with(r#"{"roles":["staff"]}"#)
            };
            assert_eq!(decided(&others), Err(TokenRejection::Token));
        }
    }

    #[test]
    fn at_an_external_server_a_clients_own_token_comes_in_by_the_policy_too() {
        let existing = ["tools".to_owned()];
        let policy = Policy::parse("subject:nightly", "", &existing).unwrap();
        let rules = Rules {
            authorization_server: &AuthorizationServer::External(External {
                mode: "descope",
                issuer: ISSUER.into(),
            }),
            presented: &config::Presented {
                tokens: PresentedTokens::Off,
                scopes: Vec::new(),
            },
            policy: &policy,
            existing: &existing,
            resources: &Resources::new("https://mcp.example.com"),
        };
        let of = |subject| Presented {
            profile: profile(subject),
            ..of_kind(TokenKind::ClientAccessToken, for_us())
        };
        assert_eq!(scopes(&of("nightly"), &rules), Ok(existing.to_vec()));
        assert!(scopes(&of("another"), &rules).is_err());
    }
}
