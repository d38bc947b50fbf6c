//! The sweep: removal of expired keys, without listing keys where the store has ledgers.
//!
//! Every key that expires has a line in a ledger. There is one ledger for every hour, and a counter numbers
//! its lines. The sweep reads the ledgers of past hours line by line, from a cursor in the store, and removes
//! the key of each line. Sweeps may run at the same time, because every step may be repeated.
//!
//! A line may have a number after its key: so many slots expire with the record (see
//! [`Store::create_with_slots`]). It may also have further keys, which expire with the first (see
//! [`Batch::schedule`](crate::Batch::schedule)).

use crate::key_value::Expiry;
use crate::ledger::{COMPANION, HOUR, Ledger};
use crate::listing;
use crate::store::{slot_keys, there};
use crate::{Error, KeyValue, Store};
use serde::Deserialize;
use std::pin::Pin;
use std::sync::Arc;

/// Seconds after the end of an hour before its ledger is swept: a request that began in the hour may still
/// write lines.
const SETTLE_SECONDS: u64 = 300;

/// Hours that the first sweep of a store goes back. Requests that write also sweep, so no store goes that
/// long without a sweep.
const MAX_HOURS_BACK: u64 = 366 * 24;

/// Steps between writes of the cursor, so that the sweep after an interrupted one repeats few steps.
const CURSOR_INTERVAL: u64 = 1000;

/// How many keys, or ledger lines, are collected before they are removed.
const MAX_AT_ONCE: usize = 64;

/// Requests that write to the store, for each of them that also sweeps.
const REQUESTS_PER_SWEEP: u32 = 16;

/// A sweep that is to run behind a request.
pub type SweepTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Has `spawn` sweep a part of the store of `holder`, behind a request that has written to it, if that is due: at
/// one in sixteen of them, as `random` decides, which is a uniformly random number. The sweep takes about `budget` steps.
/// Does nothing where it would list keys, or where the backend removes them. `report` gets the error of a store that fails.
pub fn sweep_if_due<H, K>(
    holder: &Arc<H>,
    random: u32,
    now: u64,
    budget: u64,
    spawn: impl FnOnce(SweepTask),
    report: fn(&Error),
) where
    H: AsRef<Store<K>> + Send + Sync + 'static,
    K: KeyValue + 'static,
{
    if !random.is_multiple_of(REQUESTS_PER_SWEEP) {
        return;
    }
    let holder = Arc::clone(holder);
    spawn(Box::pin(async move {
        let swept = (*holder).as_ref().sweep_while_serving(now, budget).await;
        if let Err(error) = swept {
            report(&error);
        }
    }));
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// The ledgers and ledger lines that were read, or the keys.
    pub steps: u64,
    /// The keys that were removed, without ledger lines.
    pub removed: u64,
    /// The time before which every expired key is removed (seconds since the Unix epoch); 0 while a sweep that
    /// lists keys is not over.
    pub until: u64,
    /// Whether past hours remain, or keys that were not looked at.
    pub more: bool,
    /// Whether the rest is for another request: hosts whose stores are swept by listing bound reads and writes.
    pub paused: bool,
}

impl SweepReport {
    /// Returns the sum of this sweep and the `next` one.
    pub fn and(self, next: Self) -> Self {
        Self {
            steps: self.steps + next.steps,
            removed: self.removed + next.removed,
            ..next
        }
    }
}

impl<K: KeyValue> Store<K> {
    /// Removes expired keys as [`sweep`](Self::sweep) does, behind a request that was answered. Does nothing where
    /// that would list keys, or where the backend removes them.
    pub(crate) async fn sweep_while_serving(&self, now: u64, budget: u64) -> Result<(), Error> {
        if self.backend.capabilities().expiry == Expiry::Ledger {
            LedgerSweep(self).sweep(now, budget).await?;
        }
        Ok(())
    }

    /// Removes expired keys at `now` (seconds since the Unix epoch), in about `budget` steps: by ledgers or by
    /// listing keys, as the store has it. An operator starts it.
    ///
    /// # Errors
    ///
    /// Fails if the backend does. The next sweep continues from the cursor.
    pub async fn sweep(&self, now: u64, budget: u64) -> Result<SweepReport, Error> {
        match self.backend.capabilities().expiry {
            Expiry::Ledger => LedgerSweep(self).sweep(now, budget).await,
            Expiry::Listing => {
                let swept = listing::sweep(self, &cursor_key(self), now, budget).await?;
                Ok(SweepReport {
                    steps: swept.looked_at,
                    removed: swept.removed,
                    until: if swept.more { 0 } else { now },
                    more: swept.more,
                    paused: swept.more,
                })
            }
            Expiry::Backend => Ok(SweepReport {
                until: now,
                ..SweepReport::default()
            }),
        }
    }
}

fn cursor_key<K: KeyValue>(store: &Store<K>) -> String {
    store.key("sweep", "cursor")
}

/// The sweep of a store's ledgers.
struct LedgerSweep<'a, K>(&'a Store<K>);

/// Keys that are to be removed.
#[derive(Default)]
struct Expired {
    keys: Vec<String>,
    /// The ledger lines of these keys, which go after them: what is interrupted is found again.
    lines: Vec<String>,
}

impl Expired {
    /// Adds a key, and returns whether it was not among them.
    fn add(&mut self, key: &str) -> bool {
        let is_new = !self.keys.iter().any(|other| other == key);
        if is_new {
            self.keys.push(key.to_owned());
        }
        is_new
    }
}

