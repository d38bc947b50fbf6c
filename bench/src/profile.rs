//! The parts of a server and the processor time of a request that each takes, as `perf` (Linux) samples it.

use crate::application::Bench;
use crate::load::measure;
use crate::targets::Target;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The processor time that a sample stands for: an odd number, so that no timer of the servers goes along with it.
const PERIOD: Duration = Duration::from_nanos(497_009);

/// What the embedded host calls its threads.
const EMBEDDED: &str = "host";

/// How long a load runs before it is sampled.
const WARM_UP: Duration = Duration::from_secs(1);

/// Measures `targets` over so many connections, each for `time`, and prints what each part takes of a request of theirs.
///
/// # Errors
///
/// If there is no `perf`, it may not sample, or an answer is not what its target promises.
pub async fn measure_parts(
    bench: &Bench,
    targets: &[Target],
    connections: usize,
    time: Duration,
    folder: &Path,
) -> Result<()> {
    let mut columns = Vec::new();
    for target in targets {
        let load = measure(target, connections, WARM_UP + time + WARM_UP);
        let (samples, measured) = tokio::join!(sample(bench, time, folder), load);
        let requests = measured?.per_second() * time.as_secs_f64();
        columns.push(Column {
            samples: samples?,
            micros: PERIOD.as_secs_f64() * 1e6 / requests.max(1.0),
        });
    }
    println!("\nprocessor time of a request over {connections} connections, in microseconds:");
    for (number, target) in targets.iter().enumerate() {
        println!("  ({}) {}{}", number + 1, target.label, target.name);
    }
    print!("{:<56}", "");
    (1..=targets.len()).for_each(|number| print!(" {:>6}", format!("({number})")));
    println!();
    for part in Part::ALL {
        row(part.title(), columns.iter().map(|column| column.of(part)));
    }
    row("all", columns.iter().map(Column::total));
    Ok(())
}

fn row(title: &str, cells: impl Iterator<Item = f64>) {
    print!("{title:<56}");
    cells.for_each(|cell| print!(" {cell:>6.0}"));
    println!();
}

/// The samples of the time in which one kind of request was sent.
struct Column {
    samples: BTreeMap<Part, u32>,
    /// What one sample says of a request.
    micros: f64,
}

impl Column {
    fn of(&self, part: Part) -> f64 {
        self.samples
            .get(&part)
            .map_or(0.0, |samples| f64::from(*samples) * self.micros)
    }

    fn total(&self) -> f64 {
        Part::ALL.iter().map(|part| self.of(*part)).sum()
    }
}

/// Samples the servers for `time`, a while from now.
async fn sample(bench: &Bench, time: Duration, folder: &Path) -> Result<BTreeMap<Part, u32>> {
    tokio::time::sleep(WARM_UP).await;
    let file = folder.join("perf.data");
    // Where they have no processes of their own, they run in threads of this one.
    let (processes, only) = match bench.processes() {
        Some(processes) => (processes, None),
        None => (vec![std::process::id()], Some(EMBEDDED)),
    };
    let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
    let mut record = Command::new("perf");
    record
        .args(["record", "--quiet", "--event", "cpu-clock"])
        .args(["--count", &PERIOD.as_nanos().to_string()])
        .args(["--pid", &processes.join(",")])
        .arg("--output")
        .arg(&file)
        .args(["--", "sleep", &time.as_secs_f64().to_string()]);
    perf(record).await?;
    let mut script = Command::new("perf");
    script
        .args(["script", "--fields", "ip,sym,dso", "--input"])
        .arg(&file);
    if let Some(threads) = only {
        script.args(["--comms", threads]);
    }
    let samples = counted(&perf(script).await?);
    ensure!(!samples.is_empty(), "`perf` saw nothing of the servers");
    Ok(samples)
}

