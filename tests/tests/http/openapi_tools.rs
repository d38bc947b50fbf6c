//! The operations of an HTTP API as tools: `tools-openapi` behind a tool server.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use gatehouse_tests::{Client, Flavour, Gatehouse, Mcp, Origin, Person, Settings, secrets};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const OPENAPI: &str = "target/wasm32-wasip2/wasm/gatehouse_tools_openapi.wasm";

/// An API with its document. It ends with this value.
struct Api {
    origin: Origin,
    requests: Requests,
}

/// What was asked, in order.
type Requests = Arc<Mutex<Vec<Request<Bytes>>>>;

impl Api {
    async fn start() -> Self {
        let requests = Requests::default();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&requests));
        Self {
            origin: Origin::serve(router).await,
            requests,
        }
    }

    /// A Gatehouse whose tools are the API's, with these variables more.
    async fn behind_gatehouse(
        &self,
        build: Option<Flavour>,
        variables: &[(&'static str, &str)],
    ) -> Gatehouse {
        let document = format!("{}/openapi.json", self.origin.url());
        let base_url = format!("{}/v1", self.origin.url());
        let own = [("document", document.as_str()), ("base_url", &base_url)];
        let variables = [&own[..], variables].concat();
        let settings = Settings {
            flavour: build,
            ..Settings::default()
                .tool_server("pets", OPENAPI)
                .granted(&variables, &[self.origin.url()])
                .variable("tools", "composed pets")
        };
        Gatehouse::start_with(settings).await
    }

    /// Returns the requests but for those of the document.
    fn calls(&self) -> Vec<(Method, String, Option<String>)> {
        let requests = self.requests.lock().unwrap();
        let calls = requests
            .iter()
            .filter(|request| request.uri() != "/openapi.json");
        let call = |request: &Request<Bytes>| {
            let authorization = request.headers().get(header::AUTHORIZATION);
            (
                request.method().clone(),
                request.uri().to_string(),
                authorization.map(|value| value.to_str().unwrap().to_owned()),
            )
        };
        calls.map(call).collect()
    }
}

async fn answer(State(requests): State<Requests>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let authorization = parts.headers.get(header::AUTHORIZATION);
    let authorization =
        authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    requests
        .lock()
        .unwrap()
        .push(Request::from_parts(parts, body.clone()));
    match (method.as_str(), path.as_str()) {
        ("GET", "/openapi.json") => json_response(StatusCode::OK, document().to_string()),
        // As APIs do that show a request.
        ("GET", "/v1/pets/1") => {
            let pet = json!({ "name": "Rex", "owner": authorization });
            json_response(StatusCode::OK, pet.to_string())
        }
        ("POST", "/v1/pets") => json_response(StatusCode::CREATED, body),
        ("DELETE", "/v1/pets/1") => (
            StatusCode::FOUND,
            [(header::LOCATION, "https://other.example/")],
        )
            .into_response(),
        _ => (StatusCode::NOT_FOUND, "There is no such pet.").into_response(),
    }
}

fn json_response(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (status, headers, body.into()).into_response()
}

fn document() -> Value {
    let id =
        json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Pets", "version": "1" },
        "servers": [{ "url": "/v1" }],
        "paths": {
            "/pets": { "post": { "operationId": "addPet", "requestBody": { "required": true, "content": {
                "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } },
            } } } },
            "/pets/{id}": {
                "parameters": [id],
                "get": {
                    "operationId": "getPet",
                    "summary": "A pet",
                    "parameters": [{ "name": "fields", "in": "query", "schema": { "type": "array", "items": { "type": "string" } } }],
                    "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } } } },
                },
                "delete": { "operationId": "deletePet" },
            },
        },
        "components": { "schemas": { "Pet": {
            "type": "object",
            "properties": {
                "id": { "type": "integer", "readOnly": true },
                "name": { "type": "string", "nullable": true, "maxLength": 9 },
                "owner": { "type": "string" },
            },
            "required": ["id", "name"],
        } } },
    })
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

in_both_builds!(
    the_operations_of_an_api_are_tools_and_its_secret_stays_here,
    what_the_api_refuses_is_an_error_and_what_leads_elsewhere_is_never_sent,
    the_api_gets_the_persons_own_token_and_never_that_of_the_client,
    operations_require_the_scopes_of_their_pattern,
);

