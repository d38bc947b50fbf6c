//! A resource or the resources of a template, as the attribute defines them.

use crate::bindings::contract::{
    self, Freshness, ListedResource, ResourceBody, ResourceContents, ResourceTemplate,
};
use crate::complete::Completer;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::icon::Icon;
use crate::work::{Pairs, Work};
use serde::Serialize;
use std::any::Any;

/// What `#[resource]` makes of a function.
#[diagnostic::on_unimplemented(message = "`{Self}` is no resource: it needs #[resource]")]
pub trait Resource {
    /// The resource.
    const DEFINITION: ResourceDefinition;
}

/// A resource, or the resources of a template.
#[doc(hidden)]
#[derive(Debug)]
pub struct ResourceDefinition {
    pub uri: &'static str,
    pub is_template: bool,
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: Option<&'static str>,
    pub icons: &'static [Icon],
    pub mime_type: Option<&'static str>,
    pub ttl: Option<u32>,
    pub shared: bool,
    pub wants_credential: bool,
    pub complete: &'static [(&'static str, Option<Completer>)],
    pub meta: Option<&'static str>,
    pub read: fn(Pairs, Context) -> Work<Result<Contents>>,
}

impl ResourceDefinition {
    pub(crate) fn listed(&self) -> ListedResource {
        ListedResource {
            uri: self.uri.to_owned(),
            name: self.name.to_owned(),
            title: self.title.map(str::to_owned),
            description: self.description.map(str::to_owned),
            icons: Icon::all(self.icons),
            mime_type: self.mime_type.map(str::to_owned),
            size: None,
            annotations: None,
            meta: self.meta.map(str::to_owned),
        }
    }

    pub(crate) fn template(&self) -> ResourceTemplate {
        ResourceTemplate {
            uri_template: self.uri.to_owned(),
            name: self.name.to_owned(),
            title: self.title.map(str::to_owned),
            description: self.description.map(str::to_owned),
            icons: Icon::all(self.icons),
            mime_type: self.mime_type.map(str::to_owned),
            annotations: None,
            meta: self.meta.map(str::to_owned),
        }
    }

    pub(crate) fn freshness(&self) -> Option<Freshness> {
        self.ttl.map(|seconds| Freshness {
            ttl: seconds.saturating_mul(1000),
            shared: self.shared,
        })
    }

    /// Returns the contents as the contract has them.
    pub(crate) fn contents(&self, uri: &str, contents: Contents) -> contract::Contents {
        let mut parts = contents.0;
        for part in &mut parts {
            if part.uri.is_empty() {
                uri.clone_into(&mut part.uri);
            }
            if let Some(mime_type) = self.mime_type
                && contents.1
            {
                part.mime_type = Some(mime_type.to_owned());
            }
        }
        contract::Contents {
            parts,
            freshness: self.freshness(),
        }
    }
}

/// What a resource holds: one part, or several with URIs of their own.
#[derive(Debug)]
pub struct Contents(Vec<ResourceContents>, bool);

impl Contents {
    /// Makes contents of parts.
    pub fn new(parts: impl IntoIterator<Item = ResourceContents>) -> Self {
        Self(parts.into_iter().collect(), false)
    }

    /// Makes contents of one part, which has the URI that is read, and the attribute's type before this one.
    fn one(mime_type: &str, body: ResourceBody) -> Self {
        let part = ResourceContents {
            uri: String::new(),
            mime_type: Some(mime_type.to_owned()),
            body,
            meta: None,
        };
        Self(vec![part], true)
    }
}

/// What a resource may return.
#[diagnostic::on_unimplemented(
    message = "a resource cannot return `{Self}`",
    note = "it returns a String, a Vec<u8>, Contents, or what is Serialize; each also in an Option or a Result"
)]
pub trait IntoContents {
    /// Returns the contents.
    ///
    /// # Errors
    ///
    /// If they cannot be serialized.
    fn into_contents(self) -> Result<Contents>;
}

impl IntoContents for Contents {
    fn into_contents(self) -> Result<Contents> {
        Ok(self)
    }
}

impl<T: Serialize + 'static> IntoContents for T {
    fn into_contents(self) -> Result<Contents> {
        let any: &dyn Any = &self;
        let text = any.downcast_ref::<String>().map(String::as_str);
        if let Some(text) = text.or_else(|| any.downcast_ref::<&'static str>().copied()) {
            return Ok(Contents::one(
                "text/plain",
                ResourceBody::Text(text.to_owned()),
            ));
        }
        let bytes = any.downcast_ref::<Vec<u8>>().map(Vec::as_slice);
        if let Some(bytes) = bytes.or_else(|| any.downcast_ref::<&'static [u8]>().copied()) {
            let body = ResourceBody::Blob(bytes.to_vec());
            return Ok(Contents::one("application/octet-stream", body));
        }
        let json = serde_json::to_string(&self).map_err(Error::internal)?;
        Ok(Contents::one("application/json", ResourceBody::Text(json)))
    }
}
