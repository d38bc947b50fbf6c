//! The examples, each in the place of Gatehouse's own tools, in the main build and in the one for hosts of WASI 0.2.
//! Whatever the language and the contract, they are the same tools. `cargo xtask test` builds them with the commands of
//! docs/tools.md.

use composition::Interface;
use gatehouse_tests::{
    Client, Flavour, Gatehouse, Mcp, Person, Settings, SseStream, Stateless, mcp,
};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tokio::sync::Mutex;

const RUST: &str = "target/examples/tools_rust.wasm";
const RUST_WEATHER: &str = "target/examples/weather_rust.wasm";
const JAVASCRIPT: &str = "target/examples/tools_js.wasm";
const PYTHON: &str = "target/examples/tools_python.wasm";

/// The builds: the main one, and the one for hosts of WASI 0.2.
const BUILDS: [Option<Flavour>; 2] = [None, Some(Flavour::Portable)];

/// Makes each of these functions, which take an [`Example`], six tests: one in every language and build.
macro_rules! in_every_language {
    ($($rule:ident),+ $(,)?) => { $(
        mod $rule {
            use super::{Example, JAVASCRIPT, PYTHON, RUST};
            use gatehouse_tests::Flavour::Portable;

            #[tokio::test]
            async fn in_rust() {
                super::$rule(Example::start(RUST, None).await).await;
            }

            #[tokio::test]
            async fn in_rust_for_wasi_0_2() {
                super::$rule(Example::start(RUST, Some(Portable)).await).await;
            }

            #[tokio::test]
            async fn in_javascript() {
                super::$rule(Example::start(JAVASCRIPT, None).await).await;
            }

            #[tokio::test]
            async fn in_javascript_for_wasi_0_2() {
                super::$rule(Example::start(JAVASCRIPT, Some(Portable)).await).await;
            }

            #[tokio::test]
            async fn in_python() {
                super::$rule(Example::start(PYTHON, None).await).await;
            }

            #[tokio::test]
            async fn in_python_for_wasi_0_2() {
                super::$rule(Example::start(PYTHON, Some(Portable)).await).await;
            }
        }
    )+ };
}

in_every_language!(
    a_value_is_converted,
    many_values_are_converted_with_progress_for_each,
    the_person_is_asked_which_gallon_is_meant,
    who_declines_or_cannot_be_asked_is_told_what_to_say,
    what_cannot_be_converted_is_for_the_model_to_mend,
    units_are_resources,
    a_unit_is_explained_and_completed,
);

/// Tools that ask the host for what they may have, or not, in [`tests/tools-http`](../tools-http), in Python and in JavaScript.
const HTTP: [&str; 2] = [
    "target/examples/http_python.wasm",
    "target/examples/http_js.wasm",
];

/// Tools of the same kind in Rust, among the fixtures.
const FIXTURES: &str = "target/wasm32-wasip2/wasm/conformance_tools.wasm";

/// Where the identity provider of a test listens, on a port of its own.
const LOOPBACK: &str = "http://127.0.0.1:*";

/// Tools behind a tool server that has a variable, a store and a host.
fn granted(tools: &'static str, flavour: Option<Flavour>) -> Settings {
    Settings {
        flavour,
        ..Settings::default()
            .tool_server("own", tools)
            .granted(&[("gallon", "imperial gallon")], &[LOOPBACK])
            .variable("tools", "own")
    }
}

#[tokio::test]
async fn a_tool_calls_an_api_that_it_may_call() {
    for tools in HTTP {
        let composed = Settings::default().tools(tools).tools_inherit_hosts();
        let example = Example::start_with(composed).await;
        // It has the hosts of the MCP endpoint.
        calls_an_api(&example, "send", "http://127.0.0.1:1").await;
    }
}

