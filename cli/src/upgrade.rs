//! `gatehouse upgrade`: everything of a project that is a release's, from another release.

use crate::merge::{Change, merge};
use crate::release_files::Releases;
use anyhow::{Context, Result, ensure};
use clap::Args;
use project::release::{self, Address, Release};
use project::templates::{self, WITH_RELEASE};
use project::{MANIFEST, Project};
use std::collections::BTreeMap;
use toml_edit::{DocumentMut, Item};

/// What `gatehouse upgrade` takes.
#[derive(Args)]
pub struct Options {
    /// The version, such as 0.2.0, of which the release is beside the one in use; or the URL of a release
    #[arg(value_name = "VERSION")]
    to: String,
}

/// Writes the other release into the files that name one, and does to `spin.toml` what has changed between the two
/// releases. What the project changed, added or took away stays so.
///
/// # Errors
///
/// If a release cannot be fetched, or the other one lacks a file that the project uses. Then nothing is written.
pub fn upgrade(project: &Project, options: &Options) -> Result<()> {
    let (from, _) = release::of_manifest(&project.manifest()?)?;
    let to = match options.to.contains("://") {
        true => Address::new(&options.to)?,
        false => from.of_version(&options.to)?,
    };
    let releases = Releases::default();
    let part = |release: &Release| {
        let part = releases.read(release, templates::PART_FILE)?;
        String::from_utf8(part).context("Gatehouse's part is no text")
    };
    let old = releases.of_project(project).and_then(|old| part(&old));
    let old = old.context("The release in use is needed to see what the project changed")?;
    let release = releases.at(to)?;
    let new = part(&release)?;
    let mut written = Vec::new();
    let mut changes = Vec::new();
    for name in WITH_RELEASE {
        let path = project.path(name);
        if !path.exists() {
            continue;
        }
        let mut text =
            std::fs::read_to_string(&path).with_context(|| format!("{name} cannot be read"))?;
        if name == MANIFEST {
            (text, changes) = with_changes(&text, &old, &new)?;
        }
        written.push((path, release.put_into(&text, &from).context(name)?));
    }
    ensure!(
        !written.is_empty(),
        "The project has no file that names a release"
    );
    for (path, text) in &written {
        std::fs::write(path, text)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    print_summary(&from, &release, &changes);
    Ok(())
}

/// Returns a manifest with what has changed in Gatehouse's part of it, from `old` to `new`.
fn with_changes(manifest: &str, old: &str, new: &str) -> Result<(String, Vec<Change>)> {
    let read = |text: &str| text.parse::<DocumentMut>();
    let name = read(manifest).context("spin.toml is not valid TOML")?;
    let name = name["application"]["name"].as_str().unwrap_or_default();
    let part = |text: &str| templates::render_part(text, name);
    let (mut manifest, mut old, new) = (manifest.to_owned(), part(old)?, part(new)?);
    let part = |text: &str| read(text).context("Gatehouse's part is not valid TOML");
    let new_contracts = contracts(&part(&new)?);
    for (contract, version) in contracts(&part(&old)?) {
        if let Some(new) = new_contracts.get(&contract) {
            // The project's own components have the contract too.
            let (version, new) = (
                format!("\"{contract}@{version}\""),
                format!("\"{contract}@{new}\""),
            );
            manifest = manifest.replace(&version, &new);
            old = old.replace(&version, &new);
        }
    }
    let mut merged = read(&manifest).context("spin.toml is not valid TOML")?;
    let changes = merge(&mut merged, &part(&old)?, &part(&new)?);
    Ok((merged.to_string(), changes))
}

/// Returns the versions of Gatehouse's contracts that the components of a manifest have, by the contracts' names.
fn contracts(manifest: &DocumentMut) -> BTreeMap<String, String> {
    let components = manifest.get("component").and_then(Item::as_table_like);
    let dependencies = components.into_iter().flat_map(|components| {
        let dependencies = components
            .iter()
            .filter_map(|(_, one)| one.get("dependencies")?.as_table_like());
        dependencies.flat_map(|dependencies| dependencies.iter())
    });
    let contracts = dependencies.filter_map(|(name, _)| {
        let (contract, version) = name.split_once('@')?;
        Some((contract.to_owned(), version.to_owned()))
    });
    contracts.collect()
}

fn print_summary(from: &Address, release: &Release, changes: &[Change]) {
    println!(
        "From {} to {}.",
        from.version(),
        release.address().version()
    );
    let is_of_release =
        |change: &&Change| !change.path.ends_with(".url") && !change.path.ends_with(".digest");
    for change in changes.iter().filter(is_of_release) {
        println!("spin.toml {change}");
    }
    println!(
        "Its {} has the digest {}.\nInstall the packages again as README.md says, and read {} for what else has changed.",
        release::SUMS,
        release.digest(release::SUMS).unwrap_or_default(),
        release.address().file("CHANGELOG.md")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of a release with this version of a contract, and these lines besides.
    fn part(version: &str, variables: &str, hosts: &str, more: &str) -> String {
        format!(
            "{{% raw %}}[variables]\ntools = {{ default = \"{{% endraw %}}{{{{project-name}}}}{{% raw %}}\" }}\n\
             call_timeout = {{ default = \"60\" }}\n{variables}\n\
             [[trigger.http]]\nroute = \"/mcp\"\ncomponent = \"mcp\"\n\
             [[trigger.http]]\nroute = \"/sse\"\ncomponent = \"mcp\"\n\
             [component.mcp]\nsource = {{ url = \"{version}\", digest = \"{version}\" }}\n\
             allowed_outbound_hosts = [{hosts}, \"http://{{% endraw %}}{{{{project-name}}}}{{% raw %}}.spin.internal\"]\n\
             [component.mcp.variables]\ncall_timeout = \"{{{{ call_timeout }}}}\"\n\
             [component.mcp.dependencies]\n\"gatehouse:tools/tools@{version}\" = {{ url = \"tools\" }}\n\
             {more}{{% endraw %}}"
        )
    }

    /// The manifest of a project as it was written with this part.
    fn project(part: &str, version: &str) -> String {
        let part = templates::render_part(part, "weather").unwrap();
        format!(
            "# Mine.\n[application]\nname = \"weather\"\n\n[component.weather.dependencies]\n\
             \"gatehouse:tools/tools@{version}\" = {{ component = \"weather-tools\" }}\n\n{part}"
        )
    }

    fn upgraded(manifest: &str, old: &str, new: &str) -> (toml::Table, Vec<String>) {
        let (merged, changes) = with_changes(manifest, old, new).unwrap();
        assert!(merged.starts_with("# Mine.\n"), "{merged}");
        let lines = changes.iter().map(ToString::to_string).collect();
        (merged.parse().unwrap(), lines)
    }

    #[test]
    fn what_a_release_has_besides_comes_and_what_it_has_no_more_goes() {
        let old = part(
            "1.0.0",
            "old = { default = \"\" }\nown = { default = \"1\" }",
            "\"a\", \"b\"",
            "[component.old]\n",
        );
        let new = part(
            "1.0.0",
            "new = { default = \"\" }",
            "\"a\", \"c\"",
            "[component.new]\nsource = \"x\"\n",
        );
        let new = new.replace("\"60\"", "\"90\"").replace("/sse", "/events");
        let mine = project(&old, "1.0.0").replace(
            "own = { default = \"1\" }",
            "own = { default = \"2\" } # mine",
        );
        let (merged, lines) = upgraded(&mine, &old, &new);
        let variables = merged["variables"].as_table().unwrap();
        assert_eq!(variables["new"]["default"].as_str(), Some(""));
        assert_eq!(variables["call_timeout"]["default"].as_str(), Some("90"));
        assert_eq!(variables["own"]["default"].as_str(), Some("2"));
        assert!(!variables.contains_key("old"));
        let mcp = &merged["component"]["mcp"];
        let hosts = toml::Value::from(vec!["a", "http://weather.spin.internal", "c"]);
        assert_eq!(mcp["allowed_outbound_hosts"], hosts);
        let components = merged["component"].as_table().unwrap();
        assert!(components.contains_key("new") && !components.contains_key("old"));
        let routes = merged["trigger"]["http"].as_array().unwrap().iter();
        let routes: Vec<&str> = routes.map(|one| one["route"].as_str().unwrap()).collect();
        assert_eq!(routes, ["/mcp", "/events"]);
        assert_eq!(lines.len(), 9, "{lines:?}");
    }

    #[test]
    fn what_the_operator_took_away_or_changed_does_not_come_back() {
        let old = part("1.0.0", "", "\"{{ oidc_host }}\", \"b\"", "");
        let mine = project(&old, "1.0.0")
            .replace("\"{{ oidc_host }}\", ", "")
            .replace(
                "[[trigger.http]]\nroute = \"/sse\"\ncomponent = \"mcp\"\n",
                "",
            )
            .replace("call_timeout = \"{{ call_timeout }}\"\n", "")
            .replace("\"60\"", "\"5\"")
            .replace("url = \"tools\"", "path = \"mine.wasm\"");
        let new = part("1.0.0", "", "\"{{ oidc_host }}\", \"b\"", "").replace("\"60\"", "\"90\"");
        let (merged, lines) = upgraded(&mine, &old, &new);
        assert_eq!(merged, mine.parse().unwrap());
        assert!(lines.is_empty(), "{lines:?}");
    }

    #[test]
    fn an_upgrade_crosses_a_version_of_a_contract() {
        let (old, new) = (
            part("1.0.0", "", "\"a\"", ""),
            part("2.0.0", "", "\"a\"", ""),
        );
        let (merged, _) = upgraded(&project(&old, "1.0.0"), &old, &new);
        let expected = project(&new, "2.0.0").parse().unwrap();
        assert_eq!(merged, expected);
    }
}
