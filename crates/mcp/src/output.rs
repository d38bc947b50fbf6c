//! What a tool gives, as `tools/call` answers it.

use crate::Revision;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// For the model.
    pub content: Vec<Content>,
    /// A JSON object, for programs; from 2025-06-18 on.
    pub structured: Option<String>,
    /// Whether the content tells of an error.
    pub is_error: bool,
}

/// A part of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// An image.
    Image(Media),
    /// A sound; from 2025-03-26 on.
    Audio(Media),
    /// Where to find a resource; from 2025-06-18 on.
    ResourceLink(ResourceLink),
    /// A resource itself.
    EmbeddedResource(EmbeddedResource),
}

/// An image or a sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The bytes.
    pub data: Vec<u8>,
    /// Their type.
    pub mime_type: String,
}

/// Where to find a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLink {
    /// Where.
    pub uri: String,
    /// For programs.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// For the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A resource with its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedResource {
    /// Its name in the world.
    pub uri: String,
    /// Its type.
    pub mime_type: Option<String>,
    /// What it holds.
    pub body: ResourceBody,
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Output {
    /// An error that the model may be able to mend.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            content: vec![Content::Text(text.into())],
            structured: None,
            is_error: true,
        }
    }

    /// The result of `tools/call` in `revision`, as JSON; `None` if the structured content is no
    /// JSON object.
    ///
    /// What the revision has no type for becomes text, and so does structured content that comes
    /// with no other.
    pub fn to_result(&self, revision: Revision) -> Option<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            content: Vec<WireContent<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            structured_content: Option<&'a RawValue>,
            #[serde(skip_serializing_if = "is_false")]
            is_error: bool,
        }
        let structured = match &self.structured {
            None => None,
            Some(text) => Some(
                serde_json::from_str::<&RawValue>(text)
                    .ok()
                    .filter(|raw| raw.get().starts_with('{'))?,
            ),
        };
        let mut content: Vec<_> = self
            .content
            .iter()
            .map(|content| WireContent::new(content, revision))
            .collect();
        if let (Some(raw), true) = (structured, content.is_empty()) {
            content.push(WireContent::Text {
                text: raw.get().into(),
            });
        }
        let result = Wire {
            content,
            structured_content: structured.filter(|_| revision.has_structured_content()),
            is_error: self.is_error,
        };
        serde_json::to_string(&result).ok()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireContent<'a> {
    Text {
        text: std::borrow::Cow<'a, str>,
    },
    #[serde(rename_all = "camelCase")]
    Image {
        data: String,
        mime_type: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    Audio {
        data: String,
        mime_type: &'a str,
    },
    ResourceLink(&'a ResourceLink),
    Resource {
        resource: WireResource<'a>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireResource<'a> {
    uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
}

impl<'a> WireContent<'a> {
    fn new(content: &'a Content, revision: Revision) -> Self {
        match content {
            Content::Text(text) => Self::Text {
                text: text.as_str().into(),
            },
            Content::Image(media) => Self::Image {
                data: STANDARD.encode(&media.data),
                mime_type: &media.mime_type,
            },
            Content::Audio(media) if revision.has_annotations() => Self::Audio {
                data: STANDARD.encode(&media.data),
                mime_type: &media.mime_type,
            },
            Content::Audio(media) => Self::Text {
                text: format!(
                    "A sound of type {} that revision {revision} of the protocol cannot carry.",
                    media.mime_type
                )
                .into(),
            },
            Content::ResourceLink(link) if revision.has_structured_content() => {
                Self::ResourceLink(link)
            }
            Content::ResourceLink(link) => Self::Text {
                text: format!(
                    "{}: {}",
                    link.title.as_ref().unwrap_or(&link.name),
                    link.uri
                )
                .into(),
            },
            Content::EmbeddedResource(resource) => Self::Resource {
                resource: WireResource {
                    uri: &resource.uri,
                    mime_type: resource.mime_type.as_deref(),
                    text: match &resource.body {
                        ResourceBody::Text(text) => Some(text),
                        ResourceBody::Blob(_) => None,
                    },
                    blob: match &resource.body {
                        ResourceBody::Text(_) => None,
                        ResourceBody::Blob(bytes) => Some(STANDARD.encode(bytes)),
                    },
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn result(output: &Output, revision: Revision) -> Value {
        let text = output.to_result(revision).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn output(content: Content) -> Output {
        Output {
            content: vec![content],
            structured: Some(r#"{"sum":3}"#.into()),
            is_error: false,
        }
    }

    #[test]
    fn structured_content_goes_to_those_who_know_it() {
        let output = output(Content::Text("3".into()));
        assert_eq!(
            result(&output, Revision::V2025_03_26),
            json!({"content":[{"type":"text","text":"3"}]})
        );
        assert_eq!(
            result(&output, Revision::V2025_06_18),
            json!({"content":[{"type":"text","text":"3"}],"structuredContent":{"sum":3}})
        );
    }

    #[test]
    fn structured_content_alone_is_repeated_as_text() {
        let output = Output {
            content: Vec::new(),
            structured: Some(r#"{"sum":3}"#.into()),
            is_error: false,
        };
        for revision in Revision::ALL {
            assert_eq!(
                result(&output, revision)["content"][0]["text"],
                r#"{"sum":3}"#
            );
        }
    }

    #[test]
    fn structured_content_that_is_no_object_is_no_result() {
        for garbage in ["", "3", "[]", "{", "{} {}"] {
            let output = Output {
                structured: Some(garbage.into()),
                ..Output::error("x")
            };
            assert_eq!(output.to_result(Revision::NEWEST), None, "{garbage}");
        }
    }

    #[test]
    fn content_that_a_revision_does_not_know_becomes_text() {
        let audio = output(Content::Audio(Media {
            data: vec![1, 2],
            mime_type: "audio/wav".into(),
        }));
        let first = |output: &Output, revision| result(output, revision)["content"][0].clone();
        assert_eq!(first(&audio, Revision::V2024_11_05)["type"], "text");
        assert_eq!(
            first(&audio, Revision::V2025_03_26),
            json!({"type":"audio","data":"AQI=","mimeType":"audio/wav"})
        );
        let link = output(Content::ResourceLink(ResourceLink {
            uri: "file:///a".into(),
            name: "a".into(),
            title: None,
            description: None,
            mime_type: None,
            size: Some(3),
        }));
        assert_eq!(
            first(&link, Revision::V2025_03_26),
            json!({"type":"text","text":"a: file:///a"})
        );
        assert_eq!(
            first(&link, Revision::V2025_06_18),
            json!({"type":"resource_link","uri":"file:///a","name":"a","size":3})
        );
    }

    #[test]
    fn an_error_and_an_embedded_resource_look_the_same_in_all_revisions() {
        let output = Output {
            content: vec![Content::EmbeddedResource(EmbeddedResource {
                uri: "x:y".into(),
                mime_type: Some("a/b".into()),
                body: ResourceBody::Blob(vec![255]),
            })],
            structured: None,
            is_error: true,
        };
        for revision in Revision::ALL {
            assert_eq!(
                result(&output, revision),
                json!({"content":[{"type":"resource","resource":
                    {"uri":"x:y","mimeType":"a/b","blob":"/w=="}}],"isError":true})
            );
        }
    }
}
