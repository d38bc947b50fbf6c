//! The sizes of the components.

use crate::application::components;
use anyhow::Result;

/// Prints the size of every component that was built.
///
/// # Errors
///
/// If their folder cannot be read.
pub fn print() -> Result<()> {
    let mut files: Vec<_> = std::fs::read_dir(components())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    files.sort();
    for file in files {
        println!(
            "{:<40} {:>8.0} KB",
            file.file_stem().unwrap_or_default().to_string_lossy(),
            std::fs::metadata(&file)?.len() as f64 / 1000.0
        );
    }
    Ok(())
}
