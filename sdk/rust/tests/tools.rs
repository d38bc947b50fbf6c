//! Functions with attributes, as a client sees them.
#![allow(missing_docs, reason = "the functions are the tests' own")]

use gatehouse_sdk::testing::{CallError, TestClient, block_on};
use gatehouse_sdk::{
    Arguments, Caller, Changed, Changes, Client, Completion, Content, ContentBody, Context,
    Credential, Error, Icon, LogLevel, Message, Output, Progress, Result, Role, Unanswered, Value,
    data, http, json, prompt, resource, serde_json, tool,
};

#[data]
struct Sum {
    /// a + b
    sum: i64,
    /// Only if there is one
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
}

/// Adds two numbers,
/// and gives their sum.
#[tool(
    title = "Add",
    read_only,
    destructive = false,
    icons = [Icon::new("https://example.com/add.png").sizes(&["48x48"])],
)]
fn add(
    /// The first number
    #[schemars(range(max = 1000))]
    a: i64,
    /// The second number
    b: i64,
    remark: Option<String>,
) -> Sum {
    Sum { sum: a + b, remark }
}

#[tool(name = "say-hello", ignore_unknown)]
async fn say_hello(name: &str, _greeting: Option<String>) -> String {
    format!("Hello, {name}!")
}

#[data(input)]
struct Booking {
    city: String,
    r#type: Kind,
}

#[data]
#[derive(Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Single,
    Double,
}

/// Books.
#[tool]
fn book(Arguments(booking): Arguments<Booking>, caller: &Caller) -> Result<Kind, String> {
    if booking.city.is_empty() {
        return Err(format!("{} has to name a city", caller.subject));
    }
    Ok(booking.r#type)
}

#[tool(task = "optional")]
async fn fail(how: String) -> Result<()> {
    match how.as_str() {
        "parse" => drop("x".parse::<u8>()?),
        "arguments" => return Err(Error::invalid_arguments("`how` is wrong")),
        "internal" => return Err(Error::internal("for the log")),
        _ => {}
    }
    Ok(())
}

#[tool]
fn blocks() -> Output {
    Output::new([Content::text("A dot:"), Content::image(b"dot", "image/png")])
}

#[tool]
fn parts() -> Output<Sum> {
    let sum = Sum {
        sum: 3,
        remark: None,
    };
    Output::structured(sum).text("three")
}

#[data]
struct Tree {
    value: u8,
    branches: Vec<Tree>,
}

/// Counts the nodes.
#[tool]
fn count(tree: Tree) -> usize {
    1 + tree.branches.into_iter().map(count).sum::<usize>()
}

#[tool]
fn list() -> Vec<u32> {
    vec![1, 2]
}

#[tool(scopes = ["upstream_token"])]
fn token(credential: Credential) -> String {
    credential.authorization()
}

#[tool]
fn token_if_any(credential: Option<Credential>) -> bool {
    credential.is_some()
}

/// Reports all that can be reported.
#[tool]
async fn report(context: Context, changes: Changes) -> &'static str {
    context.progress.report(1).await;
    let half = context.progress.report(0.5).of(3).message("half");
    half.await;
    context.log.named("tests").info("text").await;
    context
        .log
        .send(LogLevel::Critical, json!({ "a": 1 }))
        .await;
    changes.tools().await;
    changes.resource("units:all").await;
    "reported"
}

#[tool]
async fn report_and_fail(progress: Progress, how: String) -> Result<String> {
    progress.report(1).await;
    fail(how).await?;
    Ok(String::new())
}

#[data]
struct Size {
    height: u8,
    color: Option<String>,
}

#[tool]
async fn order(client: Client) -> Result<String> {
    let round: u32 = client.remembered().unwrap_or(0);
    client.remember(round + 1);
    let size: Size = client.elicit("size", "Which size?").await?;
    let material = client.sample("material", "Wood or steel?", 10).await?;
    let roots = client.roots("roots").await?;
    let (height, roots) = (size.height, roots.len());
    Ok(format!(
        "{height} cm of {material}, {roots} roots, round {round}"
    ))
}

