//! `authorization_server = "descope"`: Descope issues the tokens, and Gatehouse is a protected
//! resource and nothing else.

use descope_emulator::{Config, Endpoint, Mint, Signature, TokenIssuer, User};
use gatehouse_tests::client::{USED_REDIRECT_URI, VERIFIER, challenge, parameter};
use gatehouse_tests::person::location;
use gatehouse_tests::{Flavour, Gatehouse, Mcp, Person, Settings};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::collections::HashMap;

const MCP_SERVER: &str = descope_emulator::DEFAULT_MCP_SERVER_ID;

/// With the MCP server of the Descope project that stands for Gatehouse, as it has to be set up
/// there: with Gatehouse's scopes.
fn settings() -> Settings {
    let scopes = "openid profile email tools userinfo upstream_token";
    Settings {
        descope: Config {
            scopes: scopes.split(' ').map(ToOwned::to_owned).collect(),
            ..Config::for_tests()
        },
        ..Settings::default()
    }
    .variable("authorization_server", "descope")
    .variable("descope_mcp_server_id", MCP_SERVER)
}

async fn start() -> Gatehouse {
    Gatehouse::start_with(settings()).await
}

#[tokio::test]
async fn the_protected_resources_name_descopes_issuer_of_the_mcp_server_or_of_the_project() {
    for (settings, kind) in [
        (settings(), TokenIssuer::Agentic),
        (
            settings().variable("descope_mcp_server_id", ""),
            TokenIssuer::InboundApp,
        ),
    ] {
        let gatehouse = Gatehouse::start_with(settings).await;
        for path in Flavour::resource_paths() {
            let url = gatehouse.url(&format!("/.well-known/oauth-protected-resource{path}"));
            let document: Value = json(reqwest::get(url).await.unwrap()).await;
            let issuer = gatehouse.descope.issuer(kind);
            assert_eq!(document["authorization_servers"], json!([issuer]));
            assert_eq!(
                document["scopes_supported"],
                json!(["tools", "userinfo", "upstream_token"])
            );
        }
    }
}

#[tokio::test]
async fn a_client_finds_descope_from_the_401_and_calls_every_tool() {
    let gatehouse = start().await;
    let ada = User::new("Ada Lovelace", "ada@example.com");
    gatehouse.descope.sign_in_as(ada.clone());
    let token = sign_in(&gatehouse, "openid tools userinfo upstream_token").await;
    let mcp = Mcp::initialized(&gatehouse, &token).await;
    assert_eq!(text(&mcp.call("add", json!({ "a": 2, "b": 3 })).await), "5");
    let info = mcp.call("getUserInfo", json!({})).await;
    assert_eq!(info["structuredContent"]["sub"], ada.subject);
    let credential = text(&mcp.call("getToken", json!({})).await);
    assert!(credential.contains(&token), "the token that was presented");
}

