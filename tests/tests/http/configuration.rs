//! Responses of a server whose configuration is wrong.

use composition::{Inherit, Interface};
use gatehouse_tests::{Gatehouse, Mcp, Provider, Settings, over_tested_wasm};
use serde_json::json;
use std::path::PathBuf;

gatehouse_tests::over_both_providers!(missing_credentials_are_named_to_the_person_who_signs_in);

#[tokio::test]
async fn a_bad_variable_is_named_with_what_to_do_and_never_its_value() {
    for (name, value) in [
        ("encryption_key", ""),
        ("encryption_key", "abc123-too-short"),
        ("public_url", "http://mcp.example.com"),
    ] {
        let gatehouse = Gatehouse::start_with(Settings::default().variable(name, value)).await;
        let metadata = reqwest::get(gatehouse.url("/.well-known/oauth-authorization-server"))
            .await
            .unwrap();
        let mcp = Mcp::new(gatehouse.url("/mcp"), None)
            .request("ping", json!({}))
            .await;
        for response in [metadata, mcp] {
            assert_eq!(response.status(), 500, "{name}");
            let text = response.text().await.unwrap();
            assert!(text.contains(name), "{text}");
            assert!(
                text.contains(&format!("SPIN_VARIABLE_{}", name.to_uppercase())),
                "{text}"
            );
            assert!(value.is_empty() || !text.contains(value), "{text}");
        }
    }
}

/// Spin refuses such an import through a component of its own, with a megabyte of memory in every instance.
#[test]
fn no_dependency_of_the_manifest_imports_what_it_does_not_inherit() {
    let manifest = over_tested_wasm(include_str!("../../../spin.toml"));
    let manifest: toml::Table = manifest.parse().unwrap();
    let components = manifest["component"].as_table().unwrap();
    let mut dependencies = 0;
    for (id, component) in components {
        let of_component = component.get("dependencies").and_then(|it| it.as_table());
        for (name, dependency) in of_component.into_iter().flatten() {
            dependencies += 1;
            let wasm = match dependency.get("component") {
                Some(other) => &components[other.as_str().unwrap()]["source"],
                None => &dependency["path"],
            };
            let wasm = std::fs::read(PathBuf::from(wasm.as_str().unwrap())).unwrap();
            let inherited = dependency["inherit_configuration"].as_array().unwrap();
            let inherited = inherited
                .iter()
                .map(|grant| grant.as_str().unwrap().to_owned());
            let inherit = Inherit::Only(inherited.collect());
            for import in Interface::of(&wasm).unwrap().imports {
                assert!(!inherit.denies(&import), "{id}: {name} imports {import}");
            }
        }
    }
    assert_eq!(dependencies, 4);
}

#[tokio::test]
async fn a_person_gets_a_page_about_it() {
    let gatehouse = Gatehouse::start_with(Settings::default().variable("encryption_key", "")).await;
    let response = reqwest::Client::new()
        .get(gatehouse.url("/authorize?client_id=x"))
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 500);
    let page = response.text().await.unwrap();
    assert!(
        page.contains("<h1") && page.contains("encryption_key"),
        "{page}"
    );
}

async fn missing_credentials_are_named_to_the_person_who_signs_in(provider: Provider) {
    let settings = Settings {
        provider_variables: false,
        ..Settings::over(provider)
    };
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = gatehouse_tests::Client::register(&gatehouse).await;
    let person = gatehouse_tests::Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let response = person.open(&url).await;
    let text = if response.status() == 200 {
        let form = person.form(response).await;
        person
            .send(&form, ("decision", "allow"))
            .await
            .text()
            .await
            .unwrap()
    } else {
        response.text().await.unwrap()
    };
    assert!(text.contains(provider.needs()), "{text}");
}

#[tokio::test]
async fn a_configured_public_url_is_what_every_document_says() {
    let gatehouse = Gatehouse::start_with(
        Settings::default().variable("public_url", "https://mcp.example.com"),
    )
    .await;
    let metadata: serde_json::Value =
        reqwest::get(gatehouse.url("/.well-known/oauth-protected-resource/mcp"))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
    assert_eq!(metadata["resource"], "https://mcp.example.com/mcp");
}

#[tokio::test]
async fn the_landing_page_says_what_to_paste() {
    let gatehouse = Gatehouse::start().await;
    let response = reqwest::get(gatehouse.url("/")).await.unwrap();
    assert_eq!(response.status(), 200);
    let page = response.text().await.unwrap();
    for told in [
        gatehouse.url("/mcp"),
        "getUserInfo".into(),
        "getToken".into(),
    ] {
        assert!(page.contains(&told), "{told}");
    }
}
