//! Content blocks, resources and what describes them (2025-11-25 and 2026-07-28, Schema).

use crate::json::{self, Items};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use tools_export::{
    Annotations, Content, ContentBody, Icon, ListedResource, Media, PromptMessage, ResourceBody,
    ResourceContents, ResourceTemplate, Role, Theme,
};

/// A part of a tool's result or of a prompt's message. Of a kind that is not known, or without what it needs, it becomes a text that
/// says so: the rest of the result is worth having.
pub(crate) fn content(raw: &RawValue) -> Content {
    let unreadable =
        || Content::text("[The server sent content of a kind that this server does not know.]");
    let Ok(block) = serde_json::from_str::<Block<'_>>(raw.get()) else {
        return unreadable();
    };
    let media = |data: Option<&str>, mime_type| {
        Some(Media {
            data: STANDARD.decode(data?).ok()?,
            mime_type: Option::<String>::clone(mime_type)?,
        })
    };
    let body = match &*block.kind {
        "text" => block.text.clone().map(ContentBody::Text),
        "image" => media(block.data.as_deref(), &block.mime_type).map(ContentBody::Image),
        "audio" => media(block.data.as_deref(), &block.mime_type).map(ContentBody::Audio),
        "resource_link" => resource(raw).ok().map(ContentBody::ResourceLink),
        "resource" => block
            .resource
            .and_then(|resource| contents(resource).ok())
            .map(ContentBody::EmbeddedResource),
        _ => None,
    };
    let Some(body) = body else {
        return unreadable();
    };
    // Those of a link stand in the very same place, and are the link's own.
    let is_link = matches!(body, ContentBody::ResourceLink(_));
    Content {
        body,
        annotations: block.annotations.filter(|_| !is_link).map(Into::into),
        meta: json::meta(block.meta.filter(|_| !is_link)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    data: Option<String>,
    mime_type: Option<String>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    annotations: Option<WireAnnotations>,
    #[serde(rename = "_meta", borrow)]
    meta: Option<&'a RawValue>,
}

/// Reads a message of a prompt.
///
/// # Errors
///
/// If it is malformed.
pub(crate) fn message(raw: &RawValue) -> Result<PromptMessage, &'static str> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        role: String,
        #[serde(borrow)]
        content: &'a RawValue,
    }
    const PROBLEM: &str = "a message of a prompt is malformed";
    let wire: Wire<'_> = json::read(raw, PROBLEM)?;
    Ok(PromptMessage {
        role: role(&wire.role).ok_or(PROBLEM)?,
        content: content(wire.content),
    })
}

/// Reads what a resource holds.
///
/// # Errors
///
/// If it is nothing that a resource can hold.
pub(crate) fn contents(raw: &RawValue) -> Result<ResourceContents, &'static str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        uri: String,
        mime_type: Option<String>,
        text: Option<String>,
        blob: Option<String>,
        #[serde(rename = "_meta", borrow)]
        meta: Option<&'a RawValue>,
    }
    const PROBLEM: &str = "a resource has contents that cannot be read";
    let wire: Wire<'_> = json::read(raw, PROBLEM)?;
    let body = match (wire.text, wire.blob) {
        (Some(text), _) => ResourceBody::Text(text),
        (None, Some(blob)) => ResourceBody::Blob(STANDARD.decode(blob).map_err(|_| PROBLEM)?),
        (None, None) => return Err(PROBLEM),
    };
    Ok(ResourceContents {
        uri: wire.uri,
        mime_type: wire.mime_type,
        body,
        meta: json::meta(wire.meta),
    })
}

/// Reads a resource as lists and links have it.
///
/// # Errors
///
/// If it is malformed.
pub(crate) fn resource(raw: &RawValue) -> Result<ListedResource, &'static str> {
    let wire: WireResource<'_> = json::read(raw, "a resource is malformed")?;
    Ok(ListedResource {
        uri: wire.uri.ok_or("a resource has no URI")?,
        name: wire.name,
        title: wire.title,
        description: wire.description,
        icons: icons(wire.icons),
        mime_type: wire.mime_type,
        size: wire.size,
        annotations: wire.annotations.map(Into::into),
        meta: json::meta(wire.meta),
    })
}

/// Reads a template of resources.
///
/// # Errors
///
/// If it is malformed.
pub(crate) fn template(raw: &RawValue) -> Result<ResourceTemplate, &'static str> {
    let wire: WireResource<'_> = json::read(raw, "it is no template")?;
    Ok(ResourceTemplate {
        uri_template: wire.uri_template.ok_or("it has no URI template")?,
        name: wire.name,
        title: wire.title,
        description: wire.description,
        icons: icons(wire.icons),
        mime_type: wire.mime_type,
        annotations: wire.annotations.map(Into::into),
        meta: json::meta(wire.meta),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResource<'a> {
    uri: Option<String>,
    uri_template: Option<String>,
    name: String,
    title: Option<String>,
    description: Option<String>,
    icons: Option<Items<WireIcon>>,
    mime_type: Option<String>,
    size: Option<u64>,
    annotations: Option<WireAnnotations>,
    #[serde(rename = "_meta", borrow)]
    meta: Option<&'a RawValue>,
}

/// Annotations as they are sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAnnotations {
    audience: Option<Items<String>>,
    priority: Option<f64>,
    last_modified: Option<String>,
}

