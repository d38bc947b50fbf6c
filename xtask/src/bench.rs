//! `cargo xtask bench`: measures, side by side with an empty component.

use crate::build::{self, WasmBuild};
use crate::shell::{cargo, run, step};
use anyhow::Result;
use clap::{Args, ValueEnum};
use project::flavours::Wasi;
use std::path::PathBuf;

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
    /// Live records that the store has before everything is measured
    #[arg(long, default_value_t = 0)]
    records: u64,
    /// The host that is measured
    #[arg(long, value_enum, default_value = "embedded")]
    host: On,
    /// Spin's program
    #[arg(long, value_name = "PATH", default_value = "spin")]
    spin_binary: PathBuf,
    /// The Redis that has the records in place of SQLite files: an empty one
    #[arg(long, value_name = "URL", conflicts_with = "records")]
    redis: Option<String>,
    /// Another checkout, where `cargo xtask build` and the tools of the conformance suite were built, to measure its
    /// application side by side in the same run
    #[arg(long, value_name = "FOLDER")]
    beside: Option<PathBuf>,
    /// Sets a variable of the application
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Another MCP server that runs already, to measure its `tools/call` in the same run; its tool `add` adds `a` and `b`. Can be
    /// given several times
    #[arg(long = "other", value_name = "NAME=URL")]
    others: Vec<String>,
    /// The bearer token for such servers
    #[arg(long, value_name = "TOKEN", default_value = "none")]
    other_token: String,
    /// Also tell where the processor time of each request goes, with `perf` (Linux)
    #[arg(long)]
    profile: bool,
    /// Measure only the requests with this in their name, beside the empty component; can be given several times
    #[arg(long)]
    only: Vec<String>,
}

/// The hosts that can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    Embedded,
    Spin,
}

/// Builds everything for release and measures it.
///
/// # Errors
///
/// If something does not build or a measurement fails.
pub fn bench(options: &Options) -> Result<()> {
    let mut packages = build::packages()?;
    packages.extend(["bench-bare", "bench-empty", "conformance-tools"].map(str::to_owned));
    let shipped = WasmBuild::shipped(Wasi::Main);
    build::wasm(&packages, shipped)?;
    step("Building the bench (release)");
    let mut bench = cargo();
    bench
        .args(["run", "--release", "--package", "gatehouse-bench", "--"])
        // What is started as the tests start it is of the same build.
        .env("GATEHOUSE_TEST_WASM", shipped.folder())
        // The runtime would note down where each of its errors comes from.
        .env_remove("RUST_BACKTRACE");
    for (name, value) in [
        ("--seconds", options.seconds),
        ("--sessions", options.sessions as u64),
        ("--dead", options.dead),
    ] {
        bench.arg(name).arg(value.to_string());
    }
    if options.records > 0 {
        bench.arg("--records").arg(options.records.to_string());
    }
    if options.host == On::Spin {
        bench.arg("--spin").arg(&options.spin_binary);
    }
    if let Some(folder) = &options.beside {
        bench.arg("--beside").arg(folder);
    }
    if let Some(url) = &options.redis {
        bench.args(["--redis", url]);
    }
    if options.profile {
        bench.arg("--profile");
    }
    for name in &options.only {
        bench.args(["--only", name]);
    }
    for server in &options.others {
        bench.args(["--other", server]);
    }
    bench.args(["--other-token", &options.other_token]);
    for variable in &options.variables {
        bench.args(["--variable", variable]);
    }
    run(&mut bench)
}
