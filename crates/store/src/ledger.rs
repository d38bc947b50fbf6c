//! The ledgers: what expires in each hour, so that the sweep need not list keys.

use crate::key_value::{Entry, Expiry};
use crate::{Error, KeyValue, Store};

/// Seconds of one ledger.
pub(crate) const HOUR: u64 = 3600;

/// The separator of the keys of one ledger line, which no key contains.
pub(crate) const COMPANION: char = '\n';

/// The ledgers of a store.
pub(crate) struct Ledger<'a, K>(pub(crate) &'a Store<K>);

impl<K: KeyValue> Ledger<'_, K> {
    /// Writes a ledger line for `entry`, a key with its number of slots or further keys, that expires at
    /// `expires_at` (seconds since the Unix epoch). Writes nothing where the store has no ledger
    /// ([`Expiry`]).
    pub(crate) async fn schedule(&self, entry: &str, expires_at: u64) -> Result<(), Error> {
        let Some(line) = self.line_for(entry, expires_at).await? else {
            return Ok(());
        };
        self.0.backend.set(&line.key, &line.value, line.until).await
    }

    /// Returns the ledger line for `entry`, which the caller writes before what it is for; `None` where the store has no
    /// ledger.
    pub(crate) async fn line_for(
        &self,
        entry: &str,
        expires_at: u64,
    ) -> Result<Option<Entry>, Error> {
        if self.0.backend.capabilities().expiry != Expiry::Ledger {
            return Ok(None);
        }
        let hour = expires_at / HOUR;
        let number = match self.0.ledger_numbers.next(hour) {
            Ok(number) => number,
            Err(taken) => {
                let counter = self.counter(hour);
                let last = self.0.backend.increment(&counter, taken, None).await?;
                self.0.ledger_numbers.hold(hour, last, taken)
            }
        };
        Ok(Some(Entry {
            key: self.line(hour, number),
            value: entry.as_bytes().to_vec(),
            until: None,
        }))
    }

    pub(crate) fn counter(&self, hour: u64) -> String {
        self.0.key("ledger", &hour.to_string())
    }

    pub(crate) fn line(&self, hour: u64, line: i64) -> String {
        self.0.key("ledger", &format!("{hour}:{line}"))
    }
}
