//! The contract with a tools component, as `wit/tools` has it.

use grants::is_client_subject;
use identity::Profile;
use mcp::{
    ClientCapabilities, Contents, Log, LogLevel, Output, Progress, Prompt, PromptMessages,
    Reference, ResourcePage, ResourceTemplate, ServerInfo, Suggestions, Tool,
};
use serde::{Deserialize, Serialize};

/// The tools, prompts and resources of a component.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The server.
    pub server: ServerInfo,
    /// The server's instructions, for the model.
    pub instructions: Option<String>,
    /// The tools.
    pub tools: Vec<OfferedTool>,
    /// The prompts.
    pub prompts: Vec<OfferedPrompt>,
    /// `None` without resources.
    pub resources: Option<ResourceOffer>,
    /// Whether arguments can be completed.
    pub completes: bool,
    /// The lists that may change.
    pub changes: Changes,
    /// Why something is missing that may be there later, for the log: the offer is read again soon.
    pub missing: Vec<String>,
    /// Why something is left out that cannot be offered, for the log.
    pub left_out: Vec<String>,
}

/// A tool, and what a call of it requires.
#[derive(Clone, Debug)]
pub struct OfferedTool {
    /// The description for clients.
    pub tool: Tool,
    /// The scopes without which it is not called.
    pub scopes: Vec<String>,
    /// Whether calls get the person's credential.
    pub wants_credential: bool,
    /// Whether a call may become a task.
    pub tasks: TaskUse,
    /// The component of the manifest that has it; `None`: the composed one.
    pub component: Option<String>,
}

/// Whether a call may become a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskUse {
    /// Never: the client waits for the result.
    #[default]
    Never,
    /// For clients that know tasks. Other clients wait for the result.
    Optional,
    /// Clients that do not know tasks are refused.
    Required,
}

/// A prompt, and what getting it requires.
#[derive(Clone, Debug)]
pub struct OfferedPrompt {
    /// The description for clients.
    pub prompt: Prompt,
    /// The scopes without which it is not given.
    pub scopes: Vec<String>,
}

/// What holds for all resources.
#[derive(Clone, Debug, Default)]
pub struct ResourceOffer {
    /// The resource templates.
    pub templates: Vec<ResourceTemplate>,
    /// The scopes without which none is listed or read.
    pub scopes: Vec<String>,
    /// The scopes without which no change of them is told.
    pub change_scopes: Vec<String>,
    /// Whether listing and reading get the person's credential.
    pub wants_credential: bool,
}

/// What may change while clients are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The list of tools.
    pub tools: bool,
    /// The list of prompts.
    pub prompts: bool,
    /// The list of resources.
    pub resources: bool,
    /// The contents of resources.
    pub resource_contents: bool,
}

impl Changes {
    /// Returns whether a part of the [`Offer`] may change.
    pub(crate) fn of_the_offer(self) -> bool {
        self.tools || self.prompts || self.resources
    }
}

/// The caller of a tool, or of another method.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The client, unless the person pasted a token.
    pub client_id: Option<String>,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// The person.
    pub profile: Profile,
    /// The person's credential, if the tool wants it and there is one.
    pub credential: Option<Credential>,
}

impl Caller {
    /// Returns whether a client acts for itself, and not for a person.
    pub fn is_client(&self) -> bool {
        is_client_subject(&self.profile.subject)
    }
}

/// A token of the identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The value of the Authorization header.
    Presented(String),
    /// The access token behind the grant.
    Upstream(String),
}

/// A round of a request, of which there may be several with the client's responses in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// The client's capabilities.
    pub capabilities: ClientCapabilities,
    /// The least level of log messages that reaches the client.
    pub log_level: Option<LogLevel>,
    /// The client's responses to the requests of the round before.
    pub answers: Vec<Answer>,
    /// The state that the round before returned.
    pub state: Option<String>,
}

/// The client's response to an [`InputRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The id of the request.
    pub id: String,
    /// A JSON object.
    pub result: String,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// A JSON object.
    pub arguments: String,
    /// The caller.
    pub caller: Caller,
    /// The round of the request.
    pub round: Round,
    /// Whether progress reaches the client.
    pub wants_progress: bool,
}

/// A request to read a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The resource.
    pub uri: String,
    /// The caller.
    pub caller: Caller,
    /// The round of the request.
    pub round: Round,
}

/// A request for a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptRequest {
    /// The prompt.
    pub name: String,
    /// Names and values.
    pub arguments: Vec<(String, String)>,
    /// The caller.
    pub caller: Caller,
    /// The round of the request.
    pub round: Round,
}

/// A request to complete an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The prompt or resource template.
    pub reference: Reference,
    /// The name of the argument, and its value so far.
    pub argument: (String, String),
    /// The names and values of other arguments, as far as they are known.
    pub known: Vec<(String, String)>,
    /// The caller.
    pub caller: Caller,
}

/// An event of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Progress.
    Progress(Progress),
    /// A log message.
    Log(Log),
    /// A change that clients are notified of.
    Changed(Changed),
    /// The round ends with requests to the client.
    InputRequired(InputRequired),
    /// The result.
    Done(Output),
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changed {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// The contents of the resource with this URI.
    Resource(String),
}

/// Requests to the client, whose responses the next round gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRequired {
    /// The requests.
    pub requests: Vec<InputRequest>,
    /// The state for the next round.
    pub state: Option<String>,
}

/// A request to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRequest {
    /// Identifies the response.
    pub id: String,
    /// An MCP method.
    pub method: String,
    /// A JSON object.
    pub params: String,
}

/// The result of a round.
#[derive(Clone, Debug, PartialEq)]
pub enum RoundResult<T> {
    /// The final result.
    Complete(T),
    /// Another round follows the client's responses.
    InputRequired(InputRequired),
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such tool, prompt or resource.
    NotFound,
    /// What is wrong with the arguments.
    InvalidArguments(String),
    /// The component does not support the method.
    Unsupported,
    /// The caller lacks one of these scopes.
    InsufficientScope(Vec<String>),
    /// Any other failure, for the log.
    Internal(String),
}

/// A tools component.
pub trait ToolProvider: Send + Sync + 'static {
    /// The events of a call; dropping them cancels it.
    type Events: Events;

    /// Returns the offer. Called once per instance, and again after changes.
    ///
    /// # Errors
    ///
    /// Fails with the reason, for the log.
    fn describe(&self) -> impl Future<Output = Result<Offer, String>> + Send;

    /// Calls a tool.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn call(&self, call: Call) -> impl Future<Output = Result<Self::Events, Failure>> + Send;

    /// Returns the resources that the caller may see, from `cursor` on.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn list_resources(
        &self,
        caller: Caller,
        cursor: Option<String>,
    ) -> impl Future<Output = Result<ResourcePage, Failure>> + Send;

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn read_resource(
        &self,
        read: Read,
    ) -> impl Future<Output = Result<RoundResult<Contents>, Failure>> + Send;

    /// Returns a prompt.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn get_prompt(
        &self,
        request: PromptRequest,
    ) -> impl Future<Output = Result<RoundResult<PromptMessages>, Failure>> + Send;

    /// Completes an argument.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn complete(
        &self,
        completion: Completion,
    ) -> impl Future<Output = Result<Suggestions, Failure>> + Send;
}

/// The events of a call.
pub trait Events: Send + 'static {
    /// Returns the next event; `None` after the last.
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send;
}
