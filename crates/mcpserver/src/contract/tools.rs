//! The contract with a tools component, as `wit/tools` has it.

use grants::is_client_subject;
use identity::Profile;
use mcp::{
    ClientCapabilities, Contents, Log, LogLevel, Output, Progress, Prompt, PromptMessages,
    Reference, ResourcePage, ResourceTemplate, ServerInfo, Suggestions, Tool,
};
use serde::{Deserialize, Serialize};

/// Everything there is.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The server.
    pub server: ServerInfo,
    /// How to use it, for the model.
    pub instructions: Option<String>,
    /// The tools.
    pub tools: Vec<OfferedTool>,
    /// The prompts.
    pub prompts: Vec<OfferedPrompt>,
    /// What holds for the resources, if there are any.
    pub resources: Option<ResourceOffer>,
    /// Whether arguments can be completed.
    pub completes: bool,
    /// What may change.
    pub changes: Changes,
}

/// A tool, and what calling it takes.
#[derive(Clone, Debug)]
pub struct OfferedTool {
    /// What clients see.
    pub tool: Tool,
    /// The scopes without which it is not called.
    pub scopes: Vec<String>,
    /// Whether calls get the person's credential.
    pub wants_credential: bool,
    /// Whether a call may become a task.
    pub tasks: TaskUse,
}

/// Whether a call may become a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskUse {
    /// The client waits.
    #[default]
    Never,
    /// One for clients that know tasks; the others wait.
    Optional,
    /// Clients that do not know tasks are refused.
    Required,
}

/// A prompt, and what asking for it takes.
#[derive(Clone, Debug)]
pub struct OfferedPrompt {
    /// What clients see.
    pub prompt: Prompt,
    /// The scopes without which it is not given.
    pub scopes: Vec<String>,
}

/// What holds for all resources.
#[derive(Clone, Debug, Default)]
pub struct ResourceOffer {
    /// Those whose URIs follow a pattern.
    pub templates: Vec<ResourceTemplate>,
    /// The scopes without which none is listed or read.
    pub scopes: Vec<String>,
    /// Whether reading gets the person's credential.
    pub wants_credential: bool,
}

/// What may change while people are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The list of tools.
    pub tools: bool,
    /// The list of prompts.
    pub prompts: bool,
    /// The list of resources.
    pub resources: bool,
    /// What single resources hold.
    pub resource_contents: bool,
}

impl Changes {
    /// Whether something may change that there is in the [`Offer`] itself.
    pub(crate) fn of_the_offer(self) -> bool {
        self.tools || self.prompts || self.resources
    }
}

/// Who something is done for.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The client, unless the person pasted a token.
    pub client_id: Option<String>,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// The person.
    pub profile: Profile,
    /// Their credential, if it is wanted and there is one.
    pub credential: Option<Credential>,
}

impl Caller {
    /// Returns whether a client acts for itself, and not for a person.
    pub fn is_client(&self) -> bool {
        is_client_subject(&self.profile.subject)
    }
}

/// A token of the identity provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The value of the Authorization header.
    Presented(String),
    /// The access token behind the grant.
    Upstream(String),
}

/// One time that something is asked, of perhaps several with answers in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// What the client can be asked.
    pub capabilities: ClientCapabilities,
    /// The least level of log messages that reaches anybody.
    pub log_level: Option<LogLevel>,
    /// What the client answered to the round before.
    pub answers: Vec<Answer>,
    /// What the round before left for this one.
    pub state: Option<String>,
}

/// What the client gave for an [`InputRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The question's.
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
    /// For whom.
    pub caller: Caller,
    /// Which time it is asked.
    pub round: Round,
    /// Whether progress reaches anybody.
    pub wants_progress: bool,
}

/// A resource to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Which.
    pub uri: String,
    /// For whom.
    pub caller: Caller,
    /// Which time it is asked.
    pub round: Round,
}

/// A prompt that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptRequest {
    /// Which.
    pub name: String,
    /// Names and values.
    pub arguments: Vec<(String, String)>,
    /// For whom.
    pub caller: Caller,
    /// Which time it is asked.
    pub round: Round,
}

/// An argument to be completed.
#[derive(Debug, PartialEq)]
pub struct Completion {
    /// Whose argument.
    pub reference: Reference,
    /// Its name, and what there is of it.
    pub argument: (String, String),
    /// The others, as far as they are known.
    pub known: Vec<(String, String)>,
    /// For whom.
    pub caller: Caller,
}

/// What happens in a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It got on.
    Progress(Progress),
    /// It has something to say.
    Log(Log),
    /// Something is no longer as it was.
    Changed(Changed),
    /// It is over until the client has answered.
    InputRequired(InputRequired),
    /// It is over.
    Done(Output),
}

/// What is no longer as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changed {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// What the resource with this URI holds.
    Resource(String),
}

/// Questions to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRequired {
    /// These.
    pub requests: Vec<InputRequest>,
    /// What the next round needs.
    pub state: Option<String>,
}

/// A question to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRequest {
    /// Tells the answers apart.
    pub id: String,
    /// An MCP method.
    pub method: String,
    /// A JSON object.
    pub params: String,
}

/// What came of asking for something that a client may have to be asked for in turn.
#[derive(Clone, Debug, PartialEq)]
pub enum RoundResult<T> {
    /// There it is.
    Complete(T),
    /// Not before the client has answered.
    InputRequired(InputRequired),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such tool, prompt or resource.
    NotFound,
    /// What is wrong with the arguments.
    InvalidArguments(String),
    /// There is nothing of the kind.
    Unsupported,
    /// For the log.
    Internal(String),
}

/// A tools component.
pub trait ToolProvider: Send + Sync + 'static {
    /// The events of a call; dropping them cancels it.
    type Events: Events;

    /// What there is. RoundResult for once per instance.
    ///
    /// # Errors
    ///
    /// What is wrong, for the log.
    fn describe(&self) -> impl Future<Output = Result<Offer, String>> + Send;

    /// Calls a tool.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn call(&self, call: Call) -> impl Future<Output = Result<Self::Events, Failure>> + Send;

    /// The resources that the caller may see, from `cursor` on.
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

    /// Gives a prompt.
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
    /// The next one; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send;
}
