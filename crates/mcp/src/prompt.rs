//! Prompts: the results of `prompts/list` and `prompts/get` (2025-11-25, Prompts).

use crate::Revision;
use crate::annotations::Role;
use crate::base_metadata::BaseMetadata;
use crate::content::Content;
use crate::json::{self, InvalidJson};
use crate::result_envelope::{Envelope, Freshness, complete};
use serde::Serialize;
use std::borrow::Cow;

/// A prompt, as `prompts/list` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prompt {
    /// What every list says.
    #[serde(flatten)]
    pub metadata: BaseMetadata,
    /// What it is made with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<PromptArgument>,
}

/// What a prompt is made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptArgument {
    /// For programs.
    pub name: String,
    /// For people; from 2025-06-18 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether there is no prompt without it.
    pub required: bool,
}

/// A prompt, as `prompts/get` gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptMessages {
    /// What it is for.
    pub description: Option<String>,
    /// What is said.
    pub messages: Vec<PromptMessage>,
    /// `_meta`: a JSON object; from 2025-06-18 on.
    pub meta: Option<String>,
}

/// What one side says.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptMessage {
    /// Who.
    pub role: Role,
    /// What.
    pub content: Content,
}

impl Prompt {
    fn adapted(self, revision: Revision) -> Self {
        let has_titles = revision.has_structured_content();
        let argument = |argument: PromptArgument| PromptArgument {
            title: argument.title.filter(|_| has_titles),
            ..argument
        };
        Self {
            metadata: self.metadata.adapted(revision),
            arguments: self.arguments.into_iter().map(argument).collect(),
        }
    }
}

/// Returns the result of `prompts/list` in `envelope`, as JSON.
///
/// # Errors
///
/// Fails if a text that should be JSON is not.
pub fn prompts_list<'a>(
    prompts: impl IntoIterator<Item = &'a Prompt>,
    envelope: &Envelope,
    freshness: Freshness,
) -> Result<String, InvalidJson> {
    #[derive(Serialize)]
    struct Wire {
        prompts: Vec<Prompt>,
    }
    let prompts = prompts.into_iter().cloned();
    let result = json::write(&Wire {
        prompts: prompts.map(|one| one.adapted(envelope.revision)).collect(),
    })?;
    Ok(complete(result, None, envelope, Some(freshness)))
}

impl PromptMessages {
    /// Returns the result of `prompts/get` in `envelope`, as JSON.
    ///
    /// # Errors
    ///
    /// Fails if a text that should be JSON is not.
    pub fn to_result(&self, envelope: &Envelope) -> Result<String, InvalidJson> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'a str>,
            messages: Vec<Message<'a>>,
        }
        #[derive(Serialize)]
        struct Message<'a> {
            role: Role,
            content: Cow<'a, Content>,
        }
        let messages = self.messages.iter().map(|message| Message {
            role: message.role,
            content: message.content.adapted(envelope.revision),
        });
        let result = json::write(&Wire {
            description: self.description.as_deref(),
            messages: messages.collect(),
        })?;
        let meta = json::parsed_object(self.meta.as_deref())?;
        Ok(complete(result, meta, envelope, None))
    }
}
