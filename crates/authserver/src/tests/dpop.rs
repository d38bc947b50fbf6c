//! Proof of possession at the token endpoint.

use super::world::{Answer, ISSUER, REDIRECT_URI, VERIFIER, World, encode, request};
use jwt::SigningKey;
use oauth::access_token::{self, Claims};
use serde_json::{Value, json};

struct Fixture {
    world: World,
    client: String,
    key: SigningKey,
    /// Tells one proof from the next.
    count: u32,
}

impl Fixture {
    fn new() -> Self {
        let mut world = World::new();
        Self {
            client: world.register(REDIRECT_URI),
            world,
            key: SigningKey::ed25519(&[7; 32]),
            count: 0,
        }
    }

    fn thumbprint(&self) -> String {
        self.key.public().thumbprint()
    }

    /// Returns a proof that is good now, changed by `change`.
    fn proof(&mut self, change: impl FnOnce(&mut Value)) -> String {
        self.count += 1;
        let mut claims = json!({
            "jti": self.count.to_string(),
            "htm": "POST",
            "htu": format!("{ISSUER}/token"),
            "iat": self.world.now,
        });
        change(&mut claims);
        let header = json!({ "typ": "dpop+jwt", "jwk": self.key.public().to_jwk() });
        let header = header.as_object().cloned().unwrap();
        self.key.sign_under(header, &claims).unwrap()
    }

    fn good(&mut self) -> String {
        self.proof(|_| {})
    }

    fn send(&mut self, form: &[(&str, &str)], proof: Option<&str>) -> Answer {
        let mut builder =
            request("POST", "/token").header("content-type", "application/x-www-form-urlencoded");
        if let Some(proof) = proof {
            builder = builder.header("dpop", proof);
        }
        self.world.send(builder.body(encode(form)).unwrap())
    }

    fn redeem(&mut self, code: &str, proof: Option<&str>) -> Answer {
        let client = self.client.clone();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client.as_str()),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        self.send(&form, proof)
    }

    fn refresh(&mut self, token: &str, proof: Option<&str>) -> Answer {
        let client = self.client.clone();
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client.as_str()),
            ("refresh_token", token),
        ];
        self.send(&form, proof)
    }

    fn code(&mut self, more: &str) -> String {
        let client = self.client.clone();
        self.world.code(&client, more)
    }

    fn claims(&self, answer: &Value) -> Claims {
        let token = answer["access_token"].as_str().unwrap();
        let keys = &self.world.config.keys;
        keys.verify(access_token::TYP, token).unwrap()
    }
}

fn refresh_token(answer: &Answer) -> String {
    let json = answer.json();
    json["refresh_token"].as_str().unwrap().to_owned()
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".into())
}

fn invalid_proof() -> (u16, String) {
    (400, "invalid_dpop_proof".into())
}

#[test]
fn a_proof_binds_the_access_token_and_a_public_clients_refresh_token() {
    let mut fixture = Fixture::new();
    let code = fixture.code("");
    let proof = fixture.good();
    let answer = fixture.redeem(&code, Some(&proof));
    assert_eq!(answer.json()["token_type"], "DPoP", "{answer:?}");
    let claims = fixture.claims(&answer.json());
    assert_eq!(claims.cnf.unwrap().jkt, fixture.thumbprint());
    let token = refresh_token(&answer);
    assert_eq!(fixture.refresh(&token, None).error(), invalid_grant());
    let own = std::mem::replace(&mut fixture.key, SigningKey::ed25519(&[8; 32]));
    let stolen = fixture.good();
    assert_eq!(
        fixture.refresh(&token, Some(&stolen)).error(),
        invalid_grant()
    );
    fixture.key = own;
    let proof = fixture.good();
    let answer = fixture.refresh(&token, Some(&proof));
    assert_eq!(answer.json()["token_type"], "DPoP", "{answer:?}");
    let next = refresh_token(&answer);
    assert_eq!(fixture.refresh(&next, None).error(), invalid_grant());
}

#[test]
fn without_a_proof_nothing_is_bound_and_a_later_proof_binds_the_access_token() {
    let mut fixture = Fixture::new();
    let code = fixture.code("");
    let answer = fixture.redeem(&code, None);
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(fixture.claims(&answer.json()).cnf, None);
    let token = refresh_token(&answer);
    let proof = fixture.good();
    let answer = fixture.refresh(&token, Some(&proof));
    assert_eq!(answer.json()["token_type"], "DPoP");
    let next = refresh_token(&answer);
    assert_eq!(fixture.refresh(&next, None).status, 200);
}

#[test]
fn a_code_that_was_asked_for_with_a_key_needs_that_key() {
    let mut fixture = Fixture::new();
    let more = format!("&dpop_jkt={}", fixture.thumbprint());
    let code = fixture.code(&more);
    assert_eq!(fixture.redeem(&code, None).error(), invalid_grant());
    let own = std::mem::replace(&mut fixture.key, SigningKey::ed25519(&[8; 32]));
    let stolen = fixture.good();
    assert_eq!(
        fixture.redeem(&code, Some(&stolen)).error(),
        invalid_grant()
    );
    fixture.key = own;
    let proof = fixture.good();
    assert_eq!(fixture.redeem(&code, Some(&proof)).status, 200);
}

