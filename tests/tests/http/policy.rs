//! The policy: which people may sign in, and with which scopes (`allowed`, `scope_rules`).

use descope_emulator::{Endpoint, Fault, Mint, TokenIssuer, User};
use gatehouse_tests::client::parameter;
use gatehouse_tests::{Client, Gatehouse, Mcp, Page, Person, Provider, Settings, Tokens};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

gatehouse_tests::over_both_providers!(
    a_person_of_another_domain_reads_who_they_are_and_the_client_gets_access_denied,
    an_address_that_is_not_verified_is_no_address_of_the_domain,
    a_person_without_the_role_does_not_come_in_and_one_with_it_does,
    scopes_are_those_of_the_persons_roles,
    a_lost_role_costs_its_scopes_once_the_providers_token_has_ended,
    who_may_no_longer_come_in_loses_the_grant_at_the_next_refresh,
    a_tools_need_of_the_providers_token_ends_the_grant_of_who_may_no_longer_come_in,
    a_provider_that_is_down_at_a_refresh_costs_503_and_no_grant,
    a_person_whom_the_provider_ended_loses_the_grant,
    a_pasted_token_is_under_the_policy_too,
);

const HOUR: u64 = 3600;

fn ada(roles: &[&str]) -> User {
    User::new("Ada Lovelace", "ada@example.com")
        .with_claim("roles", json!(roles))
        .with_claim("tenants", json!({ "T2abc": { "roles": roles } }))
}

