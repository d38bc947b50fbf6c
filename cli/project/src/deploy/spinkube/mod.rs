//! SpinKube: an image, and a `SpinApp` and its Secrets that `kubectl apply` takes.

mod image_reference;
mod resources;

use super::host::Host;
use super::plan::{FileLife, Plan, PlannedCommand, PlannedFile};
use super::tools::Tool;
use crate::environment::Variables;
use crate::flavours::Flavour;
use crate::project::Project;
use crate::report::Report;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use resources::{Application, resources};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What `deploy spinkube` takes.
#[derive(Args)]
pub(super) struct Options {
    /// The image, with a tag: where the application is pushed to and the cluster pulls it from
    #[arg(long, value_parser = image_reference::parse)]
    image: String,
    /// The build, by the Spin of the cluster's shim: `spin` needs Spin 4.1; the shims 0.24 and 0.25 have 3.6 and 4.0
    #[arg(long = "for", value_enum, default_value = "portable")]
    build: Build,
    /// The name of the SpinApp and of what belongs to it
    #[arg(long, default_value = "gatehouse", value_parser = parse_name)]
    name: String,
    /// The namespace, in place of that of kubectl's context
    #[arg(long, value_parser = parse_name)]
    namespace: Option<String>,
    /// How many pods serve the application
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u32).range(1..))]
    replicas: u32,
    /// The SpinAppExecutor of the cluster
    #[arg(long, default_value = "containerd-shim-spin", value_parser = parse_name)]
    executor: String,
    /// A Secret of the cluster that has the secret variables under their names; none is written then
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    secret: Option<String>,
    /// The runtime configuration, from the folder of spin.toml
    #[arg(long, value_name = "FILE", default_value = "runtime-config.toml")]
    runtime_config_file: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Build {
    /// WASI 0.3, for a shim of Spin 4.1 or later
    Spin,
    /// WASI 0.2, for a shim of Spin 3.2 or later
    Portable,
}

/// Returns what is known of the host.
pub(super) fn host(options: &Options) -> Host {
    let (flavour, spin) = match options.build {
        Build::Spin => (Flavour::Spin, Tool::Spin(4, 1)),
        Build::Portable => (Flavour::Portable, Tool::Spin(3, 0)),
    };
    Host {
        name: "SpinKube",
        argument: "spinkube",
        flavour,
        domain: None,
        tools: vec![spin, Tool::Kubectl],
    }
}

/// Adds what is wrong with the runtime configuration for pods, of which each has files of its own.
///
/// # Errors
///
/// If it cannot be read.
pub(super) fn check(
    project: &Project,
    report: &mut Report,
    variables: &Variables,
    options: &Options,
) -> Result<()> {
    let name = options.runtime_config_file.display();
    let text = runtime_config(project, options)?;
    let table = text
        .parse()
        .with_context(|| format!("{name} is not valid TOML"))?;
    let has_redis = variables.is_set("redis_url");
    if !has_redis && is_store_of_one_pod(&table) {
        report.bad(&format!(
            "{name}: its key-value store is a file, of which each pod would have its own. Set redis_url and redis_host, or name a file with another store with --runtime-config-file"
        ));
    }
    if has_redis && blocks_private_networks(&table) {
        report.warn(&format!(
            "{name}: block_networks has `private`, so a Redis or a provider at an address of the cluster cannot be called. {} says how to open a network (--runtime-config-file)",
            project.document("docs/deploy.md")
        ));
    }
    Ok(())
}

fn runtime_config(project: &Project, options: &Options) -> Result<String> {
    let file = &options.runtime_config_file;
    std::fs::read_to_string(project.path(file))
        .with_context(|| format!("{} cannot be read", file.display()))
}

/// Whether the store is Spin's SQLite file, which is also what there is without a line about it.
fn is_store_of_one_pod(runtime_config: &Table) -> bool {
    let store = runtime_config
        .get("key_value_store")
        .and_then(|stores| stores.get("default")?.get("type")?.as_str());
    matches!(store, None | Some("spin"))
}

