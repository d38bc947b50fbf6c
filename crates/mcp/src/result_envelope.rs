//! The envelope of a result: the members that every result of a revision has (2026-07-28, Overview,
//! General fields).

use crate::json::{self, InvalidJson};
use crate::{Revision, ServerInfo};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The lifetime and scope of a result in caches (2026-07-28, Caching).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Milliseconds.
    pub ttl: u32,
    /// Whether the result is the same for every user (`cacheScope` is then `public`).
    pub is_shared: bool,
}

/// What all results of one server have in common, in the revision of a client.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub(crate) revision: Revision,
    server: Option<Arc<str>>,
}

impl Envelope {
    /// Returns the envelope of `server` in the newest revision.
    pub fn new(server: &ServerInfo) -> Self {
        let server = [SERVER_INFO, &server.to_short_json()].concat();
        Self {
            revision: Revision::NEWEST,
            server: Some(server.into()),
        }
    }

    /// Returns the same in `revision`.
    #[must_use]
    pub fn in_revision(&self, revision: Revision) -> Self {
        Self {
            revision,
            server: self.server.clone(),
        }
    }
}

/// Without a server: results then say nothing of it, which is allowed.
impl From<Revision> for Envelope {
    fn from(revision: Revision) -> Self {
        Self {
            revision,
            server: None,
        }
    }
}

/// The member of `_meta` with the server's name and version.
const SERVER_INFO: &str = "\"io.modelcontextprotocol/serverInfo\":";

/// Returns a `_meta` with everything about `server`; `None` never, as an object is always JSON.
pub(crate) fn server_info(server: &ServerInfo) -> Option<Box<RawValue>> {
    let server = serde_json::to_string(server).ok()?;
    RawValue::from_string(object(&[&[SERVER_INFO, &server].concat()])).ok()
}

/// Returns a complete result: `result`, a JSON object without `_meta`, in the `envelope`.
/// `meta` is a JSON object.
pub(crate) fn complete(
    result: String,
    meta: Option<&RawValue>,
    envelope: &Envelope,
    freshness: Option<Freshness>,
) -> String {
    if envelope.revision.is_stateless() {
        return stateless("complete", freshness, meta, &result, envelope);
    }
    match meta.filter(|_| envelope.revision.has_structured_content()) {
        None => result,
        Some(meta) => object(&[&format!(r#""_meta":{}"#, meta.get()), inside(&result)]),
    }
}

/// Returns a complete result without members of its own (`EmptyResult`).
pub fn empty_result(envelope: &Envelope) -> String {
    complete("{}".to_owned(), None, envelope, None)
}

/// A request to the client that is part of a result (2026-07-28, Multi Round-Trip Requests).
#[derive(Clone, Copy, Debug)]
pub struct InputRequest<'a> {
    /// The name of the request's response among the `inputResponses`.
    pub id: &'a str,
    /// Such as `elicitation/create`.
    pub method: &'a str,
    /// A JSON object.
    pub params: &'a str,
}

/// Returns the result that has the client repeat its request with responses to `requests` and with
/// `state` (2026-07-28, Multi Round-Trip Requests).
///
/// # Errors
///
/// Fails if the parameters of a request are not JSON.
pub fn input_required_result<'a>(
    requests: impl IntoIterator<Item = InputRequest<'a>>,
    state: Option<&str>,
    envelope: &Envelope,
) -> Result<String, InvalidJson> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        #[serde(skip_serializing_if = "Map::is_empty")]
        input_requests: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_state: Option<&'a str>,
    }
    let result = json::write(&Wire {
        input_requests: input_requests(requests)?,
        request_state: state,
    })?;
    Ok(stateless("input_required", None, None, &result, envelope))
}

/// Returns the requests by id.
pub(crate) fn input_requests<'a>(
    requests: impl IntoIterator<Item = InputRequest<'a>>,
) -> Result<Map<String, Value>, InvalidJson> {
    let mut by_id = Map::new();
    for request in requests {
        let params: Value = serde_json::from_str(request.params)?;
        let value = serde_json::json!({ "method": request.method, "params": params });
        by_id.insert(request.id.to_owned(), value);
    }
    Ok(by_id)
}