#[tokio::test]
async fn a_tokens_scopes_are_what_the_person_allowed_and_a_call_beyond_them_is_403() {
    let gatehouse = start().await;
    let token = sign_in(&gatehouse, "openid email userinfo").await;
    let mcp = Mcp::initialized(&gatehouse, &token).await;
    let info = mcp.call("getUserInfo", json!({})).await;
    assert!(info["structuredContent"]["sub"].is_string());
    for (tool, arguments, scope) in [
        ("add", json!({ "a": 1, "b": 2 }), "tools"),
        ("getToken", json!({}), "upstream_token"),
    ] {
        let response = mcp.try_call(tool, arguments).await;
        assert_eq!(response.status(), 403, "{tool}");
        let challenge = challenge_of(&response);
        assert!(challenge.contains(r#"error="insufficient_scope""#));
        assert!(challenge.contains(scope), "{challenge}");
        let metadata = gatehouse.url("/.well-known/oauth-protected-resource/mcp");
        assert!(challenge.contains(&metadata), "{challenge}");
    }
}

#[tokio::test]
async fn a_token_for_another_server_of_another_issuer_forged_or_over_is_invalid() {
    let gatehouse = start().await;
    let issuer = gatehouse.descope.issuer(TokenIssuer::Agentic);
    let resource = gatehouse.url("/mcp");
    let mint = || {
        let audience = [resource.clone(), "P_LOCAL".to_owned()];
        Mint::new().agentic().audience(audience).scopes("tools")
    };
    let good = gatehouse.descope.mint(mint()).unwrap();
    Mcp::initialized(&gatehouse, &good).await;
    for bad in [
        mint().audience(["https://next-door.example/mcp", "P_LOCAL"]),
        mint().audience(["someone-else"]),
        mint().issuer(issuer.replace(MCP_SERVER, "MS_OTHER")),
        mint().issuer("https://evil.example"),
        mint().signature(Signature::ForeignKey),
        mint().lifetime(-3600),
        mint().claim("scope", Value::Null),
    ] {
        let bad = gatehouse.descope.mint(bad).unwrap();
        for path in &Flavour::resource_paths()[1..] {
            let mcp = Mcp::new(gatehouse.url(path), Some(&bad));
            let response = mcp.request("tools/list", json!({})).await;
            assert_eq!(response.status(), 401);
            let challenge = challenge_of(&response);
            assert!(
                challenge.contains(r#"error="invalid_token""#),
                "{challenge}"
            );
        }
    }
}

#[tokio::test]
async fn only_tokens_of_the_named_servers_issuer_with_our_url_are_taken() {
    let gatehouse = start().await;
    let project = gatehouse.descope.config().project_id.clone();
    let (mcp, sse) = (gatehouse.url("/mcp"), gatehouse.url("/sse"));
    for url in [&mcp, &sse] {
        let good = Mint::new().agentic().audience([url.as_str(), "P_LOCAL"]);
        let token = gatehouse.descope.mint(good.scopes("openid tools"));
        let mcp = Mcp::initialized(&gatehouse, &token.unwrap()).await;
        assert_eq!(text(&mcp.call("add", json!({ "a": 1, "b": 1 })).await), "2");
        let response = mcp.try_call("getToken", json!({})).await;
        assert_eq!(response.status(), 403);
    }
    let all = "tools userinfo upstream_token";
    for bad in [
        // An inbound app's of the project, though it names us.
        Mint::new().scopes(all),
        Mint::new().scopes(all).audience([mcp.as_str(), "P_LOCAL"]),
        // The server's, for no person.
        Mint::new().agentic().scopes(all).audience(["P_LOCAL"]),
        Mint::new().session(&project),
        Mint::new().machine_session(&project),
    ] {
        let token = gatehouse.descope.mint(bad).unwrap();
        let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&token));
        let response = mcp.request("tools/list", json!({})).await;
        assert_eq!(response.status(), 401);
    }
}

#[tokio::test]
async fn without_a_named_server_our_url_is_needed_of_the_projects_issuer() {
    let settings = settings().variable("descope_mcp_server_id", "");
    let gatehouse = Gatehouse::start_with(settings).await;
    let url = gatehouse.url("/mcp");
    let ours = || Mint::new().scopes("tools").audience([&*url, "P_LOCAL"]);
    let good = gatehouse.descope.mint(ours()).unwrap();
    Mcp::initialized(&gatehouse, &good).await;
    for bad in [Mint::new().scopes("tools"), ours().agentic()] {
        let token = gatehouse.descope.mint(bad).unwrap();
        let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&token));
        assert_eq!(mcp.request("ping", json!({})).await.status(), 401);
    }
}

#[tokio::test]
async fn tokens_of_unknown_keys_do_not_each_make_descope_answer() {
    let gatehouse = start().await;
    let unknown = Mint::new().signature(Signature::UnknownKey);
    let unknown = gatehouse.descope.mint(unknown).unwrap();
    let tries = 30;
    for _ in 0..tries {
        let mcp = Mcp::new(gatehouse.url("/mcp"), Some(&unknown));
        assert_eq!(mcp.request("ping", json!({})).await.status(), 401);
    }
    // Once by all instances, unless the tries take half a minute.
    let asked = gatehouse.descope.requests(Endpoint::Jwks);
    assert!((1..tries / 3).contains(&asked), "{asked}");
}

