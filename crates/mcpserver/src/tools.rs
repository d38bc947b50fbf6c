//! Tools, as `wit/tools` has them.

use grants::Profile;
use mcp::{Output, Progress, Tool};

/// A tool, and what calling it takes.
#[derive(Clone, Debug)]
pub struct OfferedTool {
    /// What clients see.
    pub tool: Tool,
    /// The scopes without which it is not called.
    pub scopes: Vec<String>,
    /// Whether calls get the person's credential.
    pub wants_credential: bool,
}

/// Who a call is made for.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The client, unless the person pasted a token.
    pub client_id: Option<String>,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// The person.
    pub profile: Profile,
    /// Their credential, if the tool wants it and there is one.
    pub credential: Option<Credential>,
}

/// A token of the identity provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The value of the Authorization header.
    Presented(String),
    /// The access token behind the grant.
    Upstream(String),
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
    /// Whether progress reaches anybody.
    pub wants_progress: bool,
}

/// What happens in a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It got on.
    Progress(Progress),
    /// It has something to say. This server offers no logging, so nobody hears it.
    Log,
    /// It asks the client for something. No client can be asked yet.
    InputRequired,
    /// It is over.
    Done(Output),
}

/// Why a call did not begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such tool.
    UnknownTool,
    /// What is wrong with the arguments.
    InvalidArguments(String),
    /// There are no tools at all.
    Unsupported,
    /// For the log.
    Internal(String),
}

/// Whoever offers the tools.
pub trait ToolProvider: Send + Sync + 'static {
    /// The events of a call; dropping them cancels it.
    type Events: Events;

    /// Every tool. Asked for once per instance.
    ///
    /// # Errors
    ///
    /// What is wrong, for the log.
    fn list(&self) -> impl Future<Output = Result<Vec<OfferedTool>, String>> + Send;

    /// Calls a tool.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn call(&self, call: Call) -> impl Future<Output = Result<Self::Events, Failure>> + Send;
}

/// The events of a call.
pub trait Events: Send + 'static {
    /// The next one; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Option<Event>> + Send;
}