async fn start(provider: Provider, variables: &[(&'static str, &str)]) -> Gatehouse {
    let settings = variables
        .iter()
        .fold(Settings::over(provider), |settings, (name, value)| {
            settings.variable(name, *value)
        });
    Gatehouse::start_with(settings).await
}

/// Goes to `/callback`, and gives what that answers.
async fn callback(client: &Client, person: &Person) -> reqwest::Response {
    let url = client.authorization_url(&client.authorization_request());
    let form = person.form(person.open(&url).await).await;
    let to_provider = person.send(&form, ("decision", "allow")).await;
    let back = person.come_back(&to_provider).await;
    person.open(back.as_str()).await
}

/// The page for who is refused.
async fn refused(client: &Client) -> String {
    let response = callback(client, &Person::new()).await;
    assert_eq!(response.status(), 403);
    Page::read(response).await.html
}

/// Where the link with these words leads.
fn link(page: &str, words: &str) -> Url {
    let (before, _) = page
        .split_once(words)
        .unwrap_or_else(|| panic!("{words}: {page}"));
    let (_, href) = before.rsplit_once("href=\"").expect("a link");
    let href = href.split_once('"').expect("its end").0;
    Url::parse(&href.replace("&amp;", "&")).expect("a URL")
}

async fn refresh(client: &Client, tokens: &Tokens) -> (u16, Value) {
    let response = client.refresh(&tokens.refresh).await;
    (
        response.status().as_u16(),
        response.json().await.expect("JSON"),
    )
}

async fn is_ended(client: &Client, tokens: &Tokens, words: &str) {
    let (status, answer) = refresh(client, tokens).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    let description = answer["error_description"].as_str().expect("words");
    assert!(description.contains(words), "{description}");
}

async fn a_person_of_another_domain_reads_who_they_are_and_the_client_gets_access_denied(
    provider: Provider,
) {
    let gatehouse = start(provider, &[("allowed", "domain:example.com")]).await;
    let client = Client::register(&gatehouse).await;
    let emulator = &gatehouse.descope;
    emulator.sign_in_as(User::new("Eve <Adams>", "eve@evil.example"));
    let before = emulator.requests(Endpoint::Revoke);
    let page = refused(&client).await;
    for words in [
        "This account may not use this server",
        "Eve &lt;Adams&gt;",
        "eve@evil.example",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let back = link(&page, "Back to ");
    assert_eq!(back.path(), "/callback");
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("client-state"));
    assert_eq!(parameter(&back, "iss"), Some(gatehouse.base()));
    assert!(parameter(&back, "code").is_none());
    if provider == Provider::Descope {
        while emulator.requests(Endpoint::Revoke) == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    // Another account, by the link of the page.
    emulator.sign_in_as(ada(&[]));
    let again = link(&page, "Try another account");
    let back = Person::new().allow(again.as_str()).await;
    let code = parameter(&back, "code").expect("a code");
    assert_eq!(client.redeem(&code).await.status(), 200);
}

async fn an_address_that_is_not_verified_is_no_address_of_the_domain(provider: Provider) {
    let entries = "domain:example.com,email:ada@example.com";
    let gatehouse = start(provider, &[("allowed", entries)]).await;
    let client = Client::register(&gatehouse).await;
    gatehouse
        .descope
        .sign_in_as(ada(&[]).with_email_verified(false));
    let page = refused(&client).await;
    assert!(page.contains("does not say that it has verified"), "{page}");
}

async fn a_person_without_the_role_does_not_come_in_and_one_with_it_does(provider: Provider) {
    for allowed in [
        "claim:/roles=staff",
        "claim:/tenants/T2abc/roles=staff",
        r#"["subject:other", ["domain:example.com", "claim:/roles=staff", "claim:/tenants/T2abc"]]"#,
    ] {
        let gatehouse = start(provider, &[("allowed", allowed)]).await;
        let client = Client::register(&gatehouse).await;
        gatehouse.descope.sign_in_as(ada(&["guest"]));
        refused(&client).await;
        gatehouse.descope.sign_in_as(ada(&["guest", "staff"]));
        client.sign_in(&Person::new()).await;
    }
}

const RULES: &str = r#"[{"who": "anyone", "scopes": "tools"},
    {"who": "claim:/roles=admin", "scopes": "userinfo upstream_token"}]"#;

async fn scopes_are_those_of_the_persons_roles(provider: Provider) {
    let gatehouse = start(provider, &[("scope_rules", RULES)]).await;
    let client = Client::register(&gatehouse).await;
    for (roles, scope) in [
        (&[][..], "tools"),
        (&["admin"], "tools userinfo upstream_token"),
    ] {
        gatehouse.descope.sign_in_as(ada(roles));
        let tokens = client.sign_in(&Person::new()).await;
        assert_eq!(tokens.answer["scope"], scope);
        let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
        mcp.call("add", json!({ "a": 1, "b": 1 })).await;
        let info = mcp.try_call("getUserInfo", json!({})).await.status();
        assert_eq!(info, if roles.is_empty() { 403 } else { 200 });
    }
    // Asked for alone what the account has none of.
    gatehouse.descope.sign_in_as(ada(&[]));
    let mut request = client.authorization_request();
    request.insert("scope", "userinfo".to_owned());
    let person = Person::new();
    let form = person
        .form(person.open(&client.authorization_url(&request)).await)
        .await;
    let to_provider = person.send(&form, ("decision", "allow")).await;
    let back = person.come_back(&to_provider).await;
    assert_eq!(person.open(back.as_str()).await.status(), 403);
}

async fn a_lost_role_costs_its_scopes_once_the_providers_token_has_ended(provider: Provider) {
    let gatehouse = start(provider, &[("scope_rules", RULES)]).await;
    let client = Client::register(&gatehouse).await;
    let emulator = &gatehouse.descope;
    emulator.sign_in_as(ada(&["admin"]));
    let tokens = client.sign_in(&Person::new()).await;
    let all = "tools userinfo upstream_token";
    assert_eq!(tokens.answer["scope"], all);

    emulator.change_user(ada(&[]));
    let asked = emulator.requests(Endpoint::Token);
    let tokens = Tokens::read(client.refresh(&tokens.refresh).await).await;
    assert_eq!(
        tokens.answer["scope"], all,
        "as long as the provider's token lives"
    );
    assert_eq!(emulator.requests(Endpoint::Token), asked);

    gatehouse.pass(HOUR);
    let tokens = Tokens::read(client.refresh(&tokens.refresh).await).await;
    assert_eq!(tokens.answer["scope"], "tools");
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    assert_eq!(mcp.try_call("getUserInfo", json!({})).await.status(), 403);
    mcp.call("add", json!({ "a": 1, "b": 1 })).await;

    emulator.change_user(ada(&["admin"]));
    gatehouse.pass(HOUR);
    let tokens = Tokens::read(client.refresh(&tokens.refresh).await).await;
    assert_eq!(tokens.answer["scope"], all);
}

async fn who_may_no_longer_come_in_loses_the_grant_at_the_next_refresh(provider: Provider) {
    let gatehouse = start(provider, &[("allowed", "claim:/roles=staff")]).await;
    let client = Client::register(&gatehouse).await;
    gatehouse.descope.sign_in_as(ada(&["staff"]));
    let tokens = client.sign_in(&Person::new()).await;
    gatehouse.descope.change_user(ada(&[]));
    gatehouse.pass(HOUR);
    is_ended(&client, &tokens, "may not use this server").await;
    // For good, and on another machine too.
    gatehouse.descope.change_user(ada(&["staff"]));
    is_ended(&client, &tokens, "unknown, has expired, or was revoked").await;
    let other = gatehouse.another().await;
    let client = client.at(other.url().trim_end_matches('/'));
    is_ended(&client, &tokens, "").await;
}

async fn a_tools_need_of_the_providers_token_ends_the_grant_of_who_may_no_longer_come_in(
    provider: Provider,
) {
    let variables = [
        ("allowed", "claim:/roles=staff"),
        ("access_token_lifetime", "86400"),
    ];
    let gatehouse = start(provider, &variables).await;
    let client = Client::register(&gatehouse).await;
    gatehouse.descope.sign_in_as(ada(&["staff"]));
    let tokens = client.sign_in(&Person::new()).await;
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    gatehouse.pass(HOUR);
    mcp.call("getToken", json!({})).await;
    gatehouse.descope.change_user(ada(&[]));
    gatehouse.pass(HOUR);
    let response = mcp.try_call("getToken", json!({})).await;
    let answer = response.text().await.expect("text");
    assert!(
        answer.contains("the authorization it was made with has ended"),
        "{answer}"
    );
    gatehouse.pass(2);
    assert_eq!(
        mcp.try_call("add", json!({ "a": 1, "b": 1 }))
            .await
            .status(),
        401
    );
    is_ended(&client, &tokens, "").await;
}

async fn a_provider_that_is_down_at_a_refresh_costs_503_and_no_grant(provider: Provider) {
    let gatehouse = start(provider, &[("allowed", "claim:/roles=staff")]).await;
    let client = Client::register(&gatehouse).await;
    let emulator = &gatehouse.descope;
    emulator.sign_in_as(ada(&["staff"]));
    let tokens = client.sign_in(&Person::new()).await;
    gatehouse.pass(HOUR);
    for endpoint in [Endpoint::Token, Endpoint::UserInfo] {
        emulator.fail(endpoint, Fault::Status(503), 1);
        let response = client.refresh(&tokens.refresh).await;
        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(answer["error"], "temporarily_unavailable");
    }
    assert_eq!(refresh(&client, &tokens).await.0, 200);
}

async fn a_person_whom_the_provider_ended_loses_the_grant(provider: Provider) {
    let gatehouse = start(provider, &[("allowed", "claim:/roles=staff")]).await;
    let client = Client::register(&gatehouse).await;
    gatehouse.descope.sign_in_as(ada(&["staff"]));
    let tokens = client.sign_in(&Person::new()).await;
    gatehouse.descope.revoke_user(&ada(&[]).subject);
    gatehouse.pass(HOUR);
    is_ended(&client, &tokens, "no longer vouches").await;
}

async fn a_pasted_token_is_under_the_policy_too(provider: Provider) {
    let variables = [("allowed", "claim:/roles"), ("scope_rules", RULES)];
    let gatehouse = start(provider, &variables).await;
    let token = |roles: &[&str]| {
        let mint = match provider {
            Provider::Descope => Mint::new(),
            Provider::OpenId => Mint::new().of(TokenIssuer::OpenId),
        };
        let minted = gatehouse.descope.mint(mint.claim("roles", json!(roles)));
        minted.expect("a token")
    };
    let mcp = Mcp::initialized(&gatehouse, &token(&["guest"])).await;
    mcp.call("add", json!({ "a": 1, "b": 1 })).await;
    assert_eq!(mcp.try_call("getUserInfo", json!({})).await.status(), 403);
    let mcp = Mcp::initialized(&gatehouse, &token(&["admin"])).await;
    mcp.call("getUserInfo", json!({})).await;

    let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&token(&[])));
    let response = mcp.request("tools/list", json!({})).await;
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"]
        .to_str()
        .expect("text");
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(challenge.contains("The account of this token may not use this server."));
    assert!(!challenge.contains("scope=\""), "{challenge}");
}

