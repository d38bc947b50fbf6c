//! Fermyon Cloud: `spin cloud deploy`.
//!
//! Its plugin (0.11) takes the values of variables on its command line alone: neither from a file nor from the environment.

use super::host::{FERMYON_CLOUD_DOMAIN, Host};
use super::plan::{Argument, Plan, PlannedCommand};
use super::tools::Tool;
use crate::environment::Variables;
use crate::flavours::Flavour;
use clap::Args;
use std::path::Path;

/// What `deploy fermyon-cloud` takes.
#[derive(Args)]
pub(super) struct Options {
    /// The first deployment, before the address of the application is known
    #[arg(long)]
    pub(super) first: bool,
    /// Let secrets be on the command line of `spin cloud`, where other users of this machine can read them while it runs
    #[arg(long)]
    pub(super) secrets_on_command_line: bool,
    /// What `spin cloud deploy` is given besides, such as `-- --link kv:default=gatehouse`
    #[arg(last = true)]
    pub(super) more: Vec<String>,
}

/// Returns what is known of the host.
pub(super) fn host() -> Host {
    Host {
        name: "Fermyon Cloud",
        argument: "fermyon-cloud",
        flavour: Flavour::FermyonCloud,
        domain: Some(FERMYON_CLOUD_DOMAIN),
        tools: vec![Tool::Spin(1, 3), Tool::SpinPlugin("cloud")],
    }
}

/// Returns why secrets cannot be handed over, unless the operator lets them be on the command line.
pub(super) fn exposed_secrets(variables: &Variables, options: &Options) -> Option<String> {
    let secrets = variables
        .set_variables()
        .filter(|variable| variable.is_secret && !variable.value.is_empty());
    let names: Vec<&str> = secrets.map(|variable| variable.name).collect();
    (!names.is_empty() && !options.secrets_on_command_line).then(|| {
        format!(
            "{}: `spin cloud` takes secrets on its command line alone, where other users of this machine can read them while it runs. On a machine that no one else uses, add --secrets-on-command-line",
            names.join(", ")
        )
    })
}

/// Returns the plan: every variable that is set; the host keeps the others as they are.
pub(super) fn plan(manifest: &Path, variables: &Variables, options: &Options) -> Plan {
    let from = manifest.to_string_lossy();
    let mut command = PlannedCommand::new("spin", ["cloud", "deploy", "--from", &*from]);
    for variable in variables.set_variables() {
        let (name, value) = (variable.name.to_owned(), variable.value.to_owned());
        command
            .arguments
            .push(Argument::Plain("--variable".to_owned()));
        command.arguments.push(match variable.is_secret {
            true => Argument::Secret { name, value },
            false => Argument::Plain(format!("{name}={value}")),
        });
    }
    let more = options.more.iter().cloned();
    command.arguments.extend(more.map(Argument::Plain));
    Plan {
        files: Vec::new(),
        commands: vec![command],
    }
}
