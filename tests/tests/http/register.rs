//! Dynamic client registration (RFC 7591).

use gatehouse_tests::{Client, Gatehouse, Person, Settings};
use serde_json::{Value, json};

async fn register(gatehouse: &Gatehouse, metadata: &Value) -> (u16, Value) {
    let response = reqwest::Client::new()
        .post(gatehouse.url("/register"))
        .json(metadata)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

#[tokio::test]
async fn a_public_client_gets_an_id_and_no_secret() {
    let gatehouse = Gatehouse::start().await;
    let (status, client) = register(
        &gatehouse,
        &json!({
            "redirect_uris": ["https://client.example/callback", "http://localhost/callback", "com.example.app:/callback"],
            "token_endpoint_auth_method": "none",
            "client_name": "A client",
            "some_field_of_tomorrow": { "is": "ignored" },
        }),
    )
    .await;
    assert_eq!(status, 201, "{client}");
    assert!(client["client_id"].is_string());
    assert!(client.get("client_secret").is_none());
    assert_eq!(client["client_name"], "A client");
    assert!(client.get("some_field_of_tomorrow").is_none());
}

#[tokio::test]
async fn a_confidential_client_gets_a_secret() {
    let gatehouse = Gatehouse::start().await;
    let (status, client) = register(
        &gatehouse,
        &json!({
            "redirect_uris": ["https://client.example/callback"],
            "token_endpoint_auth_method": "client_secret_basic",
        }),
    )
    .await;
    assert_eq!(status, 201, "{client}");
    assert!(client["client_secret"].as_str().unwrap().len() >= 32);
    assert_eq!(client["client_secret_expires_at"], 0);
}

#[tokio::test]
async fn a_redirect_uri_that_could_carry_a_code_away_is_refused() {
    let gatehouse = Gatehouse::start().await;
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://client.example/callback",
        "https://client.example/callback#fragment",
        "https://user:password@client.example/callback",
        "https://*.example/callback",
        "/callback",
        "",
    ] {
        let (status, error) = register(&gatehouse, &json!({ "redirect_uris": [uri] })).await;
        assert_eq!(status, 400, "{uri}: {error}");
        assert_eq!(error["error"], "invalid_redirect_uri", "{uri}");
    }
}

#[tokio::test]
async fn bad_metadata_is_refused_with_the_name_of_the_field() {
    let gatehouse = Gatehouse::start().await;
    let good = "https://client.example/callback";
    for (metadata, field) in [
        (
            json!({ "redirect_uris": [good], "token_endpoint_auth_method": "magic" }),
            "token_endpoint_auth_method",
        ),
        (
            json!({ "redirect_uris": [good], "grant_types": ["password"] }),
            "grant_types",
        ),
        (
            json!({ "redirect_uris": [good], "response_types": ["token"] }),
            "response_types",
        ),
        (
            json!({ "redirect_uris": [good], "client_name": 7 }),
            "client_name",
        ),
    ] {
        let (status, error) = register(&gatehouse, &metadata).await;
        assert_eq!(status, 400, "{error}");
        assert_eq!(error["error"], "invalid_client_metadata");
        let description = error["error_description"].as_str().unwrap();
        assert!(description.contains(field), "{description}");
    }
}

