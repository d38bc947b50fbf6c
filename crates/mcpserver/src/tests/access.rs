//! Authentication and scopes of callers.

use super::*;
use crate::Environment;
use crate::testing::TOKEN_OF_A_CLIENTS_SUBJECT;
use grants::Grants;
use identity::TokenKind;
use oauth::access_token::Audience;
use serde_json::json;
use std::time::Duration;

const METADATA: &str =
    r#"resource_metadata="http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp""#;

#[test]
fn without_a_token_the_challenge_says_where_to_sign_in_and_no_error() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        for headers in [&[][..], &[("authorization", "Basic eDp5")]] {
            let answer = fixture.send("POST", "/mcp", headers, PING).await;
            assert_eq!(answer.status, 401);
            assert_eq!(
                answer.header("www-authenticate"),
                format!(r#"Bearer {METADATA}, scope="tools secret""#)
            );
        }
        for path in ["/sse", "/messages"] {
            let answer = fixture.send("GET", path, &[], "").await;
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("oauth-protected-resource/sse\""));
        }
        let query = format!("/mcp?access_token={}", fixture.token(&["tools"]).await);
        assert_eq!(fixture.send("POST", &query, &[], PING).await.status, 401);
    });
}

#[test]
fn a_token_that_is_not_good_gets_invalid_token_and_a_reason() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let good = fixture.token(&["tools"]).await;
        let (rest, _) = good.rsplit_once('.').unwrap();
        let tokens = [
            "nonsense".to_owned(),
            format!("{rest}.{}", "A".repeat(86)),
            fixture
                .token_with(&["tools"], |claims| {
                    claims.iss = "https://evil.example".into()
                })
                .await,
            fixture
                .token_with(&["tools"], |claims| {
                    claims.aud = Audience::One("https://evil.example/mcp".into());
                })
                .await,
            fixture
                .token_with(&["tools"], |claims| claims.exp = START)
                .await,
            fixture
                .token_with(&["tools"], |claims| claims.iat = START + 600)
                .await,
            fixture
                .token_with(&["tools"], |claims| claims.grant = "unknown".into())
                .await,
            fixture
                .token_with(&["tools"], |claims| claims.sub = "bob".into())
                .await,
        ];
        for token in tokens {
            let answer = fixture.post(&token, &[], PING).await;
            assert_eq!(answer.status, 401);
            let challenge = answer.header("www-authenticate").to_owned();
            assert!(challenge.starts_with(r#"Bearer error="invalid_token", error_description=""#));
            assert!(challenge.contains(METADATA));
            assert!(!challenge.contains(&token));
        }
        for value in ["Bearer", "Bearer ", "Bearer a b", "Bearer \"x\""] {
            let headers = [("authorization", value)];
            let answer = fixture.send("POST", "/mcp", &headers, PING).await;
            assert!(answer.header("www-authenticate").contains("invalid_token"));
        }
        assert_eq!(fixture.post(&good, &[], PING).await.status, 200);
    });
}

#[test]
fn the_scheme_may_be_written_in_any_case() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let authorization = format!("bEARER {}", fixture.token(&["tools"]).await);
        let headers = [("authorization", authorization.as_str())];
        let answer = fixture.send("POST", "/mcp", &headers, PING).await;
        assert_eq!(answer.status, 200);
    });
}

#[test]
fn a_token_dies_with_its_time_and_its_grant_though_it_was_good_before() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let short = fixture
            .token_with(&["tools"], |claims| claims.exp = START + 10)
            .await;
        let token = fixture
            .token_with(&["tools"], |claims| claims.exp = 9_000)
            .await;
        for token in [&short, &token] {
            assert_eq!(fixture.post(token, &[], PING).await.status, 200);
        }
        fixture.environment.advance(10);
        assert_eq!(fixture.post(&short, &[], PING).await.status, 401);
        assert_eq!(fixture.post(&token, &[], PING).await.status, 200);
        let claims: access_token::Claims = fixture
            .server
            .context
            .config
            .keys
            .verify(access_token::TYP, &token)
            .unwrap();
        Grants::new(
            &fixture.server.context.store,
            &fixture.server.context.config.keys,
        )
        .end(&claims.grant, START)
        .await
        .unwrap();
        fixture.environment.advance(1);
        let answer = fixture.post(&token, &[], PING).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").contains("ended"));
    });
}

