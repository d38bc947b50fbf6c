//! Validation of the requests that a tool has for its client (2026-07-28, Multi Round-Trip Requests).

use crate::contract::tools::InputRequired;
use mcp::ClientCapabilities;
use serde_json::{Map, Value, json};

/// Seconds that a person has to answer the requests of a call.
pub(crate) const INPUT_TTL: u64 = 900;

/// Why requests are not sent to a client.
#[derive(Debug, PartialEq)]
pub(crate) enum UnsupportedInput {
    /// The capabilities that the client would have to declare.
    MissingCapabilities(Value),
    /// What is wrong with the requests, for the log.
    Malformed(&'static str),
}

/// Checks that these requests may be sent to a client with these capabilities.
///
/// # Errors
///
/// [`UnsupportedInput`].
pub(crate) fn check(
    questions: &InputRequired,
    capabilities: ClientCapabilities,
) -> Result<(), UnsupportedInput> {
    let requests = &questions.requests;
    if requests.is_empty() && questions.state.is_none() {
        return Err(UnsupportedInput::Malformed(
            "neither a question nor a state",
        ));
    }
    let mut missing = Map::new();
    for request in requests {
        let params: Value = serde_json::from_str(&request.params).unwrap_or_default();
        let Some(params) = params.as_object() else {
            return Err(UnsupportedInput::Malformed(
                "a question with parameters that are no object",
            ));
        };
        let wants_tools = params.contains_key("tools") || params.contains_key("toolChoice");
        let is_of_url = params.get("mode").is_some_and(|mode| mode == "url");
        let (is_able, name, capability) = match request.method.as_str() {
            "elicitation/create" if is_of_url => {
                (capabilities.elicits_urls, "elicitation", json!({"url": {}}))
            }
            "elicitation/create" => (
                capabilities.elicits_forms,
                "elicitation",
                json!({"form": {}}),
            ),
            "sampling/createMessage" if wants_tools => (
                capabilities.samples_with_tools,
                "sampling",
                json!({"tools": {}}),
            ),
            "sampling/createMessage" => (capabilities.samples, "sampling", json!({})),
            "roots/list" => (capabilities.lists_roots, "roots", json!({})),
            _ => {
                return Err(UnsupportedInput::Malformed(
                    "a question of a method there is not",
                ));
            }
        };
        if !is_able {
            let known = missing.entry(name).or_insert_with(|| json!({}));
            if let (Some(known), Value::Object(more)) = (known.as_object_mut(), capability) {
                known.extend(more);
            }
        }
    }
    let mut ids: Vec<&str> = requests.iter().map(|request| &*request.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != requests.len() {
        return Err(UnsupportedInput::Malformed("two questions of one id"));
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(UnsupportedInput::MissingCapabilities(missing.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::tools::InputRequest;

    fn questions(requests: &[InputRequest]) -> InputRequired {
        InputRequired {
            requests: requests.to_vec(),
            state: None,
        }
    }

    fn request(id: &str, method: &str, params: &str) -> InputRequest {
        InputRequest {
            id: id.into(),
            method: method.into(),
            params: params.into(),
        }
    }

    #[test]
    fn a_client_is_asked_only_what_it_can_answer_and_the_rest_is_named() {
        let requests = [
            request("a", "elicitation/create", r#"{"message":"?"}"#),
            request("b", "elicitation/create", r#"{"mode":"url"}"#),
            request("c", "sampling/createMessage", r#"{"tools":[]}"#),
            request("d", "roots/list", "{}"),
        ];
        assert_eq!(
            check(&questions(&requests), ClientCapabilities::default()),
            Err(UnsupportedInput::MissingCapabilities(json!({
                "elicitation": {"form": {}, "url": {}},
                "sampling": {"tools": {}},
                "roots": {},
            })))
        );
        let forms = ClientCapabilities {
            elicits_forms: true,
            ..ClientCapabilities::default()
        };
        assert_eq!(check(&questions(&requests[..1]), forms), Ok(()));
    }

    #[test]
    fn what_is_no_question_is_garbage() {
        let all = ClientCapabilities {
            lists_roots: true,
            ..ClientCapabilities::default()
        };
        for requests in [
            vec![],
            vec![request("a", "tools/call", "{}")],
            vec![request("a", "roots/list", "[]")],
            vec![
                request("a", "roots/list", "{}"),
                request("a", "roots/list", "{}"),
            ],
        ] {
            let checked = check(&questions(&requests), all);
            assert!(matches!(checked, Err(UnsupportedInput::Malformed(_))));
        }
        // Who asks nothing and knows how to go on is called again.
        let state = Some("state".to_owned());
        let requests = Vec::new();
        assert_eq!(check(&InputRequired { requests, state }, all), Ok(()));
    }
}