#[test]
fn a_bad_or_repeated_proof_is_refused_and_uses_nothing_up() {
    let mut fixture = Fixture::new();
    let code = fixture.code("");
    let now = fixture.world.now;
    let bad = [
        fixture.proof(|claims| claims["htm"] = json!("GET")),
        fixture.proof(|claims| claims["htu"] = json!(format!("{ISSUER}/mcp"))),
        fixture.proof(|claims| claims["iat"] = json!(now - 60)),
        "nonsense".to_owned(),
    ];
    for proof in bad {
        assert_eq!(fixture.redeem(&code, Some(&proof)).error(), invalid_proof());
    }
    let proof = fixture.good();
    let token = refresh_token(&fixture.redeem(&code, Some(&proof)));
    let replayed = fixture.refresh(&token, Some(&proof));
    assert_eq!(replayed.error(), invalid_proof());
    let proof = fixture.good();
    assert_eq!(fixture.refresh(&token, Some(&proof)).status, 200);
}

#[test]
fn a_proof_is_written_down_only_for_who_holds_a_code_or_token() {
    let mut fixture = Fixture::new();
    let code = fixture.code("");
    let keys = |fixture: &Fixture| fixture.world.store.backend().keys().len();
    let before = keys(&fixture);
    for count in 0..5 {
        let proof = fixture.good();
        let answer = fixture.redeem("ghc_AAAA", Some(&proof));
        assert_eq!(answer.error(), invalid_grant(), "{count}");
    }
    assert_eq!(keys(&fixture), before);
    let proof = fixture.good();
    assert_eq!(fixture.redeem(&code, Some(&proof)).status, 200);
    assert!(keys(&fixture) > before);
}

#[test]
fn where_nonces_are_asked_for_the_answer_brings_the_one_to_use() {
    let mut fixture = Fixture::new();
    fixture.world.config.dpop_nonces = true;
    let code = fixture.code("");
    let proof = fixture.good();
    let answer = fixture.redeem(&code, Some(&proof));
    assert_eq!(answer.error(), (400, "use_dpop_nonce".into()));
    let nonce = answer.header("dpop-nonce").to_owned();
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("dpop-nonce")
    );
    let proof = fixture.proof(|claims| claims["nonce"] = json!(nonce));
    let answer = fixture.redeem(&code, Some(&proof));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.header("dpop-nonce").is_empty());
    // Never required of who brings no proof.
    let code = fixture.code("");
    let answer = fixture.redeem(&code, None);
    assert_eq!((answer.status, answer.header("dpop-nonce")), (200, ""));
}

#[test]
fn a_page_of_any_origin_may_send_a_proof() {
    let mut world = World::new();
    let answer = world.send(request("OPTIONS", "/token").body("".into()).unwrap());
    assert!(
        answer
            .header("access-control-allow-headers")
            .contains("dpop")
    );
}

#[test]
fn a_client_with_dpop_bound_access_tokens_gets_no_bearer_token() {
    const DOCUMENT: &str = "https://client.example/client.json";
    let metadata = json!({
        "client_name": "A client",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "dpop_bound_access_tokens": true,
    });
    let named = |id: &str| {
        let mut named = metadata.clone();
        named["client_id"] = json!(id);
        named
    };
    let clients = json!([named("configured")]).to_string();
    let mut fixture = Fixture::new();
    fixture.world = World::with(&[("clients", &clients)]);
    fixture.world.hosts.publish(DOCUMENT, &named(DOCUMENT));
    let registered = fixture.world.register_json(&metadata).json();
    assert_eq!(registered["dpop_bound_access_tokens"], true);
    let registered = registered["client_id"].as_str().unwrap();
    for client in [registered, DOCUMENT, "configured"] {
        fixture.client = client.to_owned();
        let code = fixture.code("");
        assert_eq!(fixture.redeem(&code, None).error(), invalid_proof());
        let proof = fixture.good();
        let tokens = fixture.redeem(&code, Some(&proof));
        assert_eq!(tokens.json()["token_type"], "DPoP", "{client}: {tokens:?}");
        let token = refresh_token(&tokens);
        assert_eq!(fixture.refresh(&token, None).error(), invalid_proof());
        let proof = fixture.good();
        assert_eq!(fixture.refresh(&token, Some(&proof)).status, 200);
    }
}

#[test]
fn a_replaced_refresh_token_of_a_client_with_a_key_is_refused_and_the_grant_stays() {
    let mut fixture = Fixture::new();
    let code = fixture.code("");
    let proof = fixture.good();
    let old = refresh_token(&fixture.redeem(&code, Some(&proof)));
    let proof = fixture.good();
    let new = refresh_token(&fixture.refresh(&old, Some(&proof)));
    fixture.world.now += fixture.world.config.refresh_grace + 1;
    let proof = fixture.good();
    let late = fixture.refresh(&old, Some(&proof));
    assert_eq!(late.error(), invalid_grant());
    let proof = fixture.good();
    assert_eq!(fixture.refresh(&new, Some(&proof)).status, 200);
}
