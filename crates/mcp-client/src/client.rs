//! The server as a provider of tools.

use crate::asking::{Asking, End, Repeat, peer};
use crate::environment::Environment;
use crate::error::Error;
use crate::outgoing::Outgoing;
use crate::pattern::Kind;
use crate::remote::Remote;
use crate::reports::Reports;
use crate::results::{output, prompt, reading, resources, suggestions};
use crate::settings::Settings;
use http::HeaderMap;
use mcp::ErrorCode;
use mcp::header_params::HeaderParam;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tools_export::{
    Argument, Call, Caller, Completion, CompletionTarget, Event, Failure, Offer, Output,
    PromptRequest, Prompting, Provider, Read, Reading, ResourcePage, Steps, Suggestions,
};

/// A remote MCP server, as a provider of tools.
pub struct Client<E: Environment>(Result<Arc<Remote<E>>, String>);

impl<E: Environment> Client<E> {
    /// Makes a client with these settings. If they are wrong, each request fails with what is wrong with them.
    pub fn new(settings: Result<Settings, String>, environment: E) -> Self {
        Self(settings.map(|settings| Arc::new(Remote::new(settings, environment))))
    }

    fn remote(&self) -> Result<&Arc<Remote<E>>, Failure> {
        self.0
            .as_ref()
            .map_err(|problem| Failure::Internal(problem.clone()))
    }
}

impl<E: Environment> Provider for Client<E> {
    type Steps = CallSteps;

    async fn describe(&self) -> Result<Offer, Failure> {
        let remote = self.remote()?;
        let lists = remote
            .lists()
            .await
            .map_err(|error| internal(remote, &error))?;
        Ok(lists.offer(remote.settings()))
    }

    async fn call_tool(&self, call: Call) -> Result<CallSteps, Failure> {
        let remote = Arc::clone(self.remote()?);
        let reports = Reports::default();
        let work = call_tool(remote, call, reports.clone());
        Ok(CallSteps {
            work: Some(Box::pin(work)),
            reports,
        })
    }

    async fn list_resources(
        &self,
        caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        let remote = self.remote()?;
        let mut outgoing = Outgoing::new("resources/list");
        if let Some(cursor) = &cursor {
            outgoing = outgoing.with("cursor", cursor);
        }
        let result = request(remote, &caller, &outgoing).await?;
        let names = &remote.settings().names;
        let is_offered = |uri: &str| names.is_offered(Kind::Resource, uri);
        resources(&result, is_offered).map_err(|problem| malformed(remote, problem))
    }

    async fn read_resource(&self, read: Read) -> Result<Reading, Failure> {
        let remote = self.remote()?;
        if !remote
            .settings()
            .names
            .is_offered(Kind::Resource, &read.uri)
        {
            return Err(Failure::NotFound);
        }
        let outgoing = Outgoing::new("resources/read").about("uri", &read.uri);
        let asking = Asking::new(remote, &read.context, Repeat::Harmless, None);
        let asking = asking.map_err(|error| Failure::Internal(error.to_string()))?;
        match asking.run(outgoing, reading).await {
            Ok(End::Complete(contents)) => Ok(Reading::Contents(contents)),
            Ok(End::InputRequired(input_required)) => Ok(Reading::InputRequired(input_required)),
            Ok(End::Declined) => Err(Failure::Internal(DECLINED.to_owned())),
            // 2025-11-25 and 2026-07-28, Resources, Error Handling.
            Err(Error::Rpc(error))
                if error.is(ErrorCode::ResourceNotFound) || error.is(ErrorCode::InvalidParams) =>
            {
                Err(Failure::NotFound)
            }
            Err(error) => Err(internal(remote, &error)),
        }
    }

    async fn get_prompt(&self, request: PromptRequest) -> Result<Prompting, Failure> {
        let remote = self.remote()?;
        let names = &remote.settings().names;
        let name = names
            .there(Kind::Prompt, &request.name)
            .ok_or(Failure::NotFound)?;
        let outgoing = Outgoing::new("prompts/get")
            .about("name", name)
            .with("arguments", &pairs(&request.arguments));
        let asking = Asking::new(remote, &request.context, Repeat::Harmless, None);
        let asking = asking.map_err(|error| Failure::Internal(error.to_string()))?;
        match asking.run(outgoing, prompt).await {
            Ok(End::Complete(messages)) => Ok(Prompting::Messages(messages)),
            Ok(End::InputRequired(input_required)) => Ok(Prompting::InputRequired(input_required)),
            Ok(End::Declined) => Err(Failure::Internal(DECLINED.to_owned())),
            Err(Error::Rpc(error)) if error.is(ErrorCode::InvalidParams) => {
                Err(Failure::InvalidArguments(error.message))
            }
            Err(error) => Err(internal(remote, &error)),
        }
    }

    async fn complete(&self, completion: Completion) -> Result<Suggestions, Failure> {
        let remote = self.remote()?;
        let names = &remote.settings().names;
        let reference = match &completion.target {
            CompletionTarget::Prompt(name) => {
                let name = names.there(Kind::Prompt, name).ok_or(Failure::NotFound)?;
                json!({ "type": "ref/prompt", "name": name })
            }
            CompletionTarget::Resource(uri) if names.is_offered(Kind::Resource, uri) => {
                json!({ "type": "ref/resource", "uri": uri })
            }
            CompletionTarget::Resource(_) => return Err(Failure::NotFound),
        };
        let Argument { name, value } = &completion.argument;
        let outgoing = Outgoing::new("completion/complete")
            .with("ref", &reference)
            .with("argument", &json!({ "name": name, "value": value }))
            .with("context", &json!({ "arguments": pairs(&completion.known) }));
        let result = request(remote, &completion.caller, &outgoing).await?;
        suggestions(&result).map_err(|problem| malformed(remote, problem))
    }
}

