//! Unit tests of tools, without a server.
//!
//! A function with an attribute is still a function: a test may call it, and [`block_on`] one that is `async`. A
//! [`TestClient`] calls by name what `server!` lists, as Gatehouse does: it checks scopes and schemas, answers
//! questions, and collects what is reported.
//!
//! ```
//! use gatehouse_sdk::{Log, Progress, json, testing::TestClient, tool};
//!
//! /// Counts.
//! #[tool]
//! async fn count(to: u32, progress: Progress, log: Log) -> String {
//!     for number in 1..=to {
//!         progress.report(number).of(to).await;
//!     }
//!     log.info("done").await;
//!     format!("I have counted to {to}.")
//! }
//!
//! gatehouse_sdk::server!(tools: [count]);
//!
//! # fn main() {
//! let client = TestClient::new(&SERVER);
//! let outcome = client.call("count", json!({ "to": 3 })).unwrap();
//! assert_eq!(outcome.text(), "I have counted to 3.");
//! assert_eq!(outcome.progress.len(), 3);
//! assert_eq!(outcome.log[0].data, "\"done\"");
//!
//! let refused = client.scopes(&[]).call("count", json!({ "to": 3 })).unwrap_err();
//! assert_eq!(refused.to_string(), "the caller lacks the scope `tools`");
//! # }
//! ```

use crate::bindings::contract::{
    self, Answer, Argument, Call, CallerKind, Changed, Completion, CompletionTarget, Content,
    ContentBody, Contents, Credential, Event, Failure, InputRequired, Log, LogLevel, Offer, Output,
    Profile, Progress, PromptMessage, PromptRequest, Prompting, Read, Reading,
};
use crate::bindings::contract::{Caller, ClientCapabilities};
use crate::http;
use crate::key_value;
use crate::running::Step;
use crate::server::{Server, at_once, at_the_end};
use crate::variable::native as variables;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

pub use crate::key_value::MemoryStore;

/// A client in a test, and the person who uses it.
#[derive(Clone)]
pub struct TestClient {
    server: &'static Server,
    caller: Caller,
    capabilities: ClientCapabilities,
    answers: BTreeMap<String, Value>,
    http: Option<http::Answerer>,
    variables: variables::Variables,
    stores: key_value::Stores,
}

/// What a call comes to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The content blocks.
    pub content: Vec<Content>,
    /// The structured content.
    pub structured: Option<Value>,
    /// Whether the content tells of an error, for the model.
    pub is_error: bool,
    /// The progress that was reported.
    pub progress: Vec<Progress>,
    /// The log messages, whose `data` is JSON.
    pub log: Vec<Log>,
    /// The changes that were reported.
    pub changed: Vec<Changed>,
    /// The questions, as they were asked: the ids, and the parameters.
    pub questions: Vec<(String, Value)>,
}

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no tool, prompt or resource of that name.
    #[error("there is no `{0}`")]
    NotFound(String),
    /// Gatehouse would ask the person for the scope.
    #[error("the caller lacks the scope `{0}`")]
    MissingScope(String),
    /// The arguments do not fit: the model would be told.
    #[error("invalid arguments: {0}")]
    InvalidArguments(String),
    /// The structured content does not fit the output schema: the client would get an error.
    #[error("invalid structured content: {0}")]
    InvalidOutput(String),
    /// A schema is no JSON Schema: the tool would be left out.
    #[error("invalid schema: {0}")]
    InvalidSchema(String),
    /// The test has no answer to the question.
    #[error("the test has no answer to the question `{0}`")]
    Unanswered(String),
    /// An error for the operator's log.
    #[error("{0}")]
    Internal(String),
}

