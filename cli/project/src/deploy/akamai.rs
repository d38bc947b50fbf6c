//! Akamai Functions: `spin aka deploy`.
//!
//! Its plugin is closed; the options are those of its documentation (0.7). `--variable @file.json` reads all variables from a
//! file, so that no value is on the command line.

use super::host::{AKAMAI_DOMAIN, Host};
use super::plan::{FileLife, Plan, PlannedCommand, PlannedFile};
use super::tools::Tool;
use crate::environment::Variables;
use crate::flavours::Flavour;
use anyhow::Result;
use clap::Args;
use std::collections::BTreeMap;
use std::path::Path;

/// What `deploy akamai` takes.
#[derive(Args)]
pub(super) struct Options {
    /// The first deployment, before the address of the application is known
    #[arg(long)]
    pub(super) first: bool,
    /// What `spin aka deploy` is given besides, such as `-- --create-name gatehouse --no-confirm`
    #[arg(last = true)]
    pub(super) more: Vec<String>,
}

/// Returns what is known of the host.
pub(super) fn host() -> Host {
    Host {
        name: "Akamai Functions",
        argument: "akamai",
        flavour: Flavour::Akamai,
        domain: Some(AKAMAI_DOMAIN),
        tools: vec![Tool::Spin(3, 0), Tool::SpinPlugin("aka")],
    }
}

/// Returns what keeps the plugin from knowing the application in the flavour's folder, which it remembers there.
pub(super) fn not_linked(folder: &Path, is_first: bool) -> Option<String> {
    let is_linked = folder.join(".spin-aka").exists();
    (!is_first && !is_linked).then(|| {
        format!(
            "{} does not know its application, since `cargo clean` or on this machine: link it with `spin aka app link --from {}`, or it becomes another application with another address",
            folder.display(),
            folder.join("spin.toml").display()
        )
    })
}

/// Returns the plan: every variable that is set, from a file; the plugin keeps the others as they are.
///
/// # Errors
///
/// If the variables cannot be written as JSON.
pub(super) fn plan(folder: &Path, variables: &Variables, options: &Options) -> Result<Plan> {
    let set: BTreeMap<&str, &str> = variables
        .set_variables()
        .map(|variable| (variable.name, variable.value))
        .collect();
    let path = folder.join("variables.json");
    let about = format!(
        "the variables {}",
        set.keys().copied().collect::<Vec<_>>().join(", ")
    );
    let from = format!("@{}", path.display());
    let mut arguments = vec![
        "aka".to_owned(),
        "deploy".to_owned(),
        "--variable".to_owned(),
        from,
    ];
    arguments.extend(options.more.iter().cloned());
    Ok(Plan {
        files: vec![PlannedFile {
            text: serde_json::to_string(&set)?,
            path,
            about,
            life: FileLife::WhileRunning,
        }],
        commands: vec![PlannedCommand {
            folder: folder.to_path_buf(),
            ..PlannedCommand::new("spin", arguments)
        }],
    })
}