#[tool]
async fn ask_at_once(client: Client) -> Result<String> {
    let first = client.elicit_as(
        "first",
        "First?",
        json!({ "type": "object", "properties": {} }),
    );
    let second = client.open_url("second", "Second?", "https://example.com/");
    let (first, second) = futures::join!(first, second);
    second?;
    Ok(first?.to_string())
}

#[tool]
async fn try_to_ask(client: Client) -> String {
    match client.elicit::<Size>("size", "Which size?").await {
        Ok(size) => size.height.to_string(),
        Err(Unanswered::Unsupported) => "cannot ask".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tool]
async fn fetch(city: String, credential: Credential) -> Result<Value> {
    let request = http::post("https://api.example.com/weather").query("city", &city);
    let request = request
        .credential(&credential)
        .json(&json!({ "units": "metric" }));
    Ok(request.send().await?.json()?)
}

/// All of them
#[resource(uri = "units:all", mime_type = "application/json", ttl = 60, shared)]
fn all() -> Vec<&'static str> {
    vec!["metre", "gram"]
}

#[resource(uri = "units:{kind}", title = "Units of a kind", ttl = 60)]
async fn of_kind(#[complete(["length", "mass"])] kind: String) -> Option<String> {
    (kind == "mass").then(|| "gram".to_owned())
}

#[resource(uri = "test://picture/{number}/{+path}", mime_type = "image/png")]
fn picture(path: String, number: u8) -> Result<Vec<u8>, String> {
    if path == "broken" {
        return Err("the disk is full".to_owned());
    }
    Ok(vec![number])
}

/// Explains a unit
#[prompt(title = "Explain", scopes = ["explain"])]
fn explain(
    /// Which
    #[complete(units)]
    unit: String,
    #[complete(units_of_the_caller)]
    #[serde(rename = "how-many")]
    times: Option<u32>,
) -> String {
    format!("What are {} {unit}?", times.unwrap_or(1))
}

fn units(completion: &Completion) -> Vec<&'static str> {
    let units = ["metre", "mile", "gram"].into_iter();
    units
        .filter(|unit| unit.starts_with(&completion.typed))
        .collect()
}

async fn units_of_the_caller(completion: Completion) -> [String; 1] {
    [completion.caller.subject]
}

#[prompt]
async fn talk(client: Client) -> Result<Vec<Message>> {
    let size: Size = client.elicit("size", "Which size?").await?;
    let height = size.height.to_string();
    Ok(vec![
        Message::user(height),
        Message::assistant(Content::text("Good.")),
    ])
}

gatehouse_sdk::server! {
    name: "tests",
    title: "Tests",
    description: "What is tested",
    website: "https://example.com/",
    icons: [Icon::new("https://example.com/icon.png").mime_type("image/png")],
    instructions: "Use them.",
    tools: [
        add, say_hello, book, fail, blocks, parts, list, token, token_if_any, report, report_and_fail, order,
        ask_at_once, try_to_ask, fetch, count,
    ],
    resources: [all, of_kind, picture],
    prompts: [explain, talk],
    resource_scopes: ["units", "more"],
    changes: [tools, resource_contents],
}

fn client() -> TestClient {
    TestClient::new(&SERVER)
}

fn schema_of(tool: &str) -> String {
    let tools = client().offer().tools;
    let tool = tools.into_iter().find(|offered| offered.name == tool);
    tool.unwrap().input_schema
}

#[test]
fn a_tool_is_what_its_function_says() {
    let tools = client().offer().tools;
    let add = &tools[0];
    assert_eq!(add.name, "add");
    assert_eq!(add.title.as_deref(), Some("Add"));
    let description = add.description.as_deref();
    assert_eq!(description, Some("Adds two numbers, and gives their sum."));
    assert_eq!(add.scopes, ["tools"]);
    assert_eq!(add.icons[0].sizes, ["48x48"]);
    let hints = add.annotations.unwrap();
    assert_eq!(
        (hints.read_only, hints.destructive),
        (Some(true), Some(false))
    );
    assert_eq!((hints.idempotent, hints.open_world), (None, None));
    assert!(!add.wants_credential);
    assert_eq!(tools[1].name, "say-hello");
    assert!(tools[1].annotations.is_none());
    assert!(tools[3].tasks == gatehouse_sdk::__private::TaskUse::Optional);
}

