//! Resources: the results of `resources/list`, `resources/templates/list` and `resources/read` (2025-11-25,
//! Resources).

use crate::Revision;
use crate::annotations::Annotations;
use crate::base_metadata::BaseMetadata;
use crate::json::{self, InvalidJson};
use crate::result_envelope::{Envelope, Freshness, complete};
use serde::Serialize;
use std::borrow::Cow;

/// A resource, as `resources/list` and links show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its name in the world.
    pub uri: String,
    /// What every list says.
    #[serde(flatten)]
    pub metadata: BaseMetadata,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// In bytes; from 2025-03-26 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whom it is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// Resources whose URIs follow a pattern.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceTemplate {
    /// An RFC 6570 template.
    pub uri_template: String,
    /// What every list says.
    #[serde(flatten)]
    pub metadata: BaseMetadata,
    /// Of all that match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Whom they are meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceContents {
    /// Its name in the world.
    pub uri: String,
    /// Its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The thing itself.
    #[serde(flatten)]
    pub body: ResourceBody,
    /// `_meta`: a JSON object; from 2025-06-18 on.
    #[serde(
        rename = "_meta",
        skip_serializing_if = "Option::is_none",
        serialize_with = "json::object"
    )]
    pub meta: Option<String>,
}

/// The thing itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Bytes.
    #[serde(serialize_with = "json::base64")]
    Blob(Vec<u8>),
}

/// Some of the resources.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourcePage {
    /// These.
    pub resources: Vec<Resource>,
    /// What asks for the next page.
    pub next_cursor: Option<String>,
    /// How long it may be kept.
    pub freshness: Freshness,
}

/// What reading a resource gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The resource, or what it consists of.
    pub parts: Vec<ResourceContents>,
    /// How long it may be kept.
    pub freshness: Freshness,
}

impl Resource {
    /// Removes what `revision` does not have.
    pub(crate) fn adapted(self, revision: Revision) -> Self {
        Self {
            metadata: self.metadata.adapted(revision),
            size: self.size.filter(|_| revision.has_annotations()),
            annotations: Annotations::adapted(self.annotations, revision),
            ..self
        }
    }
}

impl ResourceTemplate {
    fn adapted(self, revision: Revision) -> Self {
        Self {
            metadata: self.metadata.adapted(revision),
            annotations: Annotations::adapted(self.annotations, revision),
            ..self
        }
    }
}

impl ResourceContents {
    /// Removes what `revision` does not have.
    pub(crate) fn adapted(&self, revision: Revision) -> Cow<'_, Self> {
        if self.meta.is_none() || revision.has_structured_content() {
            Cow::Borrowed(self)
        } else {
            Cow::Owned(Self {
                meta: None,
                ..self.clone()
            })
        }
    }
}

impl ResourcePage {
    /// Returns the result of `resources/list` in `envelope`, as JSON.
    ///
    /// # Errors
    ///
    /// Fails if a text that should be JSON is not.
    pub fn into_result(self, envelope: &Envelope) -> Result<String, InvalidJson> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            resources: Vec<Resource>,
            #[serde(skip_serializing_if = "Option::is_none")]
            next_cursor: Option<String>,
        }
        let resources = self.resources.into_iter();
        let result = json::write(&Wire {
            resources: resources
                .map(|one| one.adapted(envelope.revision))
                .collect(),
            next_cursor: self.next_cursor,
        })?;
        Ok(complete(result, None, envelope, Some(self.freshness)))
    }
}

impl Contents {
    /// Returns the result of `resources/read` in `envelope`, as JSON.
    ///
    /// # Errors
    ///
    /// Fails if a text that should be JSON is not.
    pub fn to_result(&self, envelope: &Envelope) -> Result<String, InvalidJson> {
        #[derive(Serialize)]
        struct Wire<'a> {
            contents: Vec<Cow<'a, ResourceContents>>,
        }
        let parts = self.parts.iter();
        let result = json::write(&Wire {
            contents: parts.map(|part| part.adapted(envelope.revision)).collect(),
        })?;
        Ok(complete(result, None, envelope, Some(self.freshness)))
    }
}

/// Returns the result of `resources/templates/list` in `envelope`, as JSON.
///
/// # Errors
///
/// Fails if a text that should be JSON is not.
pub fn resource_templates_list(
    templates: &[ResourceTemplate],
    envelope: &Envelope,
    freshness: Freshness,
) -> Result<String, InvalidJson> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        resource_templates: Vec<ResourceTemplate>,
    }
    let templates = templates.iter().cloned();
    let result = json::write(&Wire {
        resource_templates: templates
            .map(|one| one.adapted(envelope.revision))
            .collect(),
    })?;
    Ok(complete(result, None, envelope, Some(freshness)))
}
