//! Templates of projects: what `gatehouse new` writes, and, put together by `cargo xtask dist`, what
//! `spin templates install` takes.
//!
//! The files stand in `templates/` of the repository. Gatehouse's part of a project's `spin.toml` is made of the
//! repository's own, so that there is one text to edit. Of the template language (Liquid), files use `{{ project-name }}`
//! with a filter and `{% raw %}` alone.

mod gatehouse_part;
mod liquid;

use crate::release::{Address, Release};
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use composition::identifier_case;
use std::path::Path;

/// A language that tools are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust
    Rust,
    /// Python
    Python,
    /// JavaScript, or TypeScript
    Js,
}

/// A file of a template or project.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path in the folder.
    pub path: String,
    /// What it says.
    pub text: String,
}

macro_rules! files {
    ($template:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../templates/", $template, "/", $path)))),+]
    };
}

impl Language {
    /// Returns the name of its template.
    pub fn template(self) -> &'static str {
        match self {
            Self::Rust => "gatehouse-rust",
            Self::Python => "gatehouse-python",
            Self::Js => "gatehouse-js",
        }
    }

    /// Returns what is typed once in a new project, so that it can be built.
    pub fn setup(self) -> &'static str {
        match self {
            Self::Rust => "rustup target add wasm32-wasip2",
            Self::Python => "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
            Self::Js => "npm install",
        }
    }

    /// The files of its template in the repository.
    fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rust => files!("gatehouse-rust":
                "metadata/spin-template.toml",
                "content/.cargo/config.toml",
                "content/.env.example",
                "content/.gitignore",
                "content/Cargo.toml.tmpl",
                "content/README.md",
                "content/spin.toml",
                "content/src/lib.rs",
            ),
            Self::Python => files!("gatehouse-python":
                "metadata/spin-template.toml",
                "content/.env.example",
                "content/.gitignore",
                "content/README.md",
                "content/app.py",
                "content/requirements.txt",
                "content/spin.toml",
                "content/test_app.py",
            ),
            Self::Js => files!("gatehouse-js":
                "metadata/spin-template.toml",
                "content/.env.example",
                "content/.gitignore",
                "content/README.md",
                "content/app.js",
                "content/app.test.js",
                "content/package.json",
                "content/spin.toml",
            ),
        }
    }
}

/// The files of a project, or of its template, that name a release.
pub const WITH_RELEASE: [&str; 6] = [
    "spin.toml",
    "runtime-config.toml",
    "requirements.txt",
    "package.json",
    "Cargo.toml",
    ".cargo/config.toml",
];

/// Returns a template of this release, complete, as Spin takes it.
///
/// # Errors
///
/// If the release lacks what the template needs.
pub fn template(language: Language, release: &Release) -> Result<Vec<File>> {
    let placeholder = Address::new(PLACEHOLDER)?;
    let files = language.files().iter().map(|(path, text)| {
        let text = match *path {
            "content/spin.toml" => {
                let part = gatehouse_part::text(REPOSITORY_MANIFEST, placeholder.url())?;
                ensure!(
                    text.contains(GATEHOUSE_PART),
                    "{path} lacks {GATEHOUSE_PART}"
                );
                text.replace(GATEHOUSE_PART, part.trim_end())
            }
            _ => (*text).to_owned(),
        };
        let text = release.put_into(&text, &placeholder);
        Ok(File {
            path: (*path).to_owned(),
            text: text.with_context(|| format!("{}/{path}", language.template()))?,
        })
    });
    let runtime_config = File {
        path: "content/runtime-config.toml".to_owned(),
        text: release.put_into(
            &gatehouse_part::runtime_config(RUNTIME_CONFIG, placeholder.url()),
            &placeholder,
        )?,
    };
    files.chain([Ok(runtime_config)]).collect()
}

/// The file of a release that has Gatehouse's part of a project's `spin.toml`, for [`render_part`].
pub const PART_FILE: &str = "gatehouse.toml";

/// Returns the content of [`PART_FILE`], complete but for the name of the project.
///
/// # Errors
///
/// If the release lacks a component.
pub fn part(release: &Release) -> Result<String> {
    let placeholder = Address::new(PLACEHOLDER)?;
    let part = gatehouse_part::text(REPOSITORY_MANIFEST, placeholder.url())?;
    release.put_into(&part, &placeholder)
}

/// Returns Gatehouse's part of a manifest for a project of this name.
///
/// # Errors
///
/// If it is no text of a template.
pub fn render_part(part: &str, name: &str) -> Result<String> {
    liquid::render(part, name)
}

