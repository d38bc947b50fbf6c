//! What Gatehouse costs, side by side in the same run with an empty component and with one that calls
//! a tool and does nothing else: requests a second, how long they take, and key-value operations a
//! request.

#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for a terminal"
)]

mod application;
mod load;
mod process;
mod sizes;
mod sse;
mod sweep;
mod targets;

use anyhow::Result;
use application::Bench;
use clap::Parser;
use load::{Measured, measure};
use std::time::Duration;

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
    /// Measure only the requests with this in their name
    #[arg(long)]
    only: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let time = Duration::from_secs(arguments.seconds.max(1));
    let bench = Bench::start().await?;
    if arguments.only.is_none() {
        // First of all: what a load leaves behind in memory would hide what sessions take.
        sse::measure(bench.another_store("streams.db"), arguments.sessions, time).await?;
    }
    println!(
        "\n{:<40} {:>5} {:>10} {:>9} {:>9} {:>8} {:>8} {:>8}",
        "", "conn", "req/s", "p50 ms", "p99 ms", "ratio", "reads", "writes"
    );
    let mut fastest: f64 = 0.0;
    for connections in CONNECTIONS {
        let mut empty = None;
        for target in bench.targets()? {
            let is_asked_for = |only: &String| target.name.contains(only.as_str());
            let is_asked_for = arguments.only.as_ref().is_none_or(is_asked_for);
            if !is_asked_for && !target.is_yardstick() {
                continue;
            }
            // Warms up instances and connections.
            measure(&target, connections, time / 4).await?;
            let before = bench.operations();
            let measured = measure(&target, connections, time).await?;
            let after = bench.operations();
            let operations = (after.0 - before.0, after.1 - before.1);
            let base = *empty.get_or_insert(measured.per_second());
            fastest = fastest.max(base);
            print(target.name, connections, &measured, base, operations);
        }
        println!();
    }
    if arguments.only.is_none() {
        sweep::sweep(bench.another_store("dead.db"), arguments.dead, fastest).await?;
        println!();
        sizes::print()?;
    }
    Ok(())
}

fn print(
    name: &str,
    connections: usize,
    measured: &Measured,
    base: f64,
    (reads, writes): (u64, u64),
) {
    let requests = measured.requests.max(1) as f64;
    println!(
        "{name:<40} {connections:>5} {:>10.0} {:>9.2} {:>9.2} {:>8.2} {:>8.2} {:>8.2}",
        measured.per_second(),
        measured.percentile(50.0),
        measured.percentile(99.0),
        measured.per_second() / base,
        reads as f64 / requests,
        writes as f64 / requests,
    );
}