#[test]
fn a_missing_scope_is_named_with_the_ones_there_are() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let answer = fixture.post(&token, &[], &call("credential")).await;
        assert_eq!(answer.status, 403);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with(r#"Bearer error="insufficient_scope""#));
        assert!(challenge.ends_with(&format!(r#"{METADATA}, scope="tools secret""#)));
    });
}

#[test]
fn a_pasted_token_whose_subject_is_a_clients_is_refused() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let answer = fixture.post(TOKEN_OF_A_CLIENTS_SUBJECT, &[], PING).await;
        assert_eq!(answer.status, 401);
        assert_eq!(fixture.identity.verifications(), 1);
    });
}

#[test]
fn a_token_of_the_provider_is_asked_about_once_a_minute_and_has_every_scope() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        // A JWT that is not ours: another algorithm, another type.
        let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        for _ in 0..3 {
            let message = fixture.call(token, "credential").await;
            assert_eq!(
                message["result"]["content"][0]["text"],
                format!(r#"Some(Presented("Bearer {token}"))"#)
            );
        }
        assert_eq!(fixture.identity.verifications(), 1);
        fixture.environment.advance(60);
        fixture.call(token, "credential").await;
        assert_eq!(fixture.identity.verifications(), 2);
        fixture.environment.advance(60);
        fixture.identity.refuse();
        assert_eq!(fixture.post(token, &[], PING).await.status, 401);
        fixture.identity.go_down();
        let answer = fixture.post(token, &[], PING).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    });
}

#[test]
fn a_token_of_the_providers_that_looks_like_ours_is_verified_there() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let foreign = jwt::SigningKey::ed25519(&[9; 32]);
        let signed = |issuer: &str| {
            let claims = serde_json::json!({ "iss": issuer, "sub": "ada" });
            foreign.sign(access_token::TYP, &claims).unwrap()
        };
        let theirs = signed("https://idp.example");
        assert_eq!(fixture.post(&theirs, &[], PING).await.status, 200);
        assert_eq!(fixture.identity.verifications(), 1);
        // One that says it is ours is forged, and the provider is not asked about it.
        let forged = signed(BASE);
        assert_eq!(fixture.post(&forged, &[], PING).await.status, 401);
        assert_eq!(fixture.identity.verifications(), 1);
    });
}

/// What a server needs whose tokens Descope issues.
const AT_DESCOPE: [(&str, &str); 2] = [
    ("authorization_server", "descope"),
    ("descope_project_id", "P1"),
];

