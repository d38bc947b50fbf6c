//! JSON Schemas of tools, and values that they validate.

use http::{HeaderMap, HeaderName, HeaderValue};
use mcp::header_params::header_params;
use schema::{Instance, Schema, ValidationError};

/// A schema, what is held against it, and header lines, on a line each: whatever they are, there is
/// an answer, of bounded words.
pub fn tool_schema(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let (schema, instance) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    for value in headers.values() {
        if let Some(decoded) = mcp::headers::decode(value) {
            assert!(decoded.len() <= value.len());
        }
    }
    let instance = match Instance::read(instance) {
        Ok(instance) => instance,
        Err(error) => {
            assert!(error.to_string().len() < 512);
            return;
        }
    };
    let schema = match Schema::read(schema) {
        Ok(schema) => schema,
        Err(error) => {
            assert!(error.to_string().len() < 512);
            return;
        }
    };
    match schema.check(&instance, "it") {
        Ok(()) => assert_eq!(schema.compile(), Ok(())),
        Err(ValidationError::Instance(words)) => assert!(words.len() <= Schema::MAX_ERROR_BYTES),
        Err(ValidationError::Schema(error)) => assert_eq!(schema.compile(), Err(error)),
    }
    for param in header_params(schema.value()).unwrap_or_default() {
        let checked = param.check(&headers, instance.value());
        if !headers.contains_key(param.header()) {
            // Nothing to differ from, unless something is missing.
            let stripped = param.check(&HeaderMap::new(), instance.value());
            assert_eq!(checked, stripped);
        }
    }
}
