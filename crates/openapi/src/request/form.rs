//! Bodies in `application/x-www-form-urlencoded` (section 4.8.15.3 of 3.1).

use super::argument_error::ArgumentError;
use super::member::Member;
use super::scalar::scalar;
use super::style::{Pair, STRICT, Style, encode, of_another, pairs};
use serde_json::{Map, Value};
use strict_json::excerpt;

/// Returns the members of a form as its body. `encoding` says of some how they are written; the others are written as most servers
/// read them: a list by repeating the name, and what is nested as JSON. `names` are those of all properties of the body.
///
/// # Errors
///
/// Fails with [`ArgumentError::Member`] if a member of an object would be another property of the body.
pub(super) fn encoded(
    members: &[Member<'_>],
    names: &[&str],
    encoding: &Map<String, Value>,
) -> Result<Vec<u8>, ArgumentError> {
    let mut body = Vec::new();
    for member in members {
        let pairs = pairs_of(member.name, member.value, encoding.get(member.name));
        if let Some(name) = of_another(&pairs, member.name, names.iter().copied()) {
            return Err(ArgumentError::Member(
                member.argument.to_owned(),
                excerpt(&name),
            ));
        }
        body.extend(pairs.iter().map(|(name, value)| format!("{name}={value}")));
    }
    Ok(body.join("&").into_bytes())
}

fn pairs_of(name: &str, value: &Value, encoding: Option<&Value>) -> Vec<Pair> {
    let of = |key: &str| encoding.and_then(|encoding| encoding.get(key));
    let style = of("style").and_then(Value::as_str).and_then(Style::read);
    let explode = of("explode").and_then(Value::as_bool);
    if style.is_none() && explode.is_none() {
        let pair = |value: &Value| (encode(name, STRICT), encode(&scalar(value), STRICT));
        return match value {
            Value::Null => Vec::new(),
            Value::Array(items) => items
                .iter()
                .filter(|item| !item.is_null())
                .map(pair)
                .collect(),
            value => vec![pair(value)],
        };
    }
    let style = style.unwrap_or(Style::Form);
    let explode = explode.unwrap_or(style == Style::Form);
    pairs(style, explode, name, value, STRICT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Content;
    use serde_json::json;

    fn form(members: Value, encoding: Value) -> String {
        let members = members.as_object().unwrap();
        let members = members.iter().map(|(name, value)| Member {
            name,
            argument: "it",
            content: Content::Value,
            value,
        });
        let members: Vec<_> = members.collect();
        let body = encoded(&members, &[], encoding.as_object().unwrap());
        String::from_utf8(body.unwrap()).unwrap()
    }

    #[test]
    fn a_form_repeats_names_and_nests_json() {
        let members =
            json!({"a": "x y&z=1", "b": [1, null, "2"], "c": {"d": 1}, "e": null, "f[g]": true});
        let body = form(members, json!({}));
        assert_eq!(
            body,
            "a=x%20y%26z%3D1&b=1&b=2&c=%7B%22d%22%3A1%7D&f%5Bg%5D=true"
        );
    }

    #[test]
    fn the_encoding_decides_how_a_member_is_written() {
        let encoding = json!({
            "a": {"style": "deepObject", "explode": true},
            "b": {"explode": false},
            "c": {"style": "spaceDelimited"},
            "d": {"contentType": "application/json"},
        });
        let members = json!({"a": {"x": {"y": 1}}, "b": [1, 2], "c": [1, 2], "d": {"z": 1}});
        assert_eq!(
            form(members, encoding),
            "a%5Bx%5D%5By%5D=1&b=1,2&c=1%202&d=%7B%22z%22%3A1%7D"
        );
    }
}