#[test]
fn at_an_external_authorization_server_a_tokens_scopes_decide() {
    let fixture = Fixture::with(&AT_DESCOPE);
    fixture.environment.run(async {
        let allow = |scopes: Option<&[&str]>| {
            *fixture.identity.scopes.lock().unwrap() =
                scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect());
        };
        for (scopes, token, echo, credential) in [
            (Some(&["openid", "tools"][..]), "a.b.1", 200, 403),
            (Some(&["secret", "tools"][..]), "a.b.2", 200, 200),
            (Some(&["openid"][..]), "a.b.3", 403, 403),
            (Some(&[][..]), "a.b.4", 403, 403),
            (None, "a.b.5", 403, 403),
        ] {
            allow(scopes);
            let answer = fixture.post(token, &[], &call("echo")).await;
            assert_eq!(answer.status, echo, "{scopes:?}");
            let answer = fixture.post(token, &[], &call("credential")).await;
            assert_eq!(answer.status, credential, "{scopes:?}");
            if credential == 403 {
                let challenge = answer.header("www-authenticate");
                assert!(challenge.starts_with(r#"Bearer error="insufficient_scope""#));
                assert!(challenge.contains(METADATA) && challenge.ends_with(r#"secret""#));
            }
        }
    });
}

#[test]
fn sessions_are_not_taken_anywhere_by_default() {
    for variables in [&[][..], &AT_DESCOPE] {
        let fixture = Fixture::with(variables);
        for kind in [TokenKind::Session, TokenKind::MachineSession] {
            *fixture.identity.kind.lock().unwrap() = kind;
            fixture.environment.run(async {
                for _ in 0..2 {
                    // A JWT that is not ours.
                    let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
                    let answer = fixture.post(token, &[], PING).await;
                    assert_eq!(answer.status, 401);
                    let challenge = answer.header("www-authenticate");
                    assert!(challenge.contains("invalid_token"), "{challenge}");
                }
            });
        }
    }
}

#[test]
fn where_presented_tokens_are_off_the_provider_is_not_asked() {
    let fixture = Fixture::with(&[("presented_tokens", "off")]);
    fixture.environment.run(async {
        let answer = fixture.post("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA", &[], PING);
        assert_eq!(answer.await.status, 401);
        assert_eq!(fixture.identity.verifications(), 0);
    });
}

#[test]
fn a_presented_token_has_the_presented_scopes_alone() {
    let fixture = Fixture::with(&[("presented_scopes", "tools")]);
    fixture.environment.run(async {
        let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        let answer = fixture.post(token, &[], &call("echo")).await;
        assert_eq!(answer.status, 200);
        let answer = fixture.post(token, &[], &call("credential")).await;
        assert_eq!(answer.status, 403);
    });
}

#[test]
fn a_scope_that_is_not_the_grants_the_clients_or_gone_is_lost_to_a_token() {
    let bounded =
        r#"[{"client_id":"client","redirect_uris":["https://a.example/"],"scope":"tools"}]"#;
    for (granted, variables, echo, credential) in [
        (&["tools", "secret"][..], &[][..], 200, 200),
        (&["tools"], &[], 200, 403),
        (&["tools", "secret"], &[("scopes", "tools")], 200, 403),
        (&["tools", "secret"], &[("clients", bounded)], 200, 403),
    ] {
        let fixture = Fixture::with(variables);
        fixture.environment.run(async {
            let token = fixture.token_with(granted, |claims| claims.scope = "tools secret".into());
            let token = token.await;
            let answer = fixture.post(&token, &[], &call("echo")).await;
            assert_eq!(answer.status, echo, "{variables:?}");
            let answer = fixture.post(&token, &[], &call("credential")).await;
            assert_eq!(answer.status, credential, "{variables:?}");
        });
    }
}

#[test]
fn the_401_names_the_default_scopes() {
    let fixture = Fixture::with(&[("default_scopes", "tools")]);
    fixture.environment.run(async {
        let answer = fixture.send("POST", "/mcp", &[], PING).await;
        let challenge = answer.header("www-authenticate");
        assert!(challenge.ends_with(r#"scope="tools""#), "{challenge}");
    });
}

#[test]
fn at_an_external_authorization_server_a_token_of_our_own_is_nothing() {
    let ours = Fixture::new();
    let token = ours.environment.run(ours.token(&["tools"]));
    let fixture = Fixture::with(&AT_DESCOPE);
    fixture.identity.refuse();
    fixture.environment.run(async {
        let answer = fixture.post(&token, &[], PING).await;
        assert_eq!(answer.status, 401);
        assert_eq!(fixture.identity.verifications(), 1);
    });
}

#[test]
fn the_upstream_token_goes_to_the_tool_that_wants_it() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.token(&["secret"]).await;
        let message = fixture.call(&token, "credential").await;
        assert_eq!(
            message["result"]["content"][0]["text"],
            r#"Some(Upstream("up-0"))"#
        );
    });
}

#[test]
fn a_call_reads_the_store_once_and_writes_nothing() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let backend = fixture.server.context.store.backend();
        for tool in ["echo", "echo", "steps"] {
            fixture.environment.advance(1);
            let (reads, writes) = backend.operations();
            let answer = fixture.post(&token, &[], &plain_call(tool)).await;
            assert_eq!(answer.status, 200);
            assert_eq!(backend.operations(), (reads + 1, writes));
        }
    });
}

