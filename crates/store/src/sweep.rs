//! Removing what has expired, without ever listing keys.
//!
//! Everything that expires is entered in a ledger: one for each hour, its lines numbered by a
//! counter. The sweep walks the ledgers of past hours line by line, from a cursor that it keeps in
//! the store, and removes each key a line names. Two sweeps at once do each other no harm: every
//! step may be repeated.
//!
//! A line may name a number behind its key: that many slots end with the record (see
//! [`Store::create_with_slots`]). It may also name further keys, which end with the first (see
//! [`Store::enter_with`]).

use crate::record::{COMPANION, Expiry};
use crate::{Error, KeyValue, Store};

/// Seconds that one ledger covers.
const HOUR: u64 = 3600;

/// Seconds after its end from which an hour is swept: a request that began in it may still be
/// entering what expires in it.
const SETTLED: u64 = 300;

/// Hours that the first sweep of a store goes back. Requests that write sweep as well, so no store
/// goes without a sweep for that long.
const FARTHEST: u64 = 366 * 24;

/// Steps after which the cursor is written, so that a sweep that is broken off repeats little.
const REMEMBER_EVERY: u64 = 1000;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Ledger lines and ledgers looked at.
    pub steps: u64,
    /// Keys removed, ledger lines not counted.
    pub removed: u64,
    /// Everything that expired before this (seconds since the Unix epoch) is gone.
    pub until: u64,
    /// Whether past hours are left to sweep.
    pub more: bool,
}

impl Swept {
    /// This sweep and the one that went on from it, as one.
    pub fn and(self, next: Self) -> Self {
        Self {
            steps: self.steps + next.steps,
            removed: self.removed + next.removed,
            ..next
        }
    }
}

impl<K: KeyValue> Store<K> {
    /// Enters `entry`, a key or a key with its number of slots, in the ledger of the hour in which
    /// it expires.
    pub(crate) async fn enter(&self, entry: &str, expires_at: u64) -> Result<(), Error> {
        let hour = expires_at / HOUR;
        let line = self.backend.increment(&self.ledger(hour), 1).await?;
        self.backend
            .set(&self.line(hour, line), entry.as_bytes())
            .await
    }

    /// Removes what expired in the hours that are over at `now` (seconds since the Unix epoch).
    ///
    /// Takes about `budget` steps, each of some reads and writes, and holds one ledger line at a
    /// time: a ledger with nothing in it costs a step, a line costs one and one more for each slot
    /// and further key it names. A record whose expiry has moved since it was entered is entered again at its new
    /// one.
    ///
    /// # Errors
    ///
    /// [`Error`] of the backend; the next sweep goes on where this one stopped.
    pub async fn sweep(&self, now: u64, budget: u64) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let current = now.saturating_sub(SETTLED) / HOUR;
        let mut cursor = self.cursor(current).await?;
        let mut written = cursor;
        let mut write_at = REMEMBER_EVERY;
        while cursor.hour < current {
            if swept.steps >= budget {
                swept.more = true;
                break;
            }
            let ledger = self.ledger(cursor.hour);
            let last = if self.backend.exists(&ledger).await? {
                self.backend.increment(&ledger, 0).await?
            } else {
                0
            };
            swept.steps += 1;
            while cursor.line < last && swept.steps < budget {
                cursor.line += 1;
                swept.steps += 1;
                let line = self.line(cursor.hour, cursor.line);
                if let Some(entry) = self.backend.get(&line).await? {
                    if let Ok(entry) = String::from_utf8(entry) {
                        let (removed, looked_at) = self.remove_if_expired(&entry, now).await?;
                        swept.removed += removed;
                        swept.steps += looked_at;
                    }
                    self.backend.delete(&line).await?;
                }
                if swept.steps >= write_at {
                    write_at = swept.steps + REMEMBER_EVERY;
                    written = self.remember(cursor).await?;
                }
            }
            if cursor.line >= last {
                if last > 0 {
                    self.backend.delete(&ledger).await?;
                }
                cursor = Cursor {
                    hour: cursor.hour + 1,
                    line: 0,
                };
            }
        }
        if cursor != written {
            self.remember(cursor).await?;
        }
        swept.until = cursor.hour * HOUR;
        Ok(swept)
    }

    /// How many keys were removed, and how many were looked at besides the first; slots count as one
    /// with their record. A key that is no record is a counter: its entry is its expiry.
    async fn remove_if_expired(&self, entry: &str, now: u64) -> Result<(u64, u64), Error> {
        let mut keys = entry.split(COMPANION);
        let first = keys.next().unwrap_or_default();
        let (key, slots) = first.split_once(' ').unwrap_or((first, ""));
        let slots = slots.parse().unwrap_or(0);
        let record = self.backend.get(key).await?;
        let expiry = record
            .as_deref()
            .map(serde_json::from_slice::<Expiry>)
            .and_then(Result::ok);
        match expiry {
            Some(Expiry { exp: None }) => return Ok((0, 0)),
            Some(Expiry { exp: Some(exp) }) if exp > now => {
                self.enter(entry, exp).await?;
                return Ok((0, 0));
            }
            _ => {}
        }
        // The first key goes last: a sweep that is broken off finds the rest again.
        let (mut removed, mut looked_at) = (0, u64::from(slots));
        for companion in keys {
            looked_at += 1;
            removed += u64::from(self.delete_key(companion).await?);
        }
        // Where the record is gone, somebody may have filled a slot while it was being removed.
        self.delete_slots(key, slots).await?;
        if record.is_some() {
            self.backend.delete(key).await?;
            removed += 1;
        }
        Ok((removed, looked_at))
    }

    async fn cursor(&self, current: u64) -> Result<Cursor, Error> {
        let stored = self.backend.get(&self.cursor_key()).await?;
        match stored.as_deref().and_then(Cursor::parse) {
            Some(cursor) => Ok(cursor),
            // A store that was never swept: its first ledgers may be older than this sweep.
            None => {
                self.remember(Cursor {
                    hour: current.saturating_sub(FARTHEST),
                    line: 0,
                })
                .await
            }
        }
    }

    async fn remember(&self, cursor: Cursor) -> Result<Cursor, Error> {
        let text = cursor.to_string();
        self.backend
            .set(&self.cursor_key(), text.as_bytes())
            .await?;
        Ok(cursor)
    }

    fn ledger(&self, hour: u64) -> String {
        self.key("ledger", &hour.to_string())
    }

    fn line(&self, hour: u64, line: i64) -> String {
        self.key("ledger", &format!("{hour}:{line}"))
    }

    fn cursor_key(&self) -> String {
        self.key("sweep", "cursor")
    }
}

/// How far the sweep has come: everything up to `line` of the ledger of `hour` is done.
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
