//! What it costs to remove what has expired.

use crate::process::Process;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use store::{KeyValue, MemoryKeyValue, Record, Store};
use tests::{Gatehouse, Settings};

/// Hours over which what is dead had expired.
const HOURS: u64 = 24;

/// Keys that are put into the store in one transaction.
const AT_ONCE: usize = 10_000;

const ADMIN_TOKEN: &str = "nothing-to-guard-and-as-long-as-it-has-to-be";

/// About as large as a client's record.
#[derive(Serialize, Deserialize)]
struct Dead {
    filling: String,
}

impl Record for Dead {
    const KIND: &'static str = "client";
}

/// Fills a Gatehouse of its own on `key_value` with so many dead records, and sweeps them as a cron
/// job would: by `POST /admin/sweep`, until nothing is left. `empty` is what the empty component
/// answers in a second.
///
/// # Errors
///
/// If a request is refused, or a record is left.
pub async fn sweep(key_value: host::KeyValue, dead: u64, empty: f64) -> Result<()> {
    fill(&key_value, dead).await?;
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

/// Writes the records natively, and copies them in a few transactions: one by one would take longer
/// than everything that is measured.
async fn fill(key_value: &host::KeyValue, dead: u64) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let written = Store::new(MemoryKeyValue::default(), "gatehouse:");
    let record = Dead {
        filling: "x".repeat(500),
    };
    for number in 0..dead {
        let expired = now - (2 + number % HOURS) * 3600;
        written
            .create(&number.to_string(), &record, expired)
            .await?;
    }
    let store = key_value.open("default").await?;
    let keys = written.backend().keys();
    for some in keys.chunks(AT_ONCE) {
        let mut pairs = Vec::with_capacity(some.len());
        for key in some {
            let value = written.backend().get(key).await?.unwrap_or_default();
            pairs.push((key.clone(), value));
        }
        store.set_many(pairs).await?;
    }
    Ok(())
}
