//! DPoP (RFC 9449), at `/token` and at `/mcp`.

use gatehouse_tests::client::{REDIRECT_URI, Tokens};
use gatehouse_tests::signed::{ath, now, proof, proof_for, proof_with};
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings};
use jwt::SigningKey;
use reqwest::Response;
use serde_json::{Value, json};

/// A public client that proves a key.
struct ProvingClient {
    gatehouse: Gatehouse,
    client: Client,
    key: SigningKey,
}

impl ProvingClient {
    async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    async fn start_with(settings: Settings) -> Self {
        let gatehouse = Gatehouse::start_with(settings).await;
        Self {
            client: Client::register(&gatehouse).await,
            gatehouse,
            key: SigningKey::ed25519(&[7; 32]),
        }
    }

    async fn code(&self) -> String {
        self.client.code(&Person::new()).await
    }

    /// A proof for the token endpoint, good now.
    fn proof(&self) -> String {
        proof(&self.key, "POST", &self.gatehouse.url("/token"))
    }

    async fn redeem(&self, code: &str, proof: Option<&str>) -> Response {
        let mut request = self.client.redemption(code);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        request.send().await.unwrap()
    }

    async fn refresh(&self, token: &str, proof: Option<&str>) -> Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", self.client.id()),
        ];
        let mut request = self.client.form("/token", &form);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        request.send().await.unwrap()
    }

    /// Tokens that are bound to the key.
    async fn sign_in(&self) -> Tokens {
        let code = self.code().await;
        Tokens::read(self.redeem(&code, Some(&self.proof())).await).await
    }

    /// A call of the MCP endpoint with this Authorization header and these proofs.
    async fn call(&self, authorization: &str, proofs: &[&str]) -> Response {
        call_at(&self.gatehouse.url("/mcp"), authorization, proofs).await
    }

    /// A proof for a call with this token, its claims changed.
    fn call_proof(&self, token: &str, change: impl FnOnce(&mut Value)) -> String {
        proof_with(&self.key, "POST", &self.gatehouse.url("/mcp"), |claims| {
            claims["ath"] = json!(ath(token));
            change(claims);
        })
    }
}

async fn call_at(url: &str, authorization: &str, proofs: &[&str]) -> Response {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let mut request = Mcp::new(url, None).message(&message);
    request = request.header("authorization", authorization);
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    request.send().await.unwrap()
}

/// The error of the token endpoint.
async fn error(response: Response) -> String {
    assert_eq!(response.status(), 400);
    let error: Value = response.json().await.unwrap();
    error["error"].as_str().unwrap().to_owned()
}

/// The challenge of the MCP endpoint.
fn challenge(response: &Response) -> String {
    assert_eq!(response.status(), 401);
    let challenges = response.headers().get_all("www-authenticate").iter();
    let texts: Vec<_> = challenges.map(|text| text.to_str().unwrap()).collect();
    texts.join(", ")
}

#[tokio::test]
async fn a_proof_binds_the_access_token_and_a_public_clients_refresh_token_to_its_key() {
    let prover = ProvingClient::start().await;
    let tokens = prover.sign_in().await;
    assert_eq!(tokens.answer["token_type"], "DPoP");
    assert_eq!(
        tokens.claims()["cnf"]["jkt"],
        prover.key.public().thumbprint()
    );
    let stranger = SigningKey::ed25519(&[8; 32]);
    let stolen = proof(&stranger, "POST", &prover.gatehouse.url("/token"));
    for bad in [None, Some(stolen.as_str())] {
        let refused = prover.refresh(&tokens.refresh, bad).await;
        assert_eq!(error(refused).await, "invalid_grant");
    }
    // Nothing was used up by that, and the successor is bound as well.
    let next = prover.refresh(&tokens.refresh, Some(&prover.proof())).await;
    let next = Tokens::read(next).await;
    assert_eq!(next.answer["token_type"], "DPoP");
    assert_eq!(
        error(prover.refresh(&next.refresh, None).await).await,
        "invalid_grant"
    );
}

#[tokio::test]
async fn who_brings_no_proof_gets_bearer_tokens_and_is_asked_for_none() {
    let prover = ProvingClient::start().await;
    let code = prover.code().await;
    let response = prover.redeem(&code, None).await;
    assert!(response.headers().get("dpop-nonce").is_none());
    let tokens = Tokens::read(response).await;
    assert_eq!(tokens.answer["token_type"], "Bearer");
    assert!(tokens.claims().get("cnf").is_none());
    // A client may begin to prove a key later on.
    let later = prover.refresh(&tokens.refresh, Some(&prover.proof())).await;
    assert_eq!(Tokens::read(later).await.answer["token_type"], "DPoP");
}

