//! Token introspection (RFC 7662), for clients that authenticate.

use gatehouse_tests::client::{REDIRECT_URI, Tokens};
use gatehouse_tests::signed::{now, proof};
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings};
use reqwest::Response;
use serde_json::{Value, json};

const SECRET: &str = "correct-horse-battery-staple-correct";

/// A client with a secret that has registered itself, and what a person has let it have.
struct Confidential {
    client: Client,
    tokens: Tokens,
}

impl Confidential {
    async fn sign_in(gatehouse: &Gatehouse) -> Self {
        let metadata = json!({
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_post",
        });
        let client = Client::register_as(gatehouse, metadata).await;
        let code = client
            .code_with(&Person::new(), &[("scope", "userinfo")])
            .await;
        let mut form = client.redeeming(&code).to_vec();
        form.push(("client_secret", secret(&client)));
        let tokens = Tokens::read(client.token(&form).await).await;
        Self { client, tokens }
    }

    async fn ask(&self, token: &str) -> Value {
        told(introspect(&self.client, self.client.id(), secret(&self.client), token).await).await
    }

    async fn refresh(&self, token: &str) -> Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", self.client.id()),
            ("client_secret", secret(&self.client)),
        ];
        self.client.token(&form).await
    }
}

fn secret(client: &Client) -> &str {
    client.registration["client_secret"].as_str().unwrap()
}

async fn introspect(at: &Client, id: &str, secret: &str, token: &str) -> Response {
    let form = [
        ("client_id", id),
        ("client_secret", secret),
        ("token", token),
    ];
    at.form("/introspect", &form).send().await.unwrap()
}

async fn told(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["cache-control"], "no-store");
    response.json().await.unwrap()
}

/// A Gatehouse whose operator has configured `gateway`, which may ask about every token, and
/// `nightly`, which may not.
async fn start() -> Gatehouse {
    let client = |id: &str| {
        json!({
            "client_id": id,
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["client_credentials"],
            "resource_server": id == "gateway",
        })
    };
    let clients = json!([client("gateway"), client("nightly")]);
    Gatehouse::start_with(Settings::default().variable("clients", clients.to_string())).await
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test]
async fn an_access_token_is_told_with_everything_it_says() {
    let gatehouse = start().await;
    let signed_in = Confidential::sign_in(&gatehouse).await;
    let answer = signed_in.ask(&signed_in.tokens.access).await;
    let claims = signed_in.tokens.claims();
    assert_eq!(answer["active"], true);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "userinfo");
    assert_eq!(answer["client_id"], signed_in.client.id());
    assert_eq!(answer["aud"], gatehouse.url("/mcp"));
    assert_eq!(answer["iss"], gatehouse.base());
    for name in ["sub", "exp", "iat", "jti"] {
        assert_eq!(answer[name], claims[name], "{name}");
    }
    // The grant's id is ours to know.
    assert!(answer.get("grant").is_none());
}

#[tokio::test]
async fn a_refresh_token_is_told_until_its_successor_is_used_and_asking_uses_nothing_up() {
    let gatehouse = start().await;
    let signed_in = Confidential::sign_in(&gatehouse).await;
    let first = signed_in.tokens.refresh.clone();
    let answer = signed_in.ask(&first).await;
    assert_eq!(answer["active"], true, "{answer}");
    assert_eq!(answer["client_id"], signed_in.client.id());
    assert_eq!(answer["scope"], "userinfo");
    assert!(answer["exp"].as_u64().unwrap() > now() + 86_400);
    // It is no access token, and is not passed off as one.
    assert!(answer.get("token_type").is_none());
    let second = Tokens::read(signed_in.refresh(&first).await).await;
    assert_eq!(signed_in.ask(&first).await["active"], true);
    let third = Tokens::read(signed_in.refresh(&second.refresh).await).await;
    assert_eq!(signed_in.ask(&first).await, inactive());
    for token in [&second.refresh, &third.refresh] {
        assert_eq!(signed_in.ask(token).await["active"], true);
    }
    // A reuse would have ended the grant; to ask about it has not.
    assert_eq!(signed_in.refresh(&third.refresh).await.status(), 200);
}

#[tokio::test]
async fn what_has_ended_or_was_never_issued_is_inactive_and_nothing_else_is_told() {
    let gatehouse = start().await;
    let signed_in = Confidential::sign_in(&gatehouse).await;
    let elsewhere = Gatehouse::start().await;
    let theirs = Client::register(&elsewhere)
        .await
        .sign_in(&Person::new())
        .await;
    let Tokens {
        access, refresh, ..
    } = &signed_in.tokens;
    let (head, _) = access.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", "A".repeat(86));
    for token in [
        "nonsense",
        "ghr_AAAA",
        "a.b.c",
        &forged,
        &theirs.access,
        &theirs.refresh,
    ] {
        assert_eq!(signed_in.ask(token).await, inactive(), "{token}");
    }
    let form = [
        ("client_id", signed_in.client.id()),
        ("client_secret", secret(&signed_in.client)),
        ("token", refresh),
    ];
    let revoked = signed_in
        .client
        .form("/revoke", &form)
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), 200);
    for token in [access, refresh] {
        assert_eq!(signed_in.ask(token).await, inactive());
    }
}

