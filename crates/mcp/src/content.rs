//! Content blocks: the parts of a tool's result and of a prompt's message (2025-11-25, Schema,
//! `ContentBlock`).

use crate::Revision;
use crate::annotations::Annotations;
use crate::json;
use crate::resource::{Resource, ResourceContents};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// A part of a tool's output or of a prompt's message.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// What it is.
    pub body: ContentBody,
    /// Whom it is meant for.
    pub annotations: Option<Annotations>,
    /// `_meta`: a JSON object; from 2025-06-18 on.
    pub meta: Option<String>,
}

/// What a [`Content`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum ContentBody {
    /// Text.
    Text(String),
    /// An image.
    Image(Media),
    /// A sound; from 2025-03-26 on.
    Audio(Media),
    /// Where to find a resource; from 2025-06-18 on.
    ResourceLink(Resource),
    /// A resource itself.
    EmbeddedResource(ResourceContents),
}

/// An image or a sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// The bytes.
    #[serde(serialize_with = "json::base64")]
    pub data: Vec<u8>,
    /// Their type.
    pub mime_type: String,
}

impl Content {
    /// Text, and nothing said about it.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            body: ContentBody::Text(text.into()),
            annotations: None,
            meta: None,
        }
    }

    /// This, as far as `revision` knows it: what it has no type for becomes text.
    pub(crate) fn adapted(&self, revision: Revision) -> Cow<'_, Self> {
        let is_known = revision.has_structured_content()
            && self.annotations.is_none()
            && !matches!(self.body, ContentBody::ResourceLink(_));
        if is_known {
            return Cow::Borrowed(self);
        }
        let body = match self.body.clone() {
            ContentBody::Audio(media) if !revision.has_annotations() => ContentBody::Text(format!(
                "A sound of type {} that revision {revision} of the protocol cannot carry.",
                media.mime_type
            )),
            ContentBody::ResourceLink(link) if !revision.has_structured_content() => {
                let name = link.metadata.title.as_ref().unwrap_or(&link.metadata.name);
                ContentBody::Text(format!("{name}: {}", link.uri))
            }
            ContentBody::ResourceLink(link) => ContentBody::ResourceLink(link.adapted(revision)),
            ContentBody::EmbeddedResource(contents) => {
                ContentBody::EmbeddedResource(contents.adapted(revision).into_owned())
            }
            body => body,
        };
        Cow::Owned(Self {
            body,
            annotations: Annotations::adapted(self.annotations.clone(), revision),
            meta: self
                .meta
                .clone()
                .filter(|_| revision.has_structured_content()),
        })
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(flatten)]
            body: Body<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            annotations: Option<&'a Annotations>,
            #[serde(
                rename = "_meta",
                skip_serializing_if = "Option::is_none",
                serialize_with = "json::object"
            )]
            meta: Option<&'a str>,
        }
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Body<'a> {
            Text { text: &'a str },
            Image(&'a Media),
            Audio(&'a Media),
            ResourceLink(&'a Resource),
            Resource { resource: &'a ResourceContents },
        }
        // Those of a link stand in the very same place, and are the link's own.
        let is_link = matches!(self.body, ContentBody::ResourceLink(_));
        Wire {
            body: match &self.body {
                ContentBody::Text(text) => Body::Text { text },
                ContentBody::Image(media) => Body::Image(media),
                ContentBody::Audio(media) => Body::Audio(media),
                ContentBody::ResourceLink(link) => Body::ResourceLink(link),
                ContentBody::EmbeddedResource(resource) => Body::Resource { resource },
            },
            annotations: self.annotations.as_ref().filter(|_| !is_link),
            meta: self.meta.as_deref().filter(|_| !is_link),
        }
        .serialize(serializer)
    }
}
