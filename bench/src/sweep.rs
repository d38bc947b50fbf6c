//! The cost of the sweep.

use crate::process::Process;
use crate::records;
use anyhow::{Result, ensure};
use serde_json::Value;
use std::time::Instant;
use tests::{Gatehouse, Settings};

const ADMIN_TOKEN: &str = "nothing-to-guard-and-as-long-as-it-has-to-be";

/// Fills a Gatehouse of its own on `key_value` with so many dead records, and sweeps them as a cron
/// job would: by `POST /admin/sweep`, until nothing is left. `empty` is what the empty component
/// answers in a second.
///
/// # Errors
///
/// If a request is refused, or a record is left.
pub async fn sweep(key_value: host::KeyValue, dead: u64, empty: f64) -> Result<()> {
    records::dead(&key_value, dead).await?;
    let settings = Settings {
        key_value: key_value.clone(),
        ..Settings::default()
    };
    let gatehouse = Gatehouse::start_with(settings.variable("admin_token", ADMIN_TOKEN)).await;
    let http = reqwest::Client::new();
    let (before, counters) = (Process::now(), gatehouse.host.counters());
    let started = Instant::now();
    let (mut requests, mut removed, mut more) = (0, 0, true);
    while more {
        let request = http.post(gatehouse.url("/admin/sweep"));
        let response = request.bearer_auth(ADMIN_TOKEN).send().await?;
        ensure!(
            response.status() == 200,
            "/admin/sweep: {}",
            response.status()
        );
        let swept: Value = response.json().await?;
        removed += swept["removed"].as_u64().unwrap_or(0);
        more = swept["more"] == true;
        requests += 1;
    }
    let took = started.elapsed().as_secs_f64();
    let counters = gatehouse.host.counters().since(&counters);
    ensure!(removed == dead, "{removed} of {dead} records were removed");
    let per_second = dead as f64 / took;
    print!(
        "{:<40} {per_second:.0} a second, {:.2} of the empty component's requests; {requests} requests, {took:.1} s; \
         {:.2} reads, {:.2} writes each",
        format!("sweep: {dead} dead records"),
        per_second / empty,
        counters.reads() as f64 / dead as f64,
        counters.writes() as f64 / dead as f64,
    );
    if let (Some(before), Some(after)) = (before, Process::now()) {
        let grown = after.memory.saturating_sub(before.memory);
        print!("; {:.1} MB more memory", grown as f64 / 1e6);
    }
    println!();
    Ok(())
}