/// Returns the files of a new project.
///
/// # Errors
///
/// If its name is not one of a component, or the release lacks what the template needs.
pub fn project(language: Language, name: &str, release: &Release) -> Result<Vec<File>> {
    check_name(name)?;
    let mut project = Vec::new();
    for file in template(language, release)? {
        let Some(path) = file.path.strip_prefix("content/") else {
            continue;
        };
        let path = path.strip_suffix(".tmpl").unwrap_or(path);
        project.push(File {
            path: path.to_owned(),
            text: liquid::render(&file.text, name).with_context(|| file.path.clone())?,
        });
    }
    Ok(project)
}

/// Writes files into a folder.
///
/// # Errors
///
/// If one cannot be written.
pub fn write(folder: &Path, files: &[File]) -> Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        let write = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, &file.text)
        };
        write().with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// The name becomes that of a component, of a package, and of a crate.
fn check_name(name: &str) -> Result<()> {
    let is_kebab = identifier_case::kebab(name).is_ok() && *name == name.to_ascii_lowercase();
    ensure!(
        is_kebab,
        "{name:?} cannot be the name: it has to be words of small letters and digits with `-` between them, each beginning with a letter, such as weather or my-tools"
    );
    let manifest: toml::Table = REPOSITORY_MANIFEST.parse()?;
    let components = manifest.get("component").and_then(toml::Value::as_table);
    let is_taken = |name: &str| components.is_some_and(|taken| taken.contains_key(name));
    ensure!(
        name != config::COMPOSED,
        "{name:?} cannot be the name: the variable `tools` has it for the component in `mcp`"
    );
    ensure!(
        !is_taken(name) && !is_taken(&format!("{name}-tools")),
        "{name:?} cannot be the name: it is one of Gatehouse's own components"
    );
    Ok(())
}

/// The release that the files in the repository name.
const PLACEHOLDER: &str = "https://gatehouse.invalid/0.0.0";

/// The line of a template's `spin.toml` in whose place Gatehouse's part stands.
const GATEHOUSE_PART: &str = "#: gatehouse";

const REPOSITORY_MANIFEST: &str = include_str!("../../../spin.toml");

