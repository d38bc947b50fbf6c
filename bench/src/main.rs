//! The costs of Gatehouse, side by side in the same run with an empty component and with one that calls
//! a tool and does nothing else: requests a second, how long they take, and the processor time or key-value operations of a
//! request. On the embedded host, or on Spin.

#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for a terminal"
)]

mod application;
mod cores;
mod load;
mod other;
mod process;
mod profile;
mod records;
mod rest;
mod server;
mod sizes;
mod sse;
mod sweep;
mod targets;

use anyhow::{Context, Result};
use application::Bench;
use clap::Parser;
use cores::Cores;
use load::{Measured, measure};
use server::Launcher;
use std::path::PathBuf;
use std::time::Duration;
use targets::Target;
use tokio::runtime::Handle;

/// The connections of each round.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

#[derive(Parser)]
struct Arguments {
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
    #[arg(long, default_value_t = 0, conflicts_with = "redis")]
    records: u64,
    /// Measure only the requests with this in their name; can be given several times
    #[arg(long)]
    only: Vec<String>,
    /// Another checkout, with its components built, whose application is measured in the same run
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Spin's program; without it, the embedded host is measured
    #[arg(long)]
    spin: Option<PathBuf>,
    /// The Redis that has the records in place of SQLite files
    #[arg(long)]
    redis: Option<String>,
    /// Also tell where the processor time of each request goes, with `perf`
    #[arg(long)]
    profile: bool,
    /// Sets a variable of the application
    #[arg(long = "variable", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Another MCP server that runs already, as NAME=URL, whose tool `add` adds `a` and `b`; can be given several times
    #[arg(long = "other", value_parser = pair)]
    others: Vec<(String, String)>,
    /// The bearer token for such servers
    #[arg(long, default_value = "none")]
    other_token: String,
}