#[tokio::test]
async fn what_is_no_registration_is_refused_with_words() {
    let gatehouse = Gatehouse::start().await;
    let http = reqwest::Client::new();
    let url = gatehouse.url("/register");
    let huge = json!({ "redirect_uris": ["https://client.example/"], "x": "x".repeat(200_000) });
    for (body, status) in [
        ("{".to_owned(), 400),
        ("[]".to_owned(), 400),
        (huge.to_string(), 413),
    ] {
        let response = http
            .post(&url)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status);
    }
    assert_eq!(http.get(&url).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_scheme_that_opens_a_browser_is_refused_and_private_use_can_be_off() {
    let gatehouse = Gatehouse::start().await;
    let apps = ["cursor://a/cb", "com.example.app:/cb"];
    for uri in apps {
        let (status, answer) = register(&gatehouse, &json!({ "redirect_uris": [uri] })).await;
        assert_eq!(status, 201, "{uri}: {answer}");
    }
    let off = Settings::default().variable("private_use_schemes", "false");
    let off = Gatehouse::start_with(off).await;
    let refused = [
        (&gatehouse, "microsoft-edge:https://evil.example/"),
        (&gatehouse, "x-safari-https://evil.example/"),
        (&gatehouse, "steam://openurl/https://evil.example/"),
        (&off, apps[0]),
        (&off, apps[1]),
    ];
    for (gatehouse, uri) in refused {
        let (status, answer) = register(gatehouse, &json!({ "redirect_uris": [uri] })).await;
        assert_eq!(status, 400, "{uri}: {answer}");
        assert_eq!(answer["error"], "invalid_redirect_uri");
    }
}

#[tokio::test]
async fn application_type_is_a_hint_and_what_is_registered_is_what_the_redirect_uris_are() {
    let gatehouse = Gatehouse::start().await;
    for (kind, uri, registered) in [
        ("web", "https://client.example/callback", json!("web")),
        ("web", "http://localhost:3000/callback", json!("native")),
        ("web", "http://127.0.0.1/callback", json!("native")),
        ("web", "com.example.app:/callback", json!("native")),
        (
            "web",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            json!("native"),
        ),
        ("native", "http://127.0.0.1/callback", json!("native")),
        ("native", "com.example.app:/callback", json!("native")),
        ("native", "https://client.example/callback", json!("native")),
        ("browser", "https://client.example/callback", Value::Null),
    ] {
        let metadata = json!({ "application_type": kind, "redirect_uris": [uri] });
        let (status, answer) = register(&gatehouse, &metadata).await;
        assert_eq!(status, 201, "{kind} {uri}: {answer}");
        assert_eq!(answer["application_type"], registered, "{kind} {uri}");
        // What is answered is what is kept.
        let read = reqwest::Client::new()
            .get(answer["registration_client_uri"].as_str().unwrap())
            .bearer_auth(answer["registration_access_token"].as_str().unwrap());
        let read: Value = read.send().await.unwrap().json().await.unwrap();
        assert_eq!(read["application_type"], registered, "{kind} {uri}");
    }
    for kind in ["web", "native", "browser"] {
        let plain = json!({
            "application_type": kind, "redirect_uris": ["http://client.example/callback"],
        });
        let (status, answer) = register(&gatehouse, &plain).await;
        assert_eq!(status, 400, "{kind}: {answer}");
        assert_eq!(answer["error"], "invalid_redirect_uri");
    }
}

#[tokio::test]
async fn a_client_that_registers_no_grant_types_gets_refresh_tokens() {
    let gatehouse = Gatehouse::start().await;
    let metadata = json!({
        "redirect_uris": [gatehouse_tests::client::REDIRECT_URI], "token_endpoint_auth_method": "none",
    });
    let client = Client::register_as(&gatehouse, metadata).await;
    let tokens = client.sign_in(&Person::new()).await;
    assert!(!tokens.refresh.is_empty());
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 200);
}

#[tokio::test]
async fn a_name_of_200_characters_and_keys_without_a_use_are_no_reason_to_refuse() {
    let gatehouse = Gatehouse::start().await;
    for letter in ["a", "\u{4e2d}", "\u{1f642}"] {
        let named = |letters: usize| {
            json!({
                "redirect_uris": ["https://client.example/callback"],
                "token_endpoint_auth_method": "none",
                "client_name": letter.repeat(letters),
                "jwks": { "keys": [] },
            })
        };
        let (status, answer) = register(&gatehouse, &named(200)).await;
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["client_name"], letter.repeat(200));
        let (status, answer) = register(&gatehouse, &named(201)).await;
        assert_eq!(status, 400, "{answer}");
        let description = answer["error_description"].as_str().unwrap();
        assert!(description.contains("client_name"), "{description}");
    }
}

