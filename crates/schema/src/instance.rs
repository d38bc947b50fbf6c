//! An instance: a JSON value that schemas validate (JSON Schema 2020-12, Core section 4.2).

use crate::limits;
use serde_json::Value;
use strict_json::{Limits, Parsed};

/// A JSON value of bounded depth and size, in which no object has the same key twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    value: Value,
    nodes: usize,
}

/// Why a text is not an [`Instance`], as a message for a model.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct InvalidInstance(String);

impl Instance {
    /// Levels of objects and arrays.
    pub const MAX_DEPTH: usize = limits::MAX_DEPTH;

    /// Values, with those inside of others.
    pub const MAX_VALUES: usize = 100_000;

    /// Reads a JSON text.
    ///
    /// # Errors
    ///
    /// Fails if the text is not JSON, exceeds a limit, or has an object with a key twice: another reader of
    /// the text could take the value that was not validated.
    pub fn read(text: &str) -> Result<Self, InvalidInstance> {
        let limits = Limits {
            max_depth: Self::MAX_DEPTH,
            max_values: Self::MAX_VALUES,
        };
        let Parsed { value, values } = strict_json::parse(text, limits)
            .map_err(|error| InvalidInstance(without_place(&error)))?;
        Ok(Self {
            value,
            nodes: values,
        })
    }

    /// Returns an instance of `nodes` values, with those inside of others.
    pub(crate) fn from_parts(value: Value, nodes: usize) -> Self {
        Self { value, nodes }
    }

    /// The JSON value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    /// The number of values, with those inside of others.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }
}

/// Returns the message without line and column, which would count in a part of the client's text.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,1.5,true,null,"x\n"],"b":{}}"#;
        let instance = Instance::read(text).unwrap();
        assert_eq!(
            instance.value(),
            &serde_json::from_str::<Value>(text).unwrap()
        );
        assert_eq!(instance.nodes(), 9);
    }

    #[test]
    fn a_key_that_comes_twice_is_refused() {
        for text in [r#"{"a":1,"a":2}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            let error = Instance::read(text).unwrap_err();
            assert!(error.to_string().contains("`a` twice"), "{error}");
        }
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Instance::read(&nested(Instance::MAX_DEPTH)).is_ok());
        let error = Instance::read(&nested(Instance::MAX_DEPTH + 1)).unwrap_err();
        assert!(error.to_string().contains("nested"), "{error}");
        let many = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(Instance::read(&many(Instance::MAX_VALUES)).is_ok());
        assert!(Instance::read(&many(Instance::MAX_VALUES + 1)).is_err());
    }

    #[test]
    fn an_error_about_text_that_is_not_json_names_no_line() {
        for text in ["", "{", "{}{}", "nul", "1e999"] {
            let error = Instance::read(text).unwrap_err();
            assert!(!error.to_string().contains("line"), "{error}");
        }
    }
}