impl TestClient {
    /// Makes a client of a person with every scope that the server names, which can be asked everything.
    pub fn new(server: &'static Server) -> Self {
        let offer = server.offer();
        let tools = offer.tools.into_iter().flat_map(|tool| tool.scopes);
        let prompts = offer.prompts.into_iter().flat_map(|prompt| prompt.scopes);
        let resources = offer.resources.into_iter().flat_map(|offer| offer.scopes);
        let mut scopes: Vec<String> = tools.chain(prompts).chain(resources).collect();
        scopes.sort();
        scopes.dedup();
        Self {
            server,
            caller: Caller {
                kind: CallerKind::Person,
                subject: "test-person".to_owned(),
                client_id: Some("test-client".to_owned()),
                scopes,
                profile: Profile {
                    name: Some("Test Person".to_owned()),
                    email: Some("test@example.com".to_owned()),
                    email_verified: Some(true),
                    picture: None,
                    claims: "{}".to_owned(),
                },
                credential: None,
            },
            capabilities: ClientCapabilities {
                elicits_forms: true,
                elicits_urls: true,
                samples: true,
                samples_with_tools: true,
                lists_roots: true,
            },
            answers: BTreeMap::new(),
            http: None,
            variables: variables::Variables::new(),
            stores: key_value::Stores::new(),
        }
    }

    /// With a caller that `change` makes another one: `client.caller(|caller| caller.subject = "U1".into())`.
    pub fn caller(mut self, change: impl FnOnce(&mut Caller)) -> Self {
        change(&mut self.caller);
        self
    }

    /// With these scopes.
    pub fn scopes(self, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.caller(|caller| caller.scopes = scopes)
    }

    /// With these claims, an object.
    pub fn claims(self, claims: &Value) -> Self {
        self.caller(|caller| caller.profile.claims = claims.to_string())
    }

    /// With a token of the identity provider.
    pub fn credential(self, token: &str) -> Self {
        let credential = Credential::Upstream(token.to_owned());
        self.caller(|caller| caller.credential = Some(credential))
    }