#[tokio::test]
async fn what_a_client_does_not_say_is_by_default_as_the_rfc_has_it() {
    let gatehouse = Gatehouse::start().await;
    let (status, client) = register(
        &gatehouse,
        &json!({ "redirect_uris": ["https://client.example/callback"], "client_name": null }),
    )
    .await;
    assert_eq!(status, 201, "{client}");
    assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");
    // Of this alone there is more than section 2 has it.
    assert_eq!(
        client["grant_types"],
        json!(["authorization_code", "refresh_token"])
    );
    assert_eq!(client["response_types"], json!(["code"]));
    assert!(client["client_id_issued_at"].as_u64().unwrap() > 1_700_000_000);
    assert!(client.get("client_name").is_none());
    let (_, other) = register(
        &gatehouse,
        &json!({ "redirect_uris": ["https://client.example/callback"] }),
    )
    .await;
    for name in ["client_id", "client_secret", "registration_access_token"] {
        assert_ne!(client[name], other[name], "{name}");
    }
}

#[tokio::test]
async fn every_field_is_checked_and_the_one_that_is_wrong_is_named_without_its_value() {
    let gatehouse = Gatehouse::start().await;
    let uri = "https://client.example/s3cret";
    let long = "s3cret".repeat(400);
    let many = vec!["s3cret"; 21];
    let uris: Vec<_> = (0..21).map(|n| format!("{uri}/{n}")).collect();
    let private = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "s3cret" }] });
    for (field, value) in [
        ("redirect_uris", json!("s3cret")),
        ("redirect_uris", json!([])),
        ("redirect_uris", json!([1])),
        ("redirect_uris", json!(uris)),
        ("redirect_uris", json!([format!("{uri}/{long}")])),
        ("token_endpoint_auth_method", json!("s3cret")),
        ("token_endpoint_auth_method", json!(["none"])),
        ("token_endpoint_auth_signing_alg", json!("none")),
        ("token_endpoint_auth_signing_alg", json!("HS256")),
        ("grant_types", json!(["implicit"])),
        ("grant_types", json!(["client_credentials"])),
        ("grant_types", json!(["refresh_token"])),
        ("grant_types", json!("authorization_code")),
        ("response_types", json!(["token"])),
        ("application_type", json!(["s3cret"])),
        ("client_name", json!(long)),
        ("client_name", json!({ "s3cret": 1 })),
        ("client_uri", json!("javascript:s3cret")),
        ("client_uri", json!("https://me:s3cret@client.example/")),
        ("logo_uri", json!("data:image/png;base64,s3cret")),
        ("policy_uri", json!("s3cret")),
        ("tos_uri", json!("ftp://client.example/s3cret")),
        ("scope", json!("s3cret\"")),
        ("scope", json!(["s3cret"])),
        ("contacts", json!(many)),
        ("contacts", json!([1])),
        ("software_id", json!(long)),
        ("software_version", json!(1)),
        ("jwks", json!("s3cret")),
        ("jwks", private),
        ("jwks_uri", json!("http://client.example/s3cret")),
        ("jwks_uri", json!("https://10.0.0.1/s3cret")),
    ] {
        let mut metadata = json!({ "redirect_uris": [uri] });
        metadata[field] = value.clone();
        let (status, error) = register(&gatehouse, &metadata).await;
        assert_eq!(status, 400, "{field} {value}: {error}");
        let code = match field {
            "redirect_uris" => "invalid_redirect_uri",
            _ => "invalid_client_metadata",
        };
        assert_eq!(error["error"], code, "{field} {value}");
        let description = error["error_description"].as_str().unwrap();
        assert!(description.contains(field), "{field}: {description}");
        assert!(!description.contains("s3cret"), "{description}");
    }
    for (metadata, field) in [
        (
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            "jwks",
        ),
        (
            json!({ "jwks": { "keys": [] }, "jwks_uri": "https://client.example/k" }),
            "jwks",
        ),
        (json!({}), "redirect_uris"),
    ] {
        let mut metadata = metadata;
        if field != "redirect_uris" {
            metadata["redirect_uris"] = json!([uri]);
        }
        let (status, error) = register(&gatehouse, &metadata).await;
        assert_eq!(status, 400, "{error}");
        assert!(error["error_description"].as_str().unwrap().contains(field));
    }
}