#[test]
fn an_input_schema_has_the_arguments_in_their_order_and_no_others() {
    let expected = concat!(
        r#"{"type":"object","properties":{"#,
        r#""a":{"type":"integer","description":"The first number","maximum":1000},"#,
        r#""b":{"type":"integer","description":"The second number"},"#,
        r#""remark":{"type":["string","null"]}},"#,
        r#""required":["a","b"],"additionalProperties":false}"#,
    );
    assert_eq!(schema_of("add"), expected);
    let none = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
    assert_eq!(schema_of("blocks"), none);
    let context = schema_of("report_and_fail");
    assert!(!context.contains("progress"), "{context}");
}

#[test]
fn a_struct_may_have_all_arguments() {
    let expected = concat!(
        r#"{"type":"object","properties":{"city":{"type":"string"},"#,
        r#""type":{"type":"string","enum":["single","double"]}},"required":["city","type"]}"#,
    );
    assert_eq!(schema_of("book"), expected);
    let booking = json!({ "city": "Oslo", "type": "double" });
    assert_eq!(client().call("book", booking).unwrap().text(), "double");
    let nowhere = client()
        .call("book", json!({ "city": "", "type": "single" }))
        .unwrap();
    assert!(nowhere.is_error);
    assert_eq!(nowhere.text(), "test-person has to name a city");
}

#[test]
fn a_type_may_contain_itself() {
    let leaf = |value| json!({ "value": value, "branches": [] });
    let tree = json!({ "value": 1, "branches": [leaf(2), leaf(3)] });
    let outcome = client().call("count", json!({ "tree": tree })).unwrap();
    assert_eq!(outcome.text(), "3");
    let wrong = json!({ "value": 1, "branches": [leaf(2), leaf(300)] });
    let error = client()
        .call("count", json!({ "tree": wrong }))
        .unwrap_err();
    assert!(matches!(error, CallError::InvalidArguments(_)), "{error}");
}

#[test]
fn what_does_not_fit_the_schema_never_reaches_the_function() {
    for (tool, arguments) in [
        ("add", json!({ "a": "1", "b": 2 })),
        ("add", json!({ "a": 1001, "b": 2 })),
        ("add", json!({ "a": 1 })),
        ("add", json!({ "a": 1, "b": 2, "c": 3 })),
        ("add", json!([])),
        ("book", json!({ "city": "Oslo", "type": "triple" })),
        // It fits the schema, and no number of 64 bits.
        ("add", json!({ "a": 1, "b": 1e30 })),
    ] {
        let error = client().call(tool, arguments.clone()).unwrap_err();
        assert!(
            matches!(error, CallError::InvalidArguments(_)),
            "{arguments}: {error}"
        );
    }
    let unknown = json!({ "name": "Ada", "age": 36 });
    assert_eq!(
        client().call("say-hello", unknown).unwrap().text(),
        "Hello, Ada!"
    );
}

