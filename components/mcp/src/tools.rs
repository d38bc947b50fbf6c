//! The composed tools.

use crate::bindings::{EventStream, tools};
use mcpserver::{
    Answer, Call, Caller, Changed, Changes, Completion, Credential, Event, Events, Failure,
    InputRequest, InputRequired, Offer, OfferedPrompt, OfferedTool, PromptRequest, Read,
    ResourceOffer, Round, RoundResult, TaskUse, ToolProvider,
};

/// The component that exports `gatehouse:tools/tools`.
pub(crate) struct Tools;

/// The events of one call.
pub(crate) enum CallEvents {
    /// The only one there is, until it is taken.
    Only(Option<Event>),
    /// Those that come.
    Stream(EventStream),
}

impl ToolProvider for Tools {
    type Events = CallEvents;

    async fn describe(&self) -> Result<Offer, String> {
        let offer = tools::describe()
            .await
            .map_err(|failure| format!("{failure:?}"))?;
        let tools = offer.tools.into_iter().map(tool);
        Ok(Offer {
            server: server(offer.server),
            instructions: offer.instructions,
            tools: tools.collect::<Result<_, _>>()?,
            prompts: offer.prompts.into_iter().map(prompt).collect(),
            resources: offer.resources.map(resources),
            completes: offer.completes,
            changes: Changes {
                tools: offer.changes.tools,
                prompts: offer.changes.prompts,
                resources: offer.changes.resources,
                resource_contents: offer.changes.resource_contents,
            },
        })
    }

    async fn call(&self, call: Call) -> Result<CallEvents, Failure> {
        let call = tools::Call {
            name: call.name,
            arguments: call.arguments,
            context: context(call.caller, call.round, call.wants_progress),
        };
        Ok(match tools::call_tool(call).await.map_err(failed)? {
            tools::CallResult::Done(result) => CallEvents::Only(Some(Event::Done(output(result)))),
            tools::CallResult::InputRequired(questions) => {
                CallEvents::Only(Some(Event::InputRequired(input_required(questions))))
            }
            tools::CallResult::Running(events) => CallEvents::Stream(events),
        })
    }