const RUNTIME_CONFIG: &str = include_str!("../../../runtime-config.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Variables;
    use crate::identity_component::Identity;
    use crate::release::{self, sums};
    use std::collections::BTreeSet;
    use toml::{Table, Value};

    /// A release whose files are each their own name.
    fn release() -> Release {
        let components = [
            "account",
            "authorize",
            "client_metadata",
            "home",
            "identity_descope",
            "identity_oidc",
            "mcp",
            "metadata",
            "tool_server",
            "tools",
            "tools_mcp",
            "tools_openapi",
        ];
        let mut names: Vec<String> = components
            .iter()
            .map(|name| format!("gatehouse_{name}.wasm"))
            .collect();
        names.extend(
            [
                "README.md",
                "gatehouse_sdk-1.2.3-py3-none-any.whl",
                "gatehouse-sdk-1.2.3.tgz",
                "gatehouse-sdk-1.2.3.crate",
            ]
            .map(str::to_owned),
        );
        let files = names.iter().map(|name| (name.as_str(), name.as_bytes()));
        Release::new(
            Address::new("https://a.test/r/1.2.3").unwrap(),
            &sums(files),
        )
        .unwrap()
    }

    fn file(files: &[File], path: &str) -> String {
        let file = files.iter().find(|file| file.path == path);
        file.unwrap_or_else(|| panic!("no {path}")).text.clone()
    }

    fn manifest(language: Language) -> Table {
        let files = project(language, "my-weather", &release()).unwrap();
        file(&files, "spin.toml").parse().unwrap()
    }

    fn own() -> Table {
        REPOSITORY_MANIFEST.parse().unwrap()
    }

    #[test]
    fn a_project_has_every_component_variable_and_route_of_gatehouse() {
        for language in Language::value_variants() {
            let (project, own) = (manifest(*language), own());
            for table in ["component", "variables"] {
                let keys = |manifest: &Table| {
                    let keys = manifest[table].as_table().unwrap().keys().cloned();
                    keys.collect::<BTreeSet<_>>()
                };
                assert!(keys(&project).is_superset(&keys(&own)), "{table}");
            }
            let routes = |manifest: &Table| {
                let triggers = manifest["trigger"]["http"].as_array().unwrap().clone();
                let triggers = triggers.into_iter().map(|trigger| trigger.to_string());
                triggers.collect::<BTreeSet<_>>()
            };
            let more: Vec<String> = routes(&project)
                .difference(&routes(&own))
                .cloned()
                .collect();
            assert_eq!(more.len(), 1);
            assert!(more[0].contains("my-weather") && more[0].contains("private"));
            assert!(manifest_rules::refusals(&project).is_empty());
            assert_eq!(Variables::of(&project).identity(), Identity::Descope);
        }
    }

    #[test]
    fn the_tools_of_a_project_are_the_ones_that_the_endpoint_calls() {
        let project = manifest(Language::Python);
        assert_eq!(
            project["variables"]["tools"]["default"].as_str(),
            Some("my-weather")
        );
        let mcp = &project["component"]["mcp"];
        let hosts = mcp["allowed_outbound_hosts"].as_array().unwrap();
        assert!(hosts.contains(&Value::from("http://my-weather.spin.internal")));
        assert_eq!(mcp["variables"]["tools"].as_str(), Some("{{ tools }}"));
    }

    #[test]
    fn every_wasm_of_gatehouse_comes_from_the_release_and_nothing_of_it_is_built() {
        for language in Language::value_variants() {
            let project = manifest(*language);
            for (id, component) in project["component"].as_table().unwrap() {
                if id == "my-weather-tools" {
                    let build = &component["build"];
                    assert!(build["command"].is_str() && build["watch"].is_array());
                    assert!(
                        component["source"]
                            .as_str()
                            .unwrap()
                            .ends_with("weather.wasm")
                    );
                    continue;
                }
                assert!(component.get("build").is_none(), "{id}");
                let url = component["source"]["url"].as_str().unwrap();
                let name = url.strip_prefix("https://a.test/r/1.2.3/").unwrap();
                let digest = component["source"]["digest"].as_str().unwrap();
                assert_eq!(release().digest(name).unwrap(), digest);
            }
            let text = toml::to_string(&project).unwrap();
            assert!(!text.contains("wasm32-wasip2/wasm") && !text.contains("invalid"));
            let (address, digest) = release::of_manifest(&project).unwrap();
            assert_eq!(&address, release().address());
            assert_eq!(digest, release().digest(release::SUMS).unwrap());
        }
    }

    #[test]
    fn packages_come_from_the_release_too() {
        for (language, path, words) in [
            (
                Language::Python,
                "requirements.txt",
                "https://a.test/r/1.2.3/gatehouse_sdk-1.2.3-py3-none-any.whl#sha256=",
            ),
            (
                Language::Js,
                "package.json",
                "\"https://a.test/r/1.2.3/gatehouse-sdk-1.2.3.tgz\"",
            ),
            (
                Language::Rust,
                ".cargo/config.toml",
                "\"sparse+https://a.test/r/1.2.3/index/\"",
            ),
            (
                Language::Rust,
                "Cargo.toml",
                "version = \"1.2.3\", registry",
            ),
        ] {
            let files = project(language, "weather", &release()).unwrap();
            assert!(file(&files, path).contains(words), "{path}");
            assert!(WITH_RELEASE.contains(&path));
        }
    }

    #[test]
    fn a_file_names_no_release_unless_an_upgrade_looks_at_it() {
        for language in Language::value_variants() {
            for file in project(*language, "weather", &release()).unwrap() {
                let names_it = file.text.contains("a.test");
                assert_eq!(
                    names_it,
                    WITH_RELEASE.contains(&&*file.path) && file.path != "Cargo.toml",
                    "{}",
                    file.path
                );
                assert!(!file.text.contains("gatehouse.invalid"), "{}", file.path);
                assert!(!file.text.contains("project-name"), "{}", file.path);
            }
        }
    }

    #[test]
    fn a_name_is_one_that_components_packages_and_crates_can_have() {
        for good in ["weather", "my-tools", "a1"] {
            assert!(project(Language::Rust, good, &release()).is_ok(), "{good}");
        }
        for bad in [
            "", "Weather", "my_tools", "my tools", "1a", "a--b", "../a", "a/b", "wäther", "mcp",
            "home", "identity", "composed",
        ] {
            assert!(project(Language::Rust, bad, &release()).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_file_of_the_templates_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
        let mut count = 0;
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    count += 1;
                }
            }
        }
        let known = Language::value_variants().iter();
        let known: usize = known.map(|language| language.files().len()).sum();
        assert_eq!(count, known);
    }
}
