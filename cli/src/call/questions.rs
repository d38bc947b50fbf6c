//! Questions of a tool (elicitation, form mode; MCP 2026-07-28), answered line by line.

use super::arguments;
use anyhow::{Result, bail};
use serde_json::{Map, Value, json};
use std::io::{BufRead, Write};

/// Asks what a result wants to know, and returns the `inputResponses` for the next round: what was typed, or `cancel` where
/// the input ended.
///
/// # Errors
///
/// If it asks for what this client did not offer, or a line cannot be read or written.
pub(super) fn answers(
    requests: &Value,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<Value> {
    let mut answers = Map::new();
    for (id, request) in requests.as_object().into_iter().flatten() {
        let params = &request["params"];
        let is_form = matches!(params["mode"].as_str(), None | Some("form"));
        if request["method"] != "elicitation/create" || !is_form {
            bail!("The tool asks for what `gatehouse call` cannot give: {request}");
        }
        writeln!(output, "{}", params["message"].as_str().unwrap_or_default())?;
        let answer = match form(&params["requestedSchema"], input, output)? {
            Some(content) => json!({ "action": "accept", "content": content }),
            None => json!({ "action": "cancel" }),
        };
        answers.insert(id.clone(), answer);
    }
    Ok(answers.into())
}

/// Returns what was typed for each property; `None` if the input ended.
fn form(
    schema: &Value,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<Option<Value>> {
    let mut content = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let required = schema["required"].as_array();
        let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
        loop {
            write!(output, "{}: ", prompt(name, property))?;
            output.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                writeln!(output)?;
                return Ok(None);
            }
            let given = match line.trim() {
                "" => property.get("default").cloned(),
                text => arguments::value(text, property).filter(|value| is_listed(value, property)),
            };
            match given {
                Some(value) => content.insert(name.clone(), value),
                None if line.trim().is_empty() && !is_required => None,
                None => {
                    writeln!(output, "That does not fit.")?;
                    continue;
                }
            };
            break;
        }
    }
    Ok(Some(content.into()))
}

/// Returns what stands before the cursor, such as `gallon (US gallon, imperial gallon)`.
fn prompt(name: &str, property: &Value) -> String {
    let name = property["title"].as_str().unwrap_or(name);
    let options: Vec<String> = options(property).iter().map(shown).collect();
    let mut notes = Vec::new();
    if !options.is_empty() {
        notes.push(options.join(", "));
    }
    if let Some(default) = property.get("default") {
        notes.push(format!("or nothing for {}", shown(default)));
    }
    match notes.is_empty() {
        true => name.to_owned(),
        false => format!("{name} ({})", notes.join("; ")),
    }
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the values that there are, if the schema lists them.
fn options(property: &Value) -> Vec<Value> {
    let listed = property["enum"].as_array().cloned();
    let named = property["oneOf"].as_array();
    let named = || Some(named?.iter().map(|one| one["const"].clone()).collect());
    listed.or_else(named).unwrap_or_default()
}

fn is_listed(value: &Value, property: &Value) -> bool {
    let options = options(property);
    options.is_empty() || options.contains(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(request: Value, typed: &str) -> Result<(Value, String)> {
        let mut shown = Vec::new();
        let answers = answers(&json!({ "a": request }), &mut typed.as_bytes(), &mut shown)?;
        Ok((answers["a"].clone(), String::from_utf8(shown).unwrap()))
    }

    fn question() -> Value {
        let properties = json!({
            "count": { "type": "integer", "default": 2 },
            "gallon": { "type": "string", "enum": ["US gallon", "imperial gallon"] },
            "note": { "type": "string", "title": "A note" },
        });
        let schema = json!({ "type": "object", "properties": properties, "required": ["gallon"] });
        json!({ "method": "elicitation/create", "params": { "message": "Which?", "requestedSchema": schema } })
    }

    #[test]
    fn each_property_is_a_line_and_what_does_not_fit_is_asked_for_again() {
        let (answer, shown) = asked(question(), "many\n7\n\nUS\nUS gallon\n\n").unwrap();
        let content = json!({ "count": 7, "gallon": "US gallon" });
        assert_eq!(answer, json!({ "action": "accept", "content": content }));
        assert!(shown.starts_with("Which?\ncount (or nothing for 2): That does not fit."));
        assert!(shown.contains("gallon (US gallon, imperial gallon): "));
        assert!(shown.ends_with("A note: "));
    }

    #[test]
    fn what_has_a_default_need_not_be_typed_and_the_end_of_the_input_cancels() {
        let (answer, _) = asked(question(), "\nUS gallon\nHello\n").unwrap();
        let content = json!({ "count": 2, "gallon": "US gallon", "note": "Hello" });
        assert_eq!(answer["content"], content);
        assert_eq!(
            asked(question(), "7\n").unwrap().0,
            json!({ "action": "cancel" })
        );
    }

    #[test]
    fn what_this_client_did_not_offer_is_an_error() {
        assert!(
            asked(
                json!({ "method": "sampling/createMessage", "params": {} }),
                ""
            )
            .is_err()
        );
        let url = json!({ "method": "elicitation/create", "params": { "mode": "url" } });
        assert!(asked(url, "").is_err());
    }
}