/// Lets a tool call the identity provider, and a host that it may not call.
async fn calls_an_api(example: &Example, tool: &str, denied: &str) {
    let client = example.stateless(json!({}));
    let send = async |method: &str, url: &str, body: &str| {
        let arguments = json!({ "method": method, "url": url, "body": body });
        let call = json!({ "name": tool, "arguments": arguments });
        mcp::answer(client.ask("tools/call", call).await).await
    };
    let answer = send("GET", &keys(example), "").await;
    let response = &answer["result"]["structuredContent"];
    assert_eq!(response["status"], 200, "{answer}");
    let keys: Value = serde_json::from_str(response["text"].as_str().unwrap()).unwrap();
    assert!(keys["keys"].is_array(), "{keys}");

    // More than one write of WASI 0.2 takes.
    let missing = format!("{}/nothing", example.gatehouse.descope.base_url());
    let answer = send("POST", &missing, &"x".repeat(10_000)).await;
    let response = &answer["result"]["structuredContent"];
    assert_eq!(response["status"], 404, "{answer}");

    let answer = send("GET", denied, "").await;
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    example.logs(&format!("add \"{denied}\" to allowed_outbound_hosts"));
}

#[tokio::test]
async fn a_tool_that_inherits_no_hosts_calls_none() {
    for tools in HTTP {
        let example = Example::start(tools, None).await;
        let url = keys(&example);
        let call = json!({ "name": "send", "arguments": { "method": "GET", "url": url } });
        let client = example.stateless(json!({}));
        assert_eq!(refused(&client, "tools/call", call).await, -32603);
        example.logs("add \"allowed_outbound_hosts\" to inherit_configuration");
        example.logs("and the host to allowed_outbound_hosts of [component.mcp]");
    }
}

#[tokio::test]
async fn changes_that_a_tool_reports_come_to_who_listens() {
    for tools in HTTP {
        let example = Example::start(tools, None).await;
        let client = example.stateless(json!({}));
        let wanted = json!({
            "toolsListChanged": true,
            "promptsListChanged": true,
            "resourcesListChanged": true,
            "resourceSubscriptions": ["test:one", "test:two"],
        });
        let (acknowledged, mut stream) = client.listen(wanted.clone()).await;
        assert_eq!(acknowledged, wanted, "{tools}");
        let result = client.call("change", json!({})).await;
        assert_eq!(text(&result), "changed");
        for kind in [
            "tools/list_changed",
            "prompts/list_changed",
            "resources/list_changed",
        ] {
            let message = stream.message().await;
            assert_eq!(
                message["method"],
                format!("notifications/{kind}"),
                "{tools}"
            );
        }
        let updated = stream.message().await;
        assert_eq!(updated["method"], "notifications/resources/updated");
        assert_eq!(updated["params"]["uri"], "test:one");
    }
}

#[tokio::test]
async fn behind_a_tool_server_an_example_in_each_language_has_a_setting_and_a_store() {
    // Those of the other languages take seconds to be compiled: what stands below tries their SDKs in the portable build.
    for (tools, flavour) in [
        (RUST, None),
        (RUST, Some(Flavour::Portable)),
        (JAVASCRIPT, None),
        (PYTHON, None),
    ] {
        let settings = Settings {
            flavour,
            ..Settings::default()
                .tool_server("units", tools)
                .granted(&[("gallon", "imperial gallon")], &[])
                .variable("tools", "units")
        };
        let example = Example::start_with(settings).await;
        let client = example.stateless(json!({}));
        // The operator says which gallon is meant, until the person does.
        let litres = async || {
            let result = client.result("tools/call", gallon()).await;
            let value = result["structuredContent"]["value"].as_f64();
            value.unwrap_or_else(|| panic!("{tools} {flavour:?}: {result}"))
        };
        assert_eq!(litres().await, 4.54609);
        let preferred = client.call("prefer", json!({ "gallon": "US gallon" }));
        assert_eq!(
            text(&preferred.await),
            "A gallon is the US gallon from now on."
        );
        assert_eq!(litres().await, 3.785411784);
    }
}

