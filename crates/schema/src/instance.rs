//! An instance: a JSON value that schemas validate (JSON Schema 2020-12, Core section 4.2).

use crate::error::shown;
use crate::limits;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

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
        let nodes = Cell::new(0);
        let reader = Reader {
            nodes: &nodes,
            depth: 0,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = reader
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value))
            .map_err(|error| InvalidInstance(without_place(&error)))?;
        Ok(Self {
            value,
            nodes: nodes.get(),
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

#[derive(Clone, Copy)]
struct Reader<'c> {
    nodes: &'c Cell<usize>,
    depth: usize,
}

impl Reader<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= Instance::MAX_DEPTH {
            return Err(E::custom(format_args!(
                "it is nested more than {} deep",
                Instance::MAX_DEPTH
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > Instance::MAX_VALUES {
            return Err(D::Error::custom(format_args!(
                "it has more than {} values",
                Instance::MAX_VALUES
            )));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let reader = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(reader)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let reader = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "an object in it has the key `{}` twice",
                    shown(&key)
                )));
            }
            let value = fields.next_value_seed(reader)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
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
