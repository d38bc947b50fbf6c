//! Client authentication (RFC 6749 section 2.3, RFC 7521 section 4.2, RFC 7523 section 3):
//! as it is registered, with a secret in the header or in the form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatehouse_tests::client::{REDIRECT_URI, Tokens};
use gatehouse_tests::signed::{ASSERTION_TYPE, assertion, assertion_with, now};
use gatehouse_tests::{Client, Gatehouse, Person, Settings};
use jwt::SigningKey;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// A secret in which every character that HTTP Basic or a form could stumble over is.
const SECRET: &str = "p\u{e4}ss %:+&=/? w\u{f6}rd, correct-horse-battery-staple";

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// A Gatehouse that knows the clients `basic`, `post` and `key`, named by how they authenticate.
async fn start() -> (Gatehouse, SigningKey) {
    let key = SigningKey::ed25519(&[1; 32]);
    let clients = json!([
        {
            "client_id": "basic:1",
            "client_secret": SECRET,
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_basic",
        },
        {
            "client_id": "post",
            "client_secret": SECRET,
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_post",
        },
        {
            "client_id": "key",
            "jwks": { "keys": [key.public().to_jwk()] },
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "private_key_jwt",
        },
    ]);
    let settings = Settings::default().variable("clients", clients.to_string());
    (Gatehouse::start_with(settings).await, key)
}

