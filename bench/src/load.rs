//! A closed loop of requests: each connection sends the next when the last is answered.

use crate::targets::Target;
use anyhow::Result;
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// What a measurement gave.
pub struct Measured {
    /// Requests answered as they should be.
    pub requests: u64,
    took: Duration,
    /// In microseconds.
    latencies: Histogram<u64>,
}

impl Measured {
    /// Both measurements as one.
    ///
    /// # Errors
    ///
    /// If the latencies of the other do not fit.
    pub fn and(mut self, other: &Self) -> Result<Self> {
        self.latencies.add(&other.latencies)?;
        self.requests += other.requests;
        self.took += other.took;
        Ok(self)
    }

    /// Requests a second.
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }

    /// The latency that so many percent of the requests stay below, in milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.latencies.value_at_percentile(percent) as f64 / 1000.0
    }
}

/// Loads `target` with so many connections for so long.
///
/// # Errors
///
/// If any answer is not what the target promises.
pub async fn measure(target: &Target, connections: usize, time: Duration) -> Result<Measured> {
    let start = Instant::now();
    let loops = (0..connections).map(|_| {
        let target = target.clone();
        tokio::spawn(async move {
            let http = reqwest::Client::builder()
                .pool_max_idle_per_host(1)
                .build()?;
            let mut latencies = Histogram::<u64>::new(3)?;
            while start.elapsed() < time {
                let Some(request) = target.next(&http).await else {
                    break;
                };
                let sent = Instant::now();
                let response = http.execute(request).await?;
                let status = response.status().as_u16();
                let body = response.bytes().await?;
                latencies.record(u64::try_from(sent.elapsed().as_micros())?)?;
                target.answered(status, &body).await?;
            }
            anyhow::Ok(latencies)
        })
    });
    let mut latencies = Histogram::<u64>::new(3)?;
    for connection in loops.collect::<Vec<_>>() {
        latencies.add(connection.await??)?;
    }
    Ok(Measured {
        requests: latencies.len(),
        took: start.elapsed(),
        latencies,
    })
}
