//! `gatehouse up`: builds the tools and serves them.

use crate::release_files::build_all;
use crate::serving::{Serving, runtime};
use anyhow::Result;
use clap::Args;
use project::Project;
use project::launch::{self, Launch};
use project::shell::step;

/// What `gatehouse up` takes.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    launch: launch::Options,
    /// Serve what was built before
    #[arg(long)]
    skip_build: bool,
}

/// Builds, serves, and says how to use it. Ends with Ctrl-C.
///
/// # Errors
///
/// If the configuration is wrong, or something does not build or start.
pub fn up(project: &Project, options: &Options) -> Result<()> {
    let launch = Launch::plan(project, &options.launch)?;
    launch.check_addresses()?;
    if !options.skip_build {
        build_all(project, None)?;
    }
    runtime()?.block_on(async {
        let stop = host::stop_signal()?;
        step("Starting (the first time it fetches Gatehouse and compiles it)");
        let serving = tokio::select! {
            serving = Serving::start(project, &launch) => serving?,
            () = stop => return Ok(()),
        };
        launch.announce();
        host::stop_signal()?.await;
        eprintln!("\nStopping.");
        serving.stop().await;
        Ok(())
    })
}
