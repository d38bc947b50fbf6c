//! Composition of a component as its manifest wants it.

use composition::{ComposeError, Denials, Dependency, read};

use crate::{denied_imports, manifest::Component};

/// Reads a component and composes it with its dependencies. Imports that a dependency does not inherit get the names
/// under which [`denied_imports`] answers them.
pub(crate) fn compose(id: &str, component: &Component) -> Result<Vec<u8>, ComposeError> {
    let dependencies = component.dependencies.iter().map(|dependency| {
        Ok(Dependency {
            name: &dependency.name,
            wasm: read(&dependency.path)?,
            export: dependency.export.as_deref(),
            inherit: &dependency.inherit,
        })
    });
    let dependencies = dependencies.collect::<Result<_, _>>()?;
    let denials = Denials::Renamed(denied_imports::name);
    composition::compose(id, read(&component.source)?, dependencies, denials)
}
