//! Content blocks.

use crate::bindings::contract::{
    Annotations, Content, ContentBody, ListedResource, Media, ResourceBody, ResourceContents, Role,
};

impl Content {
    /// Makes a text.
    pub fn text(text: impl Into<String>) -> Self {
        ContentBody::Text(text.into()).into()
    }

    /// Makes an image, of a type such as `image/png`.
    pub fn image(data: impl Into<Vec<u8>>, mime_type: &str) -> Self {
        ContentBody::Image(media(data, mime_type)).into()
    }

    /// Makes audio, of a type such as `audio/wav`.
    pub fn audio(data: impl Into<Vec<u8>>, mime_type: &str) -> Self {
        ContentBody::Audio(media(data, mime_type)).into()
    }

    /// Makes a resource that comes with the result.
    pub fn resource(contents: ResourceContents) -> Self {
        ContentBody::EmbeddedResource(contents).into()
    }

    /// Makes a link to a resource.
    pub fn link(resource: ListedResource) -> Self {
        ContentBody::ResourceLink(resource).into()
    }

    /// For whom the content is meant.
    pub fn audience(mut self, audience: &[Role]) -> Self {
        self.annotations_mut().audience = audience.to_vec();
        self
    }

    /// How much the content matters: from 0, which may be left out, to 1, which has to be seen.
    pub fn priority(mut self, priority: f64) -> Self {
        self.annotations_mut().priority = Some(priority);
        self
    }

    fn annotations_mut(&mut self) -> &mut Annotations {
        self.annotations.get_or_insert_with(|| Annotations {
            audience: Vec::new(),
            priority: None,
            last_modified: None,
        })
    }
}

impl From<ContentBody> for Content {
    fn from(body: ContentBody) -> Self {
        Self {
            body,
            annotations: None,
            meta: None,
        }
    }
}

impl ResourceContents {
    /// Makes contents that are a text.
    pub fn text(uri: &str, mime_type: &str, text: impl Into<String>) -> Self {
        Self::new(uri, mime_type, ResourceBody::Text(text.into()))
    }

    /// Makes contents that are bytes.
    pub fn blob(uri: &str, mime_type: &str, data: impl Into<Vec<u8>>) -> Self {
        Self::new(uri, mime_type, ResourceBody::Blob(data.into()))
    }

    fn new(uri: &str, mime_type: &str, body: ResourceBody) -> Self {
        Self {
            uri: uri.to_owned(),
            mime_type: Some(mime_type.to_owned()),
            body,
            meta: None,
        }
    }
}

impl ListedResource {
    /// Makes a resource of which nothing but its URI and name is known.
    pub fn new(uri: &str, name: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            name: name.to_owned(),
            title: None,
            description: None,
            icons: Vec::new(),
            mime_type: None,
            size: None,
            annotations: None,
            meta: None,
        }
    }
}

fn media(data: impl Into<Vec<u8>>, mime_type: &str) -> Media {
    Media {
        data: data.into(),
        mime_type: mime_type.to_owned(),
    }
}