#[test]
fn an_object_is_structured_content_with_a_schema() {
    let tools = client().offer().tools;
    let expected = concat!(
        r#"{"type":"object","properties":{"sum":{"type":"integer","description":"a + b"},"#,
        r#""remark":{"type":"string","description":"Only if there is one"}},"required":["sum"]}"#,
    );
    assert_eq!(tools[0].output_schema.as_deref(), Some(expected));
    let outcome = client().call("add", json!({ "a": 1, "b": 2 })).unwrap();
    assert_eq!(outcome.structured, Some(json!({ "sum": 3 })));
    assert_eq!(outcome.text(), r#"{"sum":3}"#);
    let outcome = client().call("parts", json!({})).unwrap();
    assert_eq!(outcome.structured, Some(json!({ "sum": 3 })));
    assert_eq!(outcome.text(), "three");
    assert!(tools[5].output_schema.is_some());
}

#[test]
fn anything_else_is_content() {
    let tools = client().offer().tools;
    assert!(
        tools
            .iter()
            .filter(|tool| tool.output_schema.is_some())
            .count()
            == 2
    );
    let outcome = client().call("list", json!({})).unwrap();
    assert_eq!(
        (outcome.text().as_str(), outcome.structured),
        ("[1,2]", None)
    );
    let outcome = client().call("blocks", json!({})).unwrap();
    assert_eq!(outcome.text(), "A dot:");
    assert!(matches!(&outcome.content[1].body, ContentBody::Image(image) if image.data == b"dot"));
    let nothing = client().call("fail", json!({ "how": "not" })).unwrap();
    assert!(nothing.content.is_empty());
}

#[test]
fn an_error_is_for_the_model_unless_it_says_otherwise() {
    let outcome = client().call("fail", json!({ "how": "parse" })).unwrap();
    assert!(outcome.is_error);
    assert_eq!(outcome.text(), "invalid digit found in string");
    let fail = |tool, how| client().call(tool, json!({ "how": how }));
    let internal = CallError::Internal("for the log".to_owned());
    assert_eq!(fail("fail", "internal").unwrap_err(), internal);
    let arguments = CallError::InvalidArguments("`how` is wrong".to_owned());
    assert_eq!(fail("fail", "arguments").unwrap_err(), arguments);
    // A stream has begun: its end is a result, or nothing.
    assert_eq!(
        fail("report_and_fail", "arguments").unwrap().text(),
        "`how` is wrong"
    );
    assert_eq!(fail("report_and_fail", "internal").unwrap_err(), internal);
}

#[test]
fn a_call_without_its_scope_is_refused() {
    let error = client()
        .scopes(&["other"])
        .call("add", json!({ "a": 1, "b": 2 }));
    assert_eq!(
        error.unwrap_err(),
        CallError::MissingScope("tools".to_owned())
    );
    let error = client()
        .scopes(&["tools"])
        .prompt("explain", &[("unit", "mile")]);
    assert_eq!(
        error.unwrap_err(),
        CallError::MissingScope("explain".to_owned())
    );
    let error = client().scopes(&["tools", "units"]).read("units:all");
    assert_eq!(
        error.unwrap_err(),
        CallError::MissingScope("more".to_owned())
    );
    let unknown = client().call("nothing", json!({}));
    assert_eq!(
        unknown.unwrap_err(),
        CallError::NotFound("nothing".to_owned())
    );
}

#[test]
fn the_persons_token_comes_to_the_tools_that_ask_for_it() {
    let wants: Vec<bool> = client()
        .offer()
        .tools
        .iter()
        .map(|tool| tool.wants_credential)
        .collect();
    assert_eq!(wants.iter().filter(|wants| **wants).count(), 3);
    let signed_in = client().credential("t0ken");
    assert_eq!(
        signed_in.call("token", json!({})).unwrap().text(),
        "Bearer t0ken"
    );
    assert_eq!(
        signed_in.call("token_if_any", json!({})).unwrap().text(),
        "true"
    );
    let signed_out = client().call("token", json!({})).unwrap();
    assert!(signed_out.is_error);
    assert!(signed_out.text().contains("sign in again"));
    assert_eq!(
        client().call("token_if_any", json!({})).unwrap().text(),
        "false"
    );
}

#[test]
fn reports_arrive_in_their_order() {
    let outcome = client().call("report", json!({})).unwrap();
    assert_eq!(outcome.text(), "reported");
    let progress: Vec<_> = outcome
        .progress
        .iter()
        .map(|progress| {
            (
                progress.progress,
                progress.total,
                progress.message.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        progress,
        [(1.0, None, None), (0.5, Some(3.0), Some("half"))]
    );
    let log: Vec<_> = outcome
        .log
        .iter()
        .map(|log| (log.level, log.data.as_str()))
        .collect();
    let expected = [
        (LogLevel::Info, "\"text\""),
        (LogLevel::Critical, "{\"a\":1}"),
    ];
    assert_eq!(log, expected);
    assert_eq!(outcome.log[0].logger.as_deref(), Some("tests"));
    assert!(matches!(
        outcome.changed.as_slice(),
        [Changed::Tools, Changed::Resource(uri)] if uri == "units:all"
    ));
}

#[test]
fn questions_are_asked_one_after_the_other_and_answers_are_kept() {
    let client = client()
        .accepts("size", json!({ "height": 70 }))
        .answers(
            "material",
            json!({ "content": [{ "type": "text", "text": "wood" }] }),
        )
        .answers("roots", json!({ "roots": [{ "uri": "file:///a" }] }));
    let outcome = client.call("order", json!({})).unwrap();
    assert_eq!(outcome.text(), "70 cm of wood, 1 roots, round 3");
    let asked: Vec<&str> = outcome
        .questions
        .iter()
        .map(|(id, _)| id.as_str())
        .collect();
    assert_eq!(asked, ["size", "material", "roots"]);
    let form = json!({
        "type": "object",
        "properties": {
            "height": { "type": "integer", "minimum": 0, "maximum": 255 },
            "color": { "type": "string" },
        },
        "required": ["height"],
    });
    assert_eq!(outcome.questions[0].1["requestedSchema"], form);
}

#[test]
fn questions_that_are_waited_for_at_once_are_asked_at_once() {
    let client = client()
        .accepts("first", json!({ "a": 1 }))
        .accepts("second", json!({}));
    let outcome = client.call("ask_at_once", json!({})).unwrap();
    assert_eq!(outcome.text(), r#"{"a":1}"#);
    assert_eq!(outcome.questions.len(), 2);
    let id =
        |outcome: &gatehouse_sdk::testing::Outcome| outcome.questions[1].1["elicitationId"].clone();
    let again = client.call("ask_at_once", json!({})).unwrap();
    assert_ne!(id(&outcome), id(&again));
}

#[test]
fn a_question_without_an_answer_says_why() {
    let try_to_ask = |client: TestClient| client.call("try_to_ask", json!({}));
    let text = |client| try_to_ask(client).unwrap().text();
    assert_eq!(text(client().without_capabilities()), "cannot ask");
    assert_eq!(
        text(client().declines("size")),
        "the person declined to answer"
    );
    let cancelled = client().answers("size", json!({ "action": "cancel" }));
    assert_eq!(text(cancelled), "the person did not answer");
    let wrong = client().accepts("size", json!({ "height": "high" }));
    assert!(text(wrong).starts_with("the answer cannot be read"));
    let unanswered = CallError::Unanswered("size".to_owned());
    assert_eq!(try_to_ask(client()).unwrap_err(), unanswered);
}

#[test]
fn a_test_answers_requests() {
    let client = client().credential("t0ken");
    let outcome = client.call("fetch", json!({ "city": "Oslo" })).unwrap();
    assert!(outcome.is_error);
    assert!(
        outcome.text().contains("a unit test has no network"),
        "{}",
        outcome.text()
    );

    let online = client.http(|request| {
        assert_eq!(request.method, "POST");
        assert_eq!(request.url, "https://api.example.com/weather?city=Oslo");
        assert_eq!(request.body, br#"{"units":"metric"}"#);
        let authorization = ("authorization".to_owned(), "Bearer t0ken".to_owned());
        assert!(request.headers.contains(&authorization));
        http::Response::new(200, r#"{"celsius":21}"#)
    });
    let outcome = online.call("fetch", json!({ "city": "Oslo" })).unwrap();
    assert_eq!(outcome.structured, Some(json!({ "celsius": 21 })));

    let failing = online.http(|_| http::Response::new(503, "{}"));
    let outcome = failing.call("fetch", json!({ "city": "Oslo" })).unwrap();
    assert_eq!(
        outcome.text(),
        "https://api.example.com answered with the status 503"
    );
}

#[test]
fn resources_are_listed_and_read_by_their_uri() {
    let offer = client().offer().resources.unwrap();
    let templates: Vec<&str> = offer
        .templates
        .iter()
        .map(|template| template.uri_template.as_str())
        .collect();
    assert_eq!(
        templates,
        ["units:{kind}", "test://picture/{number}/{+path}"]
    );
    assert_eq!(offer.templates[0].title.as_deref(), Some("Units of a kind"));

    let read = |uri| client().read(uri);
    let all = read("units:all").unwrap();
    assert_eq!(all.parts[0].uri, "units:all");
    assert_eq!(all.parts[0].mime_type.as_deref(), Some("application/json"));
    let body =
        |contents: &gatehouse_sdk::bindings::contract::Contents| match &contents.parts[0].body {
            gatehouse_sdk::ResourceBody::Text(text) => text.clone(),
            gatehouse_sdk::ResourceBody::Blob(bytes) => format!("{bytes:?}"),
        };
    assert_eq!(body(&all), r#"["metre","gram"]"#);
    let freshness = all.freshness.unwrap();
    assert_eq!((freshness.ttl, freshness.shared), (60_000, true));
    assert_eq!(body(&read("units:mass").unwrap()), "gram");
    assert_eq!(body(&read("test://picture/7/a/b").unwrap()), "[7]");
    for nowhere in [
        "units:length",
        "units:",
        "other",
        "test://picture/300/a",
        "test://picture/7/",
    ] {
        assert_eq!(
            read(nowhere).unwrap_err(),
            CallError::NotFound(nowhere.to_owned())
        );
    }
    let full = CallError::Internal("the disk is full".to_owned());
    assert_eq!(read("test://picture/7/broken").unwrap_err(), full);
}

#[test]
fn prompts_have_texts_as_arguments() {
    let offer = client().offer();
    let explain = &offer.prompts[0];
    assert_eq!(explain.description.as_deref(), Some("Explains a unit"));
    let arguments: Vec<_> = explain
        .arguments
        .iter()
        .map(|argument| {
            (
                argument.name.as_str(),
                argument.description.as_deref(),
                argument.required,
            )
        })
        .collect();
    assert_eq!(
        arguments,
        [("unit", Some("Which"), true), ("how-many", None, false)]
    );

    let text = |arguments: &[(&str, &str)]| {
        let messages = client().prompt("explain", arguments)?;
        match &messages[0].content.body {
            ContentBody::Text(text) => Ok(text.clone()),
            _ => panic!("no text"),
        }
    };
    assert_eq!(text(&[("unit", "mile")]).unwrap(), "What are 1 mile?");
    assert_eq!(
        text(&[("unit", "mile"), ("how-many", "3")]).unwrap(),
        "What are 3 mile?"
    );
    for arguments in [&[][..], &[("unit", "mile"), ("how-many", "many")]] {
        let error = text(arguments).unwrap_err();
        assert!(matches!(error, CallError::InvalidArguments(_)), "{error}");
    }
    let talk = client()
        .accepts("size", json!({ "height": 70 }))
        .prompt("talk", &[])
        .unwrap();
    assert_eq!((talk[0].role, talk[1].role), (Role::User, Role::Assistant));
}

#[test]
fn arguments_and_variables_are_completed() {
    let complete = |of, argument, typed| client().complete(of, argument, typed).unwrap();
    assert_eq!(complete("explain", "unit", "m"), ["metre", "mile"]);
    assert_eq!(complete("explain", "how-many", ""), ["test-person"]);
    assert_eq!(complete("units:{kind}", "kind", "l"), ["length"]);
    assert!(complete("talk", "nothing", "").is_empty());
    assert!(client().offer().completes);
}

#[test]
fn a_server_says_who_it_is() {
    let offer = client().offer();
    assert_eq!(offer.server.name, "tests");
    assert_eq!(offer.server.title.as_deref(), Some("Tests"));
    assert_eq!(offer.server.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(offer.server.description.as_deref(), Some("What is tested"));
    assert_eq!(
        offer.server.website.as_deref(),
        Some("https://example.com/")
    );
    assert_eq!(
        offer.server.icons[0].mime_type.as_deref(),
        Some("image/png")
    );
    assert_eq!(offer.instructions.as_deref(), Some("Use them."));
    assert!(offer.changes.tools && offer.changes.resource_contents);
    assert!(!offer.changes.prompts && !offer.changes.resources);
}

#[test]
fn a_function_with_an_attribute_is_still_a_function() {
    assert_eq!(add(1, 2, None).sum, 3);
    assert_eq!(block_on(say_hello("Ada", None)), "Hello, Ada!");
    assert_eq!(serde_json::to_value(list()).unwrap(), json!([1, 2]));
}
