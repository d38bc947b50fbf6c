//! A prompt, as the attribute defines it.

use crate::bindings::contract::{
    self, Content, PromptArgument, PromptMessage, PromptMessages, Role,
};
use crate::complete::Completer;
use crate::context::Context;
use crate::error::Result;
use crate::icon::Icon;
use crate::texts::owned;
use crate::work::{Pairs, Work};

/// What `#[prompt]` makes of a function.
#[diagnostic::on_unimplemented(message = "`{Self}` is no prompt: it needs #[prompt]")]
pub trait Prompt {
    /// The prompt.
    const DEFINITION: PromptDefinition;
}

/// A prompt.
#[doc(hidden)]
#[derive(Debug)]
pub struct PromptDefinition {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: Option<&'static str>,
    pub icons: &'static [Icon],
    pub arguments: &'static [PromptArgumentDefinition],
    /// `None`: those of the server.
    pub scopes: Option<&'static [&'static str]>,
    pub meta: Option<&'static str>,
    pub get: fn(Pairs, Context) -> Work<Result<Vec<Message>>>,
}

/// An argument of a prompt.
#[doc(hidden)]
#[derive(Debug)]
pub struct PromptArgumentDefinition {
    pub name: &'static str,
    pub description: Option<&'static str>,
    pub required: bool,
    pub complete: Option<Completer>,
}

impl PromptDefinition {
    pub(crate) fn offered(&self, scopes: &[&str]) -> contract::Prompt {
        let arguments = self.arguments.iter().map(|argument| PromptArgument {
            name: argument.name.to_owned(),
            title: None,
            description: argument.description.map(str::to_owned),
            required: argument.required,
        });
        contract::Prompt {
            name: self.name.to_owned(),
            title: self.title.map(str::to_owned),
            description: self.description.map(str::to_owned),
            icons: Icon::all(self.icons),
            arguments: arguments.collect(),
            scopes: owned(self.scopes.unwrap_or(scopes)),
            meta: self.meta.map(str::to_owned),
        }
    }
}

/// A message of a prompt.
#[derive(Clone, Debug)]
pub struct Message {
    role: Role,
    content: Content,
}

impl Message {
    /// Makes a message of the user: a text, or a [`Content`].
    pub fn user(content: impl Into<Content>) -> Self {
        Self {
            role: Role::User,
            content: content.into(),
        }
    }

    /// Makes a message of the model: a text, or a [`Content`].
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self {
            role: Role::Assistant,
            content: content.into(),
        }
    }

    /// Returns the messages as the contract has them.
    pub(crate) fn all(messages: Vec<Self>) -> PromptMessages {
        let messages = messages.into_iter().map(|message| PromptMessage {
            role: message.role,
            content: message.content,
        });
        PromptMessages {
            description: None,
            messages: messages.collect(),
            meta: None,
        }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// What a prompt may return.
#[diagnostic::on_unimplemented(
    message = "a prompt cannot return `{Self}`",
    note = "it returns a String, a Message or a Vec<Message>; each also in a Result"
)]
pub trait IntoMessages {
    /// Returns the messages.
    fn into_messages(self) -> Vec<Message>;
}

impl IntoMessages for String {
    fn into_messages(self) -> Vec<Message> {
        vec![Message::user(self)]
    }
}

impl IntoMessages for &'static str {
    fn into_messages(self) -> Vec<Message> {
        vec![Message::user(self)]
    }
}

impl IntoMessages for Message {
    fn into_messages(self) -> Vec<Message> {
        vec![self]
    }
}

impl IntoMessages for Vec<Message> {
    fn into_messages(self) -> Vec<Message> {
        self
    }
}

impl<const N: usize> IntoMessages for [Message; N] {
    fn into_messages(self) -> Vec<Message> {
        self.into()
    }
}