/// Runs `perf`, and returns what it says.
async fn perf(mut command: Command) -> Result<String> {
    let running = tokio::task::spawn_blocking(move || command.output());
    let output = running
        .await?
        .context("`perf` cannot be run: the profile needs it (linux-perf)")?;
    ensure!(
        output.status.success(),
        "`perf` ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A part of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Components,
    Wasmtime,
    Kernel,
    Http,
    Executor,
    Spans,
    Store,
    Allocation,
    Rest,
}

impl Part {
    const ALL: [Self; 9] = [
        Self::Components,
        Self::Wasmtime,
        Self::Kernel,
        Self::Http,
        Self::Executor,
        Self::Spans,
        Self::Store,
        Self::Allocation,
        Self::Rest,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Components => "components (guest)",
            Self::Wasmtime => "Wasmtime: calls into components and out, tasks, streams",
            Self::Kernel => "kernel: connections, files, locks",
            Self::Http => "HTTP",
            Self::Executor => "executor",
            Self::Spans => "spans, logs and metrics of the host",
            Self::Store => "store: SQLite, Redis",
            Self::Allocation => "C library: allocation, copies",
            Self::Rest => "rest of the host",
        }
    }

    /// The part that a function belongs to, by its name, and by the name of the file that it is in.
    fn of(symbol: &str, file: &str) -> Self {
        // Code that is in no file, or that Wasmtime has given names to: compiled Wasm.
        let is_compiled = ["//anon", "[unknown]", "/perf-", "[JIT]"];
        if file.starts_with("[kernel") {
            return Self::Kernel;
        }
        if symbol.contains(" wasm[") || is_compiled.iter().any(|name| file.contains(name)) {
            return Self::Components;
        }
        if file.contains("/libc.") {
            return Self::Allocation;
        }
        // Generic code belongs to the first of these that its name names.
        let crates = symbol.split(|c: char| !c.is_alphanumeric() && c != '_');
        crates
            .map(Self::of_crate)
            .find(|part| *part != Self::Rest)
            .unwrap_or(Self::Rest)
    }

    fn of_crate(name: &str) -> Self {
        match name {
            "hyper" | "hyper_util" | "http" | "http_body" | "http_body_util" | "httparse"
            | "h2" => Self::Http,
            "tokio" | "mio" | "futures_util" | "futures_channel" | "async_io" => Self::Executor,
            "tracing"
            | "tracing_core"
            | "tracing_subscriber"
            | "tracing_opentelemetry"
            | "opentelemetry"
            | "opentelemetry_sdk"
            | "sharded_slab" => Self::Spans,
            "rusqlite" | "redis" | "combine" => Self::Store,
            _ if name.starts_with("wasmtime") => Self::Wasmtime,
            _ if name.starts_with("sqlite3") => Self::Store,
            _ => Self::Rest,
        }
    }
}

/// Counts the lines of `perf script`, each a sample: an address, a function, and in parentheses the file that it is in.
fn counted(lines: &str) -> BTreeMap<Part, u32> {
    let mut parts = BTreeMap::new();
    for line in lines.lines() {
        if let Some((function, file)) = line.trim().rsplit_once(" (") {
            *parts.entry(Part::of(function, file)).or_default() += 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_counts_for_the_part_that_its_function_is_in() {
        let samples = "
            7f1 [unknown] (/tmp/perf-19434.map)
            7f2 wasm[0]::function[12] ([JIT] tid 12)
            ff1 finish_task_switch.isra.0 ([kernel.kallsyms])
            7f3 malloc (/usr/lib/x86_64-linux-gnu/libc.so.6)
            551 <tracing::instrument::Instrumented<T> as core::future::future::Future>::poll (/usr/bin/spin)
            552 core::ptr::drop_in_place<hyper::proto::h1::conn::State> (/usr/bin/spin)
            553 tokio::runtime::task::harness::Harness<T,S>::poll (/usr/bin/spin)
            554 wasmtime::runtime::func::Func::call (/usr/bin/spin)
            555 sqlite3VdbeExec (/usr/bin/spin)
            556 alloc::vec::Vec<T,A>::push (/usr/bin/spin)
        ";
        let parts = counted(samples);
        let ones = Part::ALL.map(|part| (part, u32::from(part == Part::Components) + 1));
        assert_eq!(parts, BTreeMap::from(ones));
    }
}
