//! A JSON Schema of a tool, and the validation of instances by it (JSON Schema 2020-12, Core section 7).

use crate::certainly_valid::is_certainly_valid;
use crate::cost::Cost;
use crate::defaults;
use crate::error_message::error_message;
use crate::limits;
use crate::references::References;
use crate::trusted_subset::is_trusted;
use crate::{Instance, SchemaError};
use jsonschema::{Draft, PatternOptions, Registry, ValidationOptions, Validator};
use serde_json::{Value, json};
use std::sync::OnceLock;
use strict_json::excerpt;

/// A schema, checked when it is read and compiled when it first has to decide about an instance.
#[derive(Debug)]
pub struct Schema {
    value: Value,
    dialect: Draft,
    cost: Cost,
    has_defaults: bool,
    is_trusted: OnceLock<bool>,
    validator: OnceLock<Result<Validator, SchemaError>>,
}

/// Why an instance is not valid.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValidationError {
    /// The instance breaks a rule of the schema. The message says which, so that a model can correct its
    /// arguments: at most [`Schema::MAX_ERROR_BYTES`] bytes, of which few are the instance's own.
    #[error("{0}")]
    Instance(String),
    /// The schema itself is invalid, which only the author of the tool can correct.
    #[error("the schema cannot be used: {0}")]
    Schema(SchemaError),
}

impl Schema {
    /// Bytes of a schema.
    pub const MAX_BYTES: usize = limits::MAX_BYTES;

    /// Levels of objects and arrays in a schema.
    pub const MAX_DEPTH: usize = limits::MAX_DEPTH;

    /// Bytes of the message about an instance.
    pub const MAX_ERROR_BYTES: usize = limits::MAX_ERROR_BYTES;

    /// Backtracks of a pattern in one text. Most patterns never backtrack.
    const MAX_BACKTRACKS: usize = 100_000;

    /// Bytes of a compiled pattern.
    const MAX_PATTERN_BYTES: usize = 1024 * 1024;

    /// Reads a schema of the dialect that its `$schema` names, or else of 2020-12.
    ///
    /// Does **not** validate it against the meta-schema of its dialect: [`compile`](Self::compile) does.
    ///
    /// # Errors
    ///
    /// Fails with everything but [`SchemaError::Invalid`].
    pub fn read(text: &str) -> Result<Self, SchemaError> {
        if text.len() > Self::MAX_BYTES {
            return Err(SchemaError::TooLarge);
        }
        // A schema has the limits of an instance, and no key twice either.
        let value = Instance::read(text)
            .map_err(|error| {
                if error.to_string().contains("nested") {
                    SchemaError::TooDeep
                } else {
                    SchemaError::NotAnObject
                }
            })?
            .into_value();
        if !value.is_object() {
            return Err(SchemaError::NotAnObject);
        }
        let dialect = dialect(&value)?;
        let cost = {
            let references = References::check(&value)?;
            Cost::of(&value, &references)
        };
        Ok(Self {
            value,
            dialect,
            cost,
            // A schema that escapes a character of the keyword is taken for one without defaults.
            has_defaults: text.contains("\"default\""),
            is_trusted: OnceLock::new(),
            validator: OnceLock::new(),
        })
    }

    /// The schema as JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Compiles the schema, unless it is compiled.
    ///
    /// # Errors
    ///
    /// Fails with [`SchemaError::Invalid`] if it is not a valid schema of its dialect.
    pub fn compile(&self) -> Result<(), SchemaError> {
        self.validator().map(|_| ()).map_err(Clone::clone)
    }

    /// Returns the instance with the defaults of its absent properties; `None` if there are none to add.
    /// `whole` is the name of the instance in messages.
    ///
    /// # Errors
    ///
    /// Fails with [`ValidationError::Instance`] if the defaults exceed a limit.
    pub fn with_defaults(
        &self,
        instance: &Instance,
        whole: &str,
    ) -> Result<Option<Instance>, ValidationError> {
        if !self.has_defaults {
            return Ok(None);
        }
        defaults::fill(&self.value, instance).map_err(|defaults::TooMuch| {
            ValidationError::Instance(format!("{whole}: its defaults are too much to fill in"))
        })
    }

    /// Validates an instance. `whole` is the name of the instance in messages.
    ///
    /// # Errors
    ///
    /// Fails if the instance is not valid, or too large to validate in bounded time.
    pub fn check(&self, instance: &Instance, whole: &str) -> Result<(), ValidationError> {
        if self.is_trusted() && is_certainly_valid(&self.value, instance.value()) {
            return Ok(());
        }
        let validator = self
            .validator()
            .map_err(|error| ValidationError::Schema(error.clone()))?;
        if self.cost.check(&self.value, instance).is_err() {
            return Err(ValidationError::Instance(format!(
                "{whole}: there is too much nesting to check"
            )));
        }
        if validator.is_valid(instance.value()) {
            return Ok(());
        }
        Err(ValidationError::Instance(error_message(
            validator, instance, whole,
        )))
    }