pub(crate) fn stateless(
    kind: &str,
    freshness: Option<Freshness>,
    meta: Option<&RawValue>,
    result: &str,
    envelope: &Envelope,
) -> String {
    let kind = format!(r#""resultType":"{kind}""#);
    let freshness = freshness.map_or_else(String::new, |Freshness { ttl, is_shared }| {
        let scope = if is_shared { "public" } else { "private" };
        format!(r#""ttlMs":{ttl},"cacheScope":"{scope}""#)
    });
    let own = meta.map_or("", |meta| inside(meta.get()));
    let server = envelope.server.as_deref();
    let server = server.filter(|_| !own.contains(SERVER_INFO)).unwrap_or("");
    let meta = if server.is_empty() && own.is_empty() {
        String::new()
    } else {
        [r#""_meta":"#, &object(&[server, own])].concat()
    };
    object(&[&kind, &freshness, &meta, inside(result)])
}

/// Returns the text between the braces of `object`.
pub(crate) fn inside(object: &str) -> &str {
    let object = object.trim();
    object
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or("", str::trim)
}

/// Returns an object. Each of `members` is the text of any number of members.
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

    fn envelope(revision: Revision) -> Envelope {
        let server = ServerInfo {
            name: "shop".into(),
            version: "2.1".into(),
            ..ServerInfo::default()
        };
        Envelope::new(&server).in_revision(revision)
    }

    #[test]
    fn only_a_stateless_revision_names_the_type_of_a_result_and_its_server() {
        for revision in Revision::ALL {
            let freshness = Some(Freshness {
                ttl: 5,
                is_shared: true,
            });
            let result = complete(r#"{"a":1}"#.into(), None, &envelope(revision), freshness);
            let result: Value = serde_json::from_str(&result).unwrap();
            if revision.is_stateless() {
                let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
                assert_eq!(server, &json!({"name": "shop", "version": "2.1"}));
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
            empty_result(&envelope(Revision::V2026_07_28))
                .starts_with(r#"{"resultType":"complete","_meta":{"#)
        );
        assert_eq!(
            empty_result(&Revision::V2026_07_28.into()),
            r#"{"resultType":"complete"}"#
        );
    }

    #[test]
    fn what_a_component_says_in_meta_stands_beside_the_server() {
        let result = |meta: &str, revision| {
            let meta: &RawValue = serde_json::from_str(meta).unwrap();
            let result = complete("{}".into(), Some(meta), &envelope(revision), None);
            serde_json::from_str::<Value>(&result).unwrap()["_meta"].clone()
        };
        let meta = result(r#"{ "x": {"y": 1} }"#, Revision::V2026_07_28);
        assert_eq!(meta["x"], json!({"y": 1}));
        assert_eq!(meta["io.modelcontextprotocol/serverInfo"]["name"], "shop");
        assert_eq!(result(r#"{"x":1}"#, Revision::V2025_06_18), json!({"x": 1}));
        assert_eq!(result(r#"{"x":1}"#, Revision::V2025_03_26), Value::Null);
        let own = r#"{"io.modelcontextprotocol/serverInfo":{"name":"own","version":"1"}}"#;
        let own = result(own, Revision::V2026_07_28);
        assert_eq!(own["io.modelcontextprotocol/serverInfo"]["name"], "own");
    }

    #[test]
    fn input_requests_are_named_and_an_absent_state_is_left_out() {
        let request = InputRequest {
            id: "name",
            method: "elicitation/create",
            params: r#"{"message":"?"}"#,
        };
        let result = input_required_result([request], None, &envelope(Revision::NEWEST)).unwrap();
        let result: Value = serde_json::from_str(&result).unwrap();
        assert_eq!(result["resultType"], "input_required");
        assert_eq!(
            result["inputRequests"],
            json!({"name": {"method": "elicitation/create", "params": {"message": "?"}}})
        );
        assert_eq!(result.get("requestState"), None);
        let stated = input_required_result([], Some("s"), &envelope(Revision::NEWEST)).unwrap();
        assert!(stated.contains(r#""requestState":"s""#) && !stated.contains("inputRequests"));
    }
}
