//! Annotations of content and resources (2025-11-25, Schema, `Annotations`).

use crate::Revision;
use serde::Serialize;

/// Whom something is meant for, and how much it matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// For whom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Role>,
    /// From 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// ISO 8601; from 2025-06-18 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// Who speaks, or is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Annotations {
    /// Removes what `revision` does not have.
    pub(crate) fn adapted(annotations: Option<Self>, revision: Revision) -> Option<Self> {
        annotations.map(|annotations| Self {
            priority: annotations
                .priority
                .filter(|priority| (0.0..=1.0).contains(priority)),
            last_modified: annotations
                .last_modified
                .filter(|_| revision.has_structured_content()),
            ..annotations
        })
    }
}