#[test]
fn a_page_of_another_origin_is_refused_and_one_of_ours_may_read() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let evil = [("origin", "http://evil.example")];
        for method in ["POST", "OPTIONS", "GET"] {
            let answer = fixture.send(method, "/mcp", &evil, PING).await;
            assert_eq!(answer.status, 403);
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
        let ours = [("origin", "http://localhost:6274")];
        let answer = fixture.send("POST", "/mcp", &ours, PING).await;
        assert_eq!(answer.status, 401);
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("WWW-Authenticate") && exposed.contains("Mcp-Session-Id"));
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "http://localhost:6274"
        );
        let answer = fixture.send("OPTIONS", "/mcp", &ours, "").await;
        assert_eq!(answer.status, 204);
        assert_eq!(
            answer.header("access-control-allow-methods"),
            "GET, POST, DELETE, OPTIONS"
        );
        let allowed = answer.header("access-control-allow-headers");
        for name in ["Authorization", "MCP-Protocol-Version", "Last-Event-ID"] {
            assert!(allowed.contains(name));
        }
    });
}

#[test]
fn a_server_that_does_not_know_its_place_names_the_variable() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        // A name that an attacker made to mean this machine, as their page would use it.
        for headers in [
            [("spin-full-url", "https://mcp.example.com/mcp")],
            [("host", "evil.example:3000")],
        ] {
            let answer = fixture.send("POST", "/mcp", &headers, PING).await;
            assert_eq!(answer.status, 421);
            let text = answer.json().await.to_string();
            assert!(text.contains("SPIN_VARIABLE_PUBLIC_URL"));
        }
    });
}

#[test]
fn at_a_public_url_everything_is_named_by_it() {
    let fixture = Fixture::with(&[("public_url", "https://mcp.example.com")]);
    fixture.environment.run(async {
        let answer = fixture.send("POST", "/mcp", &[], PING).await;
        assert!(
            answer
                .header("www-authenticate")
                .contains("https://mcp.example.com/.well-known/oauth-protected-resource/mcp")
        );
        let token = fixture
            .token_with(&["tools"], |claims| {
                claims.iss = "https://mcp.example.com".into();
                claims.aud = Audience::Many(vec!["https://mcp.example.com/sse".into()]);
            })
            .await;
        assert_eq!(fixture.post(&token, &[], PING).await.status, 200);
    });
}

#[test]
fn a_store_that_does_not_answer_is_503_as_a_json_rpc_error() {
    run(async |fixture, token| {
        let initialize = initialize("2025-11-25");
        let answer = fixture.post(&token, &[], &initialize).await;
        let session = answer.header("mcp-session-id").to_owned();
        let authorization = format!("Bearer {token}");
        let authorized = ("authorization", authorization.as_str());
        let in_session = ("mcp-session-id", session.as_str());
        let stream = fixture.send("GET", "/sse", &[authorized], "").await;
        let mut body = stream.body;
        let endpoint = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let endpoint = String::from_utf8(endpoint.to_vec()).unwrap();
        let endpoint = endpoint.trim().rsplit_once(' ').unwrap().1;
        drop(body);
        fixture.environment.advance(2);
        let store = fixture.server.context.store.backend();
        store.set_down(true);
        let refused = async |answer: Answer, what: &str| {
            let retry = answer.header("retry-after");
            assert_eq!((answer.status, retry), (503, "1"), "{what}");
            assert_eq!(answer.json().await["jsonrpc"], "2.0", "{what}");
        };
        for (method, path, body) in [
            ("POST", "/mcp", PING),
            ("GET", "/mcp", ""),
            ("DELETE", "/mcp", ""),
            ("GET", "/sse", ""),
            ("POST", endpoint, PING),
        ] {
            for headers in [&[authorized][..], &[authorized, in_session]] {
                let answer = fixture.send(method, path, headers, body).await;
                refused(answer, &format!("{method} {path}")).await;
            }
        }
        for (method, params) in [
            ("tools/list", json!({})),
            ("tasks/get", json!({"taskId": "x"})),
            ("subscriptions/listen", json!({"notifications": {}})),
        ] {
            let message = stateless::message(method, params, json!({}));
            let answer = stateless::send(fixture, &token, &[], &message).await;
            refused(answer, method).await;
        }
        store.set_down(false);
        assert_eq!(fixture.post(&token, &[], PING).await.status, 200);
    });
}

