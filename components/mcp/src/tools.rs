//! The composed tools.

use crate::bindings::gatehouse::tools::tools;
use mcp::{
    Annotations, Content, EmbeddedResource, Media, Output, Progress, ResourceBody, ResourceLink,
    Tool,
};
use mcpserver::{Call, Caller, Credential, Event, Events, Failure, OfferedTool, ToolProvider};
use platform::wit_bindgen::StreamReader;

/// The component that exports `gatehouse:tools/tools`.
pub(crate) struct Tools;

/// The events of one call.
pub(crate) struct CallEvents(StreamReader<tools::Event>);

impl ToolProvider for Tools {
    type Events = CallEvents;

    async fn list(&self) -> Result<Vec<OfferedTool>, String> {
        let tools = tools::list_tools()
            .await
            .map_err(|failure| format!("{failure:?}"))?;
        tools.into_iter().map(offered).collect()
    }

    async fn call(&self, call: Call) -> Result<CallEvents, Failure> {
        let call = tools::Call {
            name: call.name,
            arguments: call.arguments,
            caller: caller(call.caller),
            wants_progress: call.wants_progress,
            answers: Vec::new(),
            state: None,
        };
        let events = tools::call_tool(call).await.map_err(failed)?;
        Ok(CallEvents(events))
    }
}

impl Events for CallEvents {
    async fn next(&mut self) -> Option<Event> {
        self.0.next().await.map(event)
    }
}

fn offered(tool: tools::Tool) -> Result<OfferedTool, String> {
    let annotations = tool.annotations.map(|annotations| Annotations {
        read_only: annotations.read_only,
        destructive: annotations.destructive,
        idempotent: annotations.idempotent,
        open_world: annotations.open_world,
    });
    Ok(OfferedTool {
        scopes: tool.scopes,
        wants_credential: tool.wants_credential,
        tool: Tool::new(
            tool.name,
            tool.title,
            tool.description,
            tool.input_schema,
            tool.output_schema,
            annotations,
        )
        .map_err(|error| error.to_string())?,
    })
}

fn caller(caller: Caller) -> tools::Caller {
    let profile = caller.profile;
    tools::Caller {
        subject: profile.subject,
        client_id: caller.client_id,
        scopes: caller.scopes,
        profile: tools::Profile {
            name: profile.name,
            email: profile.email,
            email_verified: profile.email_verified,
            picture: profile.picture,
            claims: profile.claims,
        },
        credential: caller.credential.map(|credential| match credential {
            Credential::Presented(value) => tools::Credential::Presented(value),
            Credential::Upstream(token) => tools::Credential::Upstream(token),
        }),
    }
}

fn failed(failure: tools::Failure) -> Failure {
    match failure {
        tools::Failure::UnknownTool => Failure::UnknownTool,
        tools::Failure::InvalidArguments(text) => Failure::InvalidArguments(text),
        tools::Failure::Unsupported => Failure::Unsupported,
        tools::Failure::Internal(text) => Failure::Internal(text),
    }
}

fn event(event: tools::Event) -> Event {
    match event {
        tools::Event::Progress(progress) => Event::Progress(Progress {
            progress: progress.progress,
            total: progress.total,
            message: progress.message,
        }),
        tools::Event::Log(_) => Event::Log,
        tools::Event::InputRequired(_) => Event::InputRequired,
        tools::Event::Done(output) => Event::Done(Output {
            content: output.content.into_iter().map(content).collect(),
            structured: output.structured,
            is_error: output.is_error,
        }),
    }
}

fn content(content: tools::Content) -> Content {
    match content {
        tools::Content::Text(text) => Content::Text(text),
        tools::Content::Image(image) => Content::Image(media(image)),
        tools::Content::Audio(audio) => Content::Audio(media(audio)),
        tools::Content::ResourceLink(link) => Content::ResourceLink(ResourceLink {
            uri: link.uri,
            name: link.name,
            title: link.title,
            description: link.description,
            mime_type: link.mime_type,
            size: link.size,
        }),
        tools::Content::EmbeddedResource(resource) => Content::EmbeddedResource(EmbeddedResource {
            uri: resource.uri,
            mime_type: resource.mime_type,
            body: match resource.body {
                tools::ResourceBody::Text(text) => ResourceBody::Text(text),
                tools::ResourceBody::Blob(bytes) => ResourceBody::Blob(bytes),
            },
        }),
    }
}

fn media(media: tools::Media) -> Media {
    Media {
        data: media.data,
        mime_type: media.mime_type,
    }
}