#[tokio::test]
async fn where_descope_is_the_authorization_server_the_policy_holds_too() {
    let settings = Settings::default()
        .variable("authorization_server", "descope")
        .variable(
            "descope_mcp_server_id",
            descope_emulator::DEFAULT_MCP_SERVER_ID,
        )
        .variable("allowed", "claim:/roles=staff")
        .variable(
            "scope_rules",
            r#"[{"who": "claim:/roles=admin", "scopes": "tools"}]"#,
        );
    let gatehouse = Gatehouse::start_with(settings).await;
    let url = gatehouse.url("/mcp");
    let status = async |roles: &[&str]| {
        let mint = Mint::new()
            .agentic()
            .client("another-app")
            .audience([&*url, "P_LOCAL"])
            .scopes("tools userinfo")
            .claim("roles", json!(roles));
        let token = gatehouse.descope.mint(mint).expect("a token");
        let mcp = Mcp::new(url.clone(), Some(&token));
        let response = mcp.request("tools/list", json!({})).await;
        response.status().as_u16()
    };
    assert_eq!(status(&["staff", "admin"]).await, 200);
    assert_eq!(status(&["staff"]).await, 403, "no scope is left");
    assert_eq!(status(&["admin"]).await, 403, "may not come in");
    assert_eq!(status(&[]).await, 403);
}

