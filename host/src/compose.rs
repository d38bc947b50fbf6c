//! Composition of a component as its manifest wants it.

use composition::{ComposeError, Denials, Dependency, read};
use sha2::{Digest, Sha256};

use crate::{denied_imports, manifest::Component, sources::Sources};

/// A component and its dependencies, as they were read.
pub(crate) struct Parts<'a> {
    id: &'a str,
    wasm: Vec<u8>,
    dependencies: Vec<Dependency<'a>>,
}

impl<'a> Parts<'a> {
    /// Reads them; `sources` has those of other machines.
    pub(crate) fn read(
        id: &'a str,
        component: &'a Component,
        sources: &Sources,
    ) -> Result<Self, ComposeError> {
        let wasm = read(&sources.file(&component.source))?;
        let dependencies = component.dependencies.iter().map(|dependency| {
            Ok(Dependency {
                name: &dependency.name,
                wasm: read(&sources.file(&dependency.source))?,
                export: dependency.export.as_deref(),
                inherit: &dependency.inherit,
            })
        });
        Ok(Self {
            id,
            wasm,
            dependencies: dependencies.collect::<Result<_, _>>()?,
        })
    }

    /// Returns a digest of everything that decides what comes of the composition.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new_with_prefix(Sha256::digest(self.id));
        digest.update(Sha256::digest(&self.wasm));
        for dependency in &self.dependencies {
            let Dependency {
                name,
                wasm,
                export,
                inherit,
            } = dependency;
            digest.update(Sha256::digest(wasm));
            digest.update(Sha256::digest(format!("{name:?} {export:?} {inherit:?}")));
        }
        digest.finalize().into()
    }

    /// Composes them. Imports that a dependency does not inherit get the names under which [`denied_imports`] answers
    /// them.
    pub(crate) fn compose(self) -> Result<Vec<u8>, ComposeError> {
        let denials = Denials::Renamed(denied_imports::name);
        composition::compose(self.id, self.wasm, self.dependencies, denials)
    }
}
