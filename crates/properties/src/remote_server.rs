//! Responses of a remote MCP server.

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use http_body_util::Full;
use mcp_client::{Client, Environment, EventReader, SendError, Settings};
use serde_json::Value;
use std::sync::Mutex;
use std::time::Duration;
use tools_export::{
    Argument, Call, Caller, CallerKind, ClientCapabilities, Completion, CompletionTarget, Context,
    Event, Profile, PromptRequest, Provider, Read, Steps,
};

/// What a remote MCP server answers: the first line has the status and the media type of every response, and the rest is
/// its body. Whatever it is, each request ends, and what is offered can be offered.
pub fn remote_server(data: &[u8]) {
    events(data);
    let end = data
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(data.len());
    let (head, body) = data.split_at(end);
    let body = Bytes::copy_from_slice(body.get(1..).unwrap_or_default());
    let head = String::from_utf8_lossy(head).into_owned();
    let (status, media_type) = head.split_once(' ').unwrap_or(("200", "application/json"));
    let status = status
        .parse()
        .ok()
        .filter(|status| (200..600).contains(status));
    for revision in ["2026-07-28", "2025-11-25", "auto"] {
        let settings = Settings::read(|name| match name {
            "url" => Some("https://remote.example/mcp"),
            "prefix" => Some("r_"),
            "repeat" => Some("*"),
            "max_bytes" => Some("100000"),
            "revision" => Some(revision),
            _ => None,
        });
        let server = Server {
            status: status.unwrap_or(200),
            media_type: media_type.to_owned(),
            body: body.clone(),
            clock: Mutex::default(),
        };
        block_on(use_all(&Client::new(settings, server)));
    }
}

/// A stream of events is read in the same way in whatever portions it comes.
fn events(data: &[u8]) {
    let read = |portion: usize| {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for bytes in data.chunks(portion) {
            reader.push(bytes);
            events.extend(std::iter::from_fn(|| reader.next_event()));
        }
        (events, reader.last_id().map(<[u8]>::to_vec), reader.retry())
    };
    let whole = read(data.len().max(1));
    assert_eq!(read(1), whole);
    assert_eq!(read(3), whole);
    assert!(whole.0.iter().all(|event| !event.is_empty()));
}

async fn use_all(client: &Client<Server>) {
    if let Ok(offer) = client.describe().await {
        let mut names: Vec<_> = offer.tools.iter().map(|tool| &tool.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), offer.tools.len(), "each name is there once");
        for tool in &offer.tools {
            assert!(tool.name.starts_with("r_") && tool.name.len() <= 128);
            let schema: Value = serde_json::from_str(&tool.input_schema).expect("JSON");
            assert_eq!(schema["type"], "object");
            let json = [&tool.output_schema, &tool.meta].into_iter().flatten();
            assert!(json.into_iter().all(|json| is_object(json)));
        }
        assert!(
            offer
                .prompts
                .iter()
                .all(|prompt| prompt.name.starts_with("r_"))
        );
    }
    if let Ok(mut steps) = client.call_tool(call()).await {
        loop {
            match steps.next().await {
                Ok(Event::Done(output)) => {
                    let structured = output.structured.as_deref();
                    assert!(structured.is_none_or(|json| {
                        serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok()
                    }));
                    assert!(output.meta.as_deref().is_none_or(is_object));
                    break;
                }
                Ok(Event::InputRequired(asked)) => {
                    assert!(!asked.requests.is_empty() || asked.state.is_some());
                    assert!(
                        asked
                            .requests
                            .iter()
                            .all(|request| is_object(&request.params))
                    );
                    break;
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
    let Call { context, .. } = call();
    drop(client.list_resources(context.caller.clone(), None).await);
    let uri = "a:b".to_owned();
    drop(
        client
            .read_resource(Read {
                uri,
                context: context.clone(),
            })
            .await,
    );
    let argument = Argument {
        name: "a".to_owned(),
        value: "b".to_owned(),
    };
    let completion = Completion {
        target: CompletionTarget::Prompt("r_p".to_owned()),
        argument: argument.clone(),
        known: Vec::new(),
        caller: context.caller.clone(),
    };
    if let Ok(suggested) = client.complete(completion).await {
        assert!(suggested.values.len() <= 100);
    }
    let prompt = PromptRequest {
        name: "r_p".to_owned(),
        arguments: vec![argument],
        context,
    };
    drop(client.get_prompt(prompt).await);
}

fn is_object(json: &str) -> bool {
    // Not as a `Value`: it may be nested deeper than those.
    json.starts_with('{') && serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok()
}

fn call() -> Call {
    let caller = Caller {
        kind: CallerKind::Person,
        subject: "person".to_owned(),
        client_id: None,
        scopes: Vec::new(),
        profile: Profile {
            name: None,
            email: None,
            email_verified: None,
            picture: None,
            claims: "{}".to_owned(),
        },
        credential: None,
    };
    Call {
        name: "r_t".to_owned(),
        arguments: "{}".to_owned(),
        context: Context {
            caller,
            capabilities: ClientCapabilities {
                elicits_forms: true,
                elicits_urls: true,
                samples: true,
                samples_with_tools: true,
                lists_roots: true,
            },
            wants_progress: true,
            log_level: Some(tools_export::LogLevel::Debug),
            answers: Vec::new(),
            state: None,
        },
    }
}

/// A server that answers everything with the same, and a clock that goes as fast as it is waited for.
struct Server {
    status: u16,
    media_type: String,
    body: Bytes,
    clock: Mutex<Duration>,
}

impl Environment for Server {
    type Body = Full<Bytes>;

    const SESSION_IDLE: Duration = Duration::ZERO;

    async fn open(
        &self,
        _request: Request<Bytes>,
        _limit: Duration,
    ) -> Result<Response<Full<Bytes>>, SendError> {
        let response = Response::builder().status(self.status);
        let response = response.header("content-type", &self.media_type);
        response
            .header("mcp-session-id", "session")
            .body(Full::new(self.body.clone()))
            .map_err(|error| SendError::Unreachable(error.to_string()))
    }

    fn elapsed(&self) -> Duration {
        *self.clock.lock().expect("a clock")
    }

    fn random(&self) -> u64 {
        0
    }

    async fn sleep(&self, duration: Duration) {
        *self.clock.lock().expect("a clock") += duration;
    }

    fn spawn(&self, _work: impl Future<Output = ()> + Send + 'static) {}
}
