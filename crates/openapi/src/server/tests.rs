use super::*;
use crate::output::Content;
use crate::unusable::Unusable;
use futures::executor::block_on;
use http::StatusCode;
use http::header::{AUTHORIZATION, LOCATION};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Responses in their order, and the requests that they answered.
#[derive(Default)]
struct Script {
    responses: Mutex<VecDeque<Result<Response<Bytes>, SendError>>>,
    requests: Mutex<Vec<(Request<Bytes>, Bounds)>>,
    /// Seconds, of which each exchange takes two.
    now: AtomicU64,
    /// Whether no response ever comes.
    stall: AtomicBool,
}

impl Http for &Script {
    fn now(&self) -> Duration {
        Duration::from_secs(self.now.load(Ordering::Relaxed))
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        bounds: Bounds,
    ) -> Result<Response<Bytes>, SendError> {
        self.requests.lock().unwrap().push((request, bounds));
        self.now.fetch_add(2, Ordering::Relaxed);
        if self.stall.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.responses
            .lock()
            .unwrap()
            .pop_front()
            .expect("a response")
    }
}

impl Script {
    fn respond(&self, status: u16, location: &str, body: &str) {
        let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if !location.is_empty() {
            response
                .headers_mut()
                .insert(LOCATION, location.parse().unwrap());
        }
        self.responses.lock().unwrap().push_back(Ok(response));
    }

    fn fail(&self, error: SendError) {
        self.responses.lock().unwrap().push_back(Err(error));
    }

    fn urls(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|(request, _)| request.uri().to_string())
            .collect()
    }
}

fn document() -> String {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Pet Store", "version": "1.2", "description": "Pets."},
        "servers": [{"url": "/v1"}],
        "paths": {
            "/pets": {
                "get": {"operationId": "listPets", "summary": "Lists pets", "tags": ["pets"], "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer"}},
                ]},
                "post": {"operationId": "addPet", "description": "Adds a pet"},
                "trace": {"operationId": "tracePets"},
            },
            "/pets/{id}": {
                "get": {"operationId": "getPet", "deprecated": true, "responses": {"200": {"content": {"application/json": {
                    "schema": {"type": "object", "properties": {"name": {"type": "string"}}},
                }}}}},
                "delete": {"parameters": [{"name": "id", "in": "path", "required": true}]},
            },
            "/broken": {"get": {"operationId": "broken", "parameters": [{"$ref": "#/components/parameters/None"}]}},
            "/elsewhere": {"get": {"operationId": "elsewhere", "servers": [{"url": "https://other.example"}]}},
        },
    })
    .to_string()
}

fn server<'s>(script: &'s Script, variables: &[(&str, &str)]) -> Server<&'s Script> {
    let settings =
        Settings::read(
            |name| match variables.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => Some(*value),
                None => (name == "document").then_some("https://api.example/openapi.json"),
            },
        );
    Server::new(settings, script)
}

/// What there is, and what is logged as it is asked for.
fn described(server: &Server<&Script>) -> (Offer, String) {
    log_line::capture();
    let offer = block_on(server.describe()).unwrap();
    (offer, log_line::captured())
}

fn names(offer: &Offer) -> Vec<&str> {
    offer.tools.iter().map(|tool| tool.name.as_str()).collect()
}

#[test]
fn operations_become_tools() {
    let script = Script::default();
    script.respond(200, "", &document());
    let server = server(&script, &[("scopes", "GET:*=pets.read *=pets.write")]);
    let (offer, log) = described(&server);
    assert_eq!(
        names(&offer),
        [
            "elsewhere",
            "listPets",
            "addPet",
            "getPet",
            "delete_pets_id"
        ]
    );
    let info = Info {
        name: "pet_store".to_owned(),
        title: "Pet Store".to_owned(),
        version: "1.2".to_owned(),
        description: Some("Pets.".to_owned()),
    };
    assert_eq!(offer.info, info);
    let [_, list, add, get, delete] = &offer.tools[..] else {
        panic!()
    };
    assert_eq!(list.title.as_deref(), Some("Lists pets"));
    assert_eq!(list.scopes, ["pets.read"]);
    assert!(list.hints.read_only && list.output_schema.is_none());
    assert_eq!(
        (add.description.as_str(), &add.scopes[..]),
        ("Adds a pet", &["pets.write".to_owned()][..])
    );
    assert!(get.description.starts_with("Deprecated."));
    assert!(get.output_schema.is_some());
    assert_eq!(delete.description, "DELETE /pets/{id}");
    assert_eq!(delete.hints.destructive, Some(true));
    assert!(!delete.wants_token);
    let missing = "openapi: the operation broken is left out: it refers to #/components/parameters/None, which does not exist";
    assert!(log.contains(missing), "{log}");
}

