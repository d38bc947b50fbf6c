//! What Gatehouse costs, side by side with an empty component in the same run: requests a second,
//! how long they take, and key-value operations a request.

mod load;
mod process;
mod sse;
mod sweep;
mod targets;

use anyhow::Result;
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
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let time = Duration::from_secs(arguments.seconds.max(1));
    let bench = targets::Bench::start().await?;
    println!(
        "{:<28} {:>5} {:>10} {:>9} {:>9} {:>8} {:>8} {:>8}",
        "", "conn", "req/s", "p50 ms", "p99 ms", "ratio", "reads", "writes"
    );
    let mut fastest: f64 = 0.0;
    for connections in CONNECTIONS {
        let mut empty = None;
        for target in bench.targets().await? {
            // Warms up instances and connections.
            measure(&target, connections, time / 4).await?;
            let before = bench.counters();
            let measured = measure(&target, connections, time).await?;
            let counters = bench.counters().since(&before);
            let base = *empty.get_or_insert(measured.per_second());
            fastest = fastest.max(base);
            print(&target.name, connections, &measured, base, &counters);
        }
        println!();
    }
    sweep::sweep(bench.another_store(), arguments.dead, fastest).await?;
    sse::latency(bench.gatehouse(), 500).await?;
    sse::idle(bench.gatehouse(), arguments.sessions, time).await?;
    println!();
    bench.print_sizes()?;
    Ok(())
}

fn print(
    name: &str,
    connections: usize,
    measured: &Measured,
    base: f64,
    counters: &host::Counters,
) {
    let requests = measured.requests.max(1) as f64;
    println!(
        "{name:<28} {connections:>5} {:>10.0} {:>9.2} {:>9.2} {:>8.2} {:>8.2} {:>8.2}",
        measured.per_second(),
        measured.percentile(50.0),
        measured.percentile(99.0),
        measured.per_second() / base,
        counters.reads() as f64 / requests,
        counters.writes() as f64 / requests,
    );
}
