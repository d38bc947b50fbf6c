//! A JSON parser (RFC 8259) that refuses an object with two members of one name.
//!
//! RFC 8259 section 4 leaves open which of the two members counts, so two readers of one text can take
//! different values. JOSE forbids such objects (RFC 7515 section 4, RFC 7517 section 4), and a text that is
//! validated by one reader and used by another must not have them either.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// The limits of a text.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Levels of objects and arrays. `serde_json` refuses more than 127 levels in any case.
    pub max_depth: usize,
    /// Values, with those inside of others.
    pub max_values: usize,
}

impl Limits {
    /// No limits of a text's own: for a text that is bounded in bytes.
    pub const NONE: Self = Self {
        max_depth: usize::MAX,
        max_values: usize::MAX,
    };
}

/// A value without repeated names.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The value.
    pub value: Value,
    /// The number of values, with those inside of others.
    pub values: usize,
}

/// Parses a JSON text.
///
/// # Errors
///
/// Fails if the text is not JSON, repeats a name, or exceeds a limit.
pub fn parse(text: &str, limits: Limits) -> Result<Parsed, serde_json::Error> {
    let values = Cell::new(0);
    let reader = Reader {
        limits,
        values: &values,
        depth: 0,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = reader.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(Parsed {
        value,
        values: values.get(),
    })
}

/// Returns the beginning of a text from outside, on one line, for a message.
pub fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 64;
    let mut excerpt: String = text
        .chars()
        .take(MAX_CHARS)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        excerpt.push('…');
    }
    excerpt
}

#[derive(Clone, Copy)]
struct Reader<'c> {
    limits: Limits,
    values: &'c Cell<usize>,
    depth: usize,
}

impl Reader<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let max = self.limits.max_depth;
        if self.depth >= max {
            return Err(E::custom(format_args!("it is nested more than {max} deep")));
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
        self.values.set(self.values.get() + 1);
        let max = self.limits.max_values;
        if self.values.get() > max {
            return Err(D::Error::custom(format_args!(
                "it has more than {max} values"
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

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let reader = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "an object in it has the key `{}` twice",
                    excerpt(&name)
                )));
            }
            let value = members.next_value_seed(reader)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_repeated_names_is_parsed_as_it_is() {
        let text = r#"{"a":[1,-2,0.5,"x\n",true,null,{"a":{"a":1}}],"b":{}}"#;
        let parsed = parse(text, Limits::NONE).unwrap();
        assert_eq!(parsed.value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(parsed.values, 12);
    }

    #[test]
    fn a_repeated_name_is_refused_at_any_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            r#"[{"a":1,"\u0061":2}]"#,
        ] {
            let error = parse(text, Limits::NONE).unwrap_err().to_string();
            assert!(error.contains("`a` twice"), "{error}");
        }
        let long = "x".repeat(10_000);
        let text = format!(r#"{{"{long}":1,"{long}":1}}"#);
        let error = parse(&text, Limits::NONE).unwrap_err().to_string();
        assert!(error.len() < 256, "{}", error.len());
    }

    #[test]
    fn a_text_within_its_limits_is_parsed_and_no_other() {
        let limits = Limits {
            max_depth: 3,
            max_values: 4,
        };
        for good in ["[[[]]]", "[1,2,3]", r#"{"a":[{}]}"#] {
            assert!(parse(good, limits).is_ok(), "{good}");
        }
        for bad in ["[[[[]]]]", "[1,2,3,4]", r#"{"a":[{"b":[]}]}"#] {
            assert!(parse(bad, limits).is_err(), "{bad}");
        }
    }

    #[test]
    fn invalid_json_is_refused_and_nothing_breaks() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "1e999", "{1:2}", "\"\u{0}\"", &deep] {
            assert!(parse(text, Limits::NONE).is_err());
        }
    }
}
