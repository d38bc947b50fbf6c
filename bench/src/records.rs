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
    fill(key_value, number, AT_ONCE, |now, hours| {
        now - (2 + hours) * 3600
    })
    .await
}

/// Puts so many records into the store that are live for a day and longer.
///
/// # Errors
///
/// If they cannot be written.
pub async fn live(key_value: &host::KeyValue, number: u64) -> Result<()> {
    fill(key_value, number, AT_ONCE, |now, hours| {
        now + (24 + hours) * 3600
    })
    .await
}

/// Writes the records natively, and copies them, `at_once` in one transaction: one by one would take longer
/// than everything that is measured.
async fn fill(
    key_value: &host::KeyValue,
    number: u64,
    at_once: u64,
    expires_at: impl Fn(u64, u64) -> u64,
) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let store = key_value.open("default").await?;
    let record = Filling {
        filling: "x".repeat(500),
    };
    let written = Store::new(MemoryKeyValue::default(), "gatehouse:");
    let mut next = 0;
    while next < number {
        let end = number.min(next + at_once);
        for id in next..end {
            let expires_at = expires_at(now, id % HOURS);
            written.create(&id.to_string(), &record, expires_at).await?;
        }
        next = end;
        let entries = written.backend().snapshot();
        for key in entries.keys() {
            // The next records go on from the ledgers' counters.
            let is_counter = written.backend().counted(key).await.is_ok();
            if !is_counter {
                written.backend().delete(key).await?;
            }
        }
        store.set_many(entries.into_iter().collect()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_record_has_a_line_of_its_own_in_a_ledger() {
        let folder = crate::Folder::make().unwrap();
        let key_value = folder.store("filled.db");
        fill(&key_value, 250, 60, |now, hours| now + hours * 3600)
            .await
            .unwrap();
        let store = key_value.open("default").await.unwrap();
        let keys = store.keys().await.unwrap();
        let of_kind = |kind: &str, parts| {
            let is_one = |key: &&String| key.contains(kind) && key.split(':').count() == parts;
            keys.iter().filter(is_one).count()
        };
        assert_eq!(of_kind("client:", 3), 250);
        assert_eq!(of_kind("ledger:", 4), 250);
    }
}