    /// With a client that can be asked this, and no more.
    pub fn capabilities(mut self, capabilities: ClientCapabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// With a client that can be asked nothing, as many are.
    pub fn without_capabilities(self) -> Self {
        self.capabilities(ClientCapabilities {
            elicits_forms: false,
            elicits_urls: false,
            samples: false,
            samples_with_tools: false,
            lists_roots: false,
        })
    }

    /// With a person who fills in the form of this id.
    pub fn accepts(self, id: &str, content: Value) -> Self {
        self.answers(
            id,
            serde_json::json!({ "action": "accept", "content": content }),
        )
    }

    /// With a person who declines the question of this id.
    pub fn declines(self, id: &str) -> Self {
        self.answers(id, serde_json::json!({ "action": "decline" }))
    }

    /// With this result of the question of this id.
    pub fn answers(mut self, id: &str, result: Value) -> Self {
        self.answers.insert(id.to_owned(), result);
        self
    }

    /// With this in the place of the network.
    pub fn http(mut self, answer: impl Fn(&http::Request) -> http::Response + 'static) -> Self {
        self.http = Some(Rc::new(answer));
        self
    }

    /// With a variable of this value. There are no others.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With this as the store of this name. There are no others.
    pub fn store(mut self, name: &str, store: &MemoryStore) -> Self {
        self.stores.insert(name.to_owned(), store.clone());
        self
    }

    /// Returns what the server offers.
    pub fn offer(&self) -> Offer {
        self.server.offer()
    }

    /// Calls a tool.
    ///
    /// # Errors
    ///
    /// [`CallError`]. An error for the model is an [`Outcome`] with `is_error`.
    pub fn call(&self, name: &str, arguments: Value) -> Result<Outcome, CallError> {
        let tools = self.offer().tools;
        let tool = tools.into_iter().find(|tool| tool.name == name);
        let tool = tool.ok_or_else(|| CallError::NotFound(name.to_owned()))?;
        self.require(&tool.scopes)?;
        if let Some(fault) = fault(&tool.input_schema, &arguments)? {
            return Err(CallError::InvalidArguments(fault));
        }
        let caller = self.caller_for(tool.wants_credential);

        let mut outcome = Outcome::default();
        let mut questions = Vec::new();
        let output = self.rounds(name, caller, &mut questions, |context| {
            let call = Call {
                name: name.to_owned(),
                arguments: arguments.to_string(),
                context,
            };
            self.run(call, &mut outcome)
        })?;
        outcome.questions = questions;
        outcome.content = output.content;
        outcome.is_error = output.is_error;
        if let Some(structured) = output.structured {
            let structured = serde_json::from_str(&structured);
            let structured: Value =
                structured.map_err(|error| CallError::InvalidOutput(error.to_string()))?;
            outcome.structured = Some(structured);
        }
        match (&tool.output_schema, &outcome.structured) {
            _ if outcome.is_error => {}
            (Some(_), None) => {
                return Err(CallError::InvalidOutput("there is none".to_owned()));
            }
            (Some(schema), Some(structured)) => {
                if let Some(fault) = fault(schema, structured)? {
                    return Err(CallError::InvalidOutput(fault));
                }
            }
            (None, _) => {}
        }
        Ok(outcome)
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub fn read(&self, uri: &str) -> Result<Contents, CallError> {
        let resources = self.offer().resources;
        let resources = resources.ok_or_else(|| CallError::NotFound(uri.to_owned()))?;
        self.require(&resources.scopes)?;
        let caller = self.caller_for(resources.wants_credential);
        self.rounds(uri, caller, &mut Vec::new(), |context| {
            let read = Read {
                uri: uri.to_owned(),
                context,
            };
            match self.finish(self.server.read(read))? {
                Reading::Contents(contents) => Ok(Round::Ended(contents)),
                Reading::InputRequired(input_required) => Ok(Round::InputRequired(input_required)),
            }
        })
    }

    /// Asks for a prompt.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub fn prompt(
        &self,
        name: &str,
        arguments: &[(&str, &str)],
    ) -> Result<Vec<PromptMessage>, CallError> {
        let prompts = self.offer().prompts;
        let prompt = prompts.into_iter().find(|prompt| prompt.name == name);
        let prompt = prompt.ok_or_else(|| CallError::NotFound(name.to_owned()))?;
        self.require(&prompt.scopes)?;
        for argument in prompt.arguments.iter().filter(|argument| argument.required) {
            if !arguments.iter().any(|(given, _)| *given == argument.name) {
                let text = format!("`{}` is missing", argument.name);
                return Err(CallError::InvalidArguments(text));
            }
        }
        let messages = self.rounds(name, self.caller_for(false), &mut Vec::new(), |context| {
            let request = PromptRequest {
                name: name.to_owned(),
                arguments: arguments.iter().map(argument).collect(),
                context,
            };
            match self.finish(self.server.prompt(request))? {
                Prompting::Messages(messages) => Ok(Round::Ended(messages)),
                Prompting::InputRequired(input_required) => {
                    Ok(Round::InputRequired(input_required))
                }
            }
        })?;
        Ok(messages.messages)
    }

    /// Completes an argument of a prompt, or a variable of the URI template that `of` is.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub fn complete(
        &self,
        of: &str,
        argument: &str,
        typed: &str,
    ) -> Result<Vec<String>, CallError> {
        let target = if of.contains(':') {
            CompletionTarget::Resource(of.to_owned())
        } else {
            CompletionTarget::Prompt(of.to_owned())
        };
        let completion = Completion {
            target,
            argument: Argument {
                name: argument.to_owned(),
                value: typed.to_owned(),
            },
            known: Vec::new(),
            caller: self.caller_for(false),
        };
        let completed = self.finish(self.server.complete(completion));
        completed
            .map(|suggestions| suggestions.values)
            .map_err(|error| named(error, of))
    }

    fn require(&self, scopes: &[String]) -> Result<(), CallError> {
        let missing = scopes.iter().find(|scope| !self.caller.has_scope(scope));
        missing.map_or(Ok(()), |scope| Err(CallError::MissingScope(scope.clone())))
    }

    fn caller_for(&self, wants_credential: bool) -> Caller {
        let credential = self.caller.credential.clone();
        Caller {
            credential: credential.filter(|_| wants_credential),
            ..self.caller.clone()
        }
    }

    /// Makes rounds until there are no more questions. What was asked in a round is in `asked`.
    fn rounds<T>(
        &self,
        name: &str,
        caller: Caller,
        asked: &mut Vec<(String, Value)>,
        mut round: impl FnMut(contract::Context) -> Result<Round<T>, CallError>,
    ) -> Result<T, CallError> {
        let mut answers = Vec::new();
        let mut state = None;
        loop {
            let context = contract::Context {
                caller: caller.clone(),
                capabilities: self.capabilities,
                wants_progress: true,
                log_level: Some(LogLevel::Debug),
                answers: std::mem::take(&mut answers),
                state: state.take(),
            };
            let input_required = match round(context).map_err(|error| named(error, name))? {
                Round::Ended(ended) => return Ok(ended),
                Round::InputRequired(input_required) => input_required,
            };
            state = input_required.state;
            for question in input_required.requests {
                let params = serde_json::from_str(&question.params).unwrap_or_default();
                asked.push((question.id.clone(), params));
                let answer = self.answers.get(&question.id);
                let answer = answer.ok_or_else(|| CallError::Unanswered(question.id.clone()))?;
                answers.push(Answer {
                    id: question.id,
                    result: answer.to_string(),
                });
            }
        }
    }

