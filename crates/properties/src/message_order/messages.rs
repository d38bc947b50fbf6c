//! Messages that are sent to the endpoint.

use super::answers::Sent;
use super::issued_ids::{IssuedIds, Step};
use super::people::{BASE, host, mark};
use super::tools;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use serde_json::{Value, json};

const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// Ways that a request takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// A POST to `/mcp` that says all there is to know.
    Stateless,
    /// A POST to `/mcp` in a session.
    Session,
    /// One of those clients without a session.
    Alone,
    /// A POST to `/messages`.
    Mail,
    Get,
    Delete,
    /// A GET of `/sse`.
    Open,
}

impl Route {
    pub(super) fn of(number: u8) -> Self {
        match number {
            0..=3 => Self::Stateless,
            4..=7 => Self::Session,
            8 => Self::Alone,
            9 | 10 => Self::Mail,
            11 => Self::Get,
            12 => Self::Delete,
            _ => Self::Open,
        }
    }

    fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Delete | Self::Open)
    }
}

/// A message, or what is to be taken for one.
pub(super) struct Message {
    text: String,
    method: String,
    /// What `Mcp-Name` repeats.
    name: Option<String>,
    /// The ids of its requests, as they are in JSON.
    pub(super) ids: Vec<String>,
}

impl Message {
    pub(super) fn compose(
        way: Route,
        step: &Step,
        person: usize,
        number: u32,
        known: &IssuedIds,
    ) -> Self {
        let mark = mark(person);
        let id = id(step.how / 8, &mark, number);
        match step.what % 52 {
            _ if !way.has_body() => Self::of("", "", None, Vec::new()),
            43 => {
                let asked = known.asked.iter().map(|(id, _)| id.clone());
                let asked: Vec<_> = asked.collect();
                let request = IssuedIds::pick(&asked, step.pick / 16);
                let params = format!(r#"{{"requestId":{},"reason":"{mark}"}}"#, json_id(&request));
                Self::notification("notifications/cancelled", &params)
            }
            42 => Self::notification("notifications/initialized", "{}"),
            44 | 45 => {
                let question = json_id(&IssuedIds::pick(&known.questions, step.pick / 16));
                let outcome = match step.what % 52 {
                    44 => format!(
                        r#""result":{{"action":"accept","content":{{"a":"{mark}"}},"roots":[]}}"#
                    ),
                    _ => format!(r#""error":{{"code":-1,"message":"{mark}"}}"#),
                };
                let text = format!(r#"{{"jsonrpc":"2.0","id":{question},{outcome}}}"#);
                Self::of(text, "", None, Vec::new())
            }
            46 | 47 => {
                let one = |what, number| {
                    let step = Step {
                        who: step.who,
                        way: step.way,
                        what,
                        pick: step.pick,
                        odd: step.odd,
                        how: step.how,
                    };
                    let id = self::id(0, &mark, number);
                    Self::request(way, &step, &mark, id, known)
                };
                // Numbers that no other request has.
                let both = [
                    one(step.pick, number + 1_000_000),
                    one(step.odd, number + 2_000_000),
                ];
                let texts: Vec<_> = both.iter().map(|one| &*one.text).collect();
                let ids = both.iter().flat_map(|one| one.ids.clone()).collect();
                Self::of(format!("[{}]", texts.join(",")), "", None, ids)
            }
            48..=51 => {
                const NONSENSE: [&str; 8] = [
                    "[]",
                    "{}",
                    "7",
                    r#"[1,{"jsonrpc":"2.0"},[]]"#,
                    r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
                    r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
                    r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
                    r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#,
                ];
                let text = NONSENSE[usize::from(step.pick) % NONSENSE.len()];
                Self::of(text, "", None, vec!["1".to_owned(), "2".to_owned()])
            }
            _ => Self::request(way, step, &mark, id, known),
        }
    }

    fn of(text: impl Into<String>, method: &str, name: Option<String>, ids: Vec<String>) -> Self {
        Self {
            text: text.into(),
            method: method.to_owned(),
            name,
            ids,
        }
    }

    fn notification(method: &str, params: &str) -> Self {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#);
        Self::of(text, method, None, Vec::new())
    }

    fn request(way: Route, step: &Step, mark: &str, id: String, known: &IssuedIds) -> Self {
        let capabilities = capabilities(step.who / 8);
        let (method, mut params) = params(step, mark, &capabilities, known);
        if way == Route::Stateless {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = REVISIONS[4].into();
            meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
            meta["io.modelcontextprotocol/logLevel"] = "debug".into();
            // Answers of one person, to be asked again.
            if step.who / 8 % 8 >= 4 && method != "tasks/update" {
                params["inputResponses"] = responses(mark, &[]);
                params["requestState"] = IssuedIds::pick(&known.states, step.pick / 16).into();
            }
        }
        let name = ["name", "uri", "taskId"]
            .iter()
            .find_map(|name| params[*name].as_str().map(str::to_owned));
        let text =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
        // Of what is no id, none is repeated.
        let ids = Some(id).filter(|id| !["null", "true"].contains(&&**id));
        Self::of(text, method, name, ids.into_iter().collect())
    }

    /// The request that brings it, and what is to be known of it.
    pub(super) fn into_request(
        self,
        way: Route,
        step: &Step,
        person: usize,
        token: &str,
        known: &IssuedIds,
    ) -> (Request<Bytes>, Sent) {
        let session = match way {
            Route::Mail => IssuedIds::pick(&known.mailboxes, step.pick % 16),
            _ => IssuedIds::pick(&known.sessions, step.pick % 16),
        };
        // These two begin again, whatever session is named.
        let begins_again = ["initialize", "server/discover"].contains(&&*self.method);
        let is_theirs = known.owners.get(&session) == Some(&person);
        let is_foreign = match way {
            Route::Session => !begins_again && !is_theirs,
            Route::Mail | Route::Get | Route::Delete => !is_theirs,
            Route::Stateless | Route::Alone | Route::Open => false,
        };
        let mut headers = vec![
            ("spin-full-url", BASE.to_owned()),
            ("host", host().to_owned()),
            ("authorization", format!("Bearer {token}")),
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
        ];
        let (mut method, mut path) = ("POST", "/mcp".to_owned());
        match way {
            Route::Stateless => {
                headers.push(("mcp-protocol-version", REVISIONS[4].to_owned()));
                headers.push(("mcp-method", self.method.clone()));
                headers.extend(self.name.clone().map(|name| ("mcp-name", name)));
            }
            Route::Session => {
                headers.push(("mcp-session-id", session));
                if step.who / 8 % 2 == 1 {
                    let revision = REVISIONS[usize::from(step.pick) % 4];
                    headers.push(("mcp-protocol-version", revision.to_owned()));
                }
            }
            Route::Alone => {
                let revision = REVISIONS[usize::from(step.pick) % 4];
                headers.push(("mcp-protocol-version", revision.to_owned()));
            }
            Route::Mail => path = session,
            Route::Get => {
                method = "GET";
                headers.push(("mcp-session-id", session));
                if step.what % 2 == 1 {
                    let event = IssuedIds::pick(&known.events, step.pick / 16);
                    headers.push(("last-event-id", event));
                }
            }
            Route::Delete => {
                method = "DELETE";
                headers.push(("mcp-session-id", session));
            }
            Route::Open => (method, path) = ("GET", "/sse".to_owned()),
        }
        let mut body = self.text.into_bytes();
        // Half of all requests are as they should be.
        if step.odd >= 128 {
            method = odd(step.odd, method, &mut headers, &mut body);
        }
        if !path.starts_with('/') {
            path = format!("/messages?sessionId={path}");
        }
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).expect("visible characters");
            request = request.header(HeaderName::from_static(name), value);
        }
        let sent = Sent {
            person,
            ids: self.ids,
            is_sound: step.odd < 128,
            is_stateless: way == Route::Stateless,
            is_foreign: is_foreign && step.odd < 128,
            may_be_of_others: !way.has_body(),
        };
        (request.body(body.into()).expect("a request"), sent)
    }
}

/// What a client can be asked.
fn capabilities(number: u8) -> Value {
    let mut capabilities = json!({});
    if number % 4 != 3 {
        capabilities["extensions"] = json!({ "io.modelcontextprotocol/tasks": {} });
    }
    if number % 4 != 2 {
        capabilities["elicitation"] = json!({});
        capabilities["roots"] = json!({});
    }
    capabilities
}

/// Answers to whatever the tools ask, and to these questions of tasks.
fn responses(mark: &str, keys: &[String]) -> Value {
    let form = json!({ "action": "accept", "content": { "a": mark } });
    let mut responses = json!({ "name": form, "roots": { "roots": [] } });
    for key in keys.iter().rev().take(4) {
        responses[key] = form.clone();
    }
    responses
}

/// A request: its method and its parameters.
fn params(
    step: &Step,
    mark: &str,
    capabilities: &Value,
    known: &IssuedIds,
) -> (&'static str, Value) {
    let task = || IssuedIds::pick(&known.tasks, step.pick / 16);
    let uri = |uri: &str| json!({ "uri": uri });
    match step.what % 52 {
        tool @ 0..16 => {
            let name = tools::NAMES[usize::from(tool)];
            let params = json!({ "name": name, "arguments": { "a": mark },
                "_meta": { "progressToken": format!("{mark} progress") } });
            ("tools/call", params)
        }
        16 => ("ping", json!({})),
        17 => ("tools/list", json!({})),
        18 => ("prompts/list", json!({})),
        19 => ("resources/templates/list", json!({})),
        20 => ("resources/list", json!({})),
        21 => {
            let cursor = IssuedIds::pick(&known.cursors, step.pick / 16);
            ("resources/list", json!({ "cursor": cursor }))
        }
        22 => ("resources/read", uri("test:one")),
        23 => ("resources/read", uri("test:asks")),
        24 => ("resources/read", uri("test:none")),
        25 => ("resources/subscribe", uri("test:one")),
        26 => ("resources/unsubscribe", uri("test:one")),
        27 => ("prompts/get", json!({ "name": "tells" })),
        28 => ("prompts/get", json!({ "name": "asks" })),
        29 => {
            let params = json!({ "ref": { "type": "ref/prompt", "name": "tells" },
                "argument": { "name": "a", "value": mark } });
            ("completion/complete", params)
        }
        30 => ("logging/setLevel", json!({ "level": "debug" })),
        31 => ("server/discover", json!({})),
        32 => {
            let notifications = json!({ "toolsListChanged": true, "promptsListChanged": true,
                "resourceSubscriptions": ["test:one"], "taskIds": [task()] });
            (
                "subscriptions/listen",
                json!({ "notifications": notifications }),
            )
        }
        33 => ("tasks/get", json!({ "taskId": task() })),
        34 => {
            let responses = responses(mark, &known.keys);
            let params = json!({ "taskId": task(), "inputResponses": responses });
            ("tasks/update", params)
        }
        35 => ("tasks/cancel", json!({ "taskId": task() })),
        36 => ("nothing/there", json!({ "a": mark })),
        what => {
            let revision = REVISIONS[usize::from(what) % 5];
            let params = json!({ "protocolVersion": revision, "capabilities": capabilities,
                "clientInfo": { "name": mark, "version": "1" } });
            ("initialize", params)
        }
    }
}

/// An id, as JSON; sometimes an invalid one.
fn id(kind: u8, mark: &str, number: u32) -> String {
    match kind % 16 {
        0 => number.to_string(),
        1 => format!("-{number}"),
        2 => format!("{number}000000000000000000000"),
        3 => format!("{number}.5"),
        4 => format!(r#""\u0041{mark} {number}""#),
        5 => "null".to_owned(),
        6 => "true".to_owned(),
        _ => format!(r#""{mark} {number}""#),
    }
}

/// What was picked, if it is JSON; or else a text.
fn json_id(picked: &str) -> String {
    match serde_json::from_str::<&serde_json::value::RawValue>(picked) {
        Ok(_) => picked.to_owned(),
        Err(_) => json!(picked).to_string(),
    }
}

/// Makes something about a request odd, and gives its method.
fn odd<'m>(
    number: u8,
    method: &'m str,
    headers: &mut Vec<(&'static str, String)>,
    body: &mut Vec<u8>,
) -> &'m str {
    let mut set = |name: &'static str, value: &str| {
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value.to_owned()));
    };
    match number % 32 {
        0 => set("accept", ""),
        1 => set("accept", "application/json"),
        2 => set("accept", "text/event-stream"),
        3 => set("accept", "text/html"),
        4 => set("content-type", "text/plain"),
        5 => set("origin", "https://evil.example.com"),
        6 => set("origin", BASE),
        7 => set("host", "evil.example.com"),
        8 => set("mcp-protocol-version", "1999-01-01"),
        9 => set("mcp-protocol-version", REVISIONS[4]),
        10 => set("mcp-protocol-version", REVISIONS[1]),
        11 => set("mcp-method", "ping"),
        12 => set("mcp-name", "tells"),
        13 => set("mcp-name", "=?base64?dGVsbHM=?="),
        14 => headers.push(("mcp-session-id", "forged".to_owned())),
        15 => set("authorization", ""),
        16 => set("authorization", "Bearer forged.forged.forged"),
        17 => headers.push(("authorization", "Bearer forged".to_owned())),
        18 => set("authorization", "DPoP forged"),
        19 => headers.push(("dpop", "forged".to_owned())),
        20 => headers.push(("spin-full-url", "http://127.0.0.1:4000".to_owned())),
        21 => headers.push(("last-event-id", "forged".to_owned())),
        22 => body.truncate(body.len() / 2),
        23 => body.extend_from_slice(b" {}"),
        24 => body.clear(),
        25 => body.insert(body.len() / 2, 0xff),
        26 => body.extend([b' '; 5_000]),
        27 => *body = [&[b'['; 200][..], body, &[b']'; 200]].concat(),
        28 => return "PUT",
        29 => return "OPTIONS",
        30 => return "HEAD",
        _ => {
            headers.retain(|(name, _)| !name.starts_with("mcp-"));
        }
    }
    method
}
