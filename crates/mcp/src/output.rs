//! The result of `tools/call` (2025-11-25, Tools, Calling Tools).

use crate::content::Content;
use crate::json::{self, InvalidJson};
use crate::result_envelope::{Envelope, complete};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The result of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// For the model.
    pub content: Vec<Content>,
    /// A JSON value, for programs: an object from 2025-06-18 on, anything from 2026-07-28 on.
    pub structured: Option<String>,
    /// Whether the content tells of an error.
    pub is_error: bool,
    /// `_meta`: a JSON object.
    pub meta: Option<String>,
}

impl Output {
    /// An error that the model may be able to mend.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            content: vec![Content::text(text)],
            structured: None,
            is_error: true,
            meta: None,
        }
    }

    /// Returns the result of `tools/call` in `envelope`, as JSON.
    ///
    /// What the revision has no type for becomes text, and so does structured content that comes
    /// with no other.
    ///
    /// # Errors
    ///
    /// Fails if a text that should be JSON is not.
    pub fn to_result(&self, envelope: &Envelope) -> Result<String, InvalidJson> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            content: Vec<Cow<'a, Content>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            structured_content: Option<&'a RawValue>,
            #[serde(skip_serializing_if = "is_false")]
            is_error: bool,
        }
        let structured: Option<&RawValue> = match &self.structured {
            None => None,
            Some(text) => Some(serde_json::from_str(text)?),
        };
        let mut content: Vec<_> = self
            .content
            .iter()
            .map(|content| content.adapted(envelope.revision))
            .collect();
        if let (Some(raw), true) = (structured, content.is_empty()) {
            content.push(Cow::Owned(Content::text(raw.get())));
        }
        let result = json::write(&Wire {
            content,
            structured_content: structured.filter(|raw| {
                envelope.revision.is_stateless()
                    || (envelope.revision.has_structured_content() && raw.get().starts_with('{'))
            }),
            is_error: self.is_error,
        })?;
        let meta = json::parsed_object(self.meta.as_deref())?;
        Ok(complete(result, meta, envelope, None))
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base_metadata::BaseMetadata;
    use crate::content::{ContentBody, Media};
    use crate::resource::{Resource, ResourceBody, ResourceContents};
    use crate::{Revision, ServerInfo};
    use serde_json::{Value, json};

    fn result(output: &Output, revision: Revision) -> Value {
        let envelope = Envelope::new(&ServerInfo::default()).in_revision(revision);
        let text = output.to_result(&envelope).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        for around in ["resultType", "_meta"] {
            let said = value.as_object_mut().unwrap().remove(around);
            assert_eq!(said.is_some(), revision.is_stateless());
        }
        value
    }

    fn output(body: ContentBody) -> Output {
        Output {
            content: vec![Content {
                body,
                annotations: None,
                meta: None,
            }],
            structured: Some(r#"{"sum":3}"#.into()),
            is_error: false,
            meta: None,
        }
    }

    #[test]
    fn structured_content_goes_to_those_who_know_it() {
        let output = output(ContentBody::Text("3".into()));
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
    fn structured_content_that_is_no_object_goes_to_2026_07_28_alone() {
        let output = Output {
            structured: Some("[1]".into()),
            ..output(ContentBody::Text("1".into()))
        };
        for revision in Revision::ALL {
            let has_it = result(&output, revision).get("structuredContent").is_some();
            assert_eq!(has_it, revision == Revision::V2026_07_28, "{revision}");
        }
    }

    #[test]
    fn structured_content_alone_is_repeated_as_text() {
        let output = Output {
            content: Vec::new(),
            ..output(ContentBody::Text(String::new()))
        };
        for revision in Revision::ALL {
            assert_eq!(
                result(&output, revision)["content"][0]["text"],
                r#"{"sum":3}"#
            );
        }
    }

    #[test]
    fn what_should_be_json_and_is_not_is_no_result() {
        for garbage in ["", "{", "{} {}", "nope"] {
            let structured = Output {
                structured: Some(garbage.into()),
                ..Output::error("x")
            };
            let meta = Output {
                meta: Some(garbage.into()),
                ..Output::error("x")
            };
            for output in [structured, meta] {
                assert!(
                    output.to_result(&Revision::NEWEST.into()).is_err(),
                    "{garbage}"
                );
            }
        }
        let meta = Output {
            meta: Some("[]".into()),
            ..Output::error("x")
        };
        assert!(meta.to_result(&Revision::NEWEST.into()).is_err());
    }

    #[test]
    fn content_that_a_revision_does_not_know_becomes_text() {
        let audio = output(ContentBody::Audio(Media {
            data: vec![1, 2],
            mime_type: "audio/wav".into(),
        }));
        let first = |output: &Output, revision| result(output, revision)["content"][0].clone();
        assert_eq!(first(&audio, Revision::V2024_11_05)["type"], "text");
        assert_eq!(
            first(&audio, Revision::V2025_03_26),
            json!({"type":"audio","data":"AQI=","mimeType":"audio/wav"})
        );
        let link = output(ContentBody::ResourceLink(Resource {
            uri: "file:///a".into(),
            metadata: BaseMetadata {
                name: "a".into(),
                meta: Some(r#"{"m":1}"#.into()),
                ..BaseMetadata::default()
            },
            mime_type: None,
            size: Some(3),
            annotations: None,
        }));
        assert_eq!(
            first(&link, Revision::V2025_03_26),
            json!({"type":"text","text":"a: file:///a"})
        );
        assert_eq!(
            first(&link, Revision::V2025_06_18),
            json!({"type":"resource_link","uri":"file:///a","name":"a","size":3,"_meta":{"m":1}})
        );
    }

    #[test]
    fn an_error_and_an_embedded_resource_look_the_same_in_all_revisions() {
        let output = Output {
            structured: None,
            is_error: true,
            ..output(ContentBody::EmbeddedResource(ResourceContents {
                uri: "x:y".into(),
                mime_type: Some("a/b".into()),
                body: ResourceBody::Blob(vec![255]),
                meta: None,
            }))
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
