//! An OpenAPI document (OpenAPI Specification 3.0, 3.1), and the references inside of it.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::sync::LazyLock;
use strict_json::excerpt;
use url::Url;

/// A document that was read.
#[derive(Debug)]
pub struct Document {
    root: Value,
    dialect: Dialect,
    url: Option<Url>,
}

/// Which JSON Schema the document's schemas are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The Schema Object of OpenAPI 3.0.
    OpenApi30,
    /// JSON Schema 2020-12, since OpenAPI 3.1.
    JsonSchema,
}

/// Why a text is not a document that can be used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum DocumentError {
    /// It is neither JSON nor YAML.
    #[error("it is neither JSON nor YAML: {0}")]
    Syntax(String),
    /// It is YAML that is nested too deep, or becomes much more than its text by aliases.
    #[error("it is nested too deep, or its aliases (`*name`) repeat too much; convert it to JSON")]
    Budget,
    /// It is JSON or YAML, but not an OpenAPI document.
    #[error("it is not an OpenAPI document: there is no `openapi` in it that names the version")]
    NotOpenApi,
    /// It is of version 2.
    #[error("it is a Swagger 2.0 document; convert it to OpenAPI 3 first")]
    Swagger,
    /// It is of another version.
    #[error("its version is {0}; 3.0 and 3.1 are supported")]
    Version(String),
}

/// Why a reference leads nowhere.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// It leads to another document, and nothing else is fetched.
    #[error("it refers to {0}, which is not inside of the document; bundle the documents into one")]
    Foreign(String),
    /// There is nothing where it leads.
    #[error("it refers to {0}, which does not exist")]
    Missing(String),
    /// It leads back to itself.
    #[error("it refers to itself without end, at {0}")]
    Endless(String),
}

/// References that lead to references.
const MAX_CHAIN: usize = 32;

impl Document {
    /// Reads a JSON or YAML text. `url` is where it was fetched from: relative URLs in it are resolved
    /// against that (section 4.6 of 3.1).
    ///
    /// Does **not** validate the document: what is wrong with an operation costs that operation.
    ///
    /// # Errors
    ///
    /// See [`DocumentError`].
    pub fn read(text: &str, url: Option<Url>) -> Result<Self, DocumentError> {
        let text = text.trim_start_matches('\u{feff}');
        let root = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| syntax(&error.to_string()))?
        } else {
            yaml(text)?
        };
        let dialect = dialect(&root)?;
        Ok(Self { root, dialect, url })
    }

    /// Which JSON Schema the document's schemas are written in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Where the document was fetched from.
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// Returns a member of the document's root.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.root.get(name)
    }

    /// Returns the value at `keys` below the root.
    pub fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter()
            .try_fold(&self.root, |value, key| value.get(key))
    }

    /// Returns what `reference` leads to, which may be a reference again.
    ///
    /// # Errors
    ///
    /// Fails with [`ReferenceError::Foreign`] or [`ReferenceError::Missing`].
    pub fn target(&self, reference: &str) -> Result<&Value, ReferenceError> {
        let fragment = reference
            .strip_prefix('#')
            .ok_or_else(|| ReferenceError::Foreign(excerpt(reference)))?;
        percent_decode_str(fragment)
            .decode_utf8()
            .ok()
            .and_then(|pointer| self.root.pointer(&pointer))
            .ok_or_else(|| ReferenceError::Missing(excerpt(reference)))
    }

    /// Returns what is behind `value`, if that is a Reference Object, and otherwise `value` itself.
    ///
    /// # Errors
    ///
    /// See [`ReferenceError`].
    pub fn resolve<'d>(&'d self, value: &'d Value) -> Result<&'d Value, ReferenceError> {
        let mut value = value;
        for _ in 0..MAX_CHAIN {
            match reference(value) {
                None => return Ok(value),
                Some(reference) => value = self.target(reference)?,
            }
        }
        Err(ReferenceError::Endless(excerpt(
            reference(value).unwrap_or_default(),
        )))
    }

    /// As [`resolve`](Self::resolve), for what has to be an object; an empty one if it is not.
    ///
    /// # Errors
    ///
    /// See [`ReferenceError`].
    pub fn resolve_object<'d>(
        &'d self,
        value: &'d Value,
    ) -> Result<&'d Map<String, Value>, ReferenceError> {
        Ok(object(self.resolve(value)?))
    }
}

/// Returns the target of a Reference Object; `None` if `value` is something else.
pub(crate) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// Returns the members of a value; none if it is not an object.
pub(crate) fn object(value: &Value) -> &Map<String, Value> {
    static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&EMPTY)
}

fn dialect(root: &Value) -> Result<Dialect, DocumentError> {
    let version = match root.get("openapi") {
        Some(Value::String(version)) => version.clone(),
        // YAML without quotes.
        Some(Value::Number(number)) => number.to_string(),
        _ if root.get("swagger").is_some() => return Err(DocumentError::Swagger),
        _ => return Err(DocumentError::NotOpenApi),
    };
    let is = |minor: &str| version == minor || version.starts_with(&format!("{minor}."));
    if is("3.0") {
        Ok(Dialect::OpenApi30)
    } else if is("3.1") || is("3.2") {
        // 3.2 adds to 3.1, and what it adds is not used.
        Ok(Dialect::JsonSchema)
    } else {
        Err(DocumentError::Version(excerpt(&version)))
    }
}