/// A form with these parameters besides those of the grant.
fn form(gatehouse: &Gatehouse, parameters: &[(&str, &str)]) -> RequestBuilder {
    let all = [&GRANT, parameters].concat();
    Client::known_as(gatehouse, "").form("/token", &all)
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// As RFC 6749 section 2.3.1 wants it in HTTP Basic.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// `invalid_client`, by the book.
async fn refused(response: Response) {
    assert_eq!(response.status(), 401);
    let headers = response.headers();
    let challenge = headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Basic realm="), "{challenge}");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["content-type"], "application/json");
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"], "invalid_client");
    assert!(error["error_description"].is_string());
}

#[tokio::test]
async fn basic_credentials_are_form_encoded_and_a_matching_client_id_in_the_body_is_fine() {
    let (gatehouse, _) = start().await;
    let good = basic(&format!("{}:{}", encoded("basic:1"), encoded(SECRET)));
    for parameters in [&[][..], &[("client_id", "basic:1")]] {
        let request = form(&gatehouse, parameters).header("authorization", &good);
        assert_eq!(status(request).await, 200);
    }
    let other = form(&gatehouse, &[("client_id", "post")]).header("authorization", &good);
    assert_eq!(status(other).await, 400);
    let scheme = form(&gatehouse, &[]).header("authorization", good.replace("Basic", "bAsIc"));
    assert_eq!(status(scheme).await, 200);
}

#[tokio::test]
async fn bad_credentials_get_401_a_challenge_and_words() {
    let (gatehouse, key) = start().await;
    let (id, secret) = (encoded("basic:1"), encoded(SECRET));
    for header in [
        basic(&format!("{id}:wrong")),
        basic(&format!("{id}:")),
        basic(&format!("unknown:{secret}")),
        basic(&format!(":{secret}")),
        basic("nothing"),
        "Basic !".into(),
        "Basic".into(),
        "Bearer abc".into(),
        // As it is, without the form's encoding.
        basic(&format!("{id}:{SECRET}")),
    ] {
        let request = form(&gatehouse, &[]).header("authorization", &header);
        refused(request.send().await.unwrap()).await;
    }
    for parameters in [
        &[][..],
        &[("client_id", "unknown")],
        &[("client_id", "post")],
        &[("client_id", "post"), ("client_secret", "wrong")],
        &[("client_id", "key")],
    ] {
        refused(form(&gatehouse, parameters).send().await.unwrap()).await;
    }
    let stranger = SigningKey::ed25519(&[2; 32]);
    let base = gatehouse.base();
    for bad in [
        "nonsense".to_owned(),
        assertion(&stranger, "key", &base),
        assertion(&key, "unknown", &base),
        assertion(&key, "post", &base),
    ] {
        let request = form(
            &gatehouse,
            &[
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", &bad),
            ],
        );
        refused(request.send().await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_secret_comes_in_the_header_or_in_the_form_and_nothing_else_in_its_place() {
    let (gatehouse, _) = start().await;
    let by_post = |id: &str| form(&gatehouse, &[("client_id", id), ("client_secret", SECRET)]);
    let by_basic = |id: &str| {
        let header = basic(&format!("{}:{}", encoded(id), encoded(SECRET)));
        form(&gatehouse, &[]).header("authorization", header)
    };
    for id in ["post", "basic:1"] {
        assert_eq!(status(by_post(id)).await, 200, "{id}");
        assert_eq!(status(by_basic(id)).await, 200, "{id}");
        let wrong = form(&gatehouse, &[("client_id", id), ("client_secret", "wrong")]);
        refused(wrong.send().await.unwrap()).await;
        let header = basic(&format!("{}:wrong", encoded(id)));
        let wrong = form(&gatehouse, &[]).header("authorization", header);
        refused(wrong.send().await.unwrap()).await;
        // At the other endpoints too.
        for path in ["/revoke", "/introspect"] {
            let client = Client::known_as(&gatehouse, "");
            let post = [("token", "x"), ("client_id", id), ("client_secret", SECRET)];
            assert_eq!(status(client.form(path, &post)).await, 200, "{path}");
            let header = basic(&format!("{}:{}", encoded(id), encoded(SECRET)));
            let in_header = client.form(path, &[("token", "x")]);
            let in_header = in_header.header("authorization", &header);
            assert_eq!(status(in_header).await, 200, "{path}");
            let both = client.form(path, &post).header("authorization", header);
            assert_eq!(status(both).await, 400, "{path}");
        }
    }
    refused(by_post("key").send().await.unwrap()).await;
    refused(by_basic("key").send().await.unwrap()).await;
    // A public client has no secret that it could show.
    let public = Client::register(&gatehouse).await;
    let code = public.code(&Person::new()).await;
    let shown = public
        .redemption(&code)
        .basic_auth(public.id(), Some("secret"));
    refused(shown.send().await.unwrap()).await;
    assert_eq!(public.redeem(&code).await.status(), 200);
}

#[tokio::test]
async fn a_client_that_authenticates_in_two_ways_at_once_is_refused() {
    let (gatehouse, key) = start().await;
    let header = basic(&format!("{}:{}", encoded("basic:1"), encoded(SECRET)));
    let signed = assertion(&key, "key", &gatehouse.base());
    let secret = ("client_secret", SECRET);
    let assertion = [
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", signed.as_str()),
    ];
    for request in [
        form(&gatehouse, &[secret]).header("authorization", &header),
        form(&gatehouse, &assertion).header("authorization", &header),
        form(&gatehouse, &[&assertion[..], &[secret]].concat()),
        form(&gatehouse, &[])
            .header("authorization", &header)
            .header("authorization", &header),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"], "invalid_request");
    }
    // Nothing of the assertion was used up by that.
    assert_eq!(status(form(&gatehouse, &assertion)).await, 200);
}

#[tokio::test]
async fn an_assertion_is_for_us_is_fresh_and_is_good_once_on_every_machine() {
    let (gatehouse, key) = start().await;
    let base = gatehouse.base();
    let send = |url: String, assertion: &str| {
        let all = [
            GRANT[0],
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        reqwest::Client::new().post(url).form(&all).send()
    };
    let token = gatehouse.url("/token");
    let change = |change: fn(&mut Value)| assertion_with(&key, "key", &base, change);
    for bad in [
        assertion(&key, "key", "https://other.example"),
        change(|claims| claims["aud"] = json!([claims["aud"], "https://other.example"])),
        change(|claims| claims["aud"] = json!([])),
        change(|claims| claims["exp"] = json!(now() - 120)),
        change(|claims| claims["exp"] = json!(now() + 3600)),
        change(|claims| claims["exp"] = Value::Null),
        change(|claims| claims["iat"] = json!(now() + 120)),
        change(|claims| claims["nbf"] = json!(now() + 120)),
        change(|claims| claims["jti"] = Value::Null),
        change(|claims| claims["jti"] = json!("")),
        change(|claims| claims["iss"] = json!("other")),
        change(|claims| claims["sub"] = json!("other")),
    ] {
        refused(send(token.clone(), &bad).await.unwrap()).await;
    }
    // The issuer is what it is for, or the endpoint (RFC 7523 section 3).
    let endpoint = assertion(&key, "key", &token);
    assert_eq!(send(token.clone(), &endpoint).await.unwrap().status(), 200);
    let good = assertion(&key, "key", &base);
    assert_eq!(send(token.clone(), &good).await.unwrap().status(), 200);
    refused(send(token.clone(), &good).await.unwrap()).await;
    let other = gatehouse.another().await;
    let elsewhere = send(format!("{}/token", other.url()), &good).await;
    refused(elsewhere.unwrap()).await;
    // At the other endpoints too.
    for path in ["/revoke", "/introspect"] {
        let form = [
            ("token", "x"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &good),
        ];
        let again = reqwest::Client::new().post(gatehouse.url(path)).form(&form);
        refused(again.send().await.unwrap()).await;
    }
    other.shutdown().await;
}

#[tokio::test]
async fn a_registered_secret_is_taken_in_the_header_and_in_the_form() {
    let gatehouse = Gatehouse::start().await;
    let methods = ["client_secret_basic", "client_secret_post"];
    for (method, used) in methods
        .iter()
        .flat_map(|method| methods.map(|used| (method, used)))
    {
        let metadata = json!({
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": method,
        });
        let client = Client::register_as(&gatehouse, metadata).await;
        let secret = client.registration["client_secret"].as_str().unwrap();
        let code = client.code(&Person::new()).await;
        refused(client.redeem(&code).await).await;
        let request = client.redemption(&code);
        let request = if used == "client_secret_basic" {
            request.basic_auth(client.id(), Some(secret))
        } else {
            client.form(
                "/token",
                &[
                    ("grant_type", "authorization_code"),
                    ("code", &code),
                    ("redirect_uri", gatehouse_tests::client::USED_REDIRECT_URI),
                    ("client_id", client.id()),
                    ("client_secret", secret),
                    ("code_verifier", gatehouse_tests::client::VERIFIER),
                ],
            )
        };
        Tokens::read(request.send().await.unwrap()).await;
    }
}
