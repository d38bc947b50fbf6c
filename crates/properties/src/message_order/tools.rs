//! Tools whose every word carries the mark of whom they speak to, and that look for others' marks in
//! whatever they are told.

use super::people::{assert_own, mark, person};
use mcp::{
    BaseMetadata, Content, Contents, Freshness, Log, LogLevel, Output, Progress, Prompt,
    PromptMessage, PromptMessages, Resource, ResourceBody, ResourceContents, ResourcePage,
    ResourceTemplate, Role, ServerInfo, Suggestions, Tool, ToolDescription,
};
use mcpserver::{
    Call, Caller, Changed, Changes, Completion, Environment, Event, Events, Failure, InputRequest,
    InputRequired, Offer, OfferedPrompt, OfferedTool, PromptRequest, Read, ResourceOffer, Round,
    RoundResult, TaskUse, TestEnvironment, ToolProvider,
};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

fn metadata(name: &str) -> BaseMetadata {
    BaseMetadata {
        name: name.to_owned(),
        ..BaseMetadata::default()
    }
}

/// The tools; the names say what they do.
pub(super) const NAMES: [&str; 16] = [
    "tells",
    "asks",
    "asks_twice",
    "pauses",
    "hangs",
    "vanishes",
    "garbage",
    "refuses",
    "fails",
    "changes",
    "credential",
    "secret",
    "task",
    "task_that_asks",
    "task_only",
    "unknown",
];

pub(super) struct Tools(pub(super) TestEnvironment);

pub(super) struct Script {
    events: VecDeque<Event>,
    /// Before the last event.
    pause: Option<(Duration, TestEnvironment)>,
    hangs: bool,
}

impl Events for Script {
    async fn next(&mut self) -> Option<Event> {
        if self.events.len() <= 1 {
            if let Some((duration, environment)) = self.pause.take() {
                environment.sleep(duration).await;
            }
            if self.hangs {
                return futures::future::pending().await;
            }
        }
        self.events.pop_front()
    }
}

/// The caller's mark, if nothing of the request is anybody else's.
fn checked(caller: &Caller, request: &impl Debug) -> String {
    let person = person(&caller.profile.subject);
    assert_own(person, &format!("{request:?}"), "a request");
    mark(person)
}

fn done(text: String) -> Event {
    Event::Done(Output {
        content: vec![Content::text(text)],
        structured: None,
        is_error: false,
        meta: None,
    })
}

fn progress(mark: &str) -> Event {
    Event::Progress(Progress {
        progress: 1.0,
        total: None,
        message: Some(mark.to_owned()),
    })
}

fn log(mark: &str) -> Event {
    Event::Log(Log {
        level: LogLevel::Info,
        data: format!("{mark:?}"),
        logger: None,
    })
}

/// What was answered, or the questions, after which so many rounds are to come.
fn answered(round: &Round, mark: &str, rounds: usize) -> Result<String, InputRequired> {
    let before = round.state.as_deref().unwrap_or_default();
    if before.len() >= rounds * (mark.len() + 1) && !round.answers.is_empty() {
        return Ok(format!("{mark} {:?}", round.answers));
    }
    let question = |id: &str, method: &str, params: String| InputRequest {
        id: id.to_owned(),
        method: method.to_owned(),
        params,
    };
    let form = format!(
        r#"{{"message":"{mark}","requestedSchema":{{"type":"object","properties":{{}}}}}}"#
    );
    Err(InputRequired {
        requests: vec![
            question("name", "elicitation/create", form),
            question("roots", "roots/list", "{}".to_owned()),
        ],
        state: Some(format!("{before}{mark} ")),
    })
}

fn round_result<T>(answer: Result<T, InputRequired>) -> RoundResult<T> {
    answer.map_or_else(RoundResult::InputRequired, RoundResult::Complete)
}

fn text(uri: &str, text: String) -> Contents {
    Contents {
        parts: vec![ResourceContents {
            uri: uri.to_owned(),
            mime_type: None,
            body: ResourceBody::Text(text),
            meta: None,
        }],
        freshness: Freshness::default(),
    }
}

fn messages(text: String) -> PromptMessages {
    PromptMessages {
        description: Some(text.clone()),
        messages: vec![PromptMessage {
            role: Role::User,
            content: Content::text(text),
        }],
        meta: None,
    }
}

impl ToolProvider for Tools {
    type Events = Script;