    /// Runs a call to its end, and collects what it reports.
    fn run(&self, call: Call, outcome: &mut Outcome) -> Result<Round<Output>, CallError> {
        let mut call = self.server.begin(call).map_err(failed)?;
        let mut has_reported = false;
        loop {
            let step = self.given(|| block_on(call.next()));
            let ended = match step {
                Step::Event(event) => {
                    has_reported = true;
                    match event {
                        Event::Progress(progress) => outcome.progress.push(progress),
                        Event::Log(log) => outcome.log.push(log),
                        Event::Changed(changed) => outcome.changed.push(changed),
                        Event::InputRequired(_) | Event::Done(_) => {}
                    }
                    continue;
                }
                Step::InputRequired(input_required) => {
                    return Ok(Round::InputRequired(input_required));
                }
                Step::Ended(ended) => ended,
            };
            if has_reported {
                let message = ended.as_ref().err().map(ToString::to_string);
                let output = at_the_end(ended);
                return output
                    .map(Round::Ended)
                    .ok_or(CallError::Internal(message.unwrap_or_default()));
            }
            return match at_once(ended).map_err(failed)? {
                contract::CallResult::Done(output) => Ok(Round::Ended(output)),
                contract::CallResult::InputRequired(asked) => Ok(Round::InputRequired(asked)),
                contract::CallResult::Running(_) => Err(CallError::Internal(String::new())),
            };
        }
    }

    fn finish<T>(&self, future: impl Future<Output = Result<T, Failure>>) -> Result<T, CallError> {
        self.given(|| block_on(future)).map_err(failed)
    }

    /// Gives network, variables and stores to what `run` calls.
    fn given<T>(&self, run: impl FnOnce() -> T) -> T {
        let run = || key_value::given(self.stores.clone(), run);
        let run = || variables::given(self.variables.clone(), run);
        http::answered_by(self.http.clone(), run)
    }
}

impl std::fmt::Debug for TestClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestClient")
            .field("server", &self.server.name)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

impl Outcome {
    /// Returns the texts among the content blocks, a line each.
    pub fn text(&self) -> String {
        let texts = self
            .content
            .iter()
            .filter_map(|content| match &content.body {
                ContentBody::Text(text) => Some(text.as_str()),
                _ => None,
            });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn argument(&(name, value): &(&str, &str)) -> Argument {
    Argument {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// The end of one round of a request.
enum Round<T> {
    Ended(T),
    /// The client has to answer these questions first.
    InputRequired(InputRequired),
}

/// Returns what is wrong with a value; `None` if it fits the schema.
fn fault(schema: &str, value: &Value) -> Result<Option<String>, CallError> {
    let invalid = |error: String| CallError::InvalidSchema(format!("{error}: {schema}"));
    let parsed: Map<String, Value> =
        serde_json::from_str(schema).map_err(|error| invalid(error.to_string()))?;
    let validator = jsonschema::validator_for(&Value::Object(parsed));
    let validator = validator.map_err(|error| invalid(error.to_string()))?;
    let fault = validator.validate(value).err();
    Ok(fault.map(|error| match error.instance_path().to_string() {
        path if path.is_empty() => error.to_string(),
        path => format!("{path}: {error}"),
    }))
}

fn failed(failure: Failure) -> CallError {
    match failure {
        Failure::NotFound | Failure::Unsupported => CallError::NotFound(String::new()),
        Failure::InvalidArguments(text) => CallError::InvalidArguments(text),
        Failure::Internal(text) => CallError::Internal(text),
    }
}

fn named(error: CallError, name: &str) -> CallError {
    match error {
        CallError::NotFound(_) => CallError::NotFound(name.to_owned()),
        other => other,
    }
}
