//! `cargo xtask check-layers`: the direction of dependencies, between crates and between the modules of a crate.
//!
//! Crates: the root manifest lists them in layers (`workspace.metadata.layers`), from the top down; a crate depends on
//! crates of lower layers alone. Development dependencies are free, as tests may use what they like.
//!
//! Modules: no files of a crate depend on each other in a circle, and no type has more than [`MAX_METHODS`] methods. What
//! counts as a dependency stands in [`source`].

mod crates;
mod source;

use crate::shell::{root, step};
use anyhow::{Result, bail};
use crates::Workspace;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use source::Crate;
use std::path::Path;

/// Methods of one type: beyond this it has more than one subject.
const MAX_METHODS: usize = 35;

/// Checks this workspace.
///
/// # Errors
///
/// If a rule is broken; the message names every place.
pub fn check_layers() -> Result<()> {
    step("Checking the direction of dependencies");
    let faults = faults(root())?;
    if !faults.is_empty() {
        bail!("{}", faults.join("\n\n"));
    }
    Ok(())
}

/// Returns what is wrong in the workspace in this folder, one message for each fault.
///
/// # Errors
///
/// If a manifest or a source file cannot be read.
fn faults(root: &Path) -> Result<Vec<String>> {
    let workspace = Workspace::read(root)?;
    let mut faults = workspace.faults();
    for (name, entry) in workspace.sources() {
        let read = Crate::read(entry)?;
        faults.extend(
            circles(&read)
                .into_iter()
                .map(|circle| format!("{name}: {circle}")),
        );
        let large = read
            .methods
            .iter()
            .filter(|(_, count)| **count > MAX_METHODS);
        faults.extend(large.map(|((_, of), count)| {
            format!("{name}: {of} has {count} methods; give it owners with {MAX_METHODS} at most.")
        }));
    }
    Ok(faults)
}

/// Describes each circle of files with the names that tie it.
fn circles(read: &Crate) -> Vec<String> {
    let graph: DiGraphMap<usize, ()> = read.uses.keys().copied().collect();
    let mut circles: Vec<String> = tarjan_scc(&graph)
        .into_iter()
        .filter(|files| files.len() > 1)
        .map(|files| {
            let ties = read
                .uses
                .iter()
                .filter(|((from, to), _)| files.contains(from) && files.contains(to));
            let ties: Vec<String> = ties
                .map(|((from, to), names)| {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    format!(
                        "  {} -> {}: {}",
                        read.files[*from],
                        read.files[*to],
                        names.join(", ")
                    )
                })
                .collect();
            format!("a circle of {} files:\n{}", files.len(), ties.join("\n"))
        })
        .collect();
    circles.sort();
    circles
}

#[cfg(test)]
mod tests;