#[tokio::test]
async fn more_registrations_than_an_hour_may_have_are_answered_429_with_the_time_to_wait() {
    let settings = Settings::default().variable("registrations_per_hour", "2");
    let gatehouse = Gatehouse::start_with(settings).await;
    let metadata = json!({ "redirect_uris": ["https://client.example/callback"] });
    // One that is refused does not count.
    for _ in 0..5 {
        assert_eq!(register(&gatehouse, &json!({})).await.0, 400);
    }
    let mut refused = 0;
    // Of six, four are too many, or two where a new hour begins in between.
    for _ in 0..6 {
        let url = gatehouse.url("/register");
        let request = reqwest::Client::new().post(url).json(&metadata);
        let response = request.send().await.unwrap();
        if response.status() == 201 {
            continue;
        }
        assert_eq!(response.status(), 429);
        let wait: u64 = response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=3600).contains(&wait), "{wait}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"], "temporarily_unavailable");
        refused += 1;
    }
    assert!(refused >= 2, "{refused}");
}

/// Registers a client from the address that a proxy in front names.
async fn register_from(gatehouse: &Gatehouse, forwarded: &str) -> u16 {
    let metadata = json!({ "redirect_uris": ["https://client.example/callback"] });
    let request = reqwest::Client::new().post(gatehouse.url("/register"));
    let request = request.header("x-forwarded-for", forwarded).json(&metadata);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn one_client_address_has_its_share_of_the_registrations() {
    let settings = Settings::default()
        .variable("registrations_per_source", "2")
        .variable("client_address_header", "x-forwarded-for");
    let gatehouse = Gatehouse::start_with(settings).await;
    // Of six, four are too many, or two where a new hour begins in between.
    let mut refused = 0;
    for number in 0..6 {
        // What the client itself sends comes first.
        let forwarded = format!("192.0.2.{number}, 203.0.113.1");
        let status = register_from(&gatehouse, &forwarded).await;
        assert!(matches!(status, 201 | 429), "{status}");
        refused += u8::from(status == 429);
    }
    assert!(refused >= 2, "{refused}");
    assert_eq!(register_from(&gatehouse, "203.0.113.2").await, 201);
}

#[tokio::test]
async fn a_registration_over_the_limit_costs_no_write() {
    let settings = Settings::default().variable("registrations_per_hour", "1");
    let gatehouse = Gatehouse::start_with(settings).await;
    // The hour may change in between, and then the next one is taken.
    let mut free = 0;
    register_from(&gatehouse, "").await;
    for _ in 0..40 {
        let before = gatehouse.host.counters();
        if register_from(&gatehouse, "").await == 429 {
            let since = gatehouse.host.counters().since(&before);
            assert_eq!(since.writes(), 0);
            free += 1;
        }
    }
    assert!(free >= 39, "{free}");
}

#[tokio::test]
async fn an_unused_registration_goes_after_a_day_and_a_used_one_stays() {
    let gatehouse = Gatehouse::start().await;
    let unused = Client::register(&gatehouse).await;
    let used = Client::register(&gatehouse).await;
    used.sign_in(&Person::new()).await;
    gatehouse.pass(86_401);
    let code = used.code(&Person::new()).await;
    assert_eq!(used.redeem(&code).await.status(), 200);
    let url = unused.authorization_url(&unused.authorization_request());
    let page = reqwest::get(url).await.unwrap();
    assert_eq!(page.status(), 400);
}