    async fn list_resources(
        &self,
        asking: Caller,
        cursor: Option<String>,
    ) -> Result<mcp::ResourcePage, Failure> {
        let page = tools::list_resources(caller(asking), cursor)
            .await
            .map_err(failed)?;
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
        Ok(match tools::read_resource(read).await.map_err(failed)? {
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
        Ok(match tools::get_prompt(request).await.map_err(failed)? {
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
        let suggestions = tools::complete(completion).await.map_err(failed)?;
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
        }
    }
}

fn caller(caller: Caller) -> tools::Caller {
    let kind = if caller.is_client() {
        tools::CallerKind::Client
    } else {
        tools::CallerKind::Person
    };
    let profile = caller.profile;
    tools::Caller {
        kind,
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

fn context(asking: Caller, round: Round, wants_progress: bool) -> tools::Context {
    let capabilities = round.capabilities;
    tools::Context {
        caller: caller(asking),
        capabilities: tools::ClientCapabilities {
            elicits_forms: capabilities.elicits_forms,
            elicits_urls: capabilities.elicits_urls,
            samples: capabilities.samples,
            samples_with_tools: capabilities.samples_with_tools,
            lists_roots: capabilities.lists_roots,
        },
        wants_progress,
        log_level: round.log_level.map(|level| match level {
            mcp::LogLevel::Debug => tools::LogLevel::Debug,
            mcp::LogLevel::Info => tools::LogLevel::Info,
            mcp::LogLevel::Notice => tools::LogLevel::Notice,
            mcp::LogLevel::Warning => tools::LogLevel::Warning,
            mcp::LogLevel::Error => tools::LogLevel::Error,
            mcp::LogLevel::Critical => tools::LogLevel::Critical,
            mcp::LogLevel::Alert => tools::LogLevel::Alert,
            mcp::LogLevel::Emergency => tools::LogLevel::Emergency,
        }),
        answers: round.answers.into_iter().map(answer).collect(),
        state: round.state,
    }
}

fn answer(answer: Answer) -> tools::Answer {
    tools::Answer {
        id: answer.id,
        result: answer.result,
    }
}

fn argument((name, value): (String, String)) -> tools::Argument {
    tools::Argument { name, value }
}

fn failed(failure: tools::Failure) -> Failure {
    match failure {
        tools::Failure::NotFound => Failure::NotFound,
        tools::Failure::InvalidArguments(text) => Failure::InvalidArguments(text),
        tools::Failure::Unsupported => Failure::Unsupported,
        tools::Failure::Internal(text) => Failure::Internal(text),
    }
}

fn server(server: tools::ServerInfo) -> mcp::ServerInfo {
    mcp::ServerInfo {
        name: server.name,
        title: server.title,
        version: server.version,
        description: server.description,
        icons: server.icons.into_iter().map(icon).collect(),
        website_url: server.website,
    }
}

fn tool(tool: tools::Tool) -> Result<OfferedTool, String> {
    let annotations = tool.annotations.map(|annotations| mcp::ToolAnnotations {
        read_only: annotations.read_only,
        destructive: annotations.destructive,
        idempotent: annotations.idempotent,
        open_world: annotations.open_world,
    });
    let description = mcp::ToolDescription {
        name: tool.name,
        title: tool.title,
        description: tool.description,
        icons: tool.icons.into_iter().map(icon).collect(),
        input_schema: tool.input_schema,
        output_schema: tool.output_schema,
        annotations,
        meta: tool.meta,
    };
    Ok(OfferedTool {
        tool: mcp::Tool::new(description).map_err(|error| error.to_string())?,
        scopes: tool.scopes,
        wants_credential: tool.wants_credential,
        tasks: match tool.tasks {
            tools::TaskUse::Never => TaskUse::Never,
            tools::TaskUse::Optional => TaskUse::Optional,
            tools::TaskUse::Required => TaskUse::Required,
        },
    })
}

fn prompt(prompt: tools::Prompt) -> OfferedPrompt {
    let argument = |argument: tools::PromptArgument| mcp::PromptArgument {
        name: argument.name,
        title: argument.title,
        description: argument.description,
        required: argument.required,
    };
    OfferedPrompt {
        scopes: prompt.scopes,
        prompt: mcp::Prompt {
            metadata: mcp::BaseMetadata {
                name: prompt.name,
                title: prompt.title,
                description: prompt.description,
                icons: prompt.icons.into_iter().map(icon).collect(),
                meta: prompt.meta,
            },
            arguments: prompt.arguments.into_iter().map(argument).collect(),
        },
    }
}

fn resources(offer: tools::ResourceOffer) -> ResourceOffer {
    let template = |template: tools::ResourceTemplate| mcp::ResourceTemplate {
        uri_template: template.uri_template,
        metadata: mcp::BaseMetadata {
            name: template.name,
            title: template.title,
            description: template.description,
            icons: template.icons.into_iter().map(icon).collect(),
            meta: template.meta,
        },
        mime_type: template.mime_type,
        annotations: template.annotations.map(annotations),
    };
    ResourceOffer {
        templates: offer.templates.into_iter().map(template).collect(),
        scopes: offer.scopes,
        wants_credential: offer.wants_credential,
    }
}

fn resource(resource: tools::ListedResource) -> mcp::Resource {
    mcp::Resource {
        uri: resource.uri,
        metadata: mcp::BaseMetadata {
            name: resource.name,
            title: resource.title,
            description: resource.description,
            icons: resource.icons.into_iter().map(icon).collect(),
            meta: resource.meta,
        },
        mime_type: resource.mime_type,
        size: resource.size,
        annotations: resource.annotations.map(annotations),
    }
}

fn resource_contents(contents: tools::ResourceContents) -> mcp::ResourceContents {
    mcp::ResourceContents {
        uri: contents.uri,
        mime_type: contents.mime_type,
        body: match contents.body {
            tools::ResourceBody::Text(text) => mcp::ResourceBody::Text(text),
            tools::ResourceBody::Blob(bytes) => mcp::ResourceBody::Blob(bytes),
        },
        meta: contents.meta,
    }
}

fn message(message: tools::PromptMessage) -> mcp::PromptMessage {
    mcp::PromptMessage {
        role: role(message.role),
        content: content(message.content),
    }
}

fn event(event: tools::Event) -> Event {
    match event {
        tools::Event::Progress(progress) => Event::Progress(mcp::Progress {
            progress: progress.progress,
            total: progress.total,
            message: progress.message,
        }),
        tools::Event::Log(log) => Event::Log(mcp::Log {
            level: log_level(log.level),
            data: log.data,
            logger: log.logger,
        }),
        tools::Event::Changed(changed) => Event::Changed(match changed {
            tools::Changed::Tools => Changed::Tools,
            tools::Changed::Prompts => Changed::Prompts,
            tools::Changed::Resources => Changed::Resources,
            tools::Changed::Resource(uri) => Changed::Resource(uri),
        }),
        tools::Event::InputRequired(questions) => Event::InputRequired(input_required(questions)),
        tools::Event::Done(result) => Event::Done(output(result)),
    }
}

fn output(output: tools::Output) -> mcp::Output {
    mcp::Output {
        content: output.content.into_iter().map(content).collect(),
        structured: output.structured,
        is_error: output.is_error,
        meta: output.meta,
    }
}

fn input_required(questions: tools::InputRequired) -> InputRequired {
    let request = |request: tools::InputRequest| InputRequest {
        id: request.id,
        method: request.method,
        params: request.params,
    };
    InputRequired {
        requests: questions.requests.into_iter().map(request).collect(),
        state: questions.state,
    }
}

fn content(content: tools::Content) -> mcp::Content {
    mcp::Content {
        body: match content.body {
            tools::ContentBody::Text(text) => mcp::ContentBody::Text(text),
            tools::ContentBody::Image(image) => mcp::ContentBody::Image(media(image)),
            tools::ContentBody::Audio(audio) => mcp::ContentBody::Audio(media(audio)),
            tools::ContentBody::ResourceLink(link) => {
                mcp::ContentBody::ResourceLink(resource(link))
            }
            tools::ContentBody::EmbeddedResource(contents) => {
                mcp::ContentBody::EmbeddedResource(resource_contents(contents))
            }
        },
        annotations: content.annotations.map(annotations),
        meta: content.meta,
    }
}

fn media(media: tools::Media) -> mcp::Media {
    mcp::Media {
        data: media.data,
        mime_type: media.mime_type,
    }
}

fn annotations(annotations: tools::Annotations) -> mcp::Annotations {
    mcp::Annotations {
        audience: annotations.audience.into_iter().map(role).collect(),
        priority: annotations.priority,
        last_modified: annotations.last_modified,
    }
}

fn icon(icon: tools::Icon) -> mcp::Icon {
    mcp::Icon {
        src: icon.src,
        mime_type: icon.mime_type,
        sizes: icon.sizes,
        theme: icon.theme.map(|theme| match theme {
            tools::Theme::Light => mcp::Theme::Light,
            tools::Theme::Dark => mcp::Theme::Dark,
        }),
    }
}

fn role(role: tools::Role) -> mcp::Role {
    match role {
        tools::Role::User => mcp::Role::User,
        tools::Role::Assistant => mcp::Role::Assistant,
    }
}

fn log_level(level: tools::LogLevel) -> mcp::LogLevel {
    match level {
        tools::LogLevel::Debug => mcp::LogLevel::Debug,
        tools::LogLevel::Info => mcp::LogLevel::Info,
        tools::LogLevel::Notice => mcp::LogLevel::Notice,
        tools::LogLevel::Warning => mcp::LogLevel::Warning,
        tools::LogLevel::Error => mcp::LogLevel::Error,
        tools::LogLevel::Critical => mcp::LogLevel::Critical,
        tools::LogLevel::Alert => mcp::LogLevel::Alert,
        tools::LogLevel::Emergency => mcp::LogLevel::Emergency,
    }
}

fn freshness(freshness: Option<tools::Freshness>) -> mcp::Freshness {
    freshness.map_or(mcp::Freshness::default(), |freshness| mcp::Freshness {
        ttl: freshness.ttl,
        is_shared: freshness.shared,
    })
}