async fn the_operations_of_an_api_are_tools_and_its_secret_stays_here(build: Option<Flavour>) {
    let api = Api::start().await;
    secrets::keep("s3cret-of-the-pets");
    let gatehouse = api
        .behind_gatehouse(
            build,
            &[("credentials", "secret"), ("secret", "s3cret-of-the-pets")],
        )
        .await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let list = gatehouse_tests::mcp::answer(mcp.request("tools/list", json!({})).await).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    let get = tools.iter().find(|tool| tool["name"] == "getPet").unwrap();
    assert_eq!(get["annotations"]["readOnlyHint"], true, "{get}");
    assert_eq!(get["outputSchema"]["type"], "object", "{get}");
    let add = tools.iter().find(|tool| tool["name"] == "addPet").unwrap();
    assert_eq!(add["inputSchema"]["required"], json!(["name"]), "{add}");

    let pet = mcp
        .call("getPet", json!({ "id": "1", "fields": ["a&b", "c"] }))
        .await;
    let shown = json!({ "name": "Rex", "owner": "Bearer [credential]" });
    assert_eq!(pet["structuredContent"], shown, "{pet}");
    assert_eq!(text(&pet), shown.to_string());
    let added = mcp
        .call("addPet", json!({ "name": null, "owner": "Ada" }))
        .await;
    assert_eq!(text(&added), r#"{"name":null,"owner":"Ada"}"#);
    let authorization = || Some("Bearer s3cret-of-the-pets".to_owned());
    let sent = [
        (
            Method::GET,
            "/v1/pets/1?fields=a%26b&fields=c".to_owned(),
            authorization(),
        ),
        (Method::POST, "/v1/pets".to_owned(), authorization()),
    ];
    assert_eq!(api.calls(), sent);
}

async fn what_the_api_refuses_is_an_error_and_what_leads_elsewhere_is_never_sent(
    build: Option<Flavour>,
) {
    let api = Api::start().await;
    let gatehouse = api.behind_gatehouse(build, &[]).await;
    let mcp = Mcp::signed_in(&gatehouse).await;
    let missing = mcp.call("getPet", json!({ "id": "7" })).await;
    assert_eq!(missing["isError"], true);
    assert_eq!(
        text(&missing),
        "The API answered 404 Not Found: There is no such pet."
    );
    let away = mcp.call("deletePet", json!({ "id": "1" })).await;
    assert_eq!(away["isError"], true);
    let before = api.calls().len();
    for wrong in [
        json!({ "id": "../admin" }),
        json!({ "id": "" }),
        json!({}),
        json!({ "id": "1", "more": 1 }),
    ] {
        let answer = gatehouse_tests::mcp::answer(mcp.try_call("getPet", wrong).await).await;
        let is_refused = answer["error"]["code"] == -32602 || answer["result"]["isError"] == true;
        assert!(is_refused, "{answer}");
    }
    let long = mcp
        .try_call("addPet", json!({ "name": "far too long" }))
        .await;
    let long = gatehouse_tests::mcp::answer(long).await;
    assert!(long.to_string().contains("`name`"), "{long}");
    assert_eq!(api.calls().len(), before);
}

async fn the_api_gets_the_persons_own_token_and_never_that_of_the_client(build: Option<Flavour>) {
    let api = Api::start().await;
    let gatehouse = api
        .behind_gatehouse(
            build,
            &[("credentials", "upstream"), ("operations", "getPet")],
        )
        .await;
    let tokens = Client::register(&gatehouse)
        .await
        .sign_in(&Person::new())
        .await;
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    let upstream = mcp.call("getToken", json!({})).await;
    mcp.call("getPet", json!({ "id": "1" })).await;
    let [(_, _, Some(authorization))] = &api.calls()[..] else {
        panic!("{:?}", api.calls());
    };
    assert_eq!(authorization, &format!("Bearer {}", text(&upstream)));
    assert!(!authorization.contains(&tokens.access));
}

async fn operations_require_the_scopes_of_their_pattern(build: Option<Flavour>) {
    let api = Api::start().await;
    let gatehouse = api
        .behind_gatehouse(build, &[("scopes", "GET:*=tools *=upstream_token")])
        .await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in_for(&Person::new(), "tools").await;
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    mcp.call("getPet", json!({ "id": "1" })).await;
    let refused = mcp.try_call("deletePet", json!({ "id": "1" })).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(api.calls().len(), 1);
}
