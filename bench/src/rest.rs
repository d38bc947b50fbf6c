//! The time of the first request after a rest: the hosts have let every instance go by then.

use crate::targets::Target;
use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Spin drops an instance that was idle for a second.
const REST: Duration = Duration::from_millis(1500);

/// How often it is measured.
const ROUNDS: usize = 15;

/// Measures how long requests of `target` take that come one by one after a rest, and prints the median and the longest.
///
/// # Errors
///
/// If any answer is not what the target promises.
pub async fn measure(target: &Target) -> Result<()> {
    let http = reqwest::Client::new();
    let mut latencies = Histogram::<u64>::new(3)?;
    for round in 0..=ROUNDS {
        let request = target.next(&http).await.context("there is no request")?;
        let sent = Instant::now();
        let response = http.execute(request).await?;
        let status = response.status().as_u16();
        let body = response.bytes().await?;
        // The first opens the connection.
        if round > 0 {
            latencies.record(u64::try_from(sent.elapsed().as_micros())?)?;
        }
        target.answered(status, &body).await?;
        tokio::time::sleep(REST).await;
    }
    println!(
        "{:<40} {:>5} {:>10} {:>9.2} {:>9.2}",
        format!("{}after a rest: {}", target.label, target.name),
        1,
        "",
        latencies.value_at_percentile(50.0) as f64 / 1000.0,
        latencies.max() as f64 / 1000.0,
    );
    Ok(())
}