#[tokio::test]
async fn what_was_revoked_on_one_machine_is_inactive_on_another_at_once() {
    let gatehouse = start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let other = gatehouse.another().await;
    let there = format!("{}/introspect", other.url());
    let ask = async |token: &str| {
        let form = [
            ("client_id", "gateway"),
            ("client_secret", SECRET),
            ("token", token),
        ];
        let request = reqwest::Client::new().post(&there).form(&form);
        told(request.send().await.unwrap()).await
    };
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(ask(token).await["active"], true);
    }
    client.revoke(&tokens.access).await;
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(ask(token).await, inactive());
    }
    other.shutdown().await;
}

#[tokio::test]
async fn a_client_that_registered_itself_learns_of_its_own_tokens_alone() {
    let gatehouse = start().await;
    let one = Confidential::sign_in(&gatehouse).await;
    let two = Confidential::sign_in(&gatehouse).await;
    for token in [&two.tokens.access, &two.tokens.refresh] {
        assert_eq!(one.ask(token).await, inactive());
        assert_eq!(two.ask(token).await["active"], true);
        // So does one that the operator has configured, unless it is named a resource server.
        let answer = told(introspect(&one.client, "nightly", SECRET, token).await).await;
        assert_eq!(answer, inactive());
        let answer = told(introspect(&one.client, "gateway", SECRET, token).await).await;
        assert_eq!(answer["client_id"], two.client.id());
    }
}

#[tokio::test]
async fn who_does_not_authenticate_learns_nothing() {
    let gatehouse = start().await;
    let signed_in = Confidential::sign_in(&gatehouse).await;
    let public = Client::register(&gatehouse).await;
    let own = public.sign_in(&Person::new()).await.access;
    let token = signed_in.tokens.access.as_str();
    let id = signed_in.client.id();
    for form in [
        &[("token", token)][..],
        &[("token", token), ("client_id", id)],
        &[
            ("token", token),
            ("client_id", id),
            ("client_secret", "wrong"),
        ],
        // A public client cannot authenticate: not even its own tokens are told.
        &[("token", &own), ("client_id", public.id())],
    ] {
        let response = public.form("/introspect", form).send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"], "invalid_client");
        assert!(error.get("active").is_none());
    }
    // A token in the header is not how clients authenticate here.
    let bearer = public
        .form("/introspect", &[("token", token)])
        .bearer_auth(token);
    assert_eq!(bearer.send().await.unwrap().status(), 401);
    let missing = introspect(&public, "gateway", SECRET, "").await;
    assert_eq!(missing.status(), 400);
    let error: Value = missing.json().await.unwrap();
    assert_eq!(error["error"], "invalid_request");
}

#[tokio::test]
async fn of_a_bound_token_the_key_is_told_that_it_is_bound_to() {
    let gatehouse = start().await;
    let client = Client::register(&gatehouse).await;
    let key = jwt::SigningKey::ed25519(&[7; 32]);
    let code = client.code(&Person::new()).await;
    let request = client.redemption(&code);
    let request = request.header("dpop", proof(&key, "POST", &gatehouse.url("/token")));
    let tokens = Tokens::read(request.send().await.unwrap()).await;
    let answer = told(introspect(&client, "gateway", SECRET, &tokens.access).await).await;
    assert_eq!(answer["token_type"], "DPoP");
    assert_eq!(answer["cnf"]["jkt"], key.public().thumbprint());
    let answer = told(introspect(&client, "gateway", SECRET, &tokens.refresh).await).await;
    assert_eq!(answer["cnf"]["jkt"], key.public().thumbprint());
}

#[tokio::test]
async fn what_introspection_says_of_a_token_is_what_the_mcp_endpoint_does() {
    let gatehouse = start().await;
    let client = Client::register(&gatehouse).await;
    let code = client.code(&Person::new()).await;
    let tokens = Tokens::read(client.redeem(&code).await).await;
    let agrees = async |active: bool| {
        let answer = told(introspect(&client, "gateway", SECRET, &tokens.access).await).await;
        assert_eq!(answer["active"], active);
        let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
        let status = mcp.request("tools/list", json!({})).await.status();
        assert_eq!(status == 200, active);
    };
    agrees(true).await;
    // The code comes back, and ends what it gave.
    gatehouse.pass(10);
    assert_eq!(client.redeem(&code).await.status(), 400);
    agrees(false).await;
}
