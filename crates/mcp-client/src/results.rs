//! Results of calls, prompts, resources and completions (2025-11-25 and 2026-07-28, Schema).

use crate::content::{content, contents, message, resource};
use crate::json::{self, Items, Members};
use crate::question::Question;
use serde::Deserialize;
use serde_json::value::RawValue;
use tools_export::{
    ClientCapabilities, Contents, Freshness, InputRequest, Output, PromptMessages, ResourcePage,
    Suggestions,
};

/// A result, or what a server of 2026-07-28 wants to know first.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome<T> {
    Complete(T),
    InputRequired {
        requests: Vec<InputRequest>,
        state: Option<String>,
    },
}

/// What every result has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    result_type: Option<String>,
    #[serde(borrow)]
    input_requests: Option<Members<'a>>,
    request_state: Option<String>,
    ttl_ms: Option<f64>,
    cache_scope: Option<String>,
}

#[derive(Deserialize)]
struct WireRequest<'a> {
    method: String,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// Questions that a result may ask.
const MAX_REQUESTS: usize = 16;

/// Reads a result with `complete`, if it is complete; what else it wants to know first is for a client with these
/// capabilities.
///
/// # Errors
///
/// Says what is wrong.
pub(crate) fn outcome<T>(
    result: &RawValue,
    capabilities: &ClientCapabilities,
    complete: impl FnOnce(&RawValue) -> Result<T, &'static str>,
) -> Result<Outcome<T>, &'static str> {
    let envelope: Envelope<'_> = json::read(result, "a result is not an object")?;
    match envelope.result_type.as_deref() {
        // Revisions before 2026-07-28 have no such member.
        None | Some("complete") => complete(result).map(Outcome::Complete),
        Some("input_required") => {
            let Members(requests) = envelope.input_requests.unwrap_or_default();
            if requests.len() > MAX_REQUESTS {
                return Err("it asks more than 16 questions at once");
            }
            let request = |(id, request): (String, &RawValue)| {
                let request: WireRequest<'_> = serde_json::from_str(request.get()).ok()?;
                let question =
                    Question::read(&request.method, request.params, capabilities).ok()?;
                Some(InputRequest {
                    id,
                    method: question.method,
                    params: question.params,
                })
            };
            let requests: Option<Vec<_>> = requests.into_iter().map(request).collect();
            let requests = requests.ok_or("it asks what its client cannot be asked")?;
            let state = envelope.request_state;
            if requests.is_empty() && state.is_none() {
                return Err("it asks nothing, and has no state");
            }
            Ok(Outcome::InputRequired { requests, state })
        }
        Some(_) => Err("a result is of a type that was not asked for"),
    }
}

/// Reads the result of `tools/call`.
///
/// # Errors
///
/// Says what is wrong.
pub(crate) fn output(result: &RawValue) -> Result<Output, &'static str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        #[serde(borrow)]
        content: Option<Items<&'a RawValue>>,
        #[serde(borrow)]
        structured_content: Option<&'a RawValue>,
        is_error: Option<bool>,
        #[serde(rename = "_meta", borrow)]
        meta: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = json::read(result, "the result of a call is malformed")?;
    let blocks = wire.content.unwrap_or_default().all()?;
    Ok(Output {
        content: blocks.into_iter().map(content).collect(),
        structured: wire.structured_content.map(|json| json.get().to_owned()),
        is_error: wire.is_error == Some(true),
        meta: json::meta(wire.meta),
    })
}

/// Reads the result of `prompts/get`.
///
/// # Errors
///
/// Says what is wrong.
pub(crate) fn prompt(result: &RawValue) -> Result<PromptMessages, &'static str> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        description: Option<String>,
        #[serde(borrow)]
        messages: Items<&'a RawValue>,
        #[serde(rename = "_meta", borrow)]
        meta: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = json::read(result, "a prompt is malformed")?;
    Ok(PromptMessages {
        description: wire.description,
        messages: wire
            .messages
            .all()?
            .into_iter()
            .map(message)
            .collect::<Result<_, _>>()?,
        meta: json::meta(wire.meta),
    })
}

