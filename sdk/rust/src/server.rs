//! A server, as `server!` defines it, and the calls of its functions.

use crate::bindings::contract::{
    self, CallResult, Completion as CompletionRequest, CompletionTarget, Content, Failure,
    PromptRequest, Prompting, Read, Reading, Suggestions,
};
use crate::complete::{Completer, Completion};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::icon::Icon;
use crate::prompt::{Message, PromptDefinition};
use crate::resource::ResourceDefinition;
use crate::running::Running;
use crate::tool::ToolDefinition;
use crate::uri_template;
use std::io::Write;

/// A server: who it is, and what it offers. `server!` makes one.
#[derive(Debug)]
pub struct Server {
    #[doc(hidden)]
    pub name: &'static str,
    #[doc(hidden)]
    pub title: Option<&'static str>,
    #[doc(hidden)]
    pub version: &'static str,
    #[doc(hidden)]
    pub description: Option<&'static str>,
    #[doc(hidden)]
    pub icons: &'static [Icon],
    #[doc(hidden)]
    pub website: Option<&'static str>,
    #[doc(hidden)]
    pub instructions: Option<&'static str>,
    #[doc(hidden)]
    pub tools: &'static [ToolDefinition],
    #[doc(hidden)]
    pub resources: &'static [ResourceDefinition],
    #[doc(hidden)]
    pub scopes: &'static [&'static str],
    #[doc(hidden)]
    pub resource_scopes: Option<&'static [&'static str]>,
    #[doc(hidden)]
    pub prompts: &'static [PromptDefinition],
    #[doc(hidden)]
    pub changes: AnnouncedChanges,
}

/// What may change while people are connected.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AnnouncedChanges {
    pub tools: bool,
    pub prompts: bool,
    pub resources: bool,
    pub resource_contents: bool,
}

/// Returns what has to be there.
pub const fn required(value: Option<&'static str>) -> &'static str {
    match value {
        Some(value) => value,
        None => "",
    }
}

/// Returns the text if there is one.
pub const fn non_empty(text: &'static str) -> Option<&'static str> {
    if text.is_empty() { None } else { Some(text) }
}

/// A call of a tool that runs.
pub(crate) type RunningCall = Running<Result<contract::Output>>;

impl Server {
    /// Begins a call of a tool. Nothing of it has run yet.
    pub(crate) fn begin(&self, call: contract::Call) -> Result<RunningCall, Failure> {
        let tool = self.tools.iter().find(|tool| tool.name == call.name);
        let tool = tool.ok_or(Failure::NotFound)?;
        let context = Context::new(call.context);
        let work = (tool.call)(call.arguments, context.clone());
        Ok(Running::new(context, work))
    }

    /// Reads a resource: one of this URI, or the first template that fits.
    pub(crate) async fn read(&self, read: Read) -> Result<Reading, Failure> {
        let fitting = |resource: &&ResourceDefinition| {
            uri_template::variables(resource.uri, &read.uri).is_some()
        };
        let exact = |resource: &&ResourceDefinition| !resource.is_template;
        let mut resources = self.resources.iter().filter(exact);
        let mut templates = self
            .resources
            .iter()
            .filter(|resource| resource.is_template);
        let resource = resources.find(fitting).or_else(|| templates.find(fitting));
        let resource = resource.ok_or(Failure::NotFound)?;
        let variables = uri_template::variables(resource.uri, &read.uri).unwrap_or_default();
        let context = Context::new(read.context);
        let work = (resource.read)(variables, context.clone());
        match Running::new(context, work).finish().await {
            Ok(Ok(contents)) => Ok(Reading::Contents(resource.contents(&read.uri, contents))),
            Ok(Err(error)) => Err(error.into_failure()),
            Err(input_required) => Ok(Reading::InputRequired(input_required)),
        }
    }

    /// Returns a prompt.
    pub(crate) async fn prompt(&self, request: PromptRequest) -> Result<Prompting, Failure> {
        let prompt = self
            .prompts
            .iter()
            .find(|prompt| prompt.name == request.name);
        let prompt = prompt.ok_or(Failure::NotFound)?;
        let context = Context::new(request.context);
        let work = (prompt.get)(pairs(request.arguments), context.clone());
        match Running::new(context, work).finish().await {
            Ok(Ok(messages)) => Ok(Prompting::Messages(Message::all(messages))),
            Ok(Err(error)) => Err(error.into_failure()),
            Err(input_required) => Ok(Prompting::InputRequired(input_required)),
        }
    }

    /// Completes an argument.
    pub(crate) async fn complete(
        &self,
        request: CompletionRequest,
    ) -> Result<Suggestions, Failure> {
        let Some(completer) = self.completer(&request)? else {
            return Ok(Suggestions {
                values: Vec::new(),
                total: None,
            });
        };
        let completion = Completion {
            typed: request.argument.value,
            known: pairs(request.known),
            caller: request.caller,
        };
        let values = completer(completion).await.map_err(Error::into_failure)?;
        Ok(Suggestions {
            total: u32::try_from(values.len()).ok(),
            values,
        })
    }

    fn completer(&self, request: &CompletionRequest) -> Result<Option<Completer>, Failure> {
        let name = &request.argument.name;
        match &request.target {
            CompletionTarget::Prompt(prompt) => {
                let prompt = self.prompts.iter().find(|offered| offered.name == prompt);
                let arguments = prompt.ok_or(Failure::NotFound)?.arguments;
                let argument = arguments.iter().find(|argument| argument.name == name);
                Ok(argument.and_then(|argument| argument.complete))
            }
            CompletionTarget::Resource(uri) => {
                let resource = self.resources.iter().find(|resource| resource.uri == uri);
                let variables = resource.ok_or(Failure::NotFound)?.complete;
                let variable = variables.iter().find(|(variable, _)| variable == name);
                Ok(variable.and_then(|(_, complete)| *complete))
            }
        }
    }
}

fn pairs(arguments: Vec<contract::Argument>) -> Vec<(String, String)> {
    let pairs = arguments
        .into_iter()
        .map(|argument| (argument.name, argument.value));
    pairs.collect()
}

/// Returns the result of a call that has reported nothing.
pub(crate) fn at_once(ended: Result<contract::Output>) -> Result<CallResult, Failure> {
    match ended {
        Ok(output) => Ok(CallResult::Done(output)),
        Err(Error::Tool(text)) => Ok(CallResult::Done(error(text))),
        // There is a tool of that name: what it did not find, the model may look for elsewhere.
        Err(Error::NotFound) => Ok(CallResult::Done(error(Error::NotFound.to_string()))),
        Err(other) => Err(other.into_failure()),
    }
}

/// Returns the result of a call that has reported something; `None` if it failed in a way that is not the client's
/// business. The text is in the log then.
pub(crate) fn at_the_end(ended: Result<contract::Output>) -> Option<contract::Output> {
    match ended {
        Ok(output) => Some(output),
        Err(Error::Internal(text)) => {
            // A component's standard error is the operator's log.
            let _ = writeln!(std::io::stderr(), "a tool failed: {text}");
            None
        }
        Err(other) => Some(error(other.to_string())),
    }
}

fn error(text: String) -> contract::Output {
    contract::Output {
        content: vec![Content::text(text)],
        structured: None,
        is_error: true,
        meta: None,
    }
}
