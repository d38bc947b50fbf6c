//! JSON that says nothing twice.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// The value that `json` is, if no object in it has two members of one name (RFC 7515 section 4,
/// RFC 7517 section 4): another reader may take the other one.
pub(crate) fn value(json: &[u8]) -> Option<Value> {
    serde_json::from_slice(json).ok().map(|Strict(value)| value)
}

/// As [`value`], for an object.
pub(crate) fn object(json: &[u8]) -> Option<Map<String, Value>> {
    match value(json)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strictly).map(Self)
    }
}

struct Strictly;

impl<'de> Visitor<'de> for Strictly {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON that repeats no member")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, _>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_repeats_nothing_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,0.5,"x\n",true,null,{"a":{"a":1}}],"b":{}}"#;
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value(text.as_bytes()), Some(read));
    }

    #[test]
    fn a_member_that_is_repeated_at_any_depth_is_refused() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            r#"[{"a":1,"\u0061":2}]"#,
        ] {
            assert_eq!(value(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_nothing_breaks() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "1e999", "{1:2}", "\"\u{0}\"", &deep] {
            assert_eq!(object(text.as_bytes()), None);
        }
        assert_eq!(object(b"[]"), None);
        assert_eq!(value(&[0xff]), None);
    }
}