#[tokio::test]
async fn a_tool_reads_neither_a_secret_nor_a_record_of_gatehouse() {
    let builds = |tools| BUILDS.map(|flavour| (tools, flavour));
    for (tools, flavour) in HTTP.into_iter().chain([FIXTURES]).flat_map(builds) {
        // The portable build has no such tools composed.
        let (settings, prefixes) = match flavour {
            None => (
                granted(tools, flavour)
                    .tools(tools)
                    .variable("tools", "composed own"),
                &["composed_", "own_"][..],
            ),
            Some(_) => (granted(tools, flavour), &[""][..]),
        };
        let example = Example::start_with(settings).await;
        let client = example.stateless(json!({}));
        let refused = async |tool: &str, arguments: Value| {
            let call = json!({ "name": tool, "arguments": arguments });
            refused(&client, "tools/call", call).await
        };
        for prefix in prefixes {
            let (variable, key) = (
                format!("{prefix}read_variable"),
                format!("{prefix}read_key"),
            );
            for name in [
                "encryption_key",
                "descope_client_secret",
                "descope_management_key",
                "oidc_client_secret",
            ] {
                let code = refused(&variable, json!({ "name": name })).await;
                assert_eq!(code, -32603, "{tools} {flavour:?} {prefix} {name}");
                example.logs(&format!(
                    "add {name} = \"...\" to [component.NAME.variables] of its component"
                ));
            }
            let arguments = json!({ "store": "default", "key": "deployment" });
            let code = refused(&key, arguments).await;
            assert_eq!(code, -32603, "{tools} {flavour:?} {prefix}");
        }
        example.logs("add the variable to [component.own.variables]");
        example.logs("add the store to key_value_stores of [component.own]");
        // What the tool server is granted is there.
        let own = prefixes.last().unwrap();
        let variable = format!("{own}read_variable");
        let gallon = client.call(&variable, json!({ "name": "gallon" })).await;
        assert_eq!(text(&gallon), "imperial gallon");
        let key = json!({ "store": "own", "key": "deployment" });
        let found = client.call(&format!("{own}read_key"), key).await;
        assert_eq!(found["structuredContent"]["exists"], false);
        if HTTP.contains(&tools) {
            calls_an_api(&example, &format!("{own}send"), "http://127.0.0.2:1").await;
        }
    }
}

#[test]
fn a_component_imports_of_spin_what_its_sdk_may_call_and_in_rust_what_it_calls() {
    const OF_WASI_0_2: [&str; 2] = [
        "fermyon:spin/key-value@2.0.0",
        "fermyon:spin/variables@2.0.0",
    ];
    const OF_WASI_0_3: [&str; 2] = [
        "spin:key-value/key-value@3.0.0",
        "spin:variables/variables@3.0.0",
    ];
    for (tools, main, portable) in [
        (RUST_WEATHER, &[][..], &[][..]),
        (RUST, &OF_WASI_0_3, &OF_WASI_0_2),
        (PYTHON, &OF_WASI_0_3, &OF_WASI_0_2),
        (JAVASCRIPT, &OF_WASI_0_2, &OF_WASI_0_2),
    ] {
        for (extension, expected) in [("wasm", main), ("portable.wasm", portable)] {
            let path = root().join(tools).with_extension(extension);
            let component = std::fs::read(&path).unwrap();
            let mut imports = Interface::of(&component).unwrap().imports;
            imports.retain(|import| import.contains("spin"));
            imports.sort();
            assert_eq!(imports, expected, "{}", path.display());
        }
    }
}

/// A URL of the identity provider, whose host the MCP endpoint may call.
fn keys(example: &Example) -> String {
    let provider = &example.gatehouse.descope;
    format!(
        "{}/v2/keys/{}",
        provider.base_url(),
        provider.config().project_id
    )
}

/// The Python that `cargo xtask test` made for the example, with the SDK in it.
const PYTHON_PROGRAM: &str = if cfg!(windows) {
    "examples/tools-python/.venv/Scripts/python.exe"
} else {
    "examples/tools-python/.venv/bin/python"
};

#[test]
fn the_python_sdk_and_the_example_pass_their_own_tests() {
    for folder in [
        "sdk/python/tests",
        "examples/tools-python",
        "examples/weather-python",
    ] {
        let mut unittest = Command::new(root().join(PYTHON_PROGRAM));
        unittest.args(["-m", "unittest", "discover"]);
        passes(unittest.current_dir(root().join(folder)));
    }
}

#[test]
fn the_javascript_sdk_and_the_example_pass_their_own_tests() {
    for folder in ["sdk/js", "examples/tools-js", "examples/weather-js"] {
        let mut tests = Command::new("node");
        passes(tests.arg("--test").current_dir(root().join(folder)));
    }
}

fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ is in the workspace")
}

/// Runs the tests of another language.
fn passes(tests: &mut Command) {
    let output = tests.output().expect("`cargo xtask test` installs it");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{errors}");
}

/// A Gatehouse with an example, and the token of a person who may use it.
struct Example {
    gatehouse: Gatehouse,
    token: String,
}

