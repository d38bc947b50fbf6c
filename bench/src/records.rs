//! Records that a store holds before it is measured.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};
use store::{KeyValue, MemoryKeyValue, Record, Store};

/// Hours over which what is dead had expired, or over which what is live will.
const HOURS: u64 = 24;

/// Keys that are put into the store in one transaction, and made at once.
const AT_ONCE: u64 = 10_000;

/// About as large as a client's record.
#[derive(Serialize, Deserialize)]
struct Filling {
    filling: String,
}

impl Record for Filling {
    const KIND: &'static str = "client";
}

/// Puts so many records into the store that have expired.
///
/// # Errors
///
/// If they cannot be written.
pub async fn dead(key_value: &host::KeyValue, number: u64) -> Result<()> {
    fill(key_value, number, |now, hours| now - (2 + hours) * 3600).await
}

/// Puts so many records into the store that are live for a day and longer.
///
/// # Errors
///
/// If they cannot be written.
pub async fn live(key_value: &host::KeyValue, number: u64) -> Result<()> {
    fill(key_value, number, |now, hours| now + (24 + hours) * 3600).await
}

/// Writes the records natively, and copies them in a few transactions: one by one would take longer
/// than everything that is measured.
async fn fill(
    key_value: &host::KeyValue,
    number: u64,
    expires_at: impl Fn(u64, u64) -> u64,
) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let store = key_value.open("default").await?;
    let record = Filling {
        filling: "x".repeat(500),
    };
    let mut next = 0;
    while next < number {
        let written = Store::new(MemoryKeyValue::default(), "gatehouse:");
        let end = number.min(next + AT_ONCE);
        for id in next..end {
            let expires_at = expires_at(now, id % HOURS);
            written.create(&id.to_string(), &record, expires_at).await?;
        }
        next = end;
        let mut pairs = Vec::new();
        for key in written.backend().keys() {
            let value = written.backend().get(&key).await?.unwrap_or_default();
            pairs.push((key, value));
        }
        store.set_many(pairs).await?;
    }
    Ok(())
}
