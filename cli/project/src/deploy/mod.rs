//! Deployments: from the variables of this machine to an application on a host.
//!
//! Everything that can be checked is checked before anything is built, and nothing is run before all is built. The plan is
//! data (`plan`), so that what is printed is what is run.

mod akamai;
mod application;
mod fermyon_cloud;
mod host;
mod plan;
mod spinkube;
#[cfg(test)]
mod tests;
mod tools;
mod variables;

use crate::environment::Variables;
use crate::flavours::WasmFiles;
use crate::project::Project;
use crate::report::Report;
use crate::{doctor, flavours, identity};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use host::Host;
use plan::{Plan, remove_files};
use std::io::{Write, stdout};
use std::path::Path;
use tools::Tools;

/// What `deploy` takes.
#[derive(Args)]
pub struct Options {
    /// Check and build, and show the commands without running one
    #[arg(long, global = true)]
    dry_run: bool,
    #[command(subcommand)]
    to: To,
}

#[derive(Subcommand)]
enum To {
    /// Akamai Functions, with `spin aka deploy`
    Akamai(akamai::Options),
    /// Fermyon Cloud, with `spin cloud deploy`
    FermyonCloud(fermyon_cloud::Options),
    /// A cluster with SpinKube, with `spin registry push` and `kubectl apply`
    Spinkube(spinkube::Options),
}

/// What a shell says of a program that Ctrl-C ended (128 and the number of SIGINT).
const EXIT_INTERRUPTED: i32 = 130;

/// Checks, builds with what `files` has, and deploys to a host.
///
/// # Errors
///
/// If something has to be corrected first, a program that deploys is missing or fails, or something does not build.
pub fn deploy(project: &Project, options: &Options, files: &dyn WasmFiles) -> Result<()> {
    let variables = Variables::read(project)?;
    let tools = Tools::of(project);
    deploy_with(project, options, files, variables, &tools, &mut stdout())
}

/// Deploys with these variables and programs, and says to `output` what it found and does.
fn deploy_with(
    project: &Project,
    options: &Options,
    files: &dyn WasmFiles,
    mut variables: Variables,
    tools: &Tools,
    output: &mut dyn Write,
) -> Result<()> {
    let to = &options.to;
    let host = to.host();
    variables.change_defaults(host.flavour.defaults());
    let mut report = Report::default();
    variables::check(&mut report, &variables, &host, to.is_first());
    doctor::describe_grants(project, &mut report)?;
    let planned = flavours::manifest_of(project, project.manifest()?, host.flavour)?;
    let refusals = application::refusals(&planned, host.flavour);
    if refusals.is_empty() {
        report.good(&format!("spin.toml: {} takes it", host.name));
    }
    for refusal in &refusals {
        report.bad(refusal);
    }
    to.check(project, &mut report, &variables, &host)?;
    let missing = tools.missing(&host.tools);
    for line in &missing {
        report.warn(line);
    }
    report.write(output, &format!("a deployment to {}", host.name))?;
    if !missing.is_empty() && !options.dry_run {
        bail!(
            "Nothing was deployed:\n  {}\n`--dry-run` does the rest without it.",
            missing.join("\n  ")
        );
    }
    let manifest = flavours::build(project, host.flavour, files)?;
    let folder = project.flavour_folder(host.flavour.name());
    let bytes = application::check_wasm(&planned, &folder, host.flavour, host.name)?;
    writeln!(output, "\nWasm: {} KiB in all.", bytes / 1024)?;
    variables.fill_blank(&planned);
    let plan = to.plan(project, &manifest, &variables)?;
    if options.dry_run {
        plan.write_kept_files()?;
        writeln!(output, "\nA deployment does this:\n{}", plan.shown())?;
        return Ok(());
    }
    writeln!(output, "\n{}", plan.shown())?;
    let temporary = plan.temporary_files();
    ctrlc::set_handler(move || {
        remove_files(&temporary);
        std::process::exit(EXIT_INTERRUPTED);
    })
    .context("Ctrl-C cannot be handled")?;
    plan.run(tools)?;
    writeln!(output, "\n{}", what_follows(project, &variables, &host))?;
    Ok(())
}

impl To {
    fn host(&self) -> Host {
        match self {
            Self::Akamai(_) => akamai::host(),
            Self::FermyonCloud(_) => fermyon_cloud::host(),
            Self::Spinkube(options) => spinkube::host(options),
        }
    }

    /// Whether the application has no address yet.
    fn is_first(&self) -> bool {
        match self {
            Self::Akamai(options) => options.first,
            Self::FermyonCloud(options) => options.first,
            Self::Spinkube(_) => false,
        }
    }

    /// Adds what is wrong, or should be known, on this host alone.
    fn check(
        &self,
        project: &Project,
        report: &mut Report,
        variables: &Variables,
        host: &Host,
    ) -> Result<()> {
        match self {
            Self::Akamai(options) => {
                if let Some(line) =
                    akamai::not_linked(&project.flavour_folder(host.flavour.name()), options.first)
                {
                    report.warn(&line);
                }
            }
            Self::FermyonCloud(options) => {
                if let Some(line) = fermyon_cloud::exposed_secrets(variables, options) {
                    report.bad(&line);
                }
            }
            Self::Spinkube(options) => spinkube::check(project, report, variables, options)?,
        }
        Ok(())
    }

    /// Returns what a deployment of this manifest does.
    fn plan(&self, project: &Project, manifest: &Path, variables: &Variables) -> Result<Plan> {
        match self {
            Self::Akamai(options) => {
                let folder = manifest.parent().context("the manifest is in no folder")?;
                akamai::plan(folder, variables, options)
            }
            Self::FermyonCloud(options) => Ok(fermyon_cloud::plan(manifest, variables, options)),
            Self::Spinkube(options) => {
                let folder = project.flavour_folder("spinkube");
                spinkube::plan(project, manifest, &folder, variables, options)
            }
        }
    }
}

/// Returns what is left to do after a deployment.
fn what_follows(project: &Project, variables: &Variables, host: &Host) -> String {
    let Some(url) = variables.get("public_url").filter(|url| !url.is_empty()) else {
        return format!(
            "The address is in what was printed above. Set SPIN_VARIABLE_PUBLIC_URL to it, enter <address>/callback as a \
             redirect URL at the identity provider, and deploy again:\n  {} {}",
            project.command("deploy"),
            host.argument
        );
    };
    let url = url.trim_end_matches('/');
    let mut lines = format!("Clients connect to {url}/mcp.");
    if !identity::is_descope_mode(variables) {
        lines.push_str(&format!(
            "\nThe identity provider has to know the redirect URL {url}/callback."
        ));
    }
    if host.domain.is_none() {
        lines.push_str(
            "\nAn Ingress of yours leads from there to the Service that spin-operator creates.",
        );
    }
    lines
}