impl Example {
    async fn start(tools: &'static str, flavour: Option<Flavour>) -> Self {
        Self::start_with(Settings {
            flavour,
            ..Settings::default().tools(tools)
        })
        .await
    }

    async fn start_with(settings: Settings) -> Self {
        // One at a time, so that none is compiled twice.
        static STARTING: Mutex<()> = Mutex::const_new(());
        let starting = STARTING.lock().await;
        let gatehouse = Gatehouse::start_with(settings).await;
        drop(starting);
        let client = Client::register(&gatehouse).await;
        let token = client.sign_in(&Person::new()).await.access;
        Self { gatehouse, token }
    }

    /// A client of 2026-07-28 that can be asked so much.
    fn stateless(&self, capabilities: Value) -> Stateless {
        let mut client = Stateless::new(self.gatehouse.url("/mcp"), &self.token);
        client.capabilities = capabilities;
        client
    }

    /// Checks that this stands in the log for the operator.
    fn logs(&self, advice: &str) {
        let log = self.gatehouse.host.log().lines().join("\n");
        assert!(log.contains(advice), "no “{advice}” in: {log}");
    }

    /// A session of 2025-11-25 whose client can be asked so much.
    async fn session(&self, capabilities: Value) -> Mcp {
        let mut session = Mcp::new(self.gatehouse.url("/mcp"), Some(&self.token));
        session.initialize_as("2025-11-25", capabilities).await;
        session
    }
}

#[tokio::test]
async fn every_language_offers_the_same_in_both_builds() {
    let mut offers = Vec::new();
    let builds = |tools| BUILDS.map(|flavour| (tools, flavour));
    for (tools, flavour) in [RUST, JAVASCRIPT, PYTHON].into_iter().flat_map(builds) {
        let example = Example::start(tools, flavour).await;
        let client = example.stateless(json!({}));
        let mut offer = Vec::new();
        for method in [
            "server/discover",
            "tools/list",
            "resources/list",
            "resources/templates/list",
            "prompts/list",
        ] {
            offer.push(client.result(method, json!({})).await);
        }
        offers.push(offer);
        // What composed tools lack is for the operator to read.
        let prefer = json!({ "name": "prefer", "arguments": { "gallon": "US gallon" } });
        assert_eq!(refused(&client, "tools/call", prefer).await, -32603);
        example.logs("add \"units\" to key_value_stores of its [component.NAME]");
    }
    let tools = offers[0][1]["tools"].as_array().unwrap();
    let names: Vec<&Value> = tools.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["convert", "convert_many", "prefer"]);
    for offer in &offers[1..] {
        assert_eq!(*offer, offers[0]);
    }
}

#[tokio::test]
async fn two_tools_in_a_screenful_are_called_in_both_builds() {
    for flavour in BUILDS {
        let example = Example::start(RUST_WEATHER, flavour).await;
        let client = example.stateless(json!({}));
        let whoami = json!({ "name": "whoami", "arguments": {} });
        let result = client.result("tools/call", whoami).await;
        assert!(text(&result).starts_with("You are "), "{result}");
        // No manifest of a test lets it call the API.
        let weather = json!({ "name": "weather", "arguments": { "city": "Oslo" } });
        let result = client.result("tools/call", weather).await;
        assert_eq!(result["isError"], true);
        assert!(text(&result).contains("allowed_outbound_hosts"), "{result}");
        let list = client.result("tools/list", json!({})).await;
        let schema = &list["tools"][0]["outputSchema"];
        assert_eq!(schema["required"], json!(["city", "temperature", "wind"]));
    }
}

