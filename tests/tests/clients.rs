//! Clients that others wrote, from the first request to a tool's answer. `cargo xtask test`
//! installs them; each script of `tests/clients/` prints what it saw as one line of JSON.

use gatehouse_tests::client::parameter;
use gatehouse_tests::person::location;
use gatehouse_tests::scripts::{folder, node, python, rmcp};
use gatehouse_tests::{
    CertifiedProvider, Client, Gatehouse, Mcp, Person, Settings, Tokens, schema,
};
use serde_json::{Value, json};
use std::time::Duration;

/// The clients of `tests/clients/matrix.json`, each by its id there.
mod signs_in_and_calls_every_tool {
    use super::{Gatehouse, assert_tools_worked, folder, node};
    use serde_json::Value;

    /// Makes a test of each client.
    macro_rules! matrix {
        ($($id:ident),+ $(,)?) => {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $id() {
                    run(stringify!($id)).await;
                }
            )+

            #[test]
            fn every_client_of_the_matrix() {
                let text = std::fs::read_to_string(folder().join("matrix.json")).expect("a matrix");
                let clients: Vec<Value> = serde_json::from_str(&text).expect("JSON");
                let ids: Vec<&str> = clients.iter().filter_map(|client| client["id"].as_str()).collect();
                assert_eq!(ids, [$(stringify!($id)),+]);
            }
        };
    }

    matrix!(
        mcp_remote_0_1_18,
        mcp_remote_0_1_18_over_sse,
        mcp_remote_0_1_26,
        mcp_remote_newest,
        typescript_sdk_1_12,
        typescript_sdk_1_12_over_sse,
        typescript_sdk_1_14,
        typescript_sdk_1_14_with_second_transport,
        typescript_sdk_1_20,
        typescript_sdk_1_newest,
        typescript_sdk_1_newest_over_sse,
        typescript_sdk_2_newest,
        typescript_sdk_2_newest_over_sse,
        python_sdk_1_9,
        python_sdk_1_9_over_sse,
        python_sdk_1_16,
        python_sdk_newest,
        python_sdk_newest_over_sse,
        fastmcp_2_12,
        fastmcp_newest,
        ai_sdk_newest,
    );

    /// The script holds its version and revision against the matrix; here the server's own view is.
    async fn run(id: &str) {
        let gatehouse = Gatehouse::start().await;
        let saw = node("matrix.mjs", &[&gatehouse.base(), id]).await;
        let saw = &saw[id];
        assert_tools_worked(saw);
        let revision = saw["protocol"].as_str().expect("a revision");
        assert_eq!(gatehouse.called_in(), [revision]);
    }
}