#[test]
fn credentials_of_a_document_go_to_one_origin() {
    let script = Script::default();
    let text = document().replace("\"/v1\"", "\"https://api.example/v1\"");
    let server = server(&script, &[("credentials", "upstream"), ("document", &text)]);
    let (offer, log) = described(&server);
    assert!(!names(&offer).contains(&"elsewhere"));
    assert!(offer.tools.iter().all(|tool| tool.wants_token));
    let reason = Unusable::OtherOrigin("https://other.example/".to_owned()).to_string();
    assert!(log.contains(&reason), "{log}");
}

#[test]
fn no_more_operations_than_allowed_become_tools() {
    let script = Script::default();
    script.respond(200, "", &document());
    let server = server(
        &script,
        &[("max_operations", "2"), ("deny", "broken elsewhere")],
    );
    let (offer, log) = described(&server);
    assert_eq!(names(&offer), ["listPets", "addPet"]);
    assert!(
        log.contains("2 operations are left out, since max_operations is 2"),
        "{log}"
    );
    let refused = block_on(server.call("getPet", "{\"id\":\"1\"}", PersonsToken::Absent));
    assert_eq!(refused, Err(Failure::NotFound));
}

#[test]
fn the_document_is_fetched_once_an_instance() {
    let script = Script::default();
    script.respond(200, "", &document());
    script.respond(200, "", "[]");
    let server = server(
        &script,
        &[
            ("max_document_bytes", "5000"),
            ("max_response_bytes", "6000"),
            ("timeout", "7"),
        ],
    );
    block_on(server.describe()).unwrap();
    block_on(server.describe()).unwrap();
    let output = block_on(server.call("listPets", r#"{"limit":5}"#, PersonsToken::Absent)).unwrap();
    assert_eq!(output.content, [Content::Text("[]".to_owned())]);
    assert_eq!(
        script.urls(),
        [
            "https://api.example/openapi.json",
            "https://api.example/v1/pets?limit=5"
        ]
    );
    let requests = script.requests.lock().unwrap();
    let bounds: Vec<_> = requests
        .iter()
        .map(|(_, bounds)| (bounds.time.as_secs(), bounds.size))
        .collect();
    assert_eq!(bounds, [(7, 5000), (7, 6000)]);
}

#[test]
fn a_document_that_cannot_be_had_is_fetched_again_after_some_seconds() {
    let script = Script::default();
    script.fail(SendError::Failed(
        "api.example did not answer in time".to_owned(),
    ));
    script.respond(503, "", "");
    script.respond(200, "", &document());
    let server = server(&script, &[]);
    let error = |now| {
        script.now.store(now, Ordering::Relaxed);
        match block_on(server.describe()) {
            Err(Failure::Internal(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    let timeout = "openapi: the document cannot be fetched from api.example: api.example did not answer in time";
    assert_eq!(error(100), timeout);
    // Since it failed, at 102.
    assert_eq!(error(106), timeout);
    assert_eq!(script.urls().len(), 1);
    assert!(error(107).contains("the answer is 503"));
    script.now.store(114, Ordering::Relaxed);
    assert!(block_on(server.describe()).is_ok());
    assert_eq!(script.urls().len(), 3);
}

#[test]
fn what_is_wrong_with_a_document_says_what_to_do() {
    let big = SendError::TooLarge(4_194_304);
    let denied =
        SendError::Denied("the manifest allows this component no call to api.example".to_owned());
    for (status, location, body, expected) in [
        (404, "", "", "the answer is 404"),
        (
            302,
            "https://raw.example/openapi.json",
            "",
            "set document to the URL that it leads to",
        ),
        (200, "", "<html>", "it is not an OpenAPI document"),
        (200, "", "{\"swagger\":\"2.0\"}", "convert it to OpenAPI 3"),
    ] {
        let script = Script::default();
        script.respond(status, location, body);
        let error = format!(
            "{:?}",
            block_on(server(&script, &[]).describe()).unwrap_err()
        );
        assert!(error.contains(expected), "{error}");
    }
    for (failure, expected) in [
        (big, "raise max_document_bytes"),
        (denied, "allows this component no call"),
    ] {
        let script = Script::default();
        script.fail(failure);
        let error = format!(
            "{:?}",
            block_on(server(&script, &[]).describe()).unwrap_err()
        );
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_document_is_followed_within_its_origin_and_is_the_base_of_its_servers() {
    let script = Script::default();
    script.respond(301, "/docs/v2/openapi.json", "");
    script.respond(200, "", &document().replace("\"/v1\"", "\"../api\""));
    script.respond(204, "", "");
    let server = server(&script, &[]);
    block_on(server.call("addPet", "{}", PersonsToken::Absent)).unwrap();
    assert_eq!(
        script.urls()[1..],
        [
            "https://api.example/docs/v2/openapi.json",
            "https://api.example/docs/api/pets"
        ]
    );
}

#[test]
fn problems_with_the_settings_are_named_in_the_log_alone() {
    let script = Script::default();
    let server = server(&script, &[("document", ""), ("timeout", "x")]);
    let Err(Failure::Internal(text)) = block_on(server.describe()) else {
        panic!()
    };
    assert!(
        text.starts_with("openapi: document: it is not set.") && text.contains("; timeout: "),
        "{text}"
    );
    assert!(script.urls().is_empty());
}

const SECRET: [(&str, &str); 4] = [
    ("credentials", "secret"),
    ("secret", "s3cret-key"),
    ("secret_in", "bearer"),
    ("base_url", "https://api.example/v1"),
];

#[test]
fn redirects_are_followed_within_the_origin_with_the_credentials() {
    let script = Script::default();
    script.respond(200, "", &document());
    script.respond(307, "/v1/dogs", "");
    script.respond(303, "https://api.example/v1/pets/7", "");
    script.respond(200, "", r#"{"token":"s3cret-key"}"#);
    let server = server(&script, &SECRET);
    let output = block_on(server.call("addPet", "{}", PersonsToken::Absent)).unwrap();
    assert_eq!(
        output.content,
        [Content::Text(r#"{"token":"[credential]"}"#.to_owned())]
    );
    let requests = script.requests.lock().unwrap();
    let sent: Vec<_> = requests
        .iter()
        .map(|(request, _)| (request.method().as_str(), request.uri().path()))
        .collect();
    assert_eq!(
        sent,
        [
            ("GET", "/openapi.json"),
            ("POST", "/v1/pets"),
            ("POST", "/v1/dogs"),
            ("GET", "/v1/pets/7")
        ]
    );
    let with_secret: Vec<_> = requests
        .iter()
        .map(|(request, _)| request.headers().contains_key(AUTHORIZATION))
        .collect();
    assert_eq!(with_secret, [false, true, true, true]);
    let seconds: Vec<_> = requests
        .iter()
        .map(|(_, bounds)| bounds.time.as_secs())
        .collect();
    assert_eq!(seconds, [25, 25, 23, 21]);
}

#[test]
fn a_redirect_stays_below_the_base_and_away_from_what_is_denied() {
    for (location, is_followed) in [
        ("/v1/pets/7", true),
        ("/v2/pets", false),
        ("/v10/pets", false),
        ("/v1/%2E%2E/admin", false),
        ("/v1/..%2Fadmin", false),
        ("/v1/broken", false),
        ("/v1/Broken;a=b", false),
    ] {
        let script = Script::default();
        script.respond(200, "", &document());
        script.respond(302, location, "");
        script.respond(200, "", "{}");
        let variables = [&SECRET[..], &[("deny", "/broken")]].concat();
        let server = server(&script, &variables);
        let output = block_on(server.call("listPets", "{}", PersonsToken::Absent)).unwrap();
        assert_eq!(output.is_error, !is_followed, "{location}");
        assert_eq!(script.urls().len() == 3, is_followed, "{location}");
    }
}

#[test]
fn while_a_document_is_fetched_again_other_calls_fail_at_once() {
    let script = Script::default();
    script.fail(SendError::Failed("it is down".to_owned()));
    let server = server(&script, &[]);
    let is_down = |described: Result<Offer, Failure>| {
        assert!(format!("{:?}", described.unwrap_err()).contains("it is down"));
    };
    is_down(block_on(server.describe()));
    script.now.store(60, Ordering::Relaxed);
    // Dropped where it waits for the response.
    let mut again = Box::pin(server.describe());
    script.stall.store(true, Ordering::Relaxed);
    assert!(block_on(async { futures::poll!(&mut again).is_pending() }));
    is_down(block_on(server.describe()));
    drop(again);
    assert_eq!(script.urls().len(), 2);
    script.stall.store(false, Ordering::Relaxed);
    script.now.store(100, Ordering::Relaxed);
    script.respond(200, "", &document());
    assert!(block_on(server.describe()).is_ok());
}

#[test]
fn what_the_operator_should_know_is_in_the_log() {
    for (variables, expected) in [
        (
            &[("deny", "getpet")][..],
            "openapi: deny: the pattern getpet fits no operation",
        ),
        (
            &[("scopes", "drop*=a")],
            "openapi: scopes: the pattern drop* fits no operation",
        ),
        (
            &[("operations", "none")],
            "openapi: no operation is offered",
        ),
        (
            &[("credentials", "secret"), ("secret", "s3cret-key")],
            "no operation is called with the credentials",
        ),
        (
            &[],
            "openapi: the operation /other is left out: it refers to other.yaml",
        ),
    ] {
        let script = Script::default();
        let mut document: Value = serde_json::from_str(&document()).unwrap();
        document["security"] = json!([]);
        document["servers"] = json!([{"url": "https://api.example"}]);
        document["paths"]["/other"] = json!({"$ref": "other.yaml"});
        let document = document.to_string();
        let variables = [variables, &[("document", &document)]].concat();
        let (_, log) = described(&server(&script, &variables));
        assert!(log.contains(expected), "{log}");
    }
}

#[test]
fn all_tools_together_are_bounded_in_bytes() {
    let script = Script::default();
    let long = "x".repeat(590);
    let property = json!({"type": "string", "description": long});
    let properties: serde_json::Map<_, _> = (0..100)
        .map(|n| (format!("p{n}"), property.clone()))
        .collect();
    let body = json!({"content": {"application/json": {"schema": {"properties": properties}}}});
    let post = json!({"post": {"requestBody": {"$ref": "#/body"}}});
    let paths: serde_json::Map<_, _> = (0..150).map(|n| (format!("/{n}"), post.clone())).collect();
    let document = json!({"openapi": "3.1.0", "servers": [{"url": "https://api.example"}], "paths": paths, "body": body});
    let document = document.to_string();
    let server = server(
        &script,
        &[("document", &document), ("max_operations", "150")],
    );
    let (offer, log) = described(&server);
    assert!(
        (100..150).contains(&offer.tools.len()),
        "{}",
        offer.tools.len()
    );
    assert!(log.contains("select fewer"), "{log}");
}

#[test]
fn a_redirect_to_another_origin_is_not_followed() {
    for location in [
        "https://other.example/",
        "http://api.example/v1/pets",
        "https://api.example:444/",
    ] {
        let script = Script::default();
        script.respond(200, "", &document());
        script.respond(302, location, "");
        let server = server(&script, &SECRET);
        let output = block_on(server.call("listPets", "{}", PersonsToken::Absent)).unwrap();
        assert!(output.is_error);
        assert_eq!(script.urls().len(), 2);
    }
}

#[test]
fn redirects_end() {
    let script = Script::default();
    script.respond(200, "", &document());
    for _ in 0..=MAX_REDIRECTS {
        script.respond(302, "/v1/pets", "");
    }
    let server = server(&script, &SECRET);
    let output = block_on(server.call("listPets", "{}", PersonsToken::Absent)).unwrap();
    assert!(output.is_error);
    assert_eq!(script.urls().len(), MAX_REDIRECTS + 2);
}

#[test]
fn an_api_that_is_out_of_reach_is_an_error_of_the_tool_or_of_the_manifest() {
    let call = |error: SendError| {
        let script = Script::default();
        script.respond(200, "", &document());
        script.fail(error);
        block_on(server(&script, &[]).call("listPets", "{}", PersonsToken::Absent))
    };
    let denied = call(SendError::Denied(
        "add it to allowed_outbound_hosts".to_owned(),
    ));
    assert_eq!(
        denied,
        Err(Failure::Internal(
            "add it to allowed_outbound_hosts".to_owned()
        ))
    );
    let text = |output: Result<Output, Failure>| format!("{:?}", output.unwrap());
    assert!(text(call(SendError::TooLarge(5))).contains("more than 5 bytes. Ask for less"));
    log_line::capture();
    let failed = text(call(SendError::Failed("10.0.0.1 is down".to_owned())));
    assert!(failed.contains("The API cannot be reached") && !failed.contains("10.0.0.1"));
    assert!(log_line::captured().contains("openapi: listPets: 10.0.0.1 is down"));
}

#[test]
fn wrong_arguments_are_for_the_model_to_correct() {
    let script = Script::default();
    script.respond(200, "", &document());
    let server = server(&script, &[]);
    let call = |name, arguments| block_on(server.call(name, arguments, PersonsToken::Absent));
    let invalid = |text: &str| Err(Failure::InvalidArguments(text.to_owned()));
    assert_eq!(call("getPet", "{}"), invalid("`id` is missing"));
    assert_eq!(
        call("getPet", "{\"id\":\"..\"}"),
        invalid("`id` may not have `.` or `..` as a part, nor control characters")
    );
    assert_eq!(
        call("getPet", "[]"),
        invalid("`arguments` has to be an object")
    );
    assert_eq!(call("tracePets", "{}"), Err(Failure::NotFound));
    assert!(matches!(call("broken", "{}"), Err(Failure::Internal(_))));
}

#[test]
fn no_argument_makes_the_path_of_an_operation_that_is_denied() {
    let script = Script::default();
    let document = document().replace("/broken", "/pets/export");
    script.respond(200, "", &document);
    script.respond(200, "", "{}");
    let variables = [&SECRET[..], &[("deny", "/pets/export")]].concat();
    let server = server(&script, &variables);
    for id in ["export", "Export", "%65xport", "export;a=b"] {
        let arguments = json!({ "id": id }).to_string();
        let refused = block_on(server.call("getPet", &arguments, PersonsToken::Absent));
        let reason = "the arguments make the path of another operation of the API";
        let expected = Err(Failure::InvalidArguments(reason.to_owned()));
        assert_eq!(refused, expected, "{id}");
    }
    let arguments = r#"{"id":"exports"}"#;
    assert!(block_on(server.call("getPet", arguments, PersonsToken::Absent)).is_ok());
    assert_eq!(script.urls()[1..], ["https://api.example/v1/pets/exports"]);
}

#[test]
fn without_a_token_the_person_is_told_to_sign_in() {
    let script = Script::default();
    script.respond(200, "", &document());
    let base_url = ("base_url", "https://api.example");
    let server = server(&script, &[("credentials", "upstream"), base_url]);
    for token in [PersonsToken::Absent, PersonsToken::Presented] {
        let output = block_on(server.call("listPets", "{}", token)).unwrap();
        assert!(output.is_error);
    }
    assert_eq!(script.urls().len(), 1);
}
