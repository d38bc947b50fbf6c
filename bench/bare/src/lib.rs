//! The least that a call of a tool takes: the request's body is read, and one key of the store; the
//! composed tools are called, and what they give is answered. Nothing is parsed, checked or allowed,
//! so no server can be faster that stands on the same door, store and contract.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use bindings::gatehouse::tools::tools::{
    Call, CallResult, Caller, CallerKind, ClientCapabilities, Context, Profile, call_tool,
};
use http_body_util::BodyExt;
use platform::key_value::KeyValueStore;
use std::sync::Arc;
use store::KeyValue;

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]

    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        world: "gatehouse:bench/bare",
        path: ["../../wit/tools", "wit"],
        generate_all,
    });
}

platform::http_component!(router);

async fn router() -> Router {
    let store = Arc::new(platform::key_value::open(None));
    Router::new().fallback(move |request: Request| {
        let store = Arc::clone(&store);
        async move { answer(&store, request).await }
    })
}

async fn answer(store: &KeyValueStore, request: Request) -> Result<String, StatusCode> {
    const FAILED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
    // All of it, as it is short; its end need not be waited for.
    let body = request.into_body().frame().await;
    body.ok_or(FAILED)?.map_err(|_| FAILED)?;
    store.get("bare").await.map_err(|_| FAILED)?;
    match call_tool(call()).await.map_err(|_| FAILED)? {
        CallResult::Done(output) => output.structured.ok_or(FAILED),
        _ => Err(FAILED),
    }
}

fn call() -> Call {
    let profile = Profile {
        name: None,
        email: None,
        email_verified: None,
        picture: None,
        claims: "{}".to_owned(),
    };
    let caller = Caller {
        kind: CallerKind::Person,
        subject: "anybody".to_owned(),
        client_id: None,
        scopes: Vec::new(),
        profile,
        credential: None,
    };
    let capabilities = ClientCapabilities {
        elicits_forms: false,
        elicits_urls: false,
        samples: false,
        samples_with_tools: false,
        lists_roots: false,
    };
    Call {
        name: "add".to_owned(),
        arguments: r#"{"a":2,"b":3}"#.to_owned(),
        context: Context {
            caller,
            capabilities,
            wants_progress: false,
            log_level: None,
            answers: Vec::new(),
            state: None,
        },
    }
}
