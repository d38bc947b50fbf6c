//! Composition: a component and what satisfies its imports become one component.

use std::{collections::BTreeMap, fs, path::Path};

use wac_graph::{
    CompositionGraph, NodeId,
    types::{ItemKind, Package, SubtypeChecker, WorldId, are_semver_compatible},
};

use crate::{
    denied_imports,
    manifest::{Component, Dependency, Inherit},
};

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

/// Reads a component and composes it with its dependencies.
pub(crate) fn compose(id: &str, component: &Component) -> Result<Vec<u8>, ComposeError> {
    let source = read(&component.source)?;
    if component.dependencies.is_empty() {
        return Ok(source);
    }
    let mut graph = CompositionGraph::new();
    let (world, instance) = add(&mut graph, id, source)?;
    let imports = graph.types()[world].imports.clone();
    let mut satisfied: BTreeMap<String, &Dependency> = BTreeMap::new();
    let mut cache = Default::default();
    let mut checker = SubtypeChecker::new(&mut cache);
    for (index, dependency) in component.dependencies.iter().enumerate() {
        let matched = imports
            .iter()
            .filter(|(import, _)| dependency.name.matches(import))
            .collect::<Vec<_>>();
        if matched.is_empty() {
            return Err(ComposeError::Unmatched(dependency.name.to_string()));
        }
        let bytes = deny(read(&dependency.path)?, &dependency.inherit)?;
        let (provided, provider) = add(&mut graph, &format!("{id}-dependency-{index}"), bytes)?;
        for (import, wanted) in matched {
            if let Some(first) = satisfied.insert(import.clone(), dependency) {
                return Err(ComposeError::Conflict {
                    import: import.clone(),
                    first: first.name.to_string(),
                    second: dependency.name.to_string(),
                });
            }
            let export = dependency.export.as_ref().unwrap_or(import);
            let Some(offered) = graph.types()[provided].exports.get(export).copied() else {
                return Err(ComposeError::MissingExport {
                    dependency: dependency.name.to_string(),
                    export: export.clone(),
                });
            };
            checker
                .is_subtype(offered, graph.types(), *wanted, graph.types())
                .map_err(|error| ComposeError::Mismatch {
                    dependency: dependency.name.to_string(),
                    export: export.clone(),
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
///
/// The interface's import gets another name, under which [`denied`] answers it.
fn deny(source: Vec<u8>, inherit: &Inherit) -> Result<Vec<u8>, ComposeError> {
    let mut graph = CompositionGraph::new();
    let (world, instance) = add(&mut graph, "dependency", source.clone())?;
    let imports = graph.types()[world].imports.iter();
    let denied = imports
        .filter(|(name, _)| is_denied(name, inherit))
        .map(|(name, kind)| (name.clone(), *kind));
    let denied: Vec<(String, ItemKind)> = denied.collect();
    if denied.is_empty() {
        return Ok(source);
    }
    for (name, kind) in denied {
        let node = graph
            .import(denied_imports::name(&name), kind)
            .map_err(other)?;
        graph
            .set_instantiation_argument(instance, &name, node)
            .map_err(other)?;
    }
    export_all(&mut graph, world, instance)?;
    graph.encode(Default::default()).map_err(other)
}

/// Whether an interface belongs to a grant that is not inherited.
fn is_denied(import: &str, inherit: &Inherit) -> bool {
    GRANTS.iter().any(|(grant, interfaces)| {
        let inherited = match inherit {
            Inherit::All => true,
            Inherit::Only(names) => names.iter().any(|name| name == grant),
        };
        !inherited
            && interfaces
                .iter()
                .any(|interface| *interface == import || are_semver_compatible(interface, import))
    })
}

fn read(path: &Path) -> Result<Vec<u8>, ComposeError> {
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

/// The grants of a component, as a manifest names them, and the interfaces that each is used through.
const GRANTS: &[(&str, &[&str])] = &[
    ("ai_models", &["fermyon:spin/llm", "fermyon:spin/llm@2.0.0"]),
    (
        "allowed_outbound_hosts",
        &[
            "fermyon:spin/http",
            "fermyon:spin/mqtt@2.0.0",
            "fermyon:spin/mysql",
            "fermyon:spin/mysql@2.0.0",
            "fermyon:spin/postgres",
            "fermyon:spin/postgres@2.0.0",
            "fermyon:spin/redis",
            "fermyon:spin/redis@2.0.0",
            "spin:mqtt/mqtt@3.0.0",
            "spin:mysql/mysql@3.0.0",
            "spin:postgres/postgres@3.0.0",
            "spin:postgres/postgres@4.2.0",
            "spin:redis/redis@3.0.0",
            "wasi:http/client@0.3.0",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:sockets/ip-name-lookup@0.2.6",
            "wasi:sockets/ip-name-lookup@0.3.0",
            "wasi:sockets/tcp-create-socket@0.2.6",
            "wasi:sockets/tcp@0.2.6",
            "wasi:sockets/udp-create-socket@0.2.6",
            "wasi:sockets/udp@0.2.6",
        ],
    ),
    (
        "environment",
        &["wasi:cli/environment@0.2.6", "wasi:cli/environment@0.3.0"],
    ),
    (
        "files",
        &[
            "wasi:filesystem/preopens@0.2.6",
            "wasi:filesystem/preopens@0.3.0",
        ],
    ),
    (
        "key_value_stores",
        &[
            "fermyon:spin/key-value",
            "fermyon:spin/key-value@2.0.0",
            "spin:key-value/key-value@3.0.0",
            "wasi:keyvalue/store@0.2.0-draft2",
        ],
    ),
    (
        "sqlite_databases",
        &[
            "fermyon:spin/sqlite",
            "fermyon:spin/sqlite@2.0.0",
            "spin:sqlite/sqlite@3.1.0",
        ],
    ),
    (
        "variables",
        &[
            "fermyon:spin/config",
            "fermyon:spin/variables@2.0.0",
            "spin:variables/variables@3.0.0",
            "wasi:config/store@0.2.0-draft-2024-09-27",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_denied_what_it_does_not_inherit() {
        let nothing = Inherit::Only(Vec::new());
        for import in [
            "spin:variables/variables@3.0.0",
            "wasi:http/client@0.3.0",
            "wasi:cli/environment@0.2.0",
        ] {
            assert!(is_denied(import, &nothing), "{import}");
            assert!(!is_denied(import, &Inherit::All), "{import}");
        }
        for import in [
            "wasi:http/types@0.3.0",
            "wasi:clocks/monotonic-clock@0.2.6",
            "wasi:random/random@0.2.6",
        ] {
            assert!(!is_denied(import, &nothing), "{import}");
        }
        let variables = Inherit::Only(vec!["variables".to_owned()]);
        assert!(!is_denied("spin:variables/variables@3.0.0", &variables));
        assert!(is_denied("spin:key-value/key-value@3.0.0", &variables));
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
