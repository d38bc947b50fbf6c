//! The graph of a component and its dependencies.

use crate::denial;
use crate::dependency_name::DependencyName;
use crate::grants::Inherit;
use std::{collections::BTreeMap, fs, path::Path};
use wac_graph::{
    CompositionGraph, NodeId,
    types::{ItemKind, Package, SubtypeChecker, WorldId},
};

/// What satisfies imports of a component.
#[derive(Debug)]
pub struct Dependency<'a> {
    /// Which imports.
    pub name: &'a DependencyName,
    /// The component.
    pub wasm: Vec<u8>,
    /// The export that satisfies the import, where it is called otherwise.
    pub export: Option<&'a str>,
    /// What it shares of the grants.
    pub inherit: &'a Inherit,
}

/// How what is not inherited is denied.
#[derive(Clone, Copy, Debug)]
pub enum Denials {
    /// The import gets the name that this gives it, for the host to answer.
    Renamed(fn(&str) -> String),
    /// A component in front of the dependency answers.
    Composed,
}

/// Why a component cannot be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A Wasm file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file's path.
        path: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A Wasm file is no component, but a module or something else.
    #[error("{0} is not a WebAssembly component")]
    NotAComponent(String),
    /// A dependency satisfies nothing.
    #[error("dependency \"{0}\" matches no import of the component")]
    Unmatched(String),
    /// Two dependencies satisfy the same import.
    #[error("import {import:?} is satisfied by two dependencies, \"{first}\" and \"{second}\"")]
    Conflict {
        /// The import's name.
        import: String,
        /// The one dependency.
        first: String,
        /// The other dependency.
        second: String,
    },
    /// A dependency lacks what it is there for.
    #[error("dependency \"{dependency}\" does not export {export:?}")]
    MissingExport {
        /// The dependency.
        dependency: String,
        /// The export's name.
        export: String,
    },
    /// A dependency exports something else than what is imported.
    #[error(
        "dependency \"{dependency}\" exports {export:?} with another type than the component imports: {reason}"
    )]
    Mismatch {
        /// The dependency.
        dependency: String,
        /// The export's name.
        export: String,
        /// Where the types differ.
        reason: String,
    },
    /// Anything else about components and their composition.
    #[error("{0}")]
    Graph(String),
}

/// Composes a component with its dependencies. `id` is its name in messages.
///
/// # Errors
///
/// See [`ComposeError`].
pub fn compose(
    id: &str,
    source: Vec<u8>,
    dependencies: Vec<Dependency<'_>>,
    denials: Denials,
) -> Result<Vec<u8>, ComposeError> {
    if dependencies.is_empty() {
        return Ok(source);
    }
    let mut graph = CompositionGraph::new();
    let (world, instance) = add(&mut graph, id, source)?;
    let imports = graph.types()[world].imports.clone();
    let mut satisfied: BTreeMap<String, &DependencyName> = BTreeMap::new();
    let mut cache = Default::default();
    let mut checker = SubtypeChecker::new(&mut cache);
    for (index, dependency) in dependencies.into_iter().enumerate() {
        let matched = imports
            .iter()
            .filter(|(import, _)| dependency.name.matches(import))
            .collect::<Vec<_>>();
        if matched.is_empty() {
            return Err(ComposeError::Unmatched(dependency.name.to_string()));
        }
        let bytes = deny(dependency.wasm, dependency.inherit, denials)?;
        let (provided, provider) = add(&mut graph, &format!("{id}-dependency-{index}"), bytes)?;
        for (import, wanted) in matched {
            if let Some(first) = satisfied.insert(import.clone(), dependency.name) {
                return Err(ComposeError::Conflict {
                    import: import.clone(),
                    first: first.to_string(),
                    second: dependency.name.to_string(),
                });
            }
            let export = dependency.export.unwrap_or(import);
            let Some(offered) = graph.types()[provided].exports.get(export).copied() else {
                return Err(ComposeError::MissingExport {
                    dependency: dependency.name.to_string(),
                    export: export.to_owned(),
                });
            };
            checker
                .is_subtype(offered, graph.types(), *wanted, graph.types())
                .map_err(|error| ComposeError::Mismatch {
                    dependency: dependency.name.to_string(),
                    export: export.to_owned(),
                    reason: format!("{error:#}"),
                })?;
            let node = graph
                .alias_instance_export(provider, export)
                .map_err(other)?;
            graph
                .set_instantiation_argument(instance, import, node)
                .map_err(other)?;
        }
    }
    export_all(&mut graph, world, instance)?;
    graph.encode(Default::default()).map_err(other)
}

