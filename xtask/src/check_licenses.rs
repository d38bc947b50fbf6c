//! `cargo xtask check-licenses`: the licences of all dependencies against the list in `deny.toml`.

use crate::shell::{cargo, output, root, step};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

/// The part of `deny.toml` that is read here.
#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

/// The part of `cargo metadata` that is read here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// Checks the locked dependencies of this workspace.
///
/// # Errors
///
/// Fails if a dependency has no licence that `deny.toml` allows; the message names each.
pub fn check_licenses() -> Result<()> {
    step("Checking the licences of dependencies");
    let deny = std::fs::read_to_string(root().join("deny.toml"))?;
    let deny: Deny = toml::from_str(&deny).context("deny.toml has no list licenses.allow")?;
    let mut command = cargo();
    command.args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--all-features",
    ]);
    let metadata = output(&mut command).context("cargo cannot read the workspace")?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let faults = faults(&metadata.packages, &deny.licenses.allow);
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

/// Returns a message for each package without a licence in `allowed`.
fn faults(packages: &[Package], allowed: &[String]) -> Vec<String> {
    let is_allowed = |license: &str| {
        let expression = Expression::parse_mode(license, ParseMode::LAX);
        expression.is_ok_and(|expression| {
            expression.evaluate(|requirement| allowed.contains(&requirement.to_string()))
        })
    };
    packages
        .iter()
        .filter(|package| !package.license.as_deref().is_some_and(is_allowed))
        .map(|package| {
            format!(
                "{} {} has the licence {}, which deny.toml does not allow.",
                package.name,
                package.version,
                package.license.as_deref().unwrap_or("(none)")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_licence_of_several_suffices_and_all_of_a_conjunction_are_needed() {
        let package = |name: &str, license: Option<&str>| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
        };
        let packages = [
            package("one", Some("MIT")),
            package("either", Some("GPL-3.0-only OR MIT")),
            package("old", Some("MIT/Apache-2.0")),
            package("exception", Some("Apache-2.0 WITH LLVM-exception")),
            package("both", Some("MIT AND GPL-3.0-only")),
            package("other", Some("GPL-3.0-only")),
            package("none", None),
        ];
        let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        assert_eq!(
            faults(&packages, &allowed),
            [
                "both 1.0.0 has the licence MIT AND GPL-3.0-only, which deny.toml does not allow.",
                "other 1.0.0 has the licence GPL-3.0-only, which deny.toml does not allow.",
                "none 1.0.0 has the licence (none), which deny.toml does not allow.",
            ]
        );
    }
}