#[test]
fn the_examples_in_rust_pass_their_own_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.expect("tests/ is in the workspace");
    // What runs while they are built was built for these tests.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let target = target.expect("target/tmp").display().to_string();
    let build_dir = format!("build.build-dir={target:?}");
    for folder in ["tools-rust", "weather-rust"] {
        let mut tests = Command::new(env!("CARGO"));
        tests
            .current_dir(root.join("examples").join(folder))
            .args(["test", "--locked", "--quiet", "--config", &build_dir])
            .arg("--target-dir")
            .arg(root.join("target/examples/rust"));
        let output = tests.output().expect("cargo runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }
}

async fn a_value_is_converted(example: Example) {
    let session = example.session(json!({})).await;
    let client = example.stateless(json!({}));
    for (value, from, to, expected) in [
        (26.2, "mile", "kilometre", 42.1648128),
        (212.0, "fahrenheit", "celsius", 100.0),
        (1.0, "pound", "kilogram", 0.45359237),
        (-40.0, "celsius", "fahrenheit", -40.0),
    ] {
        let call = json!({
            "name": "convert",
            "arguments": { "value": value, "from": from, "to": to },
        });
        for response in [
            client.ask("tools/call", call.clone()).await,
            session.request("tools/call", call).await,
        ] {
            let result = mcp::result(response).await;
            assert_eq!(text(&result), format!("{expected} {to}"));
            let structured = &result["structuredContent"];
            assert_eq!(structured["value"].as_f64(), Some(expected), "{result}");
            assert_eq!(structured["unit"], to);
        }
    }
}

async fn many_values_are_converted_with_progress_for_each(example: Example) {
    let session = example.session(json!({})).await;
    let client = example.stateless(json!({}));
    let call = json!({
        "name": "convert_many",
        "arguments": { "values": [1, 2.5, 42], "from": "kilometre", "to": "metre" },
        "_meta": { "progressToken": "token" },
    });
    for response in [
        client.ask("tools/call", call.clone()).await,
        session.request("tools/call", call).await,
    ] {
        let mut stream = SseStream::of(response);
        for done in [1.0, 2.0, 3.0] {
            let message = stream.message().await;
            assert_eq!(message["method"], "notifications/progress", "{message}");
            let params = &message["params"];
            assert_eq!(params["progressToken"], "token");
            assert_eq!(params["progress"].as_f64(), Some(done));
            assert_eq!(params["total"].as_f64(), Some(3.0));
        }
        let result = &stream.message().await["result"];
        let values = [1000.0, 2500.0, 42000.0];
        assert_eq!(numbers(&result["structuredContent"]["value"]), values);
        let said = serde_json::from_str(text(result)).unwrap();
        assert_eq!(numbers(&said), values);
    }
}

async fn the_person_is_asked_which_gallon_is_meant(example: Example) {
    let can_be_asked = json!({ "elicitation": {} });
    let session = example.session(can_be_asked.clone()).await;
    let client = example.stateless(can_be_asked);
    for (gallon, litres) in [("US gallon", 3.785411784), ("imperial gallon", 4.54609)] {
        let answer = json!({ "action": "accept", "content": { "gallon": gallon } });
        for result in [
            answered(&client, answer.clone()).await,
            answered_in(&session, answer).await,
        ] {
            let value = &result["structuredContent"]["value"];
            assert_eq!(value.as_f64(), Some(litres), "{result}");
        }
    }
}

async fn who_declines_or_cannot_be_asked_is_told_what_to_say(example: Example) {
    let can_be_asked = json!({ "elicitation": {} });
    let decline = json!({ "action": "decline" });
    let client = example.stateless(can_be_asked.clone());
    let session = example.session(can_be_asked).await;
    let cannot_be_asked = example.stateless(json!({}));
    for result in [
        answered(&client, decline.clone()).await,
        answered_in(&session, decline).await,
        cannot_be_asked.result("tools/call", gallon()).await,
    ] {
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(text(&result), "Say “US gallon” or “imperial gallon”.");
    }
}

async fn what_cannot_be_converted_is_for_the_model_to_mend(example: Example) {
    let client = example.stateless(json!({}));
    let unknown = "there is no unit “parsec”; the resource units:all lists them";
    let different = "mile is length, and pound is mass";
    for (tool, value, from, to, why) in [
        ("convert", json!(1), "parsec", "mile", unknown),
        ("convert", json!(1), "mile", "parsec", unknown),
        ("convert", json!(1), "mile", "pound", different),
        ("convert_many", json!([1, 2]), "parsec", "mile", unknown),
        ("convert_many", json!([1, 2]), "mile", "pound", different),
        // What follows is seen by Gatehouse, in the schemas.
        (
            "convert",
            json!("one"),
            "mile",
            "metre",
            "`value` has to be a number",
        ),
        (
            "convert_many",
            json!(1),
            "mile",
            "metre",
            "`values` has to be an array",
        ),
        (
            "convert_many",
            json!(vec![0; 1001]),
            "mile",
            "metre",
            "`arguments` does not fit its schema",
        ),
    ] {
        let field = ["value", "values"][usize::from(tool == "convert_many")];
        let call = json!({ "name": tool, "arguments": { field: value, "from": from, "to": to } });
        let result = client.result("tools/call", call).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(text(&result).contains(why), "{result}");
    }
    let call = json!({ "name": "convert", "arguments": { "value": 1, "from": "mile" } });
    let result = client.result("tools/call", call).await;
    assert!(text(&result).contains("`to` is missing"), "{result}");
    let nothing = json!({ "name": "nothing", "arguments": {} });
    assert_eq!(refused(&client, "tools/call", nothing).await, -32602);
}

async fn units_are_resources(example: Example) {
    let client = example.stateless(json!({}));
    let read = async |uri: &str| {
        let result = client.result("resources/read", json!({ "uri": uri })).await;
        let contents = &result["contents"][0];
        assert_eq!(contents["uri"], uri);
        assert_eq!(contents["mimeType"], "application/json");
        let text = contents["text"].as_str().unwrap();
        serde_json::from_str::<Vec<String>>(text).unwrap()
    };
    let length = ["metre", "kilometre", "foot", "mile"];
    assert_eq!(read("units:length").await, length);
    let all = read("units:all").await;
    assert_eq!(all.len(), 12);
    assert_eq!(all[..4], length);
    for unknown in ["units:nothing", "units:", "others:all"] {
        let read = json!({ "uri": unknown });
        assert_eq!(refused(&client, "resources/read", read).await, -32602);
    }
}

async fn a_unit_is_explained_and_completed(example: Example) {
    let client = example.stateless(json!({}));
    let explain = json!({ "name": "explain", "arguments": { "unit": "mile" } });
    let result = client.result("prompts/get", explain).await;
    let message = json!({ "role": "user", "content": { "type": "text", "text":
        "What is one mile, and what would one measure with it? Compare it with two other units." } });
    assert_eq!(result["messages"], json!([message]));
    let which = json!({ "name": "explain" });
    assert_eq!(refused(&client, "prompts/get", which).await, -32602);

    let prompt = json!({ "type": "ref/prompt", "name": "explain" });
    let resource = json!({ "type": "ref/resource", "uri": "units:{kind}" });
    for (target, name, begun, completed) in [
        (&prompt, "unit", "ki", vec!["kilometre", "kilogram"]),
        (&prompt, "unit", "parsec", vec![]),
        (
            &resource,
            "kind",
            "",
            vec!["length", "mass", "volume", "temperature"],
        ),
        (&resource, "kind", "t", vec!["temperature"]),
    ] {
        let complete = json!({ "ref": target, "argument": { "name": name, "value": begun } });
        let result = client.result("completion/complete", complete).await;
        assert_eq!(result["completion"]["values"], json!(completed));
    }
}

/// A call whose arguments do not say which gallon is meant.
fn gallon() -> Value {
    json!({ "name": "convert", "arguments": { "value": 1, "from": "gallon", "to": "litre" } })
}

/// What comes of [`gallon`] when its question is answered so, in 2026-07-28: in a second call.
async fn answered(client: &Stateless, answer: Value) -> Value {
    let asked = client.result("tools/call", gallon()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    assert_question(&asked["inputRequests"]["gallon"]);
    let mut call = gallon();
    call["requestState"] = asked["requestState"].clone();
    call["inputResponses"] = json!({ "gallon": answer });
    client.result("tools/call", call).await
}

/// The same in a session: while the call goes on.
async fn answered_in(session: &Mcp, answer: Value) -> Value {
    let mut stream = SseStream::of(session.request("tools/call", gallon()).await);
    let question = stream.message().await;
    assert_question(&question);
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": answer });
    assert_eq!(session.post(&answer).await.status(), 202);
    stream.message().await["result"].clone()
}

fn assert_question(question: &Value) {
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let params = &question["params"];
    assert_eq!(params["message"], "Which gallon?");
    let choices = &params["requestedSchema"]["properties"]["gallon"]["enum"];
    assert_eq!(choices, &json!(["US gallon", "imperial gallon"]));
}

/// The code of the error that answers a request.
async fn refused(client: &Stateless, method: &str, params: Value) -> i64 {
    let answer = mcp::answer(client.ask(method, params).await).await;
    answer["error"]["code"].as_i64().expect("an error")
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("a text")
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("numbers")
}
