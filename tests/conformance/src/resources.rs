//! The resources.

use crate::contract::{
    Contents, Freshness, ListedResource, Reading, ResourceBody, ResourceContents, ResourceOffer,
    ResourcePage, ResourceTemplate,
};
use crate::fixture::PNG;

/// What changes when a tool says so.
pub(crate) const WATCHED: &str = "test://watched-resource";

/// What holds for all of them.
pub(crate) fn offered() -> ResourceOffer {
    ResourceOffer {
        templates: vec![ResourceTemplate {
            uri_template: format!("{BEFORE_ID}{{id}}{AFTER_ID}"),
            name: "template".to_owned(),
            title: None,
            description: Some("Data with an identifier".to_owned()),
            icons: Vec::new(),
            mime_type: Some("application/json".to_owned()),
            annotations: None,
            meta: None,
        }],
        scopes: Vec::new(),
        wants_credential: false,
    }
}

/// The only page of the list.
pub(crate) fn page() -> ResourcePage {
    ResourcePage {
        resources: vec![
            listed(STATIC_TEXT, "static-text", "A text", "text/plain"),
            listed(STATIC_BINARY, "static-binary", "A picture", "image/png"),
            listed(
                WATCHED,
                "watched",
                "What may be subscribed to",
                "text/plain",
            ),
        ],
        next_cursor: None,
        freshness: freshness(),
    }
}

/// The resource at `uri`.
pub(crate) fn read(uri: &str) -> Option<Reading> {
    let text = |text: &str| ResourceBody::Text(text.to_owned());
    let (mime_type, body) = match uri {
        STATIC_TEXT => (
            "text/plain",
            text("This is the content of the static text resource."),
        ),
        STATIC_BINARY => ("image/png", ResourceBody::Blob(PNG.to_vec())),
        WATCHED => (
            "text/plain",
            text("This never changes, for all its watchers."),
        ),
        _ => {
            let id = uri.strip_prefix(BEFORE_ID)?.strip_suffix(AFTER_ID)?;
            let data = serde_json::json!({ "id": id, "data": format!("Data for {id}") });
            ("application/json", ResourceBody::Text(data.to_string()))
        }
    };
    Some(Reading::Contents(Contents {
        parts: vec![ResourceContents {
            uri: uri.to_owned(),
            mime_type: Some(mime_type.to_owned()),
            body,
            meta: None,
        }],
        freshness: freshness(),
    }))
}

fn listed(uri: &str, name: &str, description: &str, mime_type: &str) -> ListedResource {
    ListedResource {
        uri: uri.to_owned(),
        name: name.to_owned(),
        title: None,
        description: Some(description.to_owned()),
        icons: Vec::new(),
        mime_type: Some(mime_type.to_owned()),
        size: None,
        annotations: None,
        meta: None,
    }
}

fn freshness() -> Option<Freshness> {
    Some(Freshness {
        ttl: 60_000,
        shared: true,
    })
}

const STATIC_TEXT: &str = "test://static-text";
const STATIC_BINARY: &str = "test://static-binary";
const BEFORE_ID: &str = "test://template/";
const AFTER_ID: &str = "/data";
