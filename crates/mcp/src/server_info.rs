//! The server, as it tells clients of itself (`Implementation`; 2025-11-25, Lifecycle, Initialization).

use crate::Revision;
use crate::icon::Icon;
use serde::Serialize;

/// The server's name, version and description.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// For programs; for people where there is no title.
    pub name: String,
    /// For people; from 2025-06-18 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Of the server.
    pub version: String,
    /// What the server is for; from 2025-11-25 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// From 2025-11-25 on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// A URL; from 2025-11-25 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_url: Option<String>,
}

impl ServerInfo {
    /// Removes what `revision` does not have.
    pub(crate) fn adapted(&self, revision: Revision) -> Self {
        let has_title = revision.has_structured_content();
        let has_description = revision >= Revision::V2025_11_25;
        Self {
            name: self.name.clone(),
            title: self.title.clone().filter(|_| has_title),
            version: self.version.clone(),
            description: self.description.clone().filter(|_| has_description),
            icons: revision.icons(self.icons.clone()),
            website_url: self.website_url.clone().filter(|_| has_description),
        }
    }

    /// Returns what every result of 2026-07-28 repeats, as JSON: the names and the version.
    pub(crate) fn to_short_json(&self) -> String {
        let short = Self {
            name: self.name.clone(),
            title: self.title.clone(),
            version: self.version.clone(),
            ..Self::default()
        };
        serde_json::to_string(&short).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_revision_is_told_what_it_knows_of_the_server() {
        let server = ServerInfo {
            name: "shop".into(),
            title: Some("The shop".into()),
            version: "2.1".into(),
            description: Some("Orders and prices.".into()),
            icons: vec![Icon {
                src: "data:,".into(),
                mime_type: None,
                sizes: Vec::new(),
                theme: None,
            }],
            website_url: Some("https://shop.example/".into()),
        };
        for revision in Revision::ALL {
            let mut expected = json!({"name": "shop", "version": "2.1"});
            if revision >= Revision::V2025_06_18 {
                expected["title"] = "The shop".into();
            }
            if revision >= Revision::V2025_11_25 {
                expected["description"] = "Orders and prices.".into();
                expected["icons"] = json!([{"src": "data:,"}]);
                expected["websiteUrl"] = "https://shop.example/".into();
            }
            let told = serde_json::to_value(server.adapted(revision)).unwrap();
            assert_eq!(told, expected, "{revision}");
        }
        assert_eq!(
            server.to_short_json(),
            r#"{"name":"shop","title":"The shop","version":"2.1"}"#
        );
    }
}