fn blocks_private_networks(runtime_config: &Table) -> bool {
    let networks = runtime_config
        .get("outbound_networking")
        .and_then(|networking| networking.get("block_networks"));
    let mut networks = networks.and_then(Value::as_array).into_iter().flatten();
    networks.any(|network| network.as_str() == Some("private"))
}

/// Returns the plan: the resources in `folder`, the image to its registry, the resources to the cluster. The cluster is
/// asked for spin-operator first, so that nothing is pushed for one that cannot be reached.
///
/// # Errors
///
/// If the runtime configuration cannot be read, or a resource cannot be written as YAML.
pub(super) fn plan(
    project: &Project,
    manifest: &Path,
    folder: &Path,
    variables: &Variables,
    options: &Options,
) -> Result<Plan> {
    let runtime_config = runtime_config(project, options)?;
    let pick = |is_secret: bool| -> BTreeMap<&str, &str> {
        let set = variables.set_variables();
        let set = set.filter(|variable| variable.is_secret == is_secret);
        set.map(|variable| (variable.name, variable.value))
            .collect()
    };
    let resources = resources(&Application {
        name: &options.name,
        namespace: options.namespace.as_deref(),
        image: &options.image,
        executor: &options.executor,
        replicas: options.replicas,
        plain: pick(false),
        secret: pick(true),
        existing_secret: options.secret.as_deref(),
        runtime_config: &runtime_config,
    })?;
    let file = |name: &str, about: &str, text: String| PlannedFile {
        path: folder.join(name),
        text,
        about: about.to_owned(),
        life: FileLife::Kept,
    };
    let mut files = Vec::new();
    if let Some(text) = resources.variables {
        files.push(file(
            "variables.yaml",
            "the Secret with the secret variables",
            text,
        ));
    }
    let about = "the Secret with the runtime configuration";
    files.push(file("runtime-config.yaml", about, resources.runtime_config));
    files.push(file("app.yaml", "the SpinApp", resources.app));
    let operator = "customresourcedefinition/spinapps.core.spinkube.dev";
    let manifest = manifest.to_string_lossy();
    let mut commands = vec![
        PlannedCommand::new("kubectl", ["get", operator]),
        PlannedCommand::new(
            "spin",
            ["registry", "push", "--from", &*manifest, &options.image],
        ),
    ];
    commands.extend(files.iter().map(|file| {
        let path = file.path.to_string_lossy();
        PlannedCommand::new("kubectl", ["apply", "--filename", &*path])
    }));
    Ok(Plan { files, commands })
}

/// Checks a name of Kubernetes (RFC 1123, a label), which becomes that of a service.
fn parse_name(name: &str) -> Result<String, String> {
    // The longest that is made of one is `<name>-runtime-config`.
    const MAX_BYTES: usize = 63 - "-runtime-config".len();
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=MAX_BYTES).contains(&name.len())
        && name.bytes().all(is_good)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-');
    if fits {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "it is no name of at most {MAX_BYTES} small letters, digits and `-` that begins with a letter"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_label_of_rfc_1123() {
        for good in ["gatehouse", "a", "tools-2"] {
            assert!(parse_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Gatehouse", "a_b", "2a", "-a", "a-", &"a".repeat(49)] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_store_in_a_file_is_one_of_a_single_pod() {
        let is_one = |text: &str| is_store_of_one_pod(&text.parse().unwrap());
        assert!(is_one(include_str!("../../../../../runtime-config.toml")));
        assert!(is_one(""));
        assert!(!is_one(
            "[key_value_store.default]\ntype = 'redis'\nurl = ''"
        ));
    }

    #[test]
    fn private_networks_are_blocked_by_the_shipped_runtime_configuration() {
        let shipped = include_str!("../../../../../runtime-config.toml");
        assert!(blocks_private_networks(&shipped.parse().unwrap()));
        assert!(!blocks_private_networks(&Table::new()));
    }
}