fn yaml(text: &str) -> Result<Value, DocumentError> {
    /// As `serde_json` has it.
    const MAX_DEPTH: usize = 127;
    // Few documents have less than eight bytes a value. A short one may repeat some by aliases.
    let nodes = (text.len() / 4).max(10_000);
    let options = serde_saphyr::options! {
        // The schema of YAML 1.2, as section 4.3 of 3.0 recommends: `no` is a text.
        strict_booleans: true,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: nodes,
            max_events: 4 * nodes,
            max_total_scalar_bytes: (4 * text.len()).max(1 << 20),
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let mut cause = &error;
        while let serde_saphyr::Error::AliasError { error, .. } = cause {
            cause = error;
        }
        match cause {
            serde_saphyr::Error::Budget { .. } => DocumentError::Budget,
            _ => syntax(&error.to_string()),
        }
    })
}

fn syntax(error: &str) -> DocumentError {
    DocumentError::Syntax(error.chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Document, DocumentError> {
        Document::read(text, None)
    }

    #[test]
    fn json_and_yaml_are_read_alike() {
        let json = read(r##"{"openapi":"3.1.0","info":{"version":"1.0"},"paths":{"/a":{"get":{"responses":{"200":{"$ref":"#/x"}}}}}}"##).unwrap();
        let yaml = read(
            "# A comment\nopenapi: 3.1.0\ninfo:\n  version: '1.0'\npaths:\n  /a:\n    get:\n      responses:\n        200:\n          $ref: '#/x'\n",
        )
        .unwrap();
        assert_eq!(json.root, yaml.root);
        assert_eq!(yaml.dialect(), Dialect::JsonSchema);
    }

    #[test]
    fn yaml_is_read_by_the_schema_of_1_2() {
        let document = read("openapi: 3.0.3\nenum: [no, yes, on, true, null, 10, 2020-01-01]\n");
        let expected = json!(["no", "yes", "on", true, null, 10, "2020-01-01"]);
        assert_eq!(document.unwrap().get("enum"), Some(&expected));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = "openapi: 3.0.3\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..10 {
            let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
            text.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        assert_eq!(read(&text).map(|_| ()), Err(DocumentError::Budget));
    }

    #[test]
    fn a_long_document_in_yaml_is_read() {
        let mut text = "openapi: 3.0.3\nx:\n".to_owned();
        for n in 0..300_000 {
            text.push_str(&format!("- {n}\n"));
        }
        let items = read(&text).unwrap().get("x").cloned();
        assert_eq!(items.unwrap().as_array().unwrap().len(), 300_000);
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        for text in [
            format!("{{\"openapi\":{}", "[".repeat(100_000)),
            format!("openapi: {}", "[".repeat(100_000)),
            format!(
                "openapi: 3.0.0\nx: {}{}",
                "[".repeat(2000),
                "]".repeat(2000)
            ),
        ] {
            let error = read(&text).map(|_| ()).unwrap_err();
            assert!(matches!(
                error,
                DocumentError::Syntax(_) | DocumentError::Budget
            ));
        }
    }

    #[test]
    fn other_versions_and_other_documents_are_told_apart() {
        for (text, expected) in [
            ("{}", DocumentError::NotOpenApi),
            ("just text", DocumentError::NotOpenApi),
            (r#"{"swagger":"2.0"}"#, DocumentError::Swagger),
            (
                r#"{"openapi":"4.0.0"}"#,
                DocumentError::Version("4.0.0".to_owned()),
            ),
            (
                r#"{"openapi":"3.10.0"}"#,
                DocumentError::Version("3.10.0".to_owned()),
            ),
        ] {
            assert_eq!(read(text).map(|_| ()), Err(expected), "{text}");
        }
        assert!(matches!(read("{"), Err(DocumentError::Syntax(_))));
        assert_eq!(read("openapi: 3.0").unwrap().dialect(), Dialect::OpenApi30);
        assert!(read("\u{feff}{\"openapi\":\"3.2.0\"}").is_ok());
    }

    #[test]
    fn a_reference_leads_to_a_part_of_the_document() {
        let document = json!({
            "openapi": "3.0.0",
            "paths": {"/a/{b}": {"get": 1}},
            "components": {"x": {"a": {"$ref": "#/components/x/b"}, "b": 2, "c": {"$ref": "#/components/x/c"}}},
        });
        let document = read(&document.to_string()).unwrap();
        let resolve = |reference: &str| {
            let value = json!({"$ref": reference});
            document.resolve(&value).cloned()
        };
        assert_eq!(resolve("#/components/x/a"), Ok(json!(2)));
        assert_eq!(resolve("#/paths/~1a~1{b}/get"), Ok(json!(1)));
        assert_eq!(resolve("#/paths/~1a~1%7Bb%7D/get"), Ok(json!(1)));
        for (reference, error) in [
            ("#/nothing", ReferenceError::Missing("#/nothing".to_owned())),
            ("#name", ReferenceError::Missing("#name".to_owned())),
            (
                "other.yaml#/a",
                ReferenceError::Foreign("other.yaml#/a".to_owned()),
            ),
            (
                "https://example.com/",
                ReferenceError::Foreign("https://example.com/".to_owned()),
            ),
            (
                "#/components/x/c",
                ReferenceError::Endless("#/components/x/c".to_owned()),
            ),
        ] {
            assert_eq!(resolve(reference), Err(error));
        }
    }
}
