//! A tool of the suite, and what tools are made of.

use crate::contract::{Call, Content, ContentBody, Media, Output, TaskUse, Tool};
use crate::script::Script;
use serde_json::Value;

/// A tool of the suite.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// A JSON Schema.
    pub(crate) input: &'static str,
    /// The scopes that a call needs.
    pub(crate) scopes: &'static [&'static str],
    pub(crate) tasks: TaskUse,
    /// What a call does.
    pub(crate) script: fn(&Call) -> Script,
}

impl Fixture {
    /// A tool without arguments.
    pub(crate) const fn new(
        name: &'static str,
        description: &'static str,
        script: fn(&Call) -> Script,
    ) -> Self {
        Self {
            name,
            description,
            input: r#"{"type":"object"}"#,
            scopes: &[],
            tasks: TaskUse::Never,
            script,
        }
    }

    /// With arguments that fit this JSON Schema.
    pub(crate) const fn input(mut self, schema: &'static str) -> Self {
        self.input = schema;
        self
    }

    /// With calls that need these scopes.
    pub(crate) const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// With calls that become tasks.
    pub(crate) const fn tasks(mut self, tasks: TaskUse) -> Self {
        self.tasks = tasks;
        self
    }

    /// As the contract has it.
    pub(crate) fn tool(&self) -> Tool {
        Tool {
            name: self.name.to_owned(),
            title: None,
            description: Some(self.description.to_owned()),
            icons: Vec::new(),
            input_schema: self.input.to_owned(),
            output_schema: None,
            annotations: None,
            scopes: self.scopes.iter().map(|&scope| scope.to_owned()).collect(),
            wants_credential: false,
            tasks: self.tasks,
            meta: None,
        }
    }
}

/// The arguments of a call: an object.
pub(crate) fn arguments(call: &Call) -> Value {
    serde_json::from_str(&call.arguments).unwrap_or_default()
}

/// A result of these contents.
pub(crate) fn output(contents: Vec<ContentBody>) -> Output {
    Output {
        content: contents.into_iter().map(content).collect(),
        structured: None,
        is_error: false,
        meta: None,
    }
}

/// A content with nothing said about it.
pub(crate) fn content(body: ContentBody) -> Content {
    Content {
        body,
        annotations: None,
        meta: None,
    }
}

/// A text.
pub(crate) fn text(text: impl Into<String>) -> ContentBody {
    ContentBody::Text(text.into())
}

/// A picture of one grey dot.
pub(crate) fn image() -> ContentBody {
    ContentBody::Image(Media {
        data: PNG.to_vec(),
        mime_type: "image/png".to_owned(),
    })
}

/// A millisecond of silence.
pub(crate) fn audio() -> ContentBody {
    ContentBody::Audio(Media {
        data: WAV.to_vec(),
        mime_type: "audio/wav".to_owned(),
    })
}

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\xdach\0\0\0\x82\0\x81\xdaE\x08;\0\0\0\0IEND\xaeB`\x82";

const WAV: &[u8] = b"RIFF,\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\x08\0\0\0\x80\x80\x80\x80\x80\x80\x80\x80";
