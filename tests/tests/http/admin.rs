//! `/admin/grants`: an operator sees and ends a person's grants.

use descope_emulator::{Endpoint, User};
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings, Tokens};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;

pub const TOKEN: &str = "5d41402abc4b2a76b9719d911017c592aabbccddeeff00112233445566778899";

async fn start() -> Gatehouse {
    Gatehouse::start_with(Settings::default().variable("admin_token", TOKEN)).await
}

/// Sends a request with the admin token.
async fn admin(gatehouse: &Gatehouse, method: Method, path: &str) -> Response {
    let request = reqwest::Client::new().request(method, gatehouse.url(path));
    request.bearer_auth(TOKEN).send().await.unwrap()
}

async fn read(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    response.json().await.unwrap()
}

/// Signs a person in, and gives who it is beside their tokens.
async fn sign_in(gatehouse: &Gatehouse, client: &Client, name: &str) -> (String, Tokens) {
    let user = User::new(name, format!("{name}@example.com"));
    gatehouse.descope.sign_in_as(user.clone());
    (user.subject, client.sign_in(&Person::new()).await)
}

async fn is_good(url: &str, access: &str) -> bool {
    let response = Mcp::new(format!("{url}/mcp"), Some(access))
        .request("tools/list", json!({}))
        .await;
    response.status() == 200
}