/// Reads the result of `resources/read`.
///
/// # Errors
///
/// Says what is wrong.
pub(crate) fn reading(result: &RawValue) -> Result<Contents, &'static str> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(borrow)]
        contents: Items<&'a RawValue>,
    }
    let wire: Wire<'_> = json::read(result, "the contents of a resource are none")?;
    Ok(Contents {
        parts: wire
            .contents
            .all()?
            .into_iter()
            .map(contents)
            .collect::<Result<_, _>>()?,
        freshness: freshness(result),
    })
}

/// Reads the result of `resources/list`. `is_offered` chooses by URI; what is no resource is left out, and what follows
/// the first 1,000.
///
/// # Errors
///
/// Says what is wrong.
pub(crate) fn resources(
    result: &RawValue,
    is_offered: impl Fn(&str) -> bool,
) -> Result<ResourcePage, &'static str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        #[serde(borrow)]
        resources: Items<&'a RawValue>,
        next_cursor: Option<String>,
    }
    let wire: Wire<'_> = json::read(result, "a list of resources is malformed")?;
    let listed = wire
        .resources
        .first
        .into_iter()
        .filter_map(|raw| resource(raw).ok());
    Ok(ResourcePage {
        resources: listed
            .filter(|resource| is_offered(&resource.uri))
            .collect(),
        next_cursor: wire.next_cursor,
        freshness: freshness(result),
    })
}

/// Reads the result of `completion/complete`.
///
/// # Errors
///
/// Says what is wrong.
pub(crate) fn suggestions(result: &RawValue) -> Result<Suggestions, &'static str> {
    #[derive(Deserialize)]
    struct Wire {
        completion: Completion,
    }
    #[derive(Deserialize)]
    struct Completion {
        values: Items<String>,
        total: Option<u32>,
    }
    const MAX_VALUES: usize = 100;
    let Wire { completion } = json::read(result, "a completion is malformed")?;
    Ok(Suggestions {
        values: completion
            .values
            .first
            .into_iter()
            .take(MAX_VALUES)
            .collect(),
        total: completion.total,
    })
}

