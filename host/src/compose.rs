//! Composition of a component as its manifest wants it.

use composition::{ComposeError, Denials, Dependency, read};

use crate::{denied_imports, manifest::Component, sources::Sources};

/// Reads a component and composes it with its dependencies, of which `sources` has those of other machines. Imports that
/// a dependency does not inherit get the names under which [`denied_imports`] answers them.
pub(crate) fn compose(
    id: &str,
    component: &Component,
    sources: &Sources,
) -> Result<Vec<u8>, ComposeError> {
    let dependencies = component.dependencies.iter().map(|dependency| {
        Ok(Dependency {
            name: &dependency.name,
            wasm: read(&sources.file(&dependency.source))?,
            export: dependency.export.as_deref(),
            inherit: &dependency.inherit,
        })
    });
    let dependencies = dependencies.collect::<Result<_, _>>()?;
    let denials = Denials::Renamed(denied_imports::name);
    composition::compose(
        id,
        read(&sources.file(&component.source))?,
        dependencies,
        denials,
    )
}