#[test]
fn a_path_that_is_not_the_endpoints_is_404() {
    run(async |fixture, token| {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        for (path, status) in [
            ("/mcp", 200),
            ("/mcp/", 200),
            ("//mcp", 404),
            ("/mcp//", 404),
        ] {
            let answer = fixture.send("POST", path, &headers, PING).await;
            assert_eq!(answer.status, status, "{path}");
        }
    });
}

/// Returns how often the store was read and written while `work` ran.
async fn operations_of(fixture: &Fixture, work: impl AsyncFnOnce()) -> (u32, u32) {
    let backend = fixture.server.context.store.backend().clone();
    let (reads, writes) = backend.operations();
    work().await;
    let (after_reads, after_writes) = backend.operations();
    (after_reads - reads, after_writes - writes)
}

#[test]
fn a_burst_of_requests_reads_its_grant_once_a_second() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let burst = async || {
            for _ in 0..20 {
                assert_eq!(fixture.post(&token, &[], PING).await.status, 200);
            }
        };
        for _ in 0..3 {
            assert_eq!(operations_of(&fixture, burst).await, (1, 0));
            fixture.environment.sleep(Duration::from_secs(1)).await;
        }
    });
}

#[test]
fn a_grant_that_ended_elsewhere_is_refused_after_grant_check_seconds_at_the_latest() {
    for (seconds, variables) in [
        (1, &[][..]),
        (0, &[("grant_check", "0")]),
        (5, &[("grant_check", "5")]),
    ] {
        let fixture = Fixture::with(variables);
        fixture.environment.run(async {
            let token = fixture.token(&["tools"]).await;
            assert_eq!(fixture.post(&token, &[], PING).await.status, 200);
            fixture.end_grants().await;
            // Requests in the meantime do not put it off.
            for passed in 0..8 {
                let status = fixture.post(&token, &[], PING).await.status;
                assert_eq!(status == 200, passed < seconds, "{seconds}: {passed}");
                fixture.environment.sleep(Duration::from_secs(1)).await;
            }
        });
    }
}

#[test]
fn a_token_of_a_trusted_grant_is_still_checked_for_itself() {
    let fixture = Fixture::with(&[("grant_check", "60")]);
    fixture.environment.run(async {
        let good = fixture.token(&["tools"]).await;
        let short = fixture
            .token_with(&["tools"], |claims| claims.exp = START + 2)
            .await;
        for token in [&good, &short] {
            assert_eq!(fixture.post(token, &[], PING).await.status, 200);
        }
        fixture.environment.sleep(Duration::from_secs(2)).await;
        assert_eq!(fixture.post(&short, &[], PING).await.status, 401);
        assert_eq!(fixture.post(&good, &[], PING).await.status, 200);
    });
}

#[test]
fn a_trusted_grant_is_refused_once_it_has_expired() {
    const GRANT_ENDS_AT: u64 = 1_000_000;
    let fixture = Fixture::with(&[("grant_check", "60")]);
    fixture.environment.run(async {
        let token = fixture
            .token_with(&["tools"], |claims| claims.exp = 2 * GRANT_ENDS_AT)
            .await;
        fixture.environment.advance(GRANT_ENDS_AT - START - 1);
        assert_eq!(fixture.post(&token, &[], PING).await.status, 200);
        fixture.environment.advance(1);
        assert_eq!(fixture.post(&token, &[], PING).await.status, 401);
    });
}
