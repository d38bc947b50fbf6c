//! Wasm, as a manifest names it.

use anyhow::{Context, Result};
use toml::{Table, Value};

/// Where the Wasm of a component is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wasm {
    /// In a file, from the manifest's folder.
    File(String),
    /// At a URL, with its digest.
    Remote {
        /// The URL.
        url: String,
        /// `sha256:` and 64 hex digits.
        digest: String,
    },
}

impl Wasm {
    /// Returns where a component's own Wasm is.
    ///
    /// # Errors
    ///
    /// If it is neither in a file nor at a URL.
    pub(super) fn of_component(component: &Table) -> Result<Self> {
        let source = component.get("source").context("it has no `source`")?;
        let remote = source.as_table().and_then(Self::remote);
        let file = source.as_str().map(|path| Self::File(path.to_owned()));
        file.or(remote)
            .context("its `source` is neither a path nor { url = \"...\", digest = \"...\" }")
    }

    /// Returns where the Wasm of a dependency is that is not one on another component.
    ///
    /// # Errors
    ///
    /// If it is neither in a file nor at a URL.
    pub(super) fn of_dependency(dependency: &Table) -> Result<Self> {
        let path = dependency.get("path").and_then(Value::as_str);
        let file = path.map(|path| Self::File(path.to_owned()));
        file.or_else(|| Self::remote(dependency)).context(
            "it has neither `path`, `component` nor `url` and `digest`; a package of a registry cannot be composed in",
        )
    }

    fn remote(table: &Table) -> Option<Self> {
        let text = |name: &str| Some(table.get(name)?.as_str()?.to_owned());
        Some(Self::Remote {
            url: text("url")?,
            digest: text("digest")?,
        })
    }
}
