//! What a revision puts around every result.

use crate::json::{self, Garbage};
use crate::{Revision, SERVER};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// For how long a result may be kept, and by whom (2026-07-28, Caching).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Milliseconds.
    pub ttl: u32,
    /// Whether it is the same for everybody.
    pub is_shared: bool,
}

/// Where a result says whose it is (2026-07-28, Overview, General fields).
const SERVER_INFO: &str = "\"io.modelcontextprotocol/serverInfo\":";

/// A complete result: `result`, which is a JSON object without `_meta`, with what `revision` wants
/// to be said of it. `meta` is a JSON object.
pub(crate) fn complete(
    result: String,
    meta: Option<&RawValue>,
    revision: Revision,
    freshness: Option<Freshness>,
) -> String {
    if revision.is_stateless() {
        return stateless("complete", freshness, meta, &result);
    }
    match meta.filter(|_| revision.has_structured_content()) {
        None => result,
        Some(meta) => object(&[&format!(r#""_meta":{}"#, meta.get()), inside(&result)]),
    }
}

/// A complete result that says nothing.
pub fn empty_result(revision: Revision) -> String {
    complete("{}".to_owned(), None, revision, None)
}

/// A question to the client: a method of the protocol, and its parameters as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Tells the answers apart.
    pub id: &'a str,
    /// Such as `elicitation/create`.
    pub method: &'a str,
    /// A JSON object.
    pub params: &'a str,
}

/// The result of a request that the client has to make again, with its answers and with `state`
/// (2026-07-28, Multi Round-Trip Requests).
///
/// # Errors
///
/// [`Garbage`], if some parameters are not JSON.
pub fn input_required_result<'a>(
    questions: impl IntoIterator<Item = Question<'a>>,
    state: Option<&str>,
) -> Result<String, Garbage> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        #[serde(skip_serializing_if = "Map::is_empty")]
        input_requests: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_state: Option<&'a str>,
    }
    let result = json::write(&Wire {
        input_requests: input_requests(questions)?,
        request_state: state,
    })?;
    Ok(stateless("input_required", None, None, &result))
}

/// Questions by their ids.
pub(crate) fn input_requests<'a>(
    questions: impl IntoIterator<Item = Question<'a>>,
) -> Result<Map<String, Value>, Garbage> {
    let mut requests = Map::new();
    for question in questions {
        let params: Value = serde_json::from_str(question.params)?;
        let request = serde_json::json!({ "method": question.method, "params": params });
        requests.insert(question.id.to_owned(), request);
    }
    Ok(requests)
}

pub(crate) fn stateless(
    kind: &str,
    freshness: Option<Freshness>,
    meta: Option<&RawValue>,
    result: &str,
) -> String {
    let kind = format!(r#""resultType":"{kind}""#);
    let freshness = freshness.map_or_else(String::new, |Freshness { ttl, is_shared }| {
        let scope = if is_shared { "public" } else { "private" };
        format!(r#""ttlMs":{ttl},"cacheScope":"{scope}""#)
    });
    let own = meta.map_or("", |meta| inside(meta.get()));
    let server = if own.contains(SERVER_INFO) {
        String::new()
    } else {
        [SERVER_INFO, SERVER.as_json()].concat()
    };
    let meta = [r#""_meta":"#, &object(&[&server, own])].concat();
    object(&[&kind, &freshness, &meta, inside(result)])
}

/// The members of an object, as text.
pub(crate) fn inside(object: &str) -> &str {
    let object = object.trim();
    object
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or("", str::trim)
}

/// An object of these members, of which each has several or none.
pub(crate) fn object(members: &[&str]) -> String {
    let mut object =
        String::with_capacity(members.iter().map(|one| one.len() + 1).sum::<usize>() + 2);
    object.push('{');
    for members in members.iter().filter(|members| !members.is_empty()) {
        if object.len() > 1 {
            object.push(',');
        }
        object.push_str(members);
    }
    object.push('}');
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_stateless_revision_names_the_type_of_a_result_and_its_server() {
        for revision in Revision::ALL {
            let freshness = Some(Freshness {
                ttl: 5,
                is_shared: true,
            });
            let result = complete(r#"{"a":1}"#.into(), None, revision, freshness);
            let result: Value = serde_json::from_str(&result).unwrap();
            if revision.is_stateless() {
                let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
                assert_eq!(server["name"], "gatehouse");
                assert_eq!(
                    (
                        &result["resultType"],
                        &result["ttlMs"],
                        &result["cacheScope"]
                    ),
                    (&json!("complete"), &json!(5), &json!("public"))
                );
            } else {
                assert_eq!(result, json!({"a": 1}));
            }
        }
        assert!(
            empty_result(Revision::V2026_07_28)
                .starts_with(r#"{"resultType":"complete","_meta":{"#)
        );
    }

    #[test]
    fn what_a_component_says_in_meta_stands_beside_the_server() {
        let result = |meta: &str, revision| {
            let meta: &RawValue = serde_json::from_str(meta).unwrap();
            let result = complete("{}".into(), Some(meta), revision, None);
            serde_json::from_str::<Value>(&result).unwrap()["_meta"].clone()
        };
        let meta = result(r#"{ "x": {"y": 1} }"#, Revision::V2026_07_28);
        assert_eq!(meta["x"], json!({"y": 1}));
        assert_eq!(
            meta["io.modelcontextprotocol/serverInfo"]["name"],
            "gatehouse"
        );
        assert_eq!(result(r#"{"x":1}"#, Revision::V2025_06_18), json!({"x": 1}));
        assert_eq!(result(r#"{"x":1}"#, Revision::V2025_03_26), Value::Null);
        let own = r#"{"io.modelcontextprotocol/serverInfo":{"name":"own","version":"1"}}"#;
        let own = result(own, Revision::V2026_07_28);
        assert_eq!(own["io.modelcontextprotocol/serverInfo"]["name"], "own");
    }

    #[test]
    fn questions_are_named_and_state_is_left_out_where_there_is_none() {
        let question = Question {
            id: "name",
            method: "elicitation/create",
            params: r#"{"message":"?"}"#,
        };
        let result = input_required_result([question], None).unwrap();
        let result: Value = serde_json::from_str(&result).unwrap();
        assert_eq!(result["resultType"], "input_required");
        assert_eq!(
            result["inputRequests"],
            json!({"name": {"method": "elicitation/create", "params": {"message": "?"}}})
        );
        assert_eq!(result.get("requestState"), None);
        let stated = input_required_result([], Some("s")).unwrap();
        assert!(stated.contains(r#""requestState":"s""#) && !stated.contains("inputRequests"));
    }
}