/// Returns for how long a result may be kept, if the server says so (2026-07-28, Caching).
pub(crate) fn freshness(result: &RawValue) -> Option<Freshness> {
    let envelope: Envelope<'_> = serde_json::from_str(result.get()).ok()?;
    Some(Freshness {
        // A conversion from floating point saturates.
        ttl: envelope.ttl_ms? as u32,
        shared: envelope.cache_scope.as_deref() == Some("public"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;
    use serde_json::{Value, json, value::to_raw_value};
    use tools_export::Content;

    fn raw(value: Value) -> Box<RawValue> {
        to_raw_value(&value).unwrap()
    }

    fn called(value: Value) -> Result<Outcome<Output>, &'static str> {
        outcome(&raw(value), &context().capabilities, output)
    }

    #[test]
    fn the_result_of_a_call_is_read_in_every_revision() {
        let expected = Output {
            structured: Some("{\"sum\":1.50}".to_owned()),
            ..Output::text("1.5")
        };
        let text = r#"{"content":[{"type":"text","text":"1.5"}],"structuredContent":{"sum":1.50}"#;
        for rest in [
            "}",
            r#","resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{}}}"#,
        ] {
            let result = RawValue::from_string(format!("{text}{rest}")).unwrap();
            assert_eq!(
                outcome(&result, &context().capabilities, output),
                Ok(Outcome::Complete(expected.clone()))
            );
        }
        let failed = called(json!({"content": [{"type": "text", "text": "no"}], "isError": true}));
        assert_eq!(failed, Ok(Outcome::Complete(Output::error("no"))));
        let empty = Output {
            content: Vec::<Content>::new(),
            ..Output::text("")
        };
        assert_eq!(called(json!({})), Ok(Outcome::Complete(empty)));
    }

    #[test]
    fn what_is_no_result_is_told() {
        let many_requests: serde_json::Map<_, _> = (0..17)
            .map(|id| (id.to_string(), json!({"method": "roots/list"})))
            .collect();
        for value in [
            json!([]),
            json!("text"),
            json!(null),
            json!({"content": "text"}),
            json!({"content": [], "isError": "no"}),
            json!({"resultType": "task", "task": {}}),
            json!({"resultType": "input_required"}),
            json!({"resultType": "input_required", "inputRequests": {"a": {"method": "roots/list", "params": []}}}),
            json!({"resultType": "input_required", "inputRequests": ["a"]}),
            json!({"resultType": "input_required", "inputRequests": {"a": {"method": "shell/run"}}}),
            json!({"resultType": "input_required", "inputRequests": many_requests}),
            json!({"content": vec![7; 1001]}),
        ] {
            assert!(called(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn what_a_server_wants_to_know_is_passed_with_its_state() {
        let asked = called(json!({
            "resultType": "input_required",
            "inputRequests": {"name": {"method": "elicitation/create", "params": {"message": "?", "_meta": {}}}},
            "requestState": "opaque",
        }));
        let request = InputRequest {
            id: "name".to_owned(),
            method: "elicitation/create".to_owned(),
            params: r#"{"message":"?"}"#.to_owned(),
        };
        let expected = Outcome::InputRequired {
            requests: vec![request],
            state: Some("opaque".to_owned()),
        };
        assert_eq!(asked, Ok(expected));
        let later = called(json!({"resultType": "input_required", "requestState": "opaque"}));
        assert!(matches!(later, Ok(Outcome::InputRequired { .. })));
    }

    #[test]
    fn a_result_asks_only_what_the_client_can_be_asked() {
        let mut capabilities = context().capabilities;
        capabilities.elicits_forms = false;
        let asked = |method: &str| {
            let requests = json!({"a": {"method": method, "params": {"message": "?"}}});
            let result = json!({"resultType": "input_required", "inputRequests": requests});
            outcome(&raw(result), &capabilities, output)
        };
        assert!(asked("elicitation/create").is_err());
        assert!(asked("sampling/createMessage").is_ok());
    }

    #[test]
    fn a_freshness_is_taken_as_far_as_it_goes() {
        let of = |ttl: Value| freshness(&raw(json!({"ttlMs": ttl, "cacheScope": "public"})));
        assert_eq!(of(json!(60_000)).unwrap().ttl, 60_000);
        assert_eq!(of(json!(-1)).unwrap().ttl, 0);
        assert_eq!(of(json!(1e300)).unwrap().ttl, u32::MAX);
        assert!(of(json!("x")).is_none() && of(Value::Null).is_none());
        let private = freshness(&raw(json!({"ttlMs": 1}))).unwrap();
        assert!(!private.shared);
    }

    #[test]
    fn a_page_of_resources_has_what_is_offered() {
        let page = raw(json!({
            "resources": [{"uri": "a:1", "name": "a"}, {"uri": "b:1", "name": "b"}, {"name": "c"}, 7],
            "nextCursor": "more",
        }));
        let page = resources(&page, |uri| uri.starts_with("a:")).unwrap();
        assert_eq!(
            (page.resources.len(), page.next_cursor.as_deref()),
            (1, Some("more"))
        );
    }

    #[test]
    fn prompts_contents_and_completions_are_read() {
        let messages = prompt(&raw(
            json!({"messages": [{"role": "user", "content": {"type": "text", "text": "a"}}]}),
        ));
        assert_eq!(messages.unwrap().messages.len(), 1);
        assert!(
            prompt(&raw(
                json!({"messages": [{"role": "robot", "content": {}}]})
            ))
            .is_err()
        );
        let read = reading(&raw(
            json!({"contents": [{"uri": "a:1", "text": "x"}], "ttlMs": 5}),
        ));
        assert_eq!(read.unwrap().freshness.unwrap().ttl, 5);
        assert!(reading(&raw(json!({"contents": [{"uri": "a:1"}]}))).is_err());
        let values: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let completed = suggestions(&raw(
            json!({"completion": {"values": values, "hasMore": true}}),
        ));
        assert_eq!(completed.unwrap().values.len(), 100);
    }
}
