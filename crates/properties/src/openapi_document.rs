//! OpenAPI documents, and the arguments of calls.

use openapi::{Api, PersonsToken, Settings};
use schema::Schema;
use serde_json::Value;
use std::sync::LazyLock;

/// Arguments on the first line, and an OpenAPI document: whatever they are, every tool has a schema that the contract takes, and every
/// request is one to the API.
pub fn openapi_document(data: &[u8]) {
    static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
        let settings = Settings::read(|name| match name {
            "document" => Some("{}"),
            "base_url" => Some("https://api.example/v1"),
            "credentials" => Some("secret"),
            "secret" => Some("s3cret-key"),
            _ => None,
        });
        settings.expect("good settings")
    });
    let Some((arguments, document)) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| text.split_once('\n'))
    else {
        return;
    };
    let api = match Api::read(document, None, &SETTINGS) {
        Ok(api) => api,
        Err(error) => {
            assert!(error.to_string().len() < 1024);
            return;
        }
    };
    let tools = api.tools(&SETTINGS);
    assert!(
        tools
            .left_out
            .iter()
            .all(|(_, reason)| reason.to_string().len() < 1024)
    );
    let arguments = serde_json::from_str(arguments).unwrap_or(Value::Null);
    for tool in tools.tools {
        for schema in [Some(tool.input_schema), tool.output_schema]
            .into_iter()
            .flatten()
        {
            assert_eq!(schema["type"], "object");
            // A pattern may be no regular expression, which only its compilation shows.
            let read = Schema::read(&schema.to_string());
            assert!(read.is_ok(), "{read:?}: {schema}");
        }
        let operation = api
            .operation(&tool.name, &SETTINGS)
            .expect("a tool")
            .expect("the tool");
        let Some(arguments) = arguments.as_object() else {
            continue;
        };
        if let Ok(request) = operation.request(arguments, PersonsToken::Absent) {
            let request = request.to_http();
            let uri = request.uri().to_string();
            assert!(uri.starts_with("https://api.example/v1/"), "{uri}");
        }
    }
}