    fn is_trusted(&self) -> bool {
        *self
            .is_trusted
            .get_or_init(|| is_trusted(&self.value, self.dialect))
    }

    fn validator(&self) -> Result<&Validator, &SchemaError> {
        let compiled = self.validator.get_or_init(|| {
            let built = match self.is_trusted() {
                true => self.build_trusted(),
                false => options().with_draft(self.dialect).build(&self.value),
            };
            built.map_err(|error| {
                let place = error.instance_path().as_str().to_owned();
                SchemaError::Invalid(format!(
                    "{} (at `{}`)",
                    excerpt(&error.to_string()),
                    excerpt(&place)
                ))
            })
        });
        compiled.as_ref()
    }

    /// Compiles a schema of the trusted subset without validating it: the library validates the schema that
    /// it is given, and here that is only a reference. To validate a schema the library compiles the
    /// meta-schema of its dialect, in Wasm again for each instance of a component, which takes a hundred
    /// times as long as the schema.
    fn build_trusted(&self) -> Result<Validator, jsonschema::ValidationError<'static>> {
        const PLACE: &str = "urn:gatehouse:schema";
        let resource = self.dialect.create_resource_ref(&self.value);
        let registry = Registry::new().draft(self.dialect);
        let registry = registry.add(PLACE, resource)?.prepare()?;
        // The dialect with the smallest meta-schema.
        let options = options().with_draft(Draft::Draft4);
        options
            .with_registry(&registry)
            .build(&json!({"$ref": PLACE}))
    }
}

fn options<'a>() -> ValidationOptions<'a> {
    // `format` is an annotation (2020-12, Validation section 7.2.1), here in every dialect.
    jsonschema::options()
        .should_validate_formats(false)
        .offline()
        .with_pattern_options(
            PatternOptions::fancy_regex()
                .backtrack_limit(Schema::MAX_BACKTRACKS)
                .size_limit(Schema::MAX_PATTERN_BYTES),
        )
}