impl<K: KeyValue> LedgerSweep<'_, K> {
    /// Removes the keys that expired in the hours that have ended at `now` (seconds since the Unix epoch).
    ///
    /// Takes about `budget` steps, each of some reads and a part of a write, and holds about [`MAX_AT_ONCE`] keys in memory. An
    /// empty ledger costs a step, and a line costs one and one more for each of its slots and further keys. A
    /// record whose expiry is later than its line gets a new line.
    async fn sweep(&self, now: u64, budget: u64) -> Result<SweepReport, Error> {
        let mut swept = SweepReport::default();
        let mut expired = Expired::default();
        let current = now.saturating_sub(SETTLE_SECONDS) / HOUR;
        let mut cursor = self.cursor(current).await?;
        let mut written = cursor;
        let mut write_at = CURSOR_INTERVAL;
        while cursor.hour < current {
            if swept.steps >= budget {
                swept.more = true;
                break;
            }
            let ledger = Ledger(self.0).counter(cursor.hour);
            let last = self.0.backend.counted(&ledger).await?.unwrap_or(0);
            swept.steps += 1;
            while cursor.line < last && swept.steps < budget {
                cursor.line += 1;
                swept.steps += 1;
                let line = Ledger(self.0).line(cursor.hour, cursor.line);
                if let Some(entry) = self.0.backend.get(&line).await? {
                    if let Ok(entry) = String::from_utf8(entry) {
                        let (removed, looked_at) = self.look_at(&entry, now, &mut expired).await?;
                        swept.removed += removed;
                        swept.steps += looked_at;
                    }
                    expired.lines.push(line);
                }
                if expired.keys.len().max(expired.lines.len()) >= MAX_AT_ONCE {
                    self.remove(&mut expired).await?;
                }
                if swept.steps >= write_at {
                    write_at = swept.steps + CURSOR_INTERVAL;
                    self.remove(&mut expired).await?;
                    written = self.remember(cursor).await?;
                }
            }
            if cursor.line >= last {
                if last > 0 {
                    self.remove(&mut expired).await?;
                    self.0.backend.delete(&ledger).await?;
                }
                cursor = Cursor {
                    hour: cursor.hour + 1,
                    line: 0,
                };
            }
        }
        self.remove(&mut expired).await?;
        if cursor != written {
            self.remember(cursor).await?;
        }
        swept.until = cursor.hour * HOUR;
        Ok(swept)
    }

    /// Adds to `expired` what a line names and has expired. Returns how many keys these are, and how many were read besides the
    /// first; slots count as one with their record. A key that is not a record is a counter, which expires with its line.
    async fn look_at(
        &self,
        entry: &str,
        now: u64,
        expired: &mut Expired,
    ) -> Result<(u64, u64), Error> {
        let mut keys = entry.split(COMPANION);
        let first = keys.next().unwrap_or_default();
        let (key, slots) = first.split_once(' ').unwrap_or((first, ""));
        let slots = slots.parse().unwrap_or(0);
        let record = self.0.backend.get(key).await?;
        let expiry = record
            .as_deref()
            .map(serde_json::from_slice::<StoredExpiry>)
            .and_then(Result::ok);
        match expiry {
            Some(StoredExpiry { exp: None }) => return Ok((0, 0)),
            Some(StoredExpiry { exp: Some(exp) }) if exp > now => {
                Ledger(self.0).schedule(entry, exp).await?;
                return Ok((0, 0));
            }
            _ => {}
        }
        let (mut removed, mut looked_at) = (0, u64::from(slots));
        for companion in keys {
            looked_at += 1;
            if self.0.backend.exists(companion).await? {
                removed += u64::from(expired.add(companion));
            }
        }
        // Another request may have filled a slot while the record was being removed.
        for slot in there(&self.0.backend, slot_keys(key, slots)).await? {
            expired.add(&slot);
        }
        if record.is_some() {
            removed += u64::from(expired.add(key));
        }
        Ok((removed, looked_at))
    }

    /// Removes what has `expired`.
    async fn remove(&self, expired: &mut Expired) -> Result<(), Error> {
        let Expired { keys, lines } = std::mem::take(expired);
        for keys in [keys, lines] {
            if !keys.is_empty() {
                self.0.backend.delete_many(keys).await?;
            }
        }
        Ok(())
    }

    async fn cursor(&self, current: u64) -> Result<Cursor, Error> {
        let stored = self.0.backend.get(&cursor_key(self.0)).await?;
        match stored.as_deref().and_then(Cursor::parse) {
            Some(cursor) => Ok(cursor),
            // The first sweep of a store: its ledgers may be older than the sweep.
            None => {
                self.remember(Cursor {
                    hour: current.saturating_sub(MAX_HOURS_BACK),
                    line: 0,
                })
                .await
            }
        }
    }

    async fn remember(&self, cursor: Cursor) -> Result<Cursor, Error> {
        let text = cursor.to_string();
        self.0
            .backend
            .set(&cursor_key(self.0), text.as_bytes(), None)
            .await?;
        Ok(cursor)
    }
}

/// The part of a stored record that the sweep reads.
#[derive(Deserialize)]
struct StoredExpiry {
    exp: Option<u64>,
}

/// The position of the sweep: everything up to `line` of the ledger of `hour` is done.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cursor {
    hour: u64,
    line: i64,
}

impl Cursor {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (hour, line) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
        Some(Self {
            hour: hour.parse().ok()?,
            line: line.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.hour, self.line)
    }
}

#[cfg(test)]
mod tests;