#[tokio::test]
async fn a_confidential_clients_refresh_token_is_bound_by_its_secret_and_not_by_the_key() {
    let prover = ProvingClient::start().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let client = Client::register_as(&prover.gatehouse, metadata).await;
    let secret = client.registration["client_secret"].as_str().unwrap();
    let code = client.code(&Person::new()).await;
    let request = client
        .redemption(&code)
        .basic_auth(client.id(), Some(secret));
    let request = request.header("dpop", prover.proof());
    let tokens = Tokens::read(request.send().await.unwrap()).await;
    assert_eq!(tokens.answer["token_type"], "DPoP");
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
    ];
    let other = SigningKey::ed25519(&[8; 32]);
    let other = proof(&other, "POST", &prover.gatehouse.url("/token"));
    let request = client
        .form("/token", &form)
        .basic_auth(client.id(), Some(secret));
    let request = request.header("dpop", other);
    let tokens = Tokens::read(request.send().await.unwrap()).await;
    assert_eq!(tokens.answer["token_type"], "DPoP");
}

#[tokio::test]
async fn a_code_that_was_asked_for_with_a_key_is_worth_nothing_without_it() {
    let prover = ProvingClient::start().await;
    let thumbprint = prover.key.public().thumbprint();
    let bound = [("dpop_jkt", thumbprint.as_str())];
    let code = prover.client.code_with(&Person::new(), &bound).await;
    let stranger = SigningKey::ed25519(&[8; 32]);
    let stolen = proof(&stranger, "POST", &prover.gatehouse.url("/token"));
    for bad in [None, Some(stolen.as_str())] {
        assert_eq!(
            error(prover.redeem(&code, bad).await).await,
            "invalid_grant"
        );
    }
    Tokens::read(prover.redeem(&code, Some(&prover.proof())).await).await;
}

#[tokio::test]
async fn a_bad_proof_is_refused_and_uses_nothing_up() {
    let prover = ProvingClient::start().await;
    let code = prover.code().await;
    let url = prover.gatehouse.url("/token");
    let with = |change: fn(&mut Value)| proof_with(&prover.key, "POST", &url, change);
    let under = |header: Value| {
        let claims = json!({ "jti": "1", "htm": "POST", "htu": url, "iat": now() });
        let header = header.as_object().cloned().unwrap();
        prover.key.sign_under(header, &claims).unwrap()
    };
    let jwk = prover.key.public().to_jwk();
    let other = SigningKey::ed25519(&[8; 32]).public().to_jwk();
    for bad in [
        "nonsense".to_owned(),
        proof(&prover.key, "GET", &url),
        proof(&prover.key, "POST", &prover.gatehouse.url("/mcp")),
        proof(&prover.key, "POST", "https://other.example/token"),
        with(|claims| claims["iat"] = json!(now() - 120)),
        with(|claims| claims["iat"] = json!(now() + 120)),
        with(|claims| claims["iat"] = Value::Null),
        with(|claims| claims["jti"] = Value::Null),
        with(|claims| claims["htm"] = Value::Null),
        with(|claims| claims["htu"] = json!("/token")),
        under(json!({ "typ": "JWT", "jwk": jwk })),
        under(json!({ "typ": "dpop+jwt" })),
        under(json!({ "typ": "dpop+jwt", "jwk": other })),
        under(json!({ "typ": "dpop+jwt", "jwk": jwk, "alg": "none" })),
        under(json!({ "typ": "dpop+jwt", "jwk": jwk, "alg": "HS256" })),
        under(json!({ "typ": "dpop+jwt", "jwk": { "kty": "oct", "k": "AAAA" }, "alg": "HS256" })),
    ] {
        let refused = prover.redeem(&code, Some(&bad)).await;
        assert_eq!(error(refused).await, "invalid_dpop_proof", "{bad}");
    }
    let twice = prover.client.redemption(&code);
    let twice = twice
        .header("dpop", prover.proof())
        .header("dpop", prover.proof());
    assert_eq!(
        error(twice.send().await.unwrap()).await,
        "invalid_dpop_proof"
    );
    // Query and fragment of the URL are left aside.
    let good = proof(&prover.key, "POST", &format!("{url}?a=b#c"));
    Tokens::read(prover.redeem(&code, Some(&good)).await).await;
}

