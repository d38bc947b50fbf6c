use super::world::{Answer, ISSUER, REDIRECT_URI, VERIFIER, World};
use serde_json::{Value, json};

/// A confidential client, what it has got, and the world.
struct Signed {
    world: World,
    id: String,
    secret: String,
    tokens: Value,
}

impl Signed {
    fn new() -> Self {
        let mut world = World::new();
        let (id, secret) = world.register_confidential();
        let code = world.code(&id, "&scope=userinfo");
        let answer = world.post_form(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", &id),
                ("client_secret", &secret),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ],
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        Self {
            world,
            id,
            secret,
            tokens: answer.json(),
        }
    }

    fn token(&self, name: &str) -> String {
        self.tokens[name].as_str().unwrap().to_owned()
    }

    fn introspect(&mut self, token: &str) -> Answer {
        let form = [
            ("client_id", self.id.as_str()),
            ("client_secret", self.secret.as_str()),
            ("token", token),
        ];
        self.world.post_form("/introspect", &form)
    }

    fn refresh(&mut self, token: &str) -> Answer {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.id.as_str()),
            ("client_secret", self.secret.as_str()),
            ("refresh_token", token),
        ];
        self.world.post_form("/token", &form)
    }

    fn is_active(&mut self, token: &str) -> bool {
        let answer = self.introspect(token);
        assert_eq!(answer.status, 200, "{answer:?}");
        let active = answer.json()["active"].as_bool().unwrap();
        assert!(active || answer.body == r#"{"active":false}"#);
        active
    }
}

#[test]
fn an_access_token_is_told_with_everything_it_says() {
    let mut signed = Signed::new();
    let token = signed.token("access_token");
    let answer = signed.introspect(&token);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    let mut json = answer.json();
    assert!(json["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    json["jti"] = Value::Null;
    let now = signed.world.now;
    assert_eq!(
        json,
        json!({
            "active": true, "scope": "userinfo", "client_id": signed.id, "token_type": "Bearer",
            "exp": now + 900, "iat": now, "sub": "person-1", "aud": format!("{ISSUER}/mcp"),
            "iss": ISSUER, "jti": null,
        })
    );
}

#[test]
fn a_refresh_token_is_told_and_is_no_access_token() {
    let mut signed = Signed::new();
    let token = signed.token("refresh_token");
    let now = signed.world.now;
    assert_eq!(
        signed.introspect(&token).json(),
        json!({
            "active": true, "scope": "userinfo", "client_id": signed.id, "exp": now + 86_400,
            "iat": now, "sub": "person-1", "aud": format!("{ISSUER}/mcp"), "iss": ISSUER,
        })
    );
}

#[test]
fn what_has_ended_is_inactive_and_asking_ends_nothing() {
    let mut signed = Signed::new();
    let access = signed.token("access_token");
    let first = signed.token("refresh_token");
    assert!(signed.is_active(&access));
    let next = |answer: Answer| answer.json()["refresh_token"].as_str().unwrap().to_owned();
    let second = next(signed.refresh(&first));
    assert!(signed.is_active(&first), "it may be repeated still");
    let third = next(signed.refresh(&second));
    assert!(!signed.is_active(&first));
    assert!(
        signed.is_active(&third),
        "asking for the first ended nothing"
    );
    signed.world.now += 900;
    assert!(!signed.is_active(&access));
    let form = [
        ("client_id", signed.id.as_str()),
        ("client_secret", signed.secret.as_str()),
        ("token", third.as_str()),
    ];
    assert_eq!(signed.world.post_form("/revoke", &form).status, 200);
    assert!(!signed.is_active(&third));
}

#[test]
fn what_was_not_issued_here_is_inactive() {
    let mut signed = Signed::new();
    let access = signed.token("access_token");
    let (rest, _) = access.rsplit_once('.').unwrap();
    for token in [
        "nonsense",
        "ghr_AAAA",
        &format!("{rest}.{}", "A".repeat(86)),
        // A code is no token.
        &{
            let id = signed.id.clone();
            signed.world.code(&id, "")
        },
    ] {
        assert!(!signed.is_active(token), "{token}");
    }
    // An access token of another issuer under the same keys.
    signed.world.base = World::at("https://other.example").base;
    assert!(!signed.is_active(&access));
}

#[test]
fn a_client_that_registered_itself_learns_of_its_own_tokens_alone() {
    let mut signed = Signed::new();
    let (access, refresh) = (signed.token("access_token"), signed.token("refresh_token"));
    let own = (signed.id.clone(), signed.secret.clone());
    (signed.id, signed.secret) = signed.world.register_confidential();
    assert!(!signed.is_active(&access) && !signed.is_active(&refresh));
    (signed.id, signed.secret) = own;
    assert!(signed.is_active(&access) && signed.is_active(&refresh));
}

#[test]
fn who_does_not_authenticate_learns_nothing() {
    let mut signed = Signed::new();
    let token = signed.token("access_token");
    let public = signed.world.register(REDIRECT_URI);
    let invalid_client = (401, "invalid_client".to_owned());
    for form in [
        vec![("client_id", public.as_str()), ("token", &token)],
        vec![("client_id", signed.id.as_str()), ("token", &token)],
        vec![("token", token.as_str())],
    ] {
        let answer = signed.world.post_form("/introspect", &form);
        assert_eq!(answer.error(), invalid_client);
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
    assert_eq!(
        signed.introspect("").error(),
        (400, "invalid_request".into())
    );
    assert_eq!(signed.world.get("/introspect").status, 405);
}