/// Reads `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').context("it has no `=`")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A folder for manifests and stores, which ends with this value.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("gatehouse-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// A store beside the application's, with nothing in it.
    fn store(&self, name: &str) -> host::KeyValue {
        host::KeyValue::sqlite(self.0.join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let cores = Cores::take()?;
    let servers = cores.servers.handle().clone();
    cores.load.block_on(run(arguments, servers))
}

async fn run(arguments: Arguments, servers: Handle) -> Result<()> {
    let time = Duration::from_secs(arguments.seconds.max(1));
    let folder = Folder::make()?;
    let launcher = Launcher {
        spin: arguments.spin.clone(),
        redis: arguments.redis.clone(),
        servers: servers.clone(),
        folder: folder.0.clone(),
    };
    let is_whole = arguments.only.is_empty();
    if is_whole {
        // First of all: what a load leaves behind in memory would hide what sessions take.
        sse::measure(&launcher, &arguments.variables, arguments.sessions, time).await?;
    }
    let mut others = Vec::new();
    for (name, url) in &arguments.others {
        let sessions = CONNECTIONS[CONNECTIONS.len() - 1];
        others.push(other::target(name, url, &arguments.other_token, sessions).await?);
    }
    let bench = Bench::start(
        &launcher,
        arguments.records,
        &arguments.variables,
        arguments.beside.as_deref(),
    )
    .await?;
    let mut targets = targets(&bench, &others, &arguments.only)?;
    let fastest = requests(&bench, &targets, time).await?;
    targets.retain(|target| !target.is_external);
    if arguments.profile {
        profile::measure_parts(&bench, &targets, CONNECTIONS[1], time, &folder.0).await?;
    }
    for subject in &bench.subjects {
        let Some(process) = subject.gatehouse.process() else {
            continue;
        };
        println!(
            "{:<40} {:.0} MB, {:.0} MB at most",
            format!("{}memory of the application's process", subject.label),
            process.memory as f64 / 1e6,
            process.peak_memory as f64 / 1e6,
        );
    }
    // Where the host counts.
    if is_whole && arguments.spin.is_none() {
        let store = folder.store("dead.db");
        servers
            .spawn(sweep::sweep(store, arguments.dead, fastest))
            .await??;
        println!();
        sizes::print()?;
    }
    Ok(())
}

/// Returns the requests with one of `only` in their names, or all, and what they are held against.
fn targets(bench: &Bench, others: &[Target], only: &[String]) -> Result<Vec<Target>> {
    let is_asked_for =
        |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    let mut targets = bench.targets(others)?;
    targets.retain(|target| is_asked_for(target.name) || target.is_yardstick());
    Ok(targets)
}

/// Measures every kind of request. Returns how many requests a second the empty component answered at most.
async fn requests(bench: &Bench, targets: &[Target], time: Duration) -> Result<f64> {
    println!(
        "\n{:<40} {:>5} {:>10} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8}",
        "", "conn", "req/s", "p50 ms", "p99 ms", "ratio", "cpu us", "reads", "writes"
    );
    let mut fastest: f64 = 0.0;
    for connections in CONNECTIONS {
        let mut empty = None;
        for one_request in targets.chunk_by(|one, other| one.name == other.name) {
            for (target, result) in one_request
                .iter()
                .zip(in_turn(bench, one_request, connections, time).await?)
            {
                let base = *empty.get_or_insert(result.measured.per_second());
                fastest = fastest.max(base);
                print(target, connections, &result, base);
            }
        }
        println!();
    }
    for target in targets {
        if target.is_measured_after_a_rest() && !target.is_external {
            rest::measure(target).await?;
        }
    }
    println!();
    Ok(fastest)
}

/// What measuring a target gave.
struct Outcome {
    measured: Measured,
    /// The processor time of the servers, where these are processes.
    processor_time: Option<Duration>,
    /// Reads of the store and writes, where the host counts.
    operations: Option<(u64, u64)>,
}

/// Measures the same request to every subject, each for `time`. The later of two identical measurements is faster at times:
/// so with two subjects, each is measured for half of the time, and then again in the opposite order.
async fn in_turn(
    bench: &Bench,
    targets: &[Target],
    connections: usize,
    time: Duration,
) -> Result<Vec<Outcome>> {
    let forth = 0..targets.len();
    let order: Vec<usize> = match targets.len() {
        1 => forth.collect(),
        _ => forth.clone().chain(forth.rev()).collect(),
    };
    let share = time * u32::try_from(targets.len())? / u32::try_from(order.len())?;
    let mut outcomes: Vec<Option<Outcome>> = targets.iter().map(|_| None).collect();
    for at in order {
        // Warms up instances and connections.
        measure(&targets[at], connections, share / 4).await?;
        let before = (bench.operations(), bench.processor_time());
        let measured = measure(&targets[at], connections, share).await?;
        let after = (bench.operations(), bench.processor_time());
        let operations = before
            .0
            .zip(after.0)
            .filter(|_| !targets[at].is_external)
            .map(|(before, after)| (after.0 - before.0, after.1 - before.1));
        let processor_time = before
            .1
            .zip(after.1)
            .filter(|_| !targets[at].is_external)
            .map(|(before, after)| after.saturating_sub(before));
        let outcome = Outcome {
            measured,
            processor_time,
            operations,
        };
        outcomes[at] = Some(match outcomes[at].take() {
            None => outcome,
            Some(earlier) => earlier.and(outcome)?,
        });
    }
    Ok(outcomes.into_iter().flatten().collect())
}

impl Outcome {
    /// Both as one.
    fn and(self, later: Self) -> Result<Self> {
        let operations = self.operations.zip(later.operations);
        let processor_time = self.processor_time.zip(later.processor_time);
        Ok(Self {
            measured: self.measured.and(&later.measured)?,
            processor_time: processor_time.map(|(one, other)| one + other),
            operations: operations.map(|(one, other)| (one.0 + other.0, one.1 + other.1)),
        })
    }
}

fn print(target: &Target, connections: usize, outcome: &Outcome, base: f64) {
    let measured = &outcome.measured;
    let requests = measured.requests.max(1) as f64;
    print!(
        "{:<40} {connections:>5} {:>10.0} {:>9.2} {:>9.2} {:>8.2}",
        format!("{}{}", target.label, target.name),
        measured.per_second(),
        measured.percentile(50.0),
        measured.percentile(99.0),
        measured.per_second() / base,
    );
    match outcome.processor_time {
        Some(time) => print!(" {:>8.0}", time.as_micros() as f64 / requests),
        None => print!(" {:>8}", ""),
    }
    if let Some((reads, writes)) = outcome.operations {
        let of_a_request = |number: u64| number as f64 / requests;
        print!(
            " {:>8.2} {:>8.2}",
            of_a_request(reads),
            of_a_request(writes)
        );
    }
    println!();
}
