//! `cargo xtask bench`: measures, side by side with an empty component.

use crate::build;
use crate::shell::{cargo, run, step};
use anyhow::Result;
use clap::Args;

/// What `cargo xtask bench` takes.
#[derive(Args)]
pub struct Options {
    /// Seconds that each measurement lasts
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// HTTP+SSE sessions that stand idle at once
    #[arg(long, default_value_t = 1000)]
    sessions: usize,
    /// Dead records that are swept
    #[arg(long, default_value_t = 100_000)]
    dead: u64,
    /// Measure only the requests with this in their name, beside the empty component
    #[arg(long)]
    only: Option<String>,
}

/// Builds everything for release and measures it.
///
/// # Errors
///
/// If something does not build or a measurement fails.
pub fn bench(options: &Options) -> Result<()> {
    let mut packages = build::packages()?;
    packages.extend(["bench-bare", "bench-empty", "conformance-tools"].map(str::to_owned));
    build::wasm(&packages, build::WasmBuild::Main)?;
    step("Building the bench (release)");
    run(cargo()
        .args(["run", "--release", "--package", "gatehouse-bench", "--"])
        // The runtime would note down where each of its errors comes from.
        .env("RUST_BACKTRACE", "0")
        .arg("--seconds")
        .arg(options.seconds.to_string())
        .arg("--sessions")
        .arg(options.sessions.to_string())
        .arg("--dead")
        .arg(options.dead.to_string())
        .args(options.only.iter().flat_map(|only| ["--only", only])))
}