#[tokio::test]
async fn a_proof_is_good_once_on_every_machine() {
    let prover = ProvingClient::start().await;
    let code = prover.code().await;
    let first = prover.proof();
    let tokens = Tokens::read(prover.redeem(&code, Some(&first)).await).await;
    let again = prover.refresh(&tokens.refresh, Some(&first)).await;
    assert_eq!(error(again).await, "invalid_dpop_proof");
    let other = prover.gatehouse.another().await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", prover.client.id()),
    ];
    let elsewhere = reqwest::Client::new().post(format!("{}/token", other.url()));
    let elsewhere = elsewhere.form(&form).header("dpop", &first);
    assert_eq!(
        error(elsewhere.send().await.unwrap()).await,
        "invalid_dpop_proof"
    );

    let url = prover.gatehouse.url("/mcp");
    let authorization = format!("DPoP {}", tokens.access);
    let proof = proof_for(&prover.key, "POST", &url, &tokens.access);
    assert_eq!(prover.call(&authorization, &[&proof]).await.status(), 200);
    for url in [url, format!("{}/mcp", other.url())] {
        let again = call_at(&url, &authorization, &[&proof]).await;
        assert!(challenge(&again).contains("invalid_dpop_proof"), "{url}");
    }
    other.shutdown().await;
}

#[tokio::test]
async fn a_bound_token_is_worth_nothing_without_a_proof_of_its_key_for_this_very_call() {
    let prover = ProvingClient::start().await;
    let tokens = prover.sign_in().await;
    let (token, url) = (&tokens.access, prover.gatehouse.url("/mcp"));
    let authorization = format!("DPoP {token}");
    let stranger = SigningKey::ed25519(&[8; 32]);
    for (proofs, told) in [
        (vec![], "invalid_dpop_proof"),
        (vec!["nonsense".to_owned()], "invalid_dpop_proof"),
        (
            vec![proof_for(&stranger, "POST", &url, token)],
            "invalid_token",
        ),
        (
            vec![proof_for(&prover.key, "GET", &url, token)],
            "invalid_dpop_proof",
        ),
        (
            vec![proof_for(
                &prover.key,
                "POST",
                &prover.gatehouse.url("/sse"),
                token,
            )],
            "invalid_dpop_proof",
        ),
        (vec![proof(&prover.key, "POST", &url)], "invalid_dpop_proof"),
        (
            vec![proof_for(&prover.key, "POST", &url, "another")],
            "invalid_dpop_proof",
        ),
        (
            vec![prover.call_proof(token, |claims| claims["iat"] = json!(now() - 120))],
            "invalid_dpop_proof",
        ),
        (
            vec![
                prover.call_proof(token, |_| {}),
                prover.call_proof(token, |_| {}),
            ],
            "invalid_dpop_proof",
        ),
    ] {
        let proofs: Vec<_> = proofs.iter().map(String::as_str).collect();
        let refused = prover.call(&authorization, &proofs).await;
        let challenge = challenge(&refused);
        assert!(challenge.contains("DPoP"), "{challenge}");
        assert!(
            challenge.contains(&format!("error=\"{told}\"")),
            "{challenge}"
        );
        assert!(challenge.contains("algs="), "{challenge}");
    }
    let good = prover.call_proof(token, |_| {});
    assert_eq!(prover.call(&authorization, &[&good]).await.status(), 200);
}

#[tokio::test]
async fn a_bound_token_is_no_bearer_token_and_a_bearer_token_is_not_bound() {
    let prover = ProvingClient::start().await;
    let bound = prover.sign_in().await.access;
    let good = prover.call_proof(&bound, |_| {});
    let as_bearer = prover.call(&format!("Bearer {bound}"), &[&good]).await;
    assert!(challenge(&as_bearer).contains("invalid_token"));
    let bearer = prover.client.sign_in(&Person::new()).await.access;
    let proof = prover.call_proof(&bearer, |_| {});
    let as_bound = prover.call(&format!("DPoP {bearer}"), &[&proof]).await;
    assert!(challenge(&as_bound).contains("invalid_token"));
    assert_eq!(
        prover.call(&format!("Bearer {bearer}"), &[]).await.status(),
        200
    );
}

#[tokio::test]
async fn a_bound_token_dies_with_its_grant() {
    let prover = ProvingClient::start().await;
    let tokens = prover.sign_in().await;
    let authorization = format!("DPoP {}", tokens.access);
    let proof = prover.call_proof(&tokens.access, |_| {});
    assert_eq!(prover.call(&authorization, &[&proof]).await.status(), 200);
    // To give a token up, no key has to be proved.
    assert_eq!(prover.client.revoke(&tokens.refresh).await.status(), 200);
    let proof = prover.call_proof(&tokens.access, |_| {});
    let refused = prover.call(&authorization, &[&proof]).await;
    assert!(challenge(&refused).contains("invalid_token"));
}