impl From<WireAnnotations> for Annotations {
    fn from(wire: WireAnnotations) -> Self {
        let audience = wire.audience.unwrap_or_default().first;
        Self {
            audience: audience.iter().filter_map(|name| role(name)).collect(),
            priority: wire
                .priority
                .filter(|priority| (0.0..=1.0).contains(priority)),
            last_modified: wire.last_modified,
        }
    }
}

fn role(name: &str) -> Option<Role> {
    match name {
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        _ => None,
    }
}

/// An icon as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireIcon {
    src: String,
    mime_type: Option<String>,
    sizes: Option<Items<String>>,
    theme: Option<String>,
}

/// Returns the icons that clients may show: those of other schemes than `https` and `data` are left out.
pub(crate) fn icons(icons: Option<Items<WireIcon>>) -> Vec<Icon> {
    const MAX_ICONS: usize = 16;
    let icons = icons.unwrap_or_default().first.into_iter();
    icons
        .filter(|icon| icon.src.starts_with("https://") || icon.src.starts_with("data:"))
        .take(MAX_ICONS)
        .map(|icon| Icon {
            src: icon.src,
            mime_type: icon.mime_type,
            sizes: icon.sizes.unwrap_or_default().first,
            theme: match icon.theme.as_deref() {
                Some("light") => Some(Theme::Light),
                Some("dark") => Some(Theme::Dark),
                _ => None,
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json, value::to_raw_value};

    fn of(value: Value) -> Content {
        content(&to_raw_value(&value).unwrap())
    }

    #[test]
    fn each_kind_of_content_is_read() {
        let text = of(
            json!({"type": "text", "text": "a", "annotations": {"audience": ["user", "x"], "priority": 2}}),
        );
        assert_eq!(text.body, ContentBody::Text("a".to_owned()));
        let annotations = text.annotations.unwrap();
        assert_eq!(
            (annotations.audience, annotations.priority),
            (vec![Role::User], None)
        );
        let image = of(json!({"type": "image", "data": "AQI=", "mimeType": "image/png"}));
        let media = Media {
            data: vec![1, 2],
            mime_type: "image/png".to_owned(),
        };
        assert_eq!(image.body, ContentBody::Image(media.clone()));
        let audio = of(json!({"type": "audio", "data": "AQI=", "mimeType": "image/png"}));
        assert_eq!(audio.body, ContentBody::Audio(media));
        let link = of(
            json!({"type": "resource_link", "uri": "a:b", "name": "n", "annotations": {"priority": 1}}),
        );
        assert!(link.annotations.is_none());
        assert!(matches!(link.body, ContentBody::ResourceLink(link) if link.annotations.is_some()));
        let resource = of(json!({"type": "resource", "resource": {"uri": "a:b", "blob": "AQI="}}));
        assert!(matches!(resource.body, ContentBody::EmbeddedResource(_)));
    }

    #[test]
    fn content_that_is_unknown_or_incomplete_becomes_a_text_that_says_so() {
        for value in [
            json!({"type": "hologram", "data": "x"}),
            json!({"type": "text"}),
            json!({"type": "text", "text": 1}),
            json!({"type": "image", "data": "no base64!", "mimeType": "image/png"}),
            json!({"type": "image", "data": "AQI="}),
            json!({"type": "resource_link", "name": "n"}),
            json!({"type": "resource", "resource": {"uri": "a:b"}}),
            json!({}),
            json!("text"),
            json!(null),
        ] {
            let content = of(value);
            assert!(
                matches!(content.body, ContentBody::Text(text) if text.contains("does not know"))
            );
        }
    }

    #[test]
    fn icons_are_https_or_data() {
        let icon = |src: &str| WireIcon {
            src: src.to_owned(),
            mime_type: None,
            sizes: None,
            theme: Some("dark".to_owned()),
        };
        let given = [
            "https://a/b.png",
            "http://a/b.png",
            "javascript:alert(1)",
            "data:image/png;base64,",
            "/b.png",
        ];
        let given = Items {
            first: given.map(icon).into(),
            is_more: false,
        };
        let icons = icons(Some(given));
        let left: Vec<_> = icons.iter().map(|icon| &*icon.src).collect();
        assert_eq!(left, ["https://a/b.png", "data:image/png;base64,"]);
        assert_eq!(icons[0].theme, Some(Theme::Dark));
    }
}
