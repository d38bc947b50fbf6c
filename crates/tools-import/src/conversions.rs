//! The contract's records as the types of `mcpserver` and `mcp`, and back.

use crate::contract::tools;
use mcpserver::{
    Answer, Caller, Changed, Changes, Credential, Event, Failure, InputRequest, InputRequired,
    Offer, OfferedPrompt, OfferedTool, ResourceOffer, Round, TaskUse,
};

/// Returns the offer. A tool that cannot be offered is left out.
pub(crate) fn offer(offer: tools::Offer) -> Offer {
    let mut left_out = Vec::new();
    let tools = offer.tools.into_iter().filter_map(|offered| {
        let complain = |error| left_out.push(format!("a tool is left out: {error}"));
        tool(offered).map_err(complain).ok()
    });
    Offer {
        server: server(offer.server),
        instructions: offer.instructions,
        tools: tools.collect(),
        left_out,
        prompts: offer.prompts.into_iter().map(prompt).collect(),
        resources: offer.resources.map(resources),
        completes: offer.completes,
        changes: Changes {
            tools: offer.changes.tools,
            prompts: offer.changes.prompts,
            resources: offer.changes.resources,
            resource_contents: offer.changes.resource_contents,
        },
        ..Offer::default()
    }
}

pub(crate) fn caller(caller: Caller) -> tools::Caller {
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

pub(crate) fn context(asking: Caller, round: Round, wants_progress: bool) -> tools::Context {
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

pub(crate) fn answer(answer: Answer) -> tools::Answer {
    tools::Answer {
        id: answer.id,
        result: answer.result,
    }
}

pub(crate) fn argument((name, value): (String, String)) -> tools::Argument {
    tools::Argument { name, value }
}

pub(crate) fn failed(failure: tools::Failure) -> Failure {
    match failure {
        tools::Failure::NotFound => Failure::NotFound,
        tools::Failure::InvalidArguments(text) => Failure::InvalidArguments(text),
        tools::Failure::Unsupported => Failure::Unsupported,
        tools::Failure::Internal(text) => Failure::Internal(text),
    }
}

pub(crate) fn server(server: tools::ServerInfo) -> mcp::ServerInfo {
    mcp::ServerInfo {
        name: server.name,
        title: server.title,
        version: server.version,
        description: server.description,
        icons: server.icons.into_iter().map(icon).collect(),
        website_url: server.website,
    }
}

pub(crate) fn tool(tool: tools::Tool) -> Result<OfferedTool, mcp::InvalidTool> {
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
        tool: mcp::Tool::new(description)?,
        scopes: tool.scopes,
        wants_credential: tool.wants_credential,
        tasks: match tool.tasks {
            tools::TaskUse::Never => TaskUse::Never,
            tools::TaskUse::Optional => TaskUse::Optional,
            tools::TaskUse::Required => TaskUse::Required,
        },
        component: None,
    })
}

pub(crate) fn prompt(prompt: tools::Prompt) -> OfferedPrompt {
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

pub(crate) fn resources(offer: tools::ResourceOffer) -> ResourceOffer {
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
        change_scopes: offer.scopes.clone(),
        scopes: offer.scopes,
        wants_credential: offer.wants_credential,
    }
}

pub(crate) fn resource(resource: tools::ListedResource) -> mcp::Resource {
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

pub(crate) fn resource_contents(contents: tools::ResourceContents) -> mcp::ResourceContents {
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

pub(crate) fn message(message: tools::PromptMessage) -> mcp::PromptMessage {
    mcp::PromptMessage {
        role: role(message.role),
        content: content(message.content),
    }
}

pub(crate) fn event(event: tools::Event) -> Event {
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

pub(crate) fn output(output: tools::Output) -> mcp::Output {
    mcp::Output {
        content: output.content.into_iter().map(content).collect(),
        structured: output.structured,
        is_error: output.is_error,
        meta: output.meta,
    }
}

pub(crate) fn input_required(questions: tools::InputRequired) -> InputRequired {
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

pub(crate) fn content(content: tools::Content) -> mcp::Content {
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

pub(crate) fn media(media: tools::Media) -> mcp::Media {
    mcp::Media {
        data: media.data,
        mime_type: media.mime_type,
    }
}

pub(crate) fn annotations(annotations: tools::Annotations) -> mcp::Annotations {
    mcp::Annotations {
        audience: annotations.audience.into_iter().map(role).collect(),
        priority: annotations.priority,
        last_modified: annotations.last_modified,
    }
}

pub(crate) fn icon(icon: tools::Icon) -> mcp::Icon {
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

pub(crate) fn role(role: tools::Role) -> mcp::Role {
    match role {
        tools::Role::User => mcp::Role::User,
        tools::Role::Assistant => mcp::Role::Assistant,
    }
}

pub(crate) fn log_level(level: tools::LogLevel) -> mcp::LogLevel {
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

pub(crate) fn freshness(freshness: Option<tools::Freshness>) -> mcp::Freshness {
    freshness.map_or(mcp::Freshness::default(), |freshness| mcp::Freshness {
        ttl: freshness.ttl,
        is_shared: freshness.shared,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str, meta: &str) -> tools::Tool {
        tools::Tool {
            name: name.to_owned(),
            title: None,
            description: None,
            icons: Vec::new(),
            input_schema: "{\"type\":\"object\"}".to_owned(),
            output_schema: None,
            annotations: None,
            scopes: Vec::new(),
            wants_credential: false,
            tasks: tools::TaskUse::Never,
            meta: Some(meta.to_owned()),
        }
    }

    #[test]
    fn a_tool_that_cannot_be_offered_costs_no_other() {
        let offer = offer(tools::Offer {
            server: tools::ServerInfo {
                name: "server".to_owned(),
                title: None,
                version: "1".to_owned(),
                description: None,
                icons: Vec::new(),
                website: None,
            },
            instructions: None,
            tools: vec![
                described("bad", "{\"a\":\"\\ud800\"}"),
                described("bad name", "{}"),
                described("good", "{}"),
            ],
            prompts: Vec::new(),
            resources: None,
            completes: false,
            changes: tools::Changes {
                tools: false,
                prompts: false,
                resources: false,
                resource_contents: false,
            },
        });
        let names: Vec<_> = offer.tools.iter().map(|tool| tool.tool.name()).collect();
        assert_eq!(names, ["good"]);
        assert_eq!(offer.left_out.len(), 2);
        assert!(offer.missing.is_empty());
    }
}