    async fn describe(&self) -> Result<Offer, String> {
        let tool = |name: &str| {
            let tool = Tool::new(ToolDescription {
                name: name.to_owned(),
                input_schema: r#"{"type":"object"}"#.to_owned(),
                ..ToolDescription::default()
            });
            OfferedTool {
                tool: tool.expect("a good tool"),
                scopes: vec![if name == "secret" { "secret" } else { "tools" }.to_owned()],
                wants_credential: name == "credential",
                tasks: match name {
                    "task" | "task_that_asks" => TaskUse::Optional,
                    "task_only" => TaskUse::Required,
                    _ => TaskUse::Never,
                },
                component: None,
            }
        };
        let prompt = |name: &str| OfferedPrompt {
            prompt: Prompt {
                metadata: metadata(name),
                arguments: Vec::new(),
            },
            scopes: Vec::new(),
        };
        let known = NAMES.iter().filter(|name| **name != "unknown");
        Ok(Offer {
            server: ServerInfo::default(),
            instructions: None,
            tools: known.map(|name| tool(name)).collect(),
            prompts: vec![prompt("tells"), prompt("asks")],
            resources: Some(ResourceOffer {
                templates: vec![ResourceTemplate {
                    uri_template: "test:{name}".to_owned(),
                    metadata: metadata("test"),
                    mime_type: None,
                    annotations: None,
                }],
                scopes: Vec::new(),
                change_scopes: Vec::new(),
                wants_credential: true,
            }),
            completes: true,
            changes: Changes {
                tools: true,
                prompts: true,
                resources: true,
                resource_contents: true,
            },
            missing: Vec::new(),
            left_out: Vec::new(),
        })
    }

    async fn call(&self, call: Call) -> Result<Script, Failure> {
        let mark = checked(&call.caller, &call);
        let started = || vec![log(&mark), progress(&mark)];
        let (mut events, mut pause, mut hangs) = (started(), None, false);
        match call.name.as_str() {
            "secret" => {
                assert!(
                    call.caller.scopes.contains(&"secret".to_owned()),
                    "{call:?}"
                );
                events.push(done(mark));
            }
            "tells" => events.push(done(format!("{mark} {}", call.arguments))),
            "asks" | "asks_twice" => {
                let rounds = if call.name == "asks" { 1 } else { 2 };
                events = vec![match answered(&call.round, &mark, rounds) {
                    Ok(text) => done(text),
                    Err(questions) => Event::InputRequired(questions),
                }];
            }
            "pauses" => {
                pause = Some(Duration::from_secs(2));
                events.push(done(mark));
            }
            "hangs" => hangs = true,
            "vanishes" => {}
            "garbage" => events.push(Event::Done(Output {
                structured: Some("{".to_owned()),
                ..Output::error(mark)
            })),
            "refuses" => return Err(Failure::InvalidArguments(mark)),
            "fails" => return Err(Failure::Internal(mark)),
            "changes" => events.extend([
                Event::Changed(Changed::Tools),
                Event::Changed(Changed::Resource("test:one".to_owned())),
                done(mark),
            ]),
            "credential" => {
                let credential = call.caller.credential;
                events.push(done(format!("{credential:?}")));
            }
            "task" | "task_only" => {
                pause = Some(Duration::from_secs(1));
                events.push(done(mark));
            }
            "task_that_asks" => {
                events.push(match answered(&call.round, &mark, 1) {
                    Ok(text) => done(text),
                    Err(questions) => Event::InputRequired(questions),
                });
            }
            name => panic!("{name} was called"),
        }
        Ok(Script {
            events: events.into(),
            pause: pause.map(|pause| (pause, self.0.clone())),
            hangs,
        })
    }

    async fn list_resources(
        &self,
        caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        let mark = checked(&caller, &(&caller, &cursor));
        Ok(ResourcePage {
            resources: vec![Resource {
                uri: format!("test:{mark}"),
                metadata: metadata(&mark),
                mime_type: None,
                size: None,
                annotations: None,
            }],
            next_cursor: cursor.is_none().then(|| "2".to_owned()),
            freshness: Freshness::default(),
        })
    }

    async fn read_resource(&self, read: Read) -> Result<RoundResult<Contents>, Failure> {
        let mark = checked(&read.caller, &read);
        match read.uri.as_str() {
            "test:one" => Ok(RoundResult::Complete(text(&read.uri, format!("{read:?}")))),
            "test:asks" => {
                let answer = answered(&read.round, &mark, 1);
                Ok(round_result(answer.map(|answer| text(&read.uri, answer))))
            }
            _ => Err(Failure::NotFound),
        }
    }

    async fn get_prompt(
        &self,
        request: PromptRequest,
    ) -> Result<RoundResult<PromptMessages>, Failure> {
        let mark = checked(&request.caller, &request);
        if request.name == "asks" {
            return Ok(round_result(
                answered(&request.round, &mark, 1).map(messages),
            ));
        }
        Ok(RoundResult::Complete(messages(mark)))
    }

    async fn complete(&self, completion: Completion) -> Result<Suggestions, Failure> {
        let mark = checked(&completion.caller, &completion);
        Ok(Suggestions {
            values: vec![mark],
            total: None,
        })
    }
}