/// Puts a denial in the place of every interface that a dependency does not inherit.
fn deny(source: Vec<u8>, inherit: &Inherit, denials: Denials) -> Result<Vec<u8>, ComposeError> {
    let mut graph = CompositionGraph::new();
    let (world, instance) = add(&mut graph, "dependency", source.clone())?;
    let imports = graph.types()[world].imports.iter();
    let denied = imports
        .filter(|(name, _)| inherit.denies(name))
        .map(|(name, kind)| (name.clone(), *kind));
    let denied: Vec<(String, ItemKind)> = denied.collect();
    if denied.is_empty() {
        return Ok(source);
    }
    match denials {
        Denials::Renamed(rename) => {
            for (name, kind) in denied {
                let node = graph.import(rename(&name), kind).map_err(other)?;
                graph
                    .set_instantiation_argument(instance, &name, node)
                    .map_err(other)?;
            }
        }
        Denials::Composed => {
            let names: Vec<&str> = denied.iter().map(|(name, _)| name.as_str()).collect();
            let denial = denial::component(&source, &names).map_err(other)?;
            let (_, denial) = add(&mut graph, "denial", denial)?;
            for name in names {
                let node = graph.alias_instance_export(denial, name).map_err(other)?;
                graph
                    .set_instantiation_argument(instance, name, node)
                    .map_err(other)?;
            }
        }
    }
    export_all(&mut graph, world, instance)?;
    graph.encode(Default::default()).map_err(other)
}

/// Reads the file of a component.
///
/// # Errors
///
/// If it cannot be read or has no component.
pub fn read(path: &Path) -> Result<Vec<u8>, ComposeError> {
    let bytes = fs::read(path).map_err(|source| ComposeError::Read {
        path: path.display().to_string(),
        source,
    })?;
    // The magic number, then the version, then the layer: 1 is a component's.
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(bytes),
        _ => Err(ComposeError::NotAComponent(path.display().to_string())),
    }
}

fn add(
    graph: &mut CompositionGraph,
    name: &str,
    source: Vec<u8>,
) -> Result<(WorldId, NodeId), ComposeError> {
    let package = Package::from_bytes(name, None, source, graph.types_mut()).map_err(other)?;
    let world = package.ty();
    let package = graph.register_package(package).map_err(other)?;
    Ok((world, graph.instantiate(package)))
}

fn export_all(
    graph: &mut CompositionGraph,
    world: WorldId,
    instance: NodeId,
) -> Result<(), ComposeError> {
    for name in graph.types()[world]
        .exports
        .keys()
        .cloned()
        .collect::<Vec<_>>()
    {
        let node = graph
            .alias_instance_export(instance, &name)
            .map_err(other)?;
        graph.export(node, &name).map_err(other)?;
    }
    Ok(())
}

fn other(error: impl Into<anyhow::Error>) -> ComposeError {
    ComposeError::Graph(format!("{:#}", error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::denial::tests::of_world;
    use crate::interface::Interface;

    #[test]
    fn what_a_dependency_satisfies_is_imported_no_more() {
        let name = "test:capabilities/plain@1.0.0".parse().unwrap();
        let dependency = |wasm| Dependency {
            name: &name,
            wasm,
            export: None,
            inherit: &Inherit::All,
        };
        let dependencies = vec![dependency(of_world("dependency"))];
        let dependent = || of_world("dependent");
        let composed = compose("a", dependent(), dependencies, Denials::Composed).unwrap();
        let interface = Interface::of(&composed).unwrap();
        assert!(
            !interface.imports.contains(&name.to_string()),
            "{interface:?}"
        );
        assert!(interface.exports.is_empty());
        let wrong = vec![dependency(dependent())];
        assert!(matches!(
            compose("a", dependent(), wrong, Denials::Composed),
            Err(ComposeError::MissingExport { .. })
        ));
    }

    #[test]
    fn a_module_is_not_a_component() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("module.wasm");
        fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
        assert!(matches!(read(&path), Err(ComposeError::NotAComponent(_))));
        assert!(matches!(
            read(&directory.path().join("none.wasm")),
            Err(ComposeError::Read { .. })
        ));
    }
}
