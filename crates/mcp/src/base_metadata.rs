//! The metadata that prompts, resources and templates have in common (`BaseMetadata`, `Icons`).

use crate::Revision;
use crate::icon::Icon;
use crate::json;
use serde::Serialize;

/// The name of a listed thing, and what describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BaseMetadata {
    /// For programmatic use.
    pub name: String,
    /// For display; from 2025-06-18 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// For people and models, in plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// From 2025-11-25 on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// `_meta`: a JSON object; from 2025-06-18 on.
    #[serde(
        rename = "_meta",
        skip_serializing_if = "Option::is_none",
        serialize_with = "json::object"
    )]
    pub meta: Option<String>,
}

impl BaseMetadata {
    /// Removes what `revision` does not have.
    pub(crate) fn adapted(self, revision: Revision) -> Self {
        let has_titles = revision.has_structured_content();
        Self {
            title: self.title.filter(|_| has_titles),
            icons: revision.icons(self.icons),
            meta: self.meta.filter(|_| has_titles),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Freshness, Prompt, PromptArgument, Resource, ResourcePage, ResourceTemplate, prompts_list,
        resource_templates_list,
    };
    use serde_json::{Value, json};

    fn metadata() -> BaseMetadata {
        BaseMetadata {
            name: "one".into(),
            title: Some("One".into()),
            description: Some("The first.".into()),
            icons: vec![Icon {
                src: "data:,".into(),
                mime_type: None,
                sizes: Vec::new(),
                theme: None,
            }],
            meta: Some(r#"{"m":1}"#.into()),
        }
    }

    /// What each list shows in a revision, without what all of 2026-07-28 have.
    fn shown(revision: Revision) -> [Value; 3] {
        let prompt = Prompt {
            metadata: metadata(),
            arguments: vec![PromptArgument {
                name: "topic".into(),
                title: Some("Topic".into()),
                description: None,
                required: true,
            }],
        };
        let resource = Resource {
            uri: "test:one".into(),
            metadata: metadata(),
            mime_type: Some("text/plain".into()),
            size: Some(3),
            annotations: None,
        };
        let template = ResourceTemplate {
            uri_template: "test:{one}".into(),
            metadata: metadata(),
            mime_type: None,
            annotations: None,
        };
        let page = ResourcePage {
            resources: vec![resource],
            next_cursor: None,
            freshness: Freshness::default(),
        };
        let freshness = Freshness::default();
        let lists = [
            (
                "prompts",
                prompts_list([&prompt], &revision.into(), freshness),
            ),
            ("resources", page.into_result(&revision.into())),
            (
                "resourceTemplates",
                resource_templates_list(&[template], &revision.into(), freshness),
            ),
        ];
        lists.map(|(name, list)| {
            let list: Value = serde_json::from_str(&list.unwrap()).unwrap();
            list[name][0].clone()
        })
    }

    #[test]
    fn each_revision_is_shown_what_it_knows_of_whatever_is_listed() {
        for revision in Revision::ALL {
            let mut metadata = json!({"name": "one", "description": "The first."});
            let mut argument = json!({"name": "topic", "required": true});
            if revision >= Revision::V2025_06_18 {
                metadata["title"] = "One".into();
                metadata["_meta"] = json!({"m": 1});
                argument["title"] = "Topic".into();
            }
            if revision >= Revision::V2025_11_25 {
                metadata["icons"] = json!([{"src": "data:,"}]);
            }
            let mut prompt = metadata.clone();
            prompt["arguments"] = json!([argument]);
            let mut resource = metadata.clone();
            resource["uri"] = "test:one".into();
            resource["mimeType"] = "text/plain".into();
            if revision >= Revision::V2025_03_26 {
                resource["size"] = 3.into();
            }
            let mut template = metadata;
            template["uriTemplate"] = "test:{one}".into();
            assert_eq!(shown(revision), [prompt, resource, template], "{revision}");
        }
    }
}
