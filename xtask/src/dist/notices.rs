//! The licences of what a release is made of: the packages with their licences, those that npm and pip fetch with the SDKs,
//! and then the texts that came with the former.

use super::component::Component;
use super::{cargo_packages, sbom};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Returns the document. A text that several packages have is there once.
///
/// # Errors
///
/// If Cargo cannot read the workspace, or a package's folder or the records of the SDKs cannot be read.
pub(super) fn text() -> Result<String> {
    let workspace = cargo_packages::workspace()?;
    document(&cargo_packages::packages(&workspace)?, &sbom::brought()?)
}

fn document(packages: &[&Value], brought: &[Component]) -> Result<String> {
    let mut document = String::from(
        "What Gatehouse's components and commands are built from and with, and under which licences (SPDX).\n\n",
    );
    let mut texts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        let text_of = |name: &str| package[name].as_str().unwrap_or_default();
        let (name, license) = (text_of("name"), text_of("license"));
        writeln!(document, "{name} {}: {license}", text_of("version"))?;
        let folder = Path::new(text_of("manifest_path"))
            .parent()
            .unwrap_or(Path::new("."));
        let entries = fs::read_dir(folder);
        for entry in entries.with_context(|| format!("{} cannot be read", folder.display()))? {
            let path = entry?.path();
            if path.is_file() && is_notice(&path) {
                let text = String::from_utf8_lossy(&fs::read(&path)?).trim().to_owned();
                texts.entry(text).or_default().insert(name);
            }
        }
    }
    document += "\nThe SDKs for JavaScript and Python, and what npm and pip fetch with them. The latter is not part of the release, and\nbrings its licence texts itself.\n\n";
    for component in brought {
        writeln!(document, "{}", component.license_line())?;
    }
    for (text, names) in texts {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        write!(document, "\n{}\n{names}\n\n{text}\n", "=".repeat(80))?;
    }
    Ok(document)
}

/// Whether a file of a package has a licence or a notice, by its name.
fn is_notice(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_uppercase();
    let starts = [
        "LICENSE",
        "LICENCE",
        "COPYING",
        "COPYRIGHT",
        "NOTICE",
        "UNLICENSE",
    ];
    starts.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_licence_text_is_there_once_with_all_that_came_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let package = |name: &str, files: &[(&str, &str)]| {
            let inside = folder.path().join(name);
            fs::create_dir(&inside).unwrap();
            for (file, text) in files {
                fs::write(inside.join(file), text).unwrap();
            }
            json!({ "name": name, "version": "1.0.0", "license": "MIT", "manifest_path": inside.join("Cargo.toml") })
        };
        let one = package(
            "one",
            &[("LICENSE-MIT", "Do as you like.\n"), ("lib.rs", "code")],
        );
        let two = package(
            "two",
            &[("licence.txt", "Do as you like."), ("NOTICE", "Ours.")],
        );
        let brought = Component {
            name: "three".to_owned(),
            version: "2.0.0".to_owned(),
            license: Some("ISC".to_owned()),
            ..Component::default()
        };
        let document = document(&[&one, &two], &[brought]).unwrap();
        assert!(
            document.contains("one 1.0.0: MIT\ntwo 1.0.0: MIT\n"),
            "{document}"
        );
        assert!(document.contains("\nthree 2.0.0: ISC\n"), "{document}");
        assert!(
            document.contains("one, two\n\nDo as you like.\n"),
            "{document}"
        );
        assert!(
            document.contains("two\n\nOurs.\n") && !document.contains("code"),
            "{document}"
        );
    }
}
