//! The house's style, as tests: documented commands, module documentation, test names, words.

mod commands;
mod module_docs;
mod test_names;
mod words;

use crate::shell::root;
use std::fs;
use std::path::Path;

/// A text file of the repository.
struct Source {
    /// Relative to the repository, with `/` between folders.
    path: String,
    text: String,
}

/// Folders of what is built, installed or made up by a fuzzer. Those whose names begin with a dot are left out as well.
const LEFT_OUT: [&str; 6] = [
    "__pycache__",
    "artifacts",
    "corpus",
    "coverage",
    "node_modules",
    "target",
];

/// Returns the repository's files with these extensions.
fn sources(extensions: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    collect(root(), extensions, &mut sources);
    assert!(!sources.is_empty());
    sources
}

fn collect(folder: &Path, extensions: &[&str], sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !path.is_symlink() {
            if !name.starts_with('.') && !LEFT_OUT.contains(&name) {
                collect(&path, extensions, sources);
            }
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| extensions.contains(&extension)) {
            let relative = path.strip_prefix(root()).unwrap();
            sources.push(Source {
                path: relative.to_str().unwrap().replace('\\', "/"),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}
