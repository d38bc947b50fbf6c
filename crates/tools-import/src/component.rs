//! A tools component: the composed one, or another component of the application.

use crate::contract::{EventStream, tools};
use crate::conversions::{
    argument, caller, context, event, failed, freshness, input_required, message, offer, resource,
    resource_contents,
};
use crate::remote::{Remote, RemoteEvents};
use crate::wire::Function;
use mcpserver::{
    Call, Caller, Completion, Event, Events, Failure, Offer, PromptRequest, Read, RoundResult,
    ToolProvider,
};

/// A component that exports `gatehouse:tools/tools`.
pub enum ToolsComponent {
    /// The one that this component is composed with.
    Composed,
    /// Another component of the application, which a tool server serves.
    Remote(Remote),
}

/// The events of one call.
pub enum CallEvents {
    /// The only one there is, until it is taken.
    Only(Option<Event>),
    /// Those that come from the composed component.
    Stream(EventStream),
    /// Those that come over HTTP.
    Remote(RemoteEvents),
}

impl ToolProvider for ToolsComponent {
    type Events = CallEvents;

    async fn describe(&self) -> Result<Offer, String> {
        let described = match self {
            Self::Composed => tools::describe().await,
            Self::Remote(remote) => remote.describe().await,
        };
        let described = described.map_err(|failure| match failure {
            tools::Failure::Internal(reason) => reason,
            other => format!("{other:?}"),
        })?;
        let mut offer = offer(described);
        if let Self::Remote(remote) = self {
            for tool in &mut offer.tools {
                tool.component = Some(remote.id().to_owned());
            }
        }
        Ok(offer)
    }

    async fn call(&self, call: Call) -> Result<CallEvents, Failure> {
        let call = tools::Call {
            name: call.name,
            arguments: call.arguments,
            context: context(call.caller, call.round, call.wants_progress),
        };
        let result = match self {
            Self::Composed => tools::call_tool(call).await.map_err(failed)?,
            Self::Remote(remote) => {
                let events = remote.call_tool(&call).await.map_err(failed)?;
                return Ok(CallEvents::Remote(events));
            }
        };
        Ok(match result {
            tools::CallResult::Done(output) => {
                CallEvents::Only(Some(event(tools::Event::Done(output))))
            }
            tools::CallResult::InputRequired(questions) => {
                CallEvents::Only(Some(event(tools::Event::InputRequired(questions))))
            }
            tools::CallResult::Running(events) => CallEvents::Stream(events),
        })
    }

    async fn list_resources(
        &self,
        asking: Caller,
        cursor: Option<String>,
    ) -> Result<mcp::ResourcePage, Failure> {
        let asking = caller(asking);
        let page = match self {
            Self::Composed => tools::list_resources(asking, cursor).await,
            Self::Remote(remote) => remote.ask(Function::ListResources, &(asking, cursor)).await,
        };
        let page = page.map_err(failed)?;
        Ok(mcp::ResourcePage {
            resources: page.resources.into_iter().map(resource).collect(),
            next_cursor: page.next_cursor,
            freshness: freshness(page.freshness),
        })
    }

    async fn read_resource(&self, read: Read) -> Result<RoundResult<mcp::Contents>, Failure> {
        let read = tools::Read {
            uri: read.uri,
            context: context(read.caller, read.round, false),
        };
        let reading = match self {
            Self::Composed => tools::read_resource(read).await,
            Self::Remote(remote) => remote.ask(Function::ReadResource, &read).await,
        };
        Ok(match reading.map_err(failed)? {
            tools::Reading::Contents(contents) => RoundResult::Complete(mcp::Contents {
                parts: contents.parts.into_iter().map(resource_contents).collect(),
                freshness: freshness(contents.freshness),
            }),
            tools::Reading::InputRequired(questions) => {
                RoundResult::InputRequired(input_required(questions))
            }
        })
    }

    async fn get_prompt(
        &self,
        request: PromptRequest,
    ) -> Result<RoundResult<mcp::PromptMessages>, Failure> {
        let request = tools::PromptRequest {
            name: request.name,
            arguments: request.arguments.into_iter().map(argument).collect(),
            context: context(request.caller, request.round, false),
        };
        let prompting = match self {
            Self::Composed => tools::get_prompt(request).await,
            Self::Remote(remote) => remote.ask(Function::GetPrompt, &request).await,
        };
        Ok(match prompting.map_err(failed)? {
            tools::Prompting::Messages(prompt) => RoundResult::Complete(mcp::PromptMessages {
                description: prompt.description,
                messages: prompt.messages.into_iter().map(message).collect(),
                meta: prompt.meta,
            }),
            tools::Prompting::InputRequired(questions) => {
                RoundResult::InputRequired(input_required(questions))
            }
        })
    }

    async fn complete(&self, completion: Completion) -> Result<mcp::Suggestions, Failure> {
        let completion = tools::Completion {
            target: match completion.reference {
                mcp::Reference::Prompt { name } => tools::CompletionTarget::Prompt(name),
                mcp::Reference::Resource { uri } => tools::CompletionTarget::Resource(uri),
            },
            argument: argument(completion.argument),
            known: completion.known.into_iter().map(argument).collect(),
            caller: caller(completion.caller),
        };
        let suggestions = match self {
            Self::Composed => tools::complete(completion).await,
            Self::Remote(remote) => remote.ask(Function::Complete, &completion).await,
        };
        let suggestions = suggestions.map_err(failed)?;
        Ok(mcp::Suggestions {
            values: suggestions.values,
            total: suggestions.total,
        })
    }
}

impl Events for CallEvents {
    async fn next(&mut self) -> Option<Event> {
        match self {
            Self::Only(event) => event.take(),
            Self::Stream(events) => events.next().await.map(event),
            Self::Remote(events) => events.next().await.map(event),
        }
    }
}
