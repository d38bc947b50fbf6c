//! Removing what has expired, without ever listing keys.
//!
//! Everything that expires is entered in a ledger: one for each hour, its lines numbered by a
//! counter. The sweep walks the ledgers of past hours line by line, from a cursor that it keeps in
//! the store, and removes each key a line names. Two sweeps at once do each other no harm: every
//! step may be repeated.
//!
//! A line may name a number behind its key: that many slots end with the record (see
//! [`Store::create_with_slots`]).

use crate::record::Expiry;
use crate::{Error, KeyValue, Store};

/// Seconds that one ledger covers.
const HOUR: u64 = 3600;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Ledger lines read.
    pub lines: u64,
    /// Keys removed, ledger lines not counted.
    pub removed: u64,
    /// Whether past hours are left to sweep.
    pub more: bool,
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

    /// Removes what expired before the hour of `now` (seconds since the Unix epoch), reading at
    /// most `budget` ledger lines.
    ///
    /// A record whose expiry has moved since it was entered is entered again at its new one.
    ///
    /// # Errors
    ///
    /// [`Error`] of the backend; the next sweep goes on where this one stopped.
    pub async fn sweep(&self, now: u64, budget: u64) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let current = now / HOUR;
        let mut cursor = self.cursor(current).await?;
        let started_at = cursor;
        while cursor.hour < current {
            if swept.lines >= budget {
                swept.more = true;
                break;
            }
            let ledger = self.ledger(cursor.hour);
            let last = if self.backend.exists(&ledger).await? {
                self.backend.increment(&ledger, 0).await?
            } else {
                0
            };
            while cursor.line < last && swept.lines < budget {
                cursor.line += 1;
                swept.lines += 1;
                let line = self.line(cursor.hour, cursor.line);
                if let Some(entry) = self.backend.get(&line).await? {
                    if let Ok(entry) = String::from_utf8(entry) {
                        swept.removed += u64::from(self.remove_if_expired(&entry, now).await?);
                    }
                    self.backend.delete(&line).await?;
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
        if cursor != started_at {
            self.backend
                .set(&self.cursor_key(), cursor.to_string().as_bytes())
                .await?;
        }
        Ok(swept)
    }

    /// Whether the key was removed. A key that is no record is a counter: its entry is its expiry.
    async fn remove_if_expired(&self, entry: &str, now: u64) -> Result<bool, Error> {
        let (key, slots) = entry.split_once(' ').unwrap_or((entry, ""));
        let slots = slots.parse().unwrap_or(0);
        let Some(bytes) = self.backend.get(key).await? else {
            // Somebody may have filled a slot while the record was being removed.
            self.delete_slots(key, slots).await?;
            return Ok(false);
        };
        match serde_json::from_slice::<Expiry>(&bytes) {
            Ok(Expiry { exp: None }) => return Ok(false),
            Ok(Expiry { exp: Some(exp) }) if exp > now => {
                self.enter(entry, exp).await?;
                return Ok(false);
            }
            _ => {
                self.delete_slots(key, slots).await?;
                self.backend.delete(key).await?;
            }
        }
        Ok(true)
    }

    async fn cursor(&self, current: u64) -> Result<Cursor, Error> {
        let stored = self.backend.get(&self.cursor_key()).await?;
        match stored.as_deref().and_then(Cursor::parse) {
            Some(cursor) => Ok(cursor),
            None => {
                // A new store: its ledgers begin with the hour of its first sweep.
                let cursor = Cursor {
                    hour: current.saturating_sub(1),
                    line: 0,
                };
                self.backend
                    .set(&self.cursor_key(), cursor.to_string().as_bytes())
                    .await?;
                Ok(cursor)
            }
        }
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
mod tests {
    use super::*;
    use crate::{MemoryKeyValue, Record};
    use futures::executor::block_on;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Note;
    impl Record for Note {
        const KIND: &'static str = "note";
    }

    async fn swept_store() -> Store<MemoryKeyValue> {
        let store = Store::new(MemoryKeyValue::default(), "");
        store.sweep(0, 10).await.unwrap();
        store
    }

    #[test]
    fn the_sweep_removes_what_expired_and_leaves_no_trace_of_it() {
        block_on(async {
            let store = swept_store().await;
            for n in 0..5 {
                store.create(&n.to_string(), &Note, 100).await.unwrap();
            }
            store.claim_once("code", "c", 100).await.unwrap();
            store.create("later", &Note, 3 * HOUR).await.unwrap();
            let swept = store.sweep(HOUR, 100).await.unwrap();
            assert_eq!(
                swept,
                Swept {
                    lines: 6,
                    removed: 6,
                    more: false
                }
            );
            assert_eq!(
                store.backend().keys(),
                ["ledger:3", "ledger:3:1", "note:later", "sweep:cursor"]
            );
        });
    }

    #[test]
    fn a_bounded_sweep_goes_on_where_it_stopped() {
        block_on(async {
            let store = swept_store().await;
            for n in 0..5 {
                store.create(&n.to_string(), &Note, 100).await.unwrap();
            }
            let first = store.sweep(HOUR, 3).await.unwrap();
            assert_eq!((first.removed, first.more), (3, true));
            let second = store.sweep(HOUR, 3).await.unwrap();
            assert_eq!((second.removed, second.more), (2, false));
        });
    }

    #[test]
    fn a_record_that_was_prolonged_survives_the_sweep_and_is_swept_at_its_new_time() {
        block_on(async {
            let store = swept_store().await;
            store.create("a", &Note, 100).await.unwrap();
            store.put("a", &Note, Some(2 * HOUR)).await.unwrap();
            store.create("kept", &Note, 100).await.unwrap();
            store.put("kept", &Note, None).await.unwrap();
            assert_eq!(store.sweep(HOUR, 100).await.unwrap().removed, 0);
            assert!(store.get::<Note>("a", HOUR).await.unwrap().is_some());
            assert_eq!(store.sweep(3 * HOUR, 100).await.unwrap().removed, 1);
            assert!(store.get::<Note>("kept", 9 * HOUR).await.unwrap().is_some());
        });
    }

    #[test]
    fn the_slots_of_a_record_live_and_are_swept_with_it() {
        block_on(async {
            let store = swept_store().await;
            store.create_with_slots("a", &Note, 3, 100).await.unwrap();
            for slot in 0..3 {
                let key = store.slot_key::<Note>("a", slot);
                store.backend().set(&key, b"{}").await.unwrap();
            }
            store.put("a", &Note, Some(HOUR + 1)).await.unwrap();
            assert_eq!(store.sweep(HOUR, 100).await.unwrap().removed, 0);
            assert!(store.backend().keys().contains(&"note:a.2".to_owned()));
            assert_eq!(store.sweep(2 * HOUR, 100).await.unwrap().removed, 1);
            assert_eq!(store.backend().keys(), ["sweep:cursor"]);
        });
    }

    #[test]
    fn a_record_is_deleted_with_its_slots() {
        block_on(async {
            let store = swept_store().await;
            store.create_with_slots("a", &Note, 2, 100).await.unwrap();
            let key = store.slot_key::<Note>("a", 1);
            store.backend().increment(&key, 1).await.unwrap();
            store.delete_with_slots::<Note>("a", 2).await.unwrap();
            assert_eq!(
                store.backend().keys(),
                ["ledger:0", "ledger:0:1", "sweep:cursor"]
            );
        });
    }

    #[test]
    fn the_hour_that_is_running_is_left_alone() {
        block_on(async {
            let store = swept_store().await;
            store.create("a", &Note, 100).await.unwrap();
            assert_eq!(store.sweep(HOUR - 1, 100).await.unwrap().lines, 0);
        });
    }
}
