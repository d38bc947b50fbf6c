//! Tools, outputs and failures as the contract has them.

use openapi::{Content, Media, PersonsToken};
use tools_export::{
    Caller, Changes, ContentBody, Credential, Failure, Offer, Output, ResourceBody,
    ResourceContents, ServerInfo, TaskUse, Tool, ToolAnnotations,
};

pub(crate) fn offer(offer: openapi::Offer) -> Offer {
    let info = offer.info;
    Offer {
        server: ServerInfo {
            name: info.name,
            title: Some(info.title),
            version: info.version,
            description: info.description,
            icons: Vec::new(),
            website: None,
        },
        instructions: None,
        tools: offer.tools.into_iter().map(tool).collect(),
        prompts: Vec::new(),
        resources: None,
        completes: false,
        changes: Changes {
            tools: false,
            prompts: false,
            resources: false,
            resource_contents: false,
        },
    }
}

fn tool(tool: openapi::Tool) -> Tool {
    Tool {
        name: tool.name,
        title: tool.title,
        description: Some(tool.description),
        icons: Vec::new(),
        input_schema: tool.input_schema.to_string(),
        output_schema: tool.output_schema.map(|schema| schema.to_string()),
        annotations: Some(ToolAnnotations {
            read_only: Some(tool.hints.read_only),
            destructive: tool.hints.destructive,
            idempotent: tool.hints.idempotent,
            open_world: Some(true),
        }),
        scopes: tool.scopes,
        wants_credential: tool.wants_token,
        tasks: TaskUse::Never,
        meta: None,
    }
}

pub(crate) fn token(caller: &Caller) -> PersonsToken<'_> {
    match &caller.credential {
        Some(Credential::Upstream(token)) => PersonsToken::Upstream(token),
        Some(Credential::Presented(_)) => PersonsToken::Presented,
        None => PersonsToken::Absent,
    }
}

pub(crate) fn output(output: openapi::Output) -> Output {
    Output {
        content: output
            .content
            .into_iter()
            .map(|content| body(content).into())
            .collect(),
        structured: output.structured.map(|structured| structured.to_string()),
        is_error: output.is_error,
        meta: None,
    }
}

fn body(content: Content) -> ContentBody {
    match content {
        Content::Text(text) => ContentBody::Text(text),
        Content::Image(media) => ContentBody::Image(of_contract(media)),
        Content::Audio(media) => ContentBody::Audio(of_contract(media)),
        Content::Blob { uri, media } => ContentBody::EmbeddedResource(ResourceContents {
            uri,
            mime_type: Some(media.mime_type),
            body: ResourceBody::Blob(media.data.into()),
            meta: None,
        }),
    }
}

fn of_contract(media: Media) -> tools_export::Media {
    tools_export::Media {
        data: media.data.into(),
        mime_type: media.mime_type,
    }
}

pub(crate) fn failure(failure: openapi::Failure) -> Failure {
    match failure {
        openapi::Failure::NotFound => Failure::NotFound,
        openapi::Failure::InvalidArguments(text) => Failure::InvalidArguments(text),
        openapi::Failure::Internal(text) => Failure::Internal(text),
    }
}