#[tokio::test]
async fn every_endpoint_of_the_built_in_authorization_server_is_404() {
    let gatehouse = start().await;
    let issuer = gatehouse.descope.issuer(TokenIssuer::Agentic);
    let http = reqwest::Client::new();
    let mut paths = [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/register",
        "/authorize",
        "/callback",
        "/token",
        "/revoke",
        "/introspect",
    ]
    .map(|path| (Method::GET, path))
    .to_vec();
    paths.extend(
        [
            "/register",
            "/authorize",
            "/token",
            "/revoke",
            "/introspect",
        ]
        .map(|path| (Method::POST, path)),
    );
    for (method, path) in paths {
        let url = gatehouse.url(path);
        let request = http.request(method.clone(), &url);
        let response = request.json(&json!({})).send().await.unwrap();
        assert_eq!(response.status(), 404, "{method} {path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let words = response.text().await.unwrap();
        assert!(words.contains("authorization_server"), "{words}");
        assert!(words.contains(&issuer), "{words}");
    }
    let person = http.get(gatehouse.url("/authorize?client_id=x"));
    let page = person.header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 404);
    let page = page.text().await.unwrap();
    assert!(page.contains("<h1") && page.contains(&issuer), "{page}");
}

#[tokio::test]
async fn the_landing_page_says_where_to_sign_in() {
    let gatehouse = start().await;
    let page = reqwest::get(gatehouse.url("/")).await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains(&gatehouse.descope.issuer(TokenIssuer::Agentic)));
    assert!(!page.contains("/register"));
}

#[tokio::test]
async fn a_mode_that_does_not_exist_or_lacks_its_project_is_named_and_nothing_is_served() {
    for (name, settings) in [
        (
            "authorization_server",
            settings().variable("authorization_server", "elsewhere"),
        ),
        (
            "descope_project_id",
            settings().variable("descope_project_id", ""),
        ),
    ] {
        let gatehouse = Gatehouse::start_with(settings).await;
        for path in [
            "/",
            "/.well-known/oauth-protected-resource/mcp",
            "/mcp",
            "/token",
        ] {
            let response = reqwest::get(gatehouse.url(path)).await.unwrap();
            assert_eq!(response.status(), 500, "{path}");
            let words = response.text().await.unwrap();
            assert!(
                words.contains(name) && !words.contains("elsewhere"),
                "{words}"
            );
        }
    }
}

/// Goes the whole way of an MCP client, and gives the access token.
async fn sign_in(gatehouse: &Gatehouse, scope: &str) -> String {
    let http = reqwest::Client::new();
    let mcp = Mcp::new(gatehouse.url("/mcp"), None);
    let refused = mcp.request("ping", json!({})).await;
    assert_eq!(refused.status(), 401);
    let challenge_text = challenge_of(&refused);
    let metadata = challenge_text
        .split("resource_metadata=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("resource_metadata");
    let resource = json(http.get(metadata).send().await.unwrap()).await;
    let issuer = resource["authorization_servers"][0].as_str().unwrap();
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    let server = json(http.get(discovery).send().await.unwrap()).await;
    assert_eq!(server["issuer"], issuer);
    let endpoint = |name: &str| server[name].as_str().expect(name).to_owned();

    let metadata = json!({
        "client_name": "Test client",
        "redirect_uris": [USED_REDIRECT_URI],
        "token_endpoint_auth_method": "none",
    });
    let request = http.post(endpoint("registration_endpoint")).json(&metadata);
    let client: Value = request.send().await.unwrap().json().await.unwrap();
    let client_id = client["client_id"].as_str().unwrap();

    let resource = resource["resource"].as_str().unwrap();
    let parameters = HashMap::from([
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", USED_REDIRECT_URI),
        ("state", "s"),
        ("scope", scope),
        ("resource", resource),
        ("code_challenge_method", "S256"),
    ]);
    let mut url = url::Url::parse(&endpoint("authorization_endpoint")).unwrap();
    url.query_pairs_mut()
        .extend_pairs(parameters)
        .append_pair("code_challenge", &challenge(VERIFIER));
    let back = location(&Person::new().open(url.as_str()).await);
    let code = parameter(&back, "code").expect("a code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", USED_REDIRECT_URI),
        ("client_id", client_id),
        ("code_verifier", VERIFIER),
        ("resource", resource),
    ];
    let request = http.post(endpoint("token_endpoint")).form(&form);
    let tokens = json(request.send().await.unwrap()).await;
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn json(response: Response) -> Value {
    assert_eq!(response.status(), 200, "{}", response.url());
    response.json().await.unwrap()
}

fn challenge_of(response: &Response) -> String {
    let challenge = &response.headers()["www-authenticate"];
    challenge.to_str().unwrap().to_owned()
}

fn text(result: &Value) -> String {
    let text = result["content"][0]["text"].as_str();
    text.unwrap_or_default().to_owned()
}