#[tokio::test]
async fn where_nonces_are_required_each_response_brings_the_next_one() {
    let settings = Settings::default().variable("dpop_nonces", "true");
    let prover = ProvingClient::start_with(settings).await;
    let nonce_of = |response: &Response| {
        let nonce = response.headers()["dpop-nonce"].to_str().unwrap();
        let exposed = response.headers()["access-control-expose-headers"].to_str();
        assert!(exposed.unwrap().contains("dpop-nonce"));
        nonce.to_owned()
    };
    let code = prover.code().await;
    let refused = prover.redeem(&code, Some(&prover.proof())).await;
    let nonce = nonce_of(&refused);
    assert_eq!(error(refused).await, "use_dpop_nonce");
    let token_url = prover.gatehouse.url("/token");
    let with = |nonce: &str| {
        proof_with(&prover.key, "POST", &token_url, |claims| {
            claims["nonce"] = json!(nonce);
            claims["iat"] = json!(now() - 86_400);
        })
    };
    let made_up = prover.redeem(&code, Some(&with("made-up"))).await;
    assert_eq!(error(made_up).await, "use_dpop_nonce");
    let response = prover.redeem(&code, Some(&with(&nonce))).await;
    nonce_of(&response);
    let tokens = Tokens::read(response).await;

    let authorization = format!("DPoP {}", tokens.access);
    let bare = prover.call_proof(&tokens.access, |_| {});
    let refused = prover.call(&authorization, &[&bare]).await;
    assert!(challenge(&refused).contains("use_dpop_nonce"));
    let nonce = refused.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let good = prover.call_proof(&tokens.access, |claims| claims["nonce"] = json!(nonce));
    let answer = prover.call(&authorization, &[&good]).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("dpop-nonce"));
    // Who brings no proof is asked for none.
    let code = prover.code().await;
    assert_eq!(prover.redeem(&code, None).await.status(), 200);
}

#[tokio::test]
async fn a_nonce_of_one_machine_is_good_on_another_and_outlives_a_rotation_of_the_key() {
    let settings = Settings::default().variable("dpop_nonces", "true");
    let prover = ProvingClient::start_with(settings).await;
    let code = prover.code().await;
    let refused = prover.redeem(&code, Some(&prover.proof())).await;
    let nonce = refused.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let ProvingClient {
        gatehouse,
        client,
        key,
    } = prover;
    let rotated = format!(
        "{},{}",
        "5a".repeat(31) + "00",
        gatehouse_tests::ENCRYPTION_KEY
    );
    let gatehouse = gatehouse
        .restart_with(&[("encryption_key", &rotated)])
        .await;
    let proof = proof_with(&key, "POST", &gatehouse.url("/token"), |claims| {
        claims["nonce"] = json!(nonce);
    });
    let request = client.redemption(&code).header("dpop", proof);
    Tokens::read(request.send().await.unwrap()).await;
}

#[tokio::test]
async fn a_request_without_a_token_is_told_of_both_schemes_the_bearer_one_first() {
    let prover = ProvingClient::start().await;
    let response = Mcp::new(prover.gatehouse.url("/mcp"), None);
    let response = response.request("ping", json!({})).await;
    let challenge = challenge(&response);
    let (bearer, dpop) = (challenge.find("Bearer "), challenge.find("DPoP "));
    assert!(bearer == Some(0) && dpop > bearer, "{challenge}");
    assert!(!challenge.contains("error"), "{challenge}");
}

#[tokio::test]
async fn a_client_with_dpop_bound_access_tokens_gets_no_bearer_token() {
    let mut prover = ProvingClient::start().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "dpop_bound_access_tokens": true,
    });
    prover.client = Client::register_as(&prover.gatehouse, metadata).await;
    assert_eq!(prover.client.registration["dpop_bound_access_tokens"], true);
    let code = prover.code().await;
    let refused = prover.redeem(&code, None).await;
    assert_eq!(error(refused).await, "invalid_dpop_proof");
    let response = prover.redeem(&code, Some(&prover.proof())).await;
    let tokens = Tokens::read(response).await;
    assert_eq!(tokens.answer["token_type"], "DPoP");
    let refused = prover.refresh(&tokens.refresh, None).await;
    assert_eq!(error(refused).await, "invalid_dpop_proof");
}

#[tokio::test]
async fn a_proof_needs_an_iat_with_a_nonce_too() {
    let settings = Settings::default().variable("dpop_nonces", "true");
    let prover = ProvingClient::start_with(settings).await;
    let code = prover.code().await;
    let refused = prover.redeem(&code, Some(&prover.proof())).await;
    let nonce = refused.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let url = prover.gatehouse.url("/token");
    let with = |iat: Value| {
        proof_with(&prover.key, "POST", &url, |claims| {
            claims["nonce"] = json!(nonce);
            claims["iat"] = iat;
        })
    };
    let refused = prover.redeem(&code, Some(&with(Value::Null))).await;
    assert_eq!(error(refused).await, "invalid_dpop_proof");
    let good = prover.redeem(&code, Some(&with(json!(now())))).await;
    assert_eq!(good.status(), 200);
}