type Work = Pin<Box<dyn Future<Output = Result<Event, Failure>>>>;

/// A call of a tool that has begun.
pub struct CallSteps {
    /// Without it, the call is over.
    work: Option<Work>,
    reports: Reports,
}

impl Steps for CallSteps {
    async fn next(&mut self) -> Result<Event, Failure> {
        poll_fn(|cx| {
            let Some(work) = &mut self.work else {
                return Poll::Ready(Err(Failure::Internal("the call is over".to_owned())));
            };
            if let Poll::Ready(last) = work.as_mut().poll(cx) {
                self.work = None;
                return Poll::Ready(last);
            }
            match self.reports.take() {
                Some(event) => Poll::Ready(Ok(event)),
                None => Poll::Pending,
            }
        })
        .await
    }
}

const DECLINED: &str =
    "You did not open the address that the MCP server behind this needs you to open.";

/// Calls a tool, until the end of the call or of a round.
async fn call_tool<E: Environment>(
    remote: Arc<Remote<E>>,
    call: Call,
    reports: Reports,
) -> Result<Event, Failure> {
    let names = &remote.settings().names;
    let name = names
        .there(Kind::Tool, &call.name)
        .ok_or(Failure::NotFound)?;
    let Ok(arguments) = serde_json::from_str::<Box<RawValue>>(&call.arguments) else {
        return Err(Failure::InvalidArguments("they are not JSON".to_owned()));
    };
    let mut outgoing = Outgoing::new("tools/call")
        .about("name", name)
        .with_json("arguments", arguments);
    let repeat = Repeat::Tool(name, &call.name);
    let asking = match Asking::new(&remote, &call.context, repeat, Some(&reports)) {
        Ok(asking) => asking,
        Err(error) => return Ok(Event::Done(Output::error(error.to_string()))),
    };
    let header_params = |lists: &crate::lists::Lists| {
        let tool = lists.tool(&call.name);
        tool.map(|tool| tool.header_params.clone())
            .unwrap_or_default()
    };
    let known = remote.kept_lists().map(|lists| header_params(&lists));
    outgoing.headers = headers(&known.unwrap_or_default(), &call.arguments);
    let mut end = asking.run(outgoing.clone(), output).await;
    if matches!(&end, Err(Error::Rpc(error)) if error.is(ErrorCode::HeaderMismatch))
        && let Ok(lists) = remote.fetch().await
    {
        // Nothing was done. Which arguments are repeated in headers was not known here, or has changed.
        let newest = headers(&header_params(&lists), &call.arguments);
        if newest != outgoing.headers {
            outgoing.headers = newest;
            end = asking.run(outgoing, output).await;
        }
    }
    Ok(match end {
        Ok(End::Complete(output)) => Event::Done(output),
        Ok(End::InputRequired(input_required)) => Event::InputRequired(input_required),
        Ok(End::Declined) => Event::Done(Output::error(DECLINED)),
        Err(error) => {
            if !matches!(error, Error::Rpc(_)) {
                remote.log(&error);
            }
            let are_personal = remote.settings().credentials.are_personal();
            Event::Done(Output::error(error.for_caller(are_personal)))
        }
    })
}

/// Returns the headers that repeat arguments.
fn headers(params: &[HeaderParam], arguments: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if params.is_empty() {
        return headers;
    }
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    for param in params {
        if let Some(value) = param.value(&arguments) {
            headers.insert(param.header(), value);
        }
    }
    headers
}

/// Makes a request that asks no question.
async fn request<E: Environment>(
    remote: &Remote<E>,
    caller: &Caller,
    outgoing: &Outgoing,
) -> Result<Box<RawValue>, Failure> {
    let authorization = remote.settings().credentials.for_caller(caller);
    let authorization = authorization.map_err(|error| Failure::Internal(error.to_string()))?;
    let peer = peer(caller, authorization);
    let connection = &remote.connection;
    let max_bytes = remote.settings().max_bytes;
    let result = async {
        let sent = connection.send(&peer, outgoing, max_bytes, connection.wire.deadline());
        sent.await?.result().await
    };
    result.await.map_err(|error| match error {
        Error::Rpc(error) if error.is(ErrorCode::InvalidParams) => {
            Failure::InvalidArguments(error.message)
        }
        error => internal(remote, &error),
    })
}

fn internal<E: Environment>(remote: &Remote<E>, error: &Error) -> Failure {
    Failure::Internal(format!("{} {error}", remote.settings().host()))
}

fn malformed<E: Environment>(remote: &Remote<E>, problem: &'static str) -> Failure {
    internal(remote, &Error::Malformed(problem))
}

fn pairs(arguments: &[Argument]) -> BTreeMap<&str, &str> {
    let arguments = arguments.iter();
    arguments
        .map(|argument| (&*argument.name, &*argument.value))
        .collect()
}
