//! A Gatehouse that is not at the root of its host: its issuer has a path (RFC 8414 section 3.1, RFC
//! 9728 section 3.1).

use gatehouse_tests::client::{REDIRECT_URI, parameter};
use gatehouse_tests::{Client, Flavour, Gatehouse, Mcp, Person, Proxy, Settings, Tokens};
use serde_json::{Value, json};

const PATH: &str = "/tools";

/// A Gatehouse behind a proxy that serves it below [`PATH`].
async fn start() -> (Proxy, Gatehouse) {
    let proxy = Proxy::start(PATH).await;
    let settings = Settings::default().variable("public_url", proxy.base());
    let gatehouse = Gatehouse::start_with(settings).await;
    proxy.leads_to(gatehouse.base());
    (proxy, gatehouse)
}

async fn document(url: &str) -> Value {
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    response.json().await.unwrap()
}

#[tokio::test]
async fn the_documents_lie_where_the_specifications_and_the_clients_look_for_them() {
    let (proxy, _gatehouse) = start().await;
    let base = proxy.base();
    let origin = base.strip_suffix(PATH).unwrap();
    for url in [
        format!("{origin}/.well-known/oauth-authorization-server{PATH}"),
        format!("{origin}/.well-known/oauth-authorization-server{PATH}/mcp"),
        format!("{origin}/.well-known/openid-configuration{PATH}"),
        format!("{base}/.well-known/openid-configuration"),
        format!("{base}/.well-known/oauth-authorization-server"),
    ] {
        let document = document(&url).await;
        assert_eq!(document["issuer"], base, "{url}");
        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") || name.ends_with("_uri") {
                let value = value.as_str().unwrap();
                assert!(value.starts_with(&format!("{base}/")), "{name}: {value}");
            }
        }
    }
    for path in Flavour::resource_paths() {
        let url = format!("{origin}/.well-known/oauth-protected-resource{PATH}{path}");
        let document = document(&url).await;
        assert_eq!(document["resource"], format!("{base}{path}"));
        assert_eq!(document["authorization_servers"], json!([base]));
    }
    for path in ["/other", "/toolsmcp", "/tools/other"] {
        for name in ["oauth-authorization-server", "oauth-protected-resource"] {
            let url = format!("{origin}/.well-known/{name}{path}");
            assert_eq!(reqwest::get(&url).await.unwrap().status(), 404, "{url}");
        }
    }
}

#[tokio::test]
async fn the_whole_way_leads_through_the_path() {
    let (proxy, _gatehouse) = start().await;
    let base = proxy.base();
    let mcp_url = format!("{base}/mcp");
    let stranger = Mcp::new(&mcp_url, None).request("ping", json!({})).await;
    let challenge = stranger.headers()["www-authenticate"].to_str().unwrap();
    let metadata = challenge.split('"').nth(1).unwrap();
    let resource = document(metadata).await;
    assert_eq!(resource["resource"], mcp_url);

    let client = Client::register_at(
        base,
        json!({
            "client_name": "Test client",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }),
    )
    .await;
    let managed = client.registration["registration_client_uri"].as_str();
    assert!(managed.unwrap().starts_with(&format!("{base}/register/")));
    let url = client.authorization_url(&client.authorization_request());
    let back = Person::new().allow(&url).await;
    assert_eq!(parameter(&back, "iss").as_deref(), Some(base));
    let code = parameter(&back, "code").unwrap();
    let tokens = Tokens::read(client.redeem(&code).await).await;
    let claims = tokens.claims();
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(base), &json!(mcp_url))
    );
    let mut mcp = Mcp::new(&mcp_url, Some(&tokens.access));
    mcp.initialize("2025-11-25").await;
    let sum = mcp.call("add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(sum["content"][0]["text"], "5");
    client.revoke(&tokens.refresh).await;
    assert_eq!(mcp.request("tools/list", json!({})).await.status(), 401);
}