#[tokio::test]
async fn without_a_policy_no_refresh_asks_the_provider() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let emulator = &gatehouse.descope;
    let asked = || {
        (
            emulator.requests(Endpoint::Token),
            emulator.requests(Endpoint::UserInfo),
        )
    };
    let before = asked();
    gatehouse.pass(HOUR);
    let tokens = Tokens::read(client.refresh(&tokens.refresh).await).await;
    assert_eq!(asked(), before);
    // Nor does a tool's need of a token ask who the person is.
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    mcp.call("getToken", json!({})).await;
    assert_eq!(asked(), (before.0 + 1, before.1));
}

#[tokio::test]
async fn a_policy_that_is_wrong_lets_no_one_in() {
    for (name, value) in [
        ("allowed", "secret.example"),
        ("allowed", "[]"),
        ("allowed", "domain:example.com,"),
        ("scope_rules", "[]"),
        (
            "scope_rules",
            r#"[{"who": "subject:secret", "scopes": "nothing"}]"#,
        ),
    ] {
        let gatehouse = start(Provider::Descope, &[(name, value)]).await;
        let http = reqwest::Client::new();
        for request in [
            http.get(gatehouse.url("/authorize?client_id=x")),
            http.post(gatehouse.url("/token")),
            http.post(gatehouse.url("/mcp")),
        ] {
            let response = request.send().await.expect("an answer");
            assert_eq!(response.status(), 500, "{name} {value}");
            let text = response.text().await.expect("text");
            assert!(
                text.contains(&format!("SPIN_VARIABLE_{}", name.to_uppercase())),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_policy_that_the_manifest_grants_to_no_component_lets_no_one_in() {
    for name in ["allowed", "scope_rules"] {
        let settings = Settings {
            ungranted: Some(name),
            ..Settings::default()
        };
        let gatehouse = Gatehouse::start_with(settings).await;
        for path in ["/authorize?client_id=x", "/mcp"] {
            let response = reqwest::get(gatehouse.url(path)).await.expect("an answer");
            assert_eq!(response.status(), 500, "{name} {path}");
            let text = response.text().await.expect("text");
            assert!(text.contains(name) && text.contains("spin.toml"), "{text}");
        }
    }
}

#[tokio::test]
async fn of_many_refreshes_at_once_one_asks_the_provider() {
    let gatehouse = start(Provider::Descope, &[("allowed", "claim:/roles=staff")]).await;
    let client = Client::register(&gatehouse).await;
    gatehouse.descope.sign_in_as(ada(&["staff"]));
    let tokens = client.sign_in(&Person::new()).await;
    let other = gatehouse.another().await;
    let elsewhere = client.at(other.url().trim_end_matches('/'));
    gatehouse.pass(HOUR);
    let before = gatehouse.descope.requests(Endpoint::Token);
    let refreshes = (0..8).map(|number| {
        let client = if number % 2 == 0 { &client } else { &elsewhere };
        client.refresh(&tokens.refresh)
    });
    for response in futures::future::join_all(refreshes).await {
        assert_eq!(response.status(), 200);
    }
    assert_eq!(gatehouse.descope.requests(Endpoint::Token), before + 1);
}