/// The client registers with Descope, and its token is Descope's.
#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_signs_in_at_descope_itself_and_calls_every_tool() {
    let scopes = "openid profile email tools userinfo upstream_token";
    let descope = descope_emulator::Config {
        scopes: scopes.split(' ').map(ToOwned::to_owned).collect(),
        ..descope_emulator::Config::for_tests()
    };
    let settings = Settings {
        descope,
        ..Settings::default()
    };
    let gatehouse = Gatehouse::start_with(
        settings
            .variable("authorization_server", "descope")
            .variable(
                "descope_mcp_server_id",
                descope_emulator::DEFAULT_MCP_SERVER_ID,
            ),
    )
    .await;
    let saw = node("typescript-sdk.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
    let issuer = gatehouse
        .descope
        .issuer(descope_emulator::TokenIssuer::Agentic);
    assert_eq!(saw["token"]["claims"]["iss"], issuer, "{saw}");
    assert_eq!(gatehouse.called_in(), ["2025-11-25"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_sdk_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = rmcp(&gatehouse.url("/mcp"), &Person::new()).await;
    assert_tools_worked(&saw);
    assert_eq!(gatehouse.called_in(), ["2026-07-28"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspectors_cli_lists_and_calls_the_tools() {
    let gatehouse = Gatehouse::start().await;
    let saw = node(
        "inspector-cli.mjs",
        &[&gatehouse.url("/mcp"), "http", "--protocol-era", "auto"],
    )
    .await;
    assert_tools_worked(&saw);
    assert_eq!(gatehouse.called_in(), ["2026-07-28"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspectors_web_application_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let screenshots = folder().join("screenshots");
    let saw = node(
        "inspector-web.mjs",
        &[&gatehouse.url("/mcp"), &screenshots.to_string_lossy()],
    )
    .await;
    for tool in ["add", "getUserInfo", "getToken"] {
        assert!(saw["results"][tool].is_string(), "{saw}");
    }
    assert_eq!(gatehouse.called_in(), ["2026-07-28"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_signs_in_and_calls_every_tool() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("browser-sdk.mjs", &[&gatehouse.url("/mcp")]).await;
    assert_tools_worked(&saw);
    assert_eq!(gatehouse.called_in(), ["2026-07-28"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_goes_through_the_pages_in_a_real_browser() {
    go_through("pages.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_lets_an_app_be_remembered_and_ends_it_in_a_real_browser() {
    go_through("account.mjs").await;
}

/// The provider signs in without a page, and the client's callback leads on to an app or to loopback.
#[tokio::test(flavor = "multi_thread")]
async fn no_form_action_stops_the_way_on_from_the_clients_callback_in_a_real_browser() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("form-action.mjs", &[&gatehouse.base()]).await;
    assert_eq!(saw["ok"], true, "{saw}");
}

/// The provider is `oidc-provider` of npm, with pages of its own; its access tokens end so soon that each call that hands
/// one out refreshes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_a_certified_provider_in_a_real_browser() {
    let ada = json!({ "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true });
    let accounts = json!({ "ada": ada });
    let (gatehouse, provider) = CertifiedProvider::start(Settings::default(), &accounts, 30).await;
    let screenshots = folder().join("screenshots");
    let saw = node(
        "certified-provider.mjs",
        &[
            &gatehouse.base(),
            &provider.issuer,
            "ada",
            &screenshots.to_string_lossy(),
        ],
    )
    .await;
    assert_tools_worked(&saw);
    let pages = json!(["Connect Harbour Crane?", "Sign-in", "Authorize"]);
    assert_eq!(saw["pages"], pages, "{saw}");
}

#[tokio::test]
async fn what_a_certified_provider_says_of_a_person_reaches_the_tools() {
    let claims = json!({ "email": "ada@example.com", "email_verified": false, "roles": ["reader", "writer"] });
    let accounts = json!({ "ada": claims });
    let (gatehouse, provider) = CertifiedProvider::start(Settings::default(), &accounts, 600).await;
    let client = Client::register(&gatehouse).await;
    let back = location(&sign_in(&provider, &client, "ada").await);
    let code = parameter(&back, "code").expect("a code");
    let tokens = Tokens::read(client.redeem(&code).await).await;
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    let answer = mcp.call("getUserInfo", json!({})).await;
    let said = &answer["structuredContent"];
    assert_eq!(said["sub"], "ada", "{answer}");
    for (name, value) in claims.as_object().expect("claims") {
        assert_eq!(&said[name], value, "{answer}");
    }
}

/// Lets a person sign in there for a client, and returns what `/callback` answers.
async fn sign_in(provider: &CertifiedProvider, client: &Client, login: &str) -> reqwest::Response {
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let consent = person.page(&url).await;
    let to_provider = location(&person.send(&consent.form(), ("decision", "allow")).await);
    let callback = provider.sign_in(&person, &to_provider, login).await;
    person.open(callback.as_str()).await
}

#[tokio::test]
async fn the_roles_of_a_certified_provider_decide_who_comes_in_and_who_stays() {
    let with_role = |role: &str| json!({ "ada": { "roles": [role] } });
    let settings = Settings::default().variable("allowed", "claim:/roles=staff");
    let (gatehouse, provider) = CertifiedProvider::start(settings, &with_role("guest"), 1).await;
    let client = Client::register(&gatehouse).await;
    let refused = sign_in(&provider, &client, "ada").await;
    assert_eq!(refused.status(), 403);
    let page = refused.text().await.expect("a page");
    assert!(
        page.contains("This account may not use this server"),
        "{page}"
    );

    provider.set_accounts(&with_role("staff"));
    let back = location(&sign_in(&provider, &client, "ada").await);
    let code = parameter(&back, "code").expect("a code");
    let tokens = Tokens::read(client.redeem(&code).await).await;
    // Until the provider's access token has ended.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let tokens = Tokens::read(client.refresh(&tokens.refresh).await).await;
    provider.set_accounts(&with_role("guest"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let ended = client.refresh(&tokens.refresh).await;
    assert_eq!(ended.status(), 400);
    let answer: Value = ended.json().await.expect("JSON");
    assert_eq!(answer["error"], "invalid_grant");
}

/// Lets a script use the pages, where Descope shows its sign-in page.
async fn go_through(script: &str) {
    let gatehouse = Gatehouse::start().await;
    gatehouse.descope.set_auto_login(false);
    let screenshots = folder().join("screenshots");
    let saw = node(script, &[&gatehouse.base(), &screenshots.to_string_lossy()]).await;
    assert_eq!(saw["ok"], true, "{saw}");
}

/// No check may fail, be skipped, or warn.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_runner_finds_the_authorization_server_conformant() {
    let gatehouse = Gatehouse::start().await;
    let saw = node("conformance-authorization-server.mjs", &[&gatehouse.base()]).await;
    let revisions = saw["checks"].as_object().expect("revisions");
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] {
        assert!(revisions.contains_key(revision), "{saw}");
    }
    for check in revisions
        .values()
        .flat_map(|checks| checks.as_array().expect("checks"))
    {
        assert_eq!(check["status"], "SUCCESS", "{check}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_uses_everything_a_server_can_offer() {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    let url = gatehouse.url("/mcp");
    let saw = node("typescript-sdk-fixtures.mjs", &[&url, "1"]).await;
    assert_fixtures_worked(&saw, "2025-11-25");
    let mut saw = node("typescript-sdk-fixtures.mjs", &[&url, "2"]).await;
    // Version 2 hands on the newer code whatever the revision.
    assert_eq!(saw["missing"], -32602);
    saw["missing"] = json!(-32002);
    assert_fixtures_worked(&saw, "2025-11-25");
    let saw = node("typescript-sdk-fixtures.mjs", &[&url, "2", "2026-07-28"]).await;
    assert_fixtures_worked(&saw, "2026-07-28");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_uses_everything_a_server_can_offer() {
    let gatehouse = Gatehouse::start_with(Settings::default().conformance_tools()).await;
    for (mode, revision) in [("legacy", "2025-11-25"), ("2026-07-28", "2026-07-28")] {
        let url = gatehouse.url("/mcp");
        let saw = python(&["python_sdk_fixtures.py", &url, "--mode", mode]).await;
        assert_fixtures_worked(&saw, revision);
    }
}

/// Every message is held against one of these; without them, nothing would be.
#[test]
fn every_revision_has_its_schema() {
    for revision in schema::REVISIONS {
        let schema = schema::of(revision).unwrap_or_else(|| panic!("no schema of {revision}"));
        let answer = |result| json!({ "jsonrpc": "2.0", "id": 1, "result": result });
        let image = json!({ "type": "image", "data": "aGk=" });
        let content = json!({ "content": [image], "resultType": "complete" });
        let errors = schema.errors(&answer(content), Some("tools/call"));
        assert!(!errors.is_empty(), "{revision} takes an image of no type");
        assert!(
            !schema
                .errors(&json!({ "id": 1, "result": {} }), None)
                .is_empty()
        );
    }
}

/// What the scripts for the fixtures of tests/conformance have to see, in this revision.
fn assert_fixtures_worked(saw: &Value, revision: &str) {
    let missing = match revision {
        "2026-07-28" => -32602,
        _ => -32002,
    };
    let expected = json!({
        "protocol": revision,
        "resources": ["test://static-text", "test://static-binary", "test://watched-resource"],
        "templates": ["test://template/{id}/data"],
        "text": "This is the content of the static text resource.",
        "binary": ["image/png", "PNG"],
        "fromTemplate": "7",
        "missing": missing,
        "prompts": [
            "test_simple_prompt",
            "test_prompt_with_arguments",
            "test_prompt_with_embedded_resource",
            "test_prompt_with_image",
            "test_input_required_result_prompt",
        ],
        "prompt": "Prompt with arguments: arg1='one', arg2='two'",
        "completion": ["paris", "park", "party"],
        "logs": ["Tool execution started", "Tool processing data", "Tool execution completed"],
        "elicited": r#"User response: action=accept, content={"email":"my email","username":"my username"}"#,
        "sampled": "LLM response: You said: Hello",
        "roots": [{ "uri": "file:///home/ada", "name": "Home" }],
        "threeAtOnce": "You said: Generate a greeting (my name)",
        "twoRounds": "Your color is my color.",
        "askingPrompt": "Use this context: my context",
        "changed": true,
    });
    for (name, expected) in expected.as_object().expect("an object") {
        assert_eq!(&saw[name], expected, "{name}");
    }
    let progress: Vec<Vec<f64>> = serde_json::from_value(saw["progress"].clone()).expect("numbers");
    assert_eq!(progress, [[0.0, 100.0], [50.0, 100.0], [100.0, 100.0]]);
}

/// Every script says what `add`, `getUserInfo` and `getToken` answered.
fn assert_tools_worked(saw: &Value) {
    assert_eq!(
        saw["tools"],
        json!(["add", "getUserInfo", "getToken"]),
        "{saw}"
    );
    assert_eq!(saw["add"], "5", "{saw}");
    for tool in ["getUserInfo", "getToken"] {
        assert!(
            saw[tool].as_str().is_some_and(|text| !text.is_empty()),
            "{saw}"
        );
    }
}
