//! `gatehouse upgrade`: everything of a project that is a release's, from another release.

use crate::merge::{Addition, merge};
use crate::release_files::Releases;
use anyhow::{Context, Result, ensure};
use clap::Args;
use project::release::{self, Address, Release};
use project::templates::{self, WITH_RELEASE};
use project::{MANIFEST, Project};
use toml_edit::DocumentMut;

/// What `gatehouse upgrade` takes.
#[derive(Args)]
pub struct Options {
    /// The version, such as 0.2.0, of which the release is beside the one in use; or the URL of a release
    #[arg(value_name = "VERSION")]
    to: String,
}

/// Writes the other release into the files that name one, and adds to `spin.toml` what that release has besides. What the
/// project changed stays as it is.
///
/// # Errors
///
/// If the release cannot be fetched or lacks a component that the project uses. Then nothing is written.
pub fn upgrade(project: &Project, options: &Options) -> Result<()> {
    let (from, _) = release::of_manifest(&project.manifest()?)?;
    let to = match options.to.contains("://") {
        true => Address::new(&options.to)?,
        false => from.of_version(&options.to)?,
    };
    let releases = Releases::default();
    let release = releases.at(to)?;
    let part = releases.read(&release, templates::PART_FILE)?;
    let part = String::from_utf8(part).context("Gatehouse's part is no text")?;
    let mut written = Vec::new();
    let mut additions = Vec::new();
    for name in WITH_RELEASE {
        let path = project.path(name);
        if !path.exists() {
            continue;
        }
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{name} cannot be read"))?;
        let mut new = release.put_into(&text, &from).context(name)?;
        if name == MANIFEST {
            (new, additions) = with_part(&new, &part)?;
        }
        written.push((path, new));
    }
    ensure!(
        !written.is_empty(),
        "The project has no file that names a release"
    );
    for (path, text) in &written {
        std::fs::write(path, text)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    tell(&from, &release, &additions);
    Ok(())
}

/// Returns a manifest with what Gatehouse's part of a release has besides.
fn with_part(manifest: &str, part: &str) -> Result<(String, Vec<Addition>)> {
    let mut document: DocumentMut = manifest.parse().context("spin.toml is not valid TOML")?;
    let part = templates::render_part(part, NO_PROJECT)?;
    let part: DocumentMut = part.parse().context("Gatehouse's part is not valid TOML")?;
    let additions = merge(&mut document, &part, NO_PROJECT);
    Ok((document.to_string(), additions))
}

/// Stands for the project's tools in Gatehouse's part: how they are called is the project's own matter.
const NO_PROJECT: &str = "no-project-has-this-name";

fn tell(from: &Address, release: &Release, additions: &[Addition]) {
    println!(
        "From {} to {}.",
        from.version(),
        release.address().version()
    );
    for addition in additions {
        println!("spin.toml has now {addition}");
    }
    println!(
        "Its {} has the digest {}.\nInstall the packages again as README.md says, and read CHANGELOG.md of Gatehouse for what else has changed.",
        release::SUMS,
        release.digest(release::SUMS).unwrap_or_default()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gets_what_the_release_has_besides_and_keeps_the_rest() {
        let manifest = "# Mine.\n[variables]\ncall_timeout = { default = \"5\" } # seconds\n\n\
             [[trigger.http]]\nroute = \"/mcp\"\ncomponent = \"mcp\"\n\n\
             [component.mcp]\nsource = { url = \"a\", digest = \"b\" }\n\
             allowed_outbound_hosts = [\"{{ oidc_host }}\", \"http://weather.spin.internal\"]\n\
             [component.mcp.variables]\ncall_timeout = \"{{ call_timeout }}\"\n";
        let part = "{% raw %}[variables]\ntools = { default = \"{% endraw %}{{project-name}}{% raw %}\" }\n\
             call_timeout = { default = \"60\" }\nnew = { default = \"\" }\n\
             # Tools.\n[[trigger.http]]\nroute = \"/mcp\"\ncomponent = \"mcp\"\n\
             [[trigger.http]]\nroute = { private = true }\ncomponent = \"added\"\n\
             [component.mcp]\nsource = { url = \"c\", digest = \"d\" }\n\
             allowed_outbound_hosts = [\"{{ oidc_host }}\", \"{{ new_host }}\", \"http://{% endraw %}{{project-name}}{% raw %}.spin.internal\"]\n\
             [component.mcp.variables]\ncall_timeout = \"{{ call_timeout }}\"\nnew = \"{{ new }}\"\n\
             [component.added]\nsource = { url = \"e\", digest = \"f\" }\n{% endraw %}";
        let (merged, additions) = with_part(manifest, part).unwrap();
        let read: toml::Table = merged.parse().unwrap();
        assert!(merged.starts_with("# Mine.\n"), "{merged}");
        assert!(
            merged.contains("call_timeout = { default = \"5\" } # seconds"),
            "{merged}"
        );
        assert_eq!(read["variables"]["new"]["default"].as_str(), Some(""));
        assert!(read["variables"].get("tools").is_none());
        let mcp = &read["component"]["mcp"];
        assert_eq!(mcp["source"]["url"].as_str(), Some("a"));
        assert_eq!(mcp["variables"]["new"].as_str(), Some("{{ new }}"));
        let hosts = mcp["allowed_outbound_hosts"].as_array().unwrap();
        let hosts: Vec<&str> = hosts.iter().filter_map(toml::Value::as_str).collect();
        assert_eq!(
            hosts,
            [
                "{{ oidc_host }}",
                "http://weather.spin.internal",
                "{{ new_host }}"
            ]
        );
        assert_eq!(
            read["component"]["added"]["source"]["url"].as_str(),
            Some("e")
        );
        assert_eq!(read["trigger"]["http"].as_array().unwrap().len(), 2);
        let told: Vec<String> = additions.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 5, "{told:?}");
        let (again, none) = with_part(&merged, part).unwrap();
        assert_eq!(again, merged);
        assert!(none.is_empty());
    }
}
