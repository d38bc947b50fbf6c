//! The arguments of a tool, from a command line.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// Returns the arguments of `json`, an object, and of the words of a command line, which win.
///
/// `--city Oslo`, `--city=Oslo`; a word after which none follows is `true`. What the tool's schema does not call a text
/// is read as JSON.
///
/// # Errors
///
/// If one has no name, or is not of the type that the schema says.
pub(super) fn read(json: Option<&str>, words: &[String], schema: &Value) -> Result<Value> {
    let mut arguments = match json {
        None => Map::new(),
        Some(json) => match serde_json::from_str(json).context("--json is no JSON")? {
            Value::Object(arguments) => arguments,
            _ => bail!("--json is no object"),
        },
    };
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix("--").filter(|name| !name.is_empty()) else {
            bail!("{word:?} is no argument: write --name {word}");
        };
        let (name, text) = match name.split_once('=') {
            Some((name, text)) => (name, Some(text)),
            None => (
                name,
                words
                    .next_if(|next| !next.starts_with("--"))
                    .map(String::as_str),
            ),
        };
        let property = &schema["properties"][name];
        let value = match text {
            Some(text) => value(text, property)
                .with_context(|| format!("--{name} {text}: it has to be {}", property["type"]))?,
            None if may_be(property, "boolean") => Value::Bool(true),
            None => bail!("--{name} has no value"),
        };
        arguments.insert(name.to_owned(), value);
    }
    Ok(Value::Object(arguments))
}

/// Returns the value that a text stands for; `None` if it is not of the property's type.
pub(super) fn value(text: &str, property: &Value) -> Option<Value> {
    if may_be(property, "string") {
        return Some(text.into());
    }
    let json = serde_json::from_str(text).ok();
    match property.get("type") {
        // Without a type, such as for `anyOf`, it may be JSON or a text.
        None => Some(json.unwrap_or_else(|| text.into())),
        Some(_) => json,
    }
}

/// Whether a property's schema allows this type by its `type`.
fn may_be(property: &Value, name: &str) -> bool {
    match &property["type"] {
        Value::String(one) => one == name,
        Value::Array(types) => types.iter().any(|one| one == name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_words(json: Option<&str>, words: &[&str]) -> Result<Value> {
        let schema = json!({ "properties": {
            "city": { "type": "string" },
            "days": { "type": "integer" },
            "wind": { "type": "boolean" },
            "at": { "type": "array" },
            "unit": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            "note": { "type": ["string", "null"] },
        } });
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        read(json, &words, &schema)
    }

    #[test]
    fn words_become_values_of_the_types_in_the_schema() {
        for (words, value) in [
            (&["--city", "Oslo"][..], json!({ "city": "Oslo" })),
            (&["--city=New York"], json!({ "city": "New York" })),
            (&["--city", "7"], json!({ "city": "7" })),
            (&["--city", "-7"], json!({ "city": "-7" })),
            (&["--city="], json!({ "city": "" })),
            (
                &["--days", "-7", "--wind"],
                json!({ "days": -7, "wind": true }),
            ),
            (&["--wind", "false"], json!({ "wind": false })),
            (&["--at", "[1, 2]"], json!({ "at": [1, 2] })),
            (&["--unit", "C"], json!({ "unit": "C" })),
            (&["--unit", "null"], json!({ "unit": null })),
            (&["--note", "null"], json!({ "note": "null" })),
            (&["--other", "1"], json!({ "other": 1 })),
            (&[], json!({})),
        ] {
            assert_eq!(read_words(None, words).unwrap(), value, "{words:?}");
        }
        for wrong in [
            &["Oslo"][..],
            &["--city"],
            &["--days", "many"],
            &["--"],
            &["-c", "Oslo"],
        ] {
            assert!(read_words(None, wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_object_is_taken_as_it_is_and_words_win() {
        let object = r#"{"city": "Oslo", "days": 3}"#;
        let read = read_words(Some(object), &["--city", "Rome"]).unwrap();
        assert_eq!(read, json!({ "city": "Rome", "days": 3 }));
        for wrong in ["[]", "7", "{", ""] {
            assert!(read_words(Some(wrong), &[]).is_err(), "{wrong}");
        }
    }
}