fn dialect(schema: &Value) -> Result<Draft, SchemaError> {
    let Some(named) = schema.get("$schema") else {
        return Ok(Draft::Draft202012);
    };
    let name = named.as_str().unwrap_or_default();
    let bare = name.trim_end_matches('#');
    let bare = bare
        .strip_prefix("https://")
        .or_else(|| bare.strip_prefix("http://"));
    match bare {
        Some("json-schema.org/draft/2020-12/schema") => Ok(Draft::Draft202012),
        Some("json-schema.org/draft/2019-09/schema") => Ok(Draft::Draft201909),
        Some("json-schema.org/draft-07/schema") => Ok(Draft::Draft7),
        Some("json-schema.org/draft-06/schema") => Ok(Draft::Draft6),
        Some("json-schema.org/draft-04/schema") => Ok(Draft::Draft4),
        _ => Err(SchemaError::Dialect(excerpt(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: &Value, instance: &str) -> Result<(), ValidationError> {
        let schema = Schema::read(&schema.to_string()).expect("a good schema");
        let instance = Instance::read(instance).expect("a good instance");
        schema.check(&instance, "`arguments`")
    }

    fn message(schema: &Value, instance: &str) -> String {
        match check(schema, instance) {
            Err(ValidationError::Instance(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_name_the_argument_and_what_it_has_to_be() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"type": "number", "minimum": 0},
                "mode": {"enum": ["fast", "safe"]},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
                "either": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["id"]}]},
            },
            "required": ["a"],
            "additionalProperties": false,
        });
        for (instance, expected) in [
            ("[]", "`arguments` has to be an object, not an array"),
            ("{}", "`a` is missing"),
            (r#"{"a":"1"}"#, "`a` has to be a number, not a string"),
            (r#"{"a":-1}"#, "`a` has to be 0 or more"),
            (
                r#"{"a":1,"mode":"slow"}"#,
                r#"`mode` has to be one of "fast", "safe""#,
            ),
            (
                r#"{"a":1,"tags":["x",7]}"#,
                "`tags[1]` has to be a string, not a number",
            ),
            (
                r#"{"a":1,"tags":["long"]}"#,
                "`tags[0]` may have 3 characters at most",
            ),
            (r#"{"a":1,"other":2}"#, "there is no `other`"),
            (
                r#"{"a":1,"either":{}}"#,
                "`either` fits none of its kinds: `either` has to be a string, not an object; or `either.id` is missing",
            ),
        ] {
            assert_eq!(message(&schema, instance), expected, "{instance}");
        }
    }

    #[test]
    fn a_plain_schema_may_name_its_dialect() {
        for dialect in [
            "https://json-schema.org/draft/2020-12/schema",
            "https://json-schema.org/draft/2019-09/schema",
            "http://json-schema.org/draft-07/schema#",
        ] {
            let schema = json!({
                "$schema": dialect,
                "type": "object",
                "properties": {"a": {"type": "integer", "exclusiveMinimum": 1}},
                "required": ["a"],
            });
            assert!(is_trusted(&schema, super::dialect(&schema).unwrap()));
            assert_eq!(check(&schema, r#"{"a":2}"#), Ok(()), "{dialect}");
            assert_eq!(message(&schema, r#"{"a":1}"#), "`a` has to be more than 1");
            assert_eq!(message(&schema, "{}"), "`a` is missing");
        }
    }

    #[test]
    fn several_problems_are_told_at_once_but_not_without_end() {
        let schema = json!({"items": {"type": "string"}});
        let text = message(&schema, "[1,2]");
        assert_eq!(
            text,
            "`[0]` has to be a string, not a number; `[1]` has to be a string, not a number"
        );
        let text = message(&schema, &format!("[{}0]", "0,".repeat(900)));
        assert!(text.ends_with("; and 896 more"), "{text}");
        assert!(text.len() < 500);
        let text = message(&schema, &format!("[{}0]", "0,".repeat(50_000)));
        assert_eq!(
            text,
            "`arguments` does not fit its schema, and is too large to say where"
        );
    }

    #[test]
    fn little_of_the_instance_and_of_the_schema_is_repeated() {
        let long = "x".repeat(10_000);
        let kinds: Vec<_> = (0..20).map(|n| format!("{n}{long}")).collect();
        for (schema, instance) in [
            (
                json!({"properties": {(long.clone()): {"type": "string"}}}),
                format!(r#"{{"{long}":1}}"#),
            ),
            (
                json!({"additionalProperties": false}),
                format!(r#"{{"{long}":1,"{long}2":1}}"#),
            ),
            (json!({"enum": kinds}), format!("\"{long}\"")),
            (json!({"const": long}), "1".to_owned()),
            (json!({"pattern": "^a{3000}$"}), format!("\"{long}\"")),
            (json!({"required": [long]}), "{}".to_owned()),
        ] {
            let text = message(&schema, &instance);
            assert!(text.len() <= 600, "{}: {text}", text.len());
        }
    }

    #[test]
    fn a_schema_says_its_dialect_and_2020_12_is_the_default() {
        let tuple = |dialect: Option<&str>| {
            let mut schema = json!({"items": [{"type": "string"}]});
            if let Some(dialect) = dialect {
                schema["$schema"] = dialect.into();
            }
            Schema::read(&schema.to_string())
        };
        // An array of `items` was a tuple until 2019-09, and is nothing since.
        for old in [
            "http://json-schema.org/draft-07/schema#",
            "http://json-schema.org/draft-06/schema",
            "http://json-schema.org/draft-04/schema#",
            "https://json-schema.org/draft/2019-09/schema",
        ] {
            assert_eq!(tuple(Some(old)).unwrap().compile(), Ok(()), "{old}");
        }
        for new in [None, Some("https://json-schema.org/draft/2020-12/schema")] {
            let compiled = tuple(new).unwrap().compile();
            assert!(
                matches!(compiled, Err(SchemaError::Invalid(_))),
                "{compiled:?}"
            );
        }
        for unknown in [
            "https://json-schema.org/draft/2030-01/schema",
            "nonsense",
            "",
        ] {
            let refused = tuple(Some(unknown)).map(|_| ());
            assert_eq!(refused, Err(SchemaError::Dialect(unknown.to_owned())));
        }
    }

    #[test]
    fn a_schema_is_bounded_and_an_object() {
        let read = |text: &str| Schema::read(text).map(|_| ());
        let large = format!(r#"{{"title":"{}"}}"#, "x".repeat(Schema::MAX_BYTES));
        assert_eq!(read(&large), Err(SchemaError::TooLarge));
        let deep = r#"{"not":"#.repeat(100) + "{}" + &"}".repeat(100);
        assert_eq!(read(&deep), Err(SchemaError::TooDeep));
        for text in ["", "[]", "true", "{", r#"{"a":1,"a":2}"#] {
            assert_eq!(read(text), Err(SchemaError::NotAnObject), "{text}");
        }
    }

    #[test]
    fn a_schema_that_is_none_is_told_when_it_is_compiled() {
        for schema in [
            json!({"type": "nonsense"}),
            json!({"pattern": "("}),
            json!({"minLength": -1}),
        ] {
            let schema = Schema::read(&schema.to_string()).unwrap();
            assert!(matches!(schema.compile(), Err(SchemaError::Invalid(_))));
        }
    }

    #[test]
    fn a_pattern_cannot_run_without_end() {
        let schema = json!({"pattern": "^(?=(a+)+$)\\1b"});
        let text = format!("\"{}!\"", "a".repeat(5000));
        assert!(check(&schema, &text).is_err());
    }

    #[test]
    fn references_within_the_schema_are_followed() {
        let schema = json!({
            "properties": {"left": {"$ref": "#"}, "name": {"$ref": "#name"}},
            "additionalProperties": false,
            "$defs": {"text": {"$anchor": "name", "type": "string"}},
        });
        assert_eq!(check(&schema, r#"{"left":{"left":{"name":"x"}}}"#), Ok(()));
        assert_eq!(
            message(&schema, r#"{"left":{"left":{"name":1}}}"#),
            "`left.left.name` has to be a string, not a number"
        );
    }
}
