//! The SDK for Python and what pip fetches with it, from the SDK's `pyproject.toml`.
//!
//! It names exact versions of packages that need no others. No lock file has their digests: of each there is a wheel for
//! every platform.

use super::component::Component;
use crate::shell::root;
use anyhow::{Context, Result};
use std::collections::BTreeSet;

/// The licences (SPDX) of what the SDK needs, by version: `pyproject.toml` has none of its dependencies, and not every wheel
/// says one in words that programs read.
const LICENSES: [(&str, &str, &str); 1] = [(
    "componentize-py",
    "0.25.1",
    "Apache-2.0 WITH LLVM-exception",
)];

/// Returns the SDK, and what it runs with.
///
/// # Errors
///
/// If a dependency has no exact version, or no licence is known of it.
pub(super) fn components() -> Result<Vec<Component>> {
    let path = root().join("sdk/python/pyproject.toml");
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    components_of(&text.parse()?)
}

/// Returns the package URL of a package of PyPI, whose name it normalizes.
pub(super) fn purl(name: &str, version: &str) -> String {
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    format!("pkg:pypi/{name}@{}", version.replace('+', "%2B"))
}

fn components_of(project: &toml::Table) -> Result<Vec<Component>> {
    let project = project.get("project").context("there is no [project]")?;
    let text = |name: &str| {
        let value = project.get(name).and_then(toml::Value::as_str);
        value.with_context(|| format!("[project] has no {name}"))
    };
    let dependencies = project.get("dependencies").and_then(toml::Value::as_array);
    let mut components = Vec::new();
    for dependency in dependencies.into_iter().flatten() {
        let dependency = dependency.as_str().unwrap_or_default();
        let exact = dependency.split_once("==");
        let (name, version) = exact.with_context(|| {
            format!(
                "sdk/python/pyproject.toml: {dependency:?} is no exact version, such as a==1.2.3"
            )
        })?;
        let known = LICENSES
            .iter()
            .find(|known| (known.0, known.1) == (name, version));
        let (_, _, license) = known.with_context(|| {
            format!(
                "the licence of {name} {version} is not known: read it in its wheel, and write it into xtask/src/dist/python_packages.rs"
            )
        })?;
        components.push(component(name, version, license));
    }
    let needs = components.iter().map(|component| component.purl.clone());
    let sdk = Component {
        needs: needs.collect::<BTreeSet<_>>(),
        ..component(text("name")?, text("version")?, text("license")?)
    };
    components.push(sdk);
    Ok(components)
}

fn component(name: &str, version: &str, license: &str) -> Component {
    Component {
        name: name.to_owned(),
        version: version.to_owned(),
        purl: purl(name, version),
        license: Some(license.to_owned()),
        ..Component::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_fetches_has_an_exact_version_and_a_known_licence() {
        let of = |dependency: &str| {
            let project = format!(
                "[project]\nname = 'Gatehouse_SDK'\nversion = '1.2.3'\nlicense = 'Apache-2.0'\ndependencies = ['{dependency}']"
            );
            components_of(&project.parse().unwrap())
        };
        let (name, version, license) = LICENSES[0];
        let components = of(&format!("{name}=={version}")).unwrap();
        assert_eq!(components[0].purl, format!("pkg:pypi/{name}@{version}"));
        assert_eq!(components[0].license.as_deref(), Some(license));
        assert_eq!(components[1].purl, "pkg:pypi/gatehouse-sdk@1.2.3");
        assert_eq!(
            components[1].needs,
            BTreeSet::from([components[0].purl.clone()])
        );
        for (dependency, words) in [
            (format!("{name}>=0.25"), "no exact version"),
            (format!("{name}==0.0.1"), "is not known"),
        ] {
            let error = of(&dependency).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