/// Waits until the provider was asked so often to revoke tokens: it is asked after the answer.
async fn revoked_at_the_provider(gatehouse: &Gatehouse, times: u64) {
    while gatehouse.descope.requests(Endpoint::Revoke) < times {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn where_no_admin_token_is_set_there_is_no_administration() {
    let gatehouse = Gatehouse::start().await;
    for (method, path) in [
        (Method::GET, "/admin/grants?subject=x"),
        (Method::DELETE, "/admin/grants?subject=x"),
        (Method::POST, "/admin/sweep"),
        (Method::GET, "/admin"),
    ] {
        for token in ["", TOKEN, "undefined"] {
            let request = reqwest::Client::new().request(method.clone(), gatehouse.url(path));
            let response = request.bearer_auth(token).send().await.unwrap();
            assert_eq!(response.status(), 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_admin_token_alone_opens_the_administration_and_nothing_is_read_without_it() {
    let gatehouse = start().await;
    let client = Client::register(&gatehouse).await;
    let (subject, tokens) = sign_in(&gatehouse, &client, "ada").await;
    let before = gatehouse.host.counters();
    let http = reqwest::Client::new();
    for (method, path) in [
        (Method::GET, format!("/admin/grants?subject={subject}")),
        (Method::DELETE, format!("/admin/grants?subject={subject}")),
        (Method::POST, "/admin/sweep".to_owned()),
        (Method::GET, "/admin/nothing".to_owned()),
    ] {
        let request = || http.request(method.clone(), gatehouse.url(&path));
        let cut = &TOKEN[..TOKEN.len() - 1];
        let longer = format!("{TOKEN}0");
        for (what, request) in [
            ("none", request()),
            ("another", request().bearer_auth("f".repeat(64))),
            ("a part", request().bearer_auth(cut)),
            ("more", request().bearer_auth(&longer)),
            ("upper case", request().bearer_auth(TOKEN.to_uppercase())),
            ("an access token", request().bearer_auth(&tokens.access)),
            ("Basic", request().basic_auth("admin", Some(TOKEN))),
            (
                "two",
                request()
                    .bearer_auth(TOKEN)
                    .header("authorization", "Bearer x"),
            ),
            ("the query", request().query(&[("access_token", TOKEN)])),
            (
                "a cookie",
                request().header("cookie", format!("admin_token={TOKEN}")),
            ),
        ] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{what} at {method} {path}");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            let text = response.text().await.unwrap();
            assert!(!text.contains(TOKEN) && !text.contains(&subject), "{text}");
        }
    }
    let since = gatehouse.host.counters().since(&before);
    assert_eq!((since.reads(), since.writes()), (0, 0));
    assert!(is_good(&gatehouse.base(), &tokens.access).await);
}

#[tokio::test]
async fn a_short_admin_token_is_a_mistake_that_is_named_and_not_repeated() {
    let settings = Settings::default().variable("admin_token", "too-short-0123");
    let gatehouse = Gatehouse::start_with(settings).await;
    let response = reqwest::get(gatehouse.url("/admin/grants?subject=x"))
        .await
        .unwrap();
    assert_eq!(response.status(), 500);
    let text = response.text().await.unwrap();
    assert!(text.contains("admin_token"), "{text}");
    assert!(!text.contains("too-short-0123"), "{text}");
}

#[tokio::test]
async fn an_operator_sees_the_grants_of_one_subject_alone() {
    let gatehouse = start().await;
    let client = Client::register(&gatehouse).await;
    let (ada, tokens) = sign_in(&gatehouse, &client, "ada").await;
    sign_in(&gatehouse, &client, "eve").await;
    let path = format!("/admin/grants?subject={ada}");
    let seen = read(admin(&gatehouse, Method::GET, &path).await).await;
    assert_eq!(seen["subject"], ada);
    assert_eq!(seen["more"], false);
    let [grant] = seen["grants"].as_array().unwrap().as_slice() else {
        panic!("{seen}");
    };
    assert_eq!(grant["client_id"], client.id());
    assert_eq!(grant["client_name"], "Test client");
    assert_eq!(
        grant["scopes"],
        json!(["tools", "userinfo", "upstream_token"])
    );
    assert_eq!(grant["resources"], json!([gatehouse.url("/mcp")]));
    assert_eq!(grant["used_at"], grant["created_at"]);
    let (created, expires) = (&grant["created_at"], &grant["expires_at"]);
    assert!(expires.as_u64().unwrap() > created.as_u64().unwrap());
    let text = seen.to_string();
    for secret in [&tokens.access, &tokens.refresh, "ada@example.com"] {
        assert!(!text.contains(secret), "{text}");
    }
    let path = "/admin/grants?subject=unknown";
    let stranger = read(admin(&gatehouse, Method::GET, path).await).await;
    assert_eq!(stranger["grants"], json!([]));
}

#[tokio::test]
async fn an_operator_ends_one_grant_or_all_of_a_subject_at_once_on_every_machine() {
    let gatehouse = start().await;
    let machine = gatehouse.another().await;
    let client = Client::register(&gatehouse).await;
    let (ada, first) = sign_in(&gatehouse, &client, "ada").await;
    let (_, second) = sign_in(&gatehouse, &client, "ada").await;
    let (_, third) = sign_in(&gatehouse, &client, "ada").await;
    let (eve, theirs) = sign_in(&gatehouse, &client, "eve").await;
    let path = format!("/admin/grants?subject={ada}");
    let seen = read(admin(&gatehouse, Method::GET, &path).await).await;
    // The newest is first.
    let grant = seen["grants"][0]["id"].as_str().unwrap();
    // Of another person it is not.
    let wrong = format!("/admin/grants?subject={eve}&grant={grant}");
    let ended = read(admin(&gatehouse, Method::DELETE, &wrong).await).await;
    assert_eq!(ended["ended"], 0);
    assert!(is_good(&machine.url(), &third.access).await);
    let one = format!("{path}&grant={grant}");
    let ended = read(admin(&gatehouse, Method::DELETE, &one).await).await;
    assert_eq!(ended["ended"], 1);
    revoked_at_the_provider(&gatehouse, 1).await;
    assert!(!is_good(&machine.url(), &third.access).await);
    assert!(is_good(&machine.url(), &first.access).await);
    let ended = read(admin(&gatehouse, Method::DELETE, &path).await).await;
    assert_eq!(ended["ended"], 2);
    assert_eq!(ended["more"], false);
    revoked_at_the_provider(&gatehouse, 3).await;
    for tokens in [&first, &second] {
        assert!(!is_good(&machine.url(), &tokens.access).await);
        assert_eq!(client.refresh(&tokens.refresh).await.status(), 400);
    }
    assert!(is_good(&machine.url(), &theirs.access).await);
    let again = read(admin(&gatehouse, Method::DELETE, &path).await).await;
    assert_eq!(again["ended"], 0);
    machine.shutdown().await;
}

#[tokio::test]
async fn a_mistake_of_the_operators_is_named() {
    let gatehouse = start().await;
    for (method, path, status, named) in [
        (Method::GET, "/admin/grants", 400, "subject"),
        (Method::DELETE, "/admin/grants", 400, "subject"),
        (
            Method::GET,
            "/admin/grants?subject=a&subject=b",
            400,
            "subject",
        ),
        (Method::GET, "/admin/grants?subject=a&from=x", 400, "from"),
        (Method::GET, "/admin/other", 404, "/admin/grants"),
        (Method::GET, "/admin/grants/", 404, "/admin/grants"),
    ] {
        let response = admin(&gatehouse, method.clone(), path).await;
        assert_eq!(response.status(), status, "{method} {path}");
        let text = response.text().await.unwrap();
        assert!(text.contains(named), "{text}");
    }
    for (method, path, allow) in [
        (
            Method::PUT,
            "/admin/grants?subject=a",
            "GET, HEAD, DELETE, POST",
        ),
        (Method::GET, "/admin/sweep", "POST"),
    ] {
        let response = admin(&gatehouse, method, path).await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], allow);
    }
}

#[tokio::test]
async fn no_page_of_any_origin_reads_the_administration() {
    let gatehouse = start().await;
    let url = gatehouse.url("/admin/grants?subject=x");
    let http = reqwest::Client::new();
    for origin in ["https://evil.example", gatehouse.base().as_str()] {
        for method in [Method::OPTIONS, Method::GET, Method::DELETE] {
            let request = http.request(method, &url).bearer_auth(TOKEN);
            let response = request.header("origin", origin).send().await.unwrap();
            let headers = response.headers();
            let allows = headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control"));
            assert!(!allows, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn where_descope_is_the_authorization_server_there_is_still_something_to_sweep() {
    let settings = Settings::default()
        .variable("admin_token", TOKEN)
        .variable("authorization_server", "descope");
    let gatehouse = Gatehouse::start_with(settings).await;
    let swept = read(admin(&gatehouse, Method::POST, "/admin/sweep").await).await;
    assert_eq!(swept["more"], false);
}
