//! Tokens that are bound to a key.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt::SigningKey;
use oauth::access_token::Confirmation;
use serde_json::json;
use sha2::{Digest, Sha256};

fn key() -> SigningKey {
    SigningKey::es256(&[7; 32]).unwrap()
}

impl Fixture {
    /// A token that is bound to a key.
    async fn bound_token(&self, key: &SigningKey) -> String {
        let jkt = key.public().thumbprint();
        self.token_with(&["tools"], |claims| claims.cnf = Some(Confirmation { jkt }))
            .await
    }

    /// Posts a ping with a token and a proof.
    async fn prove(&self, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
        let authorization = format!("{scheme} {token}");
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(proof.map(|proof| ("dpop", proof)));
        self.send("POST", "/mcp", &headers, PING).await
    }
}

/// A proof for a POST to `/mcp` with `token`, changed by `change`.
fn proof(key: &SigningKey, token: &str, jti: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "jti": jti,
        "htm": "POST",
        "htu": format!("{BASE}/mcp"),
        "iat": START,
        "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(token)),
    });
    change(&mut claims);
    let header = json!({ "typ": "dpop+jwt", "jwk": key.public().to_jwk() });
    let header = header.as_object().cloned().unwrap();
    key.sign_under(header, &claims).unwrap()
}

fn challenge(answer: &Answer) -> &str {
    let challenge = answer.header("www-authenticate");
    assert_eq!(answer.status, 401, "{challenge}");
    challenge
}

#[test]
fn a_bound_token_with_a_proof_of_its_key_is_good_once() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.bound_token(&key()).await;
        let good = proof(&key(), &token, "1", |_| {});
        let answer = fixture.prove("DPoP", &token, Some(&good)).await;
        assert_eq!(answer.status, 200);
        let again = fixture.prove("dpop", &token, Some(&good)).await;
        let challenge = challenge(&again);
        assert!(challenge.starts_with(r#"DPoP error="invalid_dpop_proof""#));
        assert!(challenge.contains(r#"algs="EdDSA ES256 RS256""#));
        let next = proof(&key(), &token, "2", |_| {});
        let answer = fixture.prove("DPoP", &token, Some(&next)).await;
        assert_eq!(answer.status, 200);
    });
}

#[test]
fn a_bound_token_without_a_good_proof_of_its_key_is_refused() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.bound_token(&key()).await;
        let other = fixture.bound_token(&key()).await + "x";
        let proofs = [
            None,
            Some(proof(&key(), &token, "1", |claims| {
                claims["htm"] = json!("GET")
            })),
            Some(proof(&key(), &token, "2", |claims| {
                claims["htu"] = json!(format!("{BASE}/token"));
            })),
            Some(proof(&key(), &token, "3", |claims| {
                claims["iat"] = json!(START + 60)
            })),
            Some(proof(&key(), &other, "4", |_| {})),
        ];
        for proof in proofs {
            let answer = fixture.prove("DPoP", &token, proof.as_deref()).await;
            let challenge = challenge(&answer);
            assert!(
                challenge.starts_with(r#"DPoP error="invalid_dpop_proof""#),
                "{challenge}"
            );
            assert!(challenge.contains("resource_metadata="));
        }
        let thief = SigningKey::es256(&[8; 32]).unwrap();
        let stolen = proof(&thief, &token, "5", |_| {});
        let answer = fixture.prove("DPoP", &token, Some(&stolen)).await;
        assert!(challenge(&answer).starts_with(r#"DPoP error="invalid_token""#));
    });
}

#[test]
fn a_bound_token_is_no_bearer_token_and_a_bearer_token_not_bound() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let token = fixture.bound_token(&key()).await;
        let answer = fixture.prove("Bearer", &token, None).await;
        assert!(challenge(&answer).starts_with(r#"DPoP error="invalid_token""#));
        let good = proof(&key(), &token, "1", |_| {});
        let answer = fixture.prove("Bearer", &token, Some(&good)).await;
        assert_eq!(answer.status, 401);
        let bearer = fixture.token(&["tools"]).await;
        let good = proof(&key(), &bearer, "2", |_| {});
        let answer = fixture.prove("DPoP", &bearer, Some(&good)).await;
        assert!(challenge(&answer).starts_with(r#"DPoP error="invalid_token""#));
        // The provider's tokens are not bound here.
        let pasted = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA";
        let good = proof(&key(), pasted, "3", |_| {});
        let answer = fixture.prove("DPoP", pasted, Some(&good)).await;
        assert_eq!(answer.status, 401);
        assert_eq!(fixture.identity.verifications(), 0);
    });
}

#[test]
fn without_a_token_both_schemes_are_offered_the_bearer_one_first() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let answer = fixture.send("POST", "/mcp", &[], PING).await;
        let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(challenges.len(), 2);
        assert!(challenges[0].to_str().unwrap().starts_with("Bearer "));
        assert_eq!(challenges[1], r#"DPoP algs="EdDSA ES256 RS256""#);
    });
}

#[test]
fn where_nonces_are_asked_for_the_refusal_brings_the_one_to_use() {
    let fixture = Fixture::with(&[("dpop_nonces", "true")]);
    fixture.environment.run(async {
        let token = fixture.bound_token(&key()).await;
        let without = proof(&key(), &token, "1", |_| {});
        let answer = fixture.prove("DPoP", &token, Some(&without)).await;
        assert!(challenge(&answer).starts_with(r#"DPoP error="use_dpop_nonce""#));
        let nonce = answer.header("dpop-nonce").to_owned();
        let with = proof(&key(), &token, "1", |claims| claims["nonce"] = json!(nonce));
        let answer = fixture.prove("DPoP", &token, Some(&with)).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.header("dpop-nonce").is_empty());
        let bearer = fixture.token(&["tools"]).await;
        let answer = fixture.post(&bearer, &[], PING).await;
        assert_eq!((answer.status, answer.header("dpop-nonce")), (200, ""));
    });
}

#[test]
fn a_page_may_send_a_proof_and_read_the_nonce() {
    let fixture = Fixture::new();
    fixture.environment.run(async {
        let ours = [("origin", "http://localhost:6274")];
        let answer = fixture.send("OPTIONS", "/mcp", &ours, "").await;
        assert!(
            answer
                .header("access-control-allow-headers")
                .contains("DPoP")
        );
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("DPoP-Nonce"));
    });
}
