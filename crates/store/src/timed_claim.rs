//! Single use on a store without an atomic operation: the timed claim, which is Fischer's algorithm for mutual
//! exclusion, with a check in place of trust in delays.
//!
//! A caller notes the time, and reads the key. If the key is absent, it writes a value that no other caller
//! has. If more than [`WRITE_WINDOW`] has passed since the noted time, it has lost. Otherwise it waits for
//! [`SETTLE_TIMEOUT`] and reads again: it has won if the value is still its own.
//!
//! No two callers win on a linearizable store. Let A and B be two callers that win, and let B's write take
//! effect before A's. A has read that the key is absent, so its read came before B's write. A's write came
//! within the window after A's read, so within the window after B's write. B reads again later than that, as
//! it waits for longer than the window. So it finds A's value, or that of another caller who wrote after A, and
//! has lost. Only rates of monotonic clocks are compared, and the wait is a tenth longer than the window.
//!
//! No caller wins if the last one that writes is too slow. The key stays claimed then, so what the claim guards
//! does not happen, and its person starts again.
//!
//! On a store of several regions two callers win if neither region sees the other's write within the wait.

use crate::deadline::Clock;
use crate::key_value::{
    Capabilities, Claimed, Claims, Error, Expiry, KeyValue, PlainKeyValue, Regions,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Milliseconds from before the first read within which a claim must have been written.
const WRITE_WINDOW: u64 = 500;

/// How long a claim must stand: the window, and a tenth for clocks of other rates.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(550);

/// A [`KeyValue`] over a backend without an atomic operation.
///
/// Counters and claims are JSON that holds its expiry, as records are, so that a sweep that lists keys finds
/// what has expired. `nonce` returns random bytes, other ones at each call.
pub struct WithoutAtomics<B, C, N> {
    backend: B,
    clock: C,
    nonce: N,
    regions: Regions,
    write_window: u64,
}

/// The outcome of a claim against callers at other instances.
enum Contest {
    Won,
    /// With the value that was found, if it is known.
    Lost(Option<Vec<u8>>),
}

/// The stored form of a counter or a claim.
#[derive(Serialize, Deserialize)]
struct Counter {
    /// Seconds since the Unix epoch; `None`: it never expires.
    exp: Option<u64>,
    count: i64,
    /// Whose claim it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<u128>,
}

impl<B: PlainKeyValue, C: Clock, N: Fn() -> [u8; 16] + Send + Sync> WithoutAtomics<B, C, N> {
    /// Returns the store in `backend`, which has so many `regions`.
    pub fn new(backend: B, clock: C, nonce: N, regions: Regions) -> Self {
        Self {
            backend,
            clock,
            nonce,
            regions,
            write_window: WRITE_WINDOW,
        }
    }

    async fn counter(&self, key: &str) -> Result<Option<Counter>, Error> {
        let bytes = self.backend.get(key).await?;
        bytes
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|_| Error::Unreadable(key.to_owned()))
    }

    async fn write(&self, key: &str, counter: &Counter) -> Result<(), Error> {
        let bytes = serde_json::to_vec(counter).map_err(|_| Error::Unreadable(key.to_owned()))?;
        self.backend.set(key, &bytes).await
    }

    /// Claims a key with a value, against callers at other instances.
    async fn contend(&self, key: &str, value: &[u8]) -> Result<Contest, Error> {
        let begun = self.clock.now();
        let found = self.backend.get(key).await?;
        if found.is_some() {
            return Ok(Contest::Lost(found));
        }
        self.backend.set(key, value).await?;
        // The clock cuts off fractions: less than the window by the clock is less than the window.
        if self.clock.now().saturating_sub(begun) >= self.write_window {
            return Ok(Contest::Lost(None));
        }
        self.clock.sleep(SETTLE_TIMEOUT).await;
        let found = self.backend.get(key).await?;
        let is_own = found.as_deref() == Some(value);
        Ok(if is_own {
            Contest::Won
        } else {
            Contest::Lost(found)
        })
    }
}

impl<B, C, N> KeyValue for WithoutAtomics<B, C, N>
where
    B: PlainKeyValue,
    C: Clock,
    N: Fn() -> [u8; 16] + Send + Sync,
{
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            claims: Claims::Timed,
            expiry: Expiry::Listing,
            regions: self.regions,
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.backend.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8], _until: Option<u64>) -> Result<(), Error> {
        self.backend.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.backend.delete(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.backend.exists(key).await
    }

    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        let mut counter = self.counter(key).await?.unwrap_or(Counter {
            exp: until,
            count: 0,
            by: None,
        });
        counter.exp = until.or(counter.exp);
        counter.count = counter.count.saturating_add(delta);
        self.write(key, &counter).await?;
        Ok(counter.count)
    }

    async fn counted(&self, key: &str) -> Result<Option<i64>, Error> {
        let counter = self.counter(key).await?;
        Ok(counter.map(|counter| counter.count))
    }

    async fn claim(&self, key: &str, note: i64, until: Option<u64>) -> Result<Claimed, Error> {
        let own = Counter {
            exp: until,
            count: note,
            by: Some(u128::from_be_bytes((self.nonce)())),
        };
        let value = serde_json::to_vec(&own).map_err(|_| Error::Unreadable(key.to_owned()))?;
        Ok(match self.contend(key, &value).await? {
            Contest::Won => Claimed::Made,
            Contest::Lost(found) => {
                let other = found.and_then(|found| serde_json::from_slice::<Counter>(&found).ok());
                Claimed::Before(other.map_or(note, |other| other.count))
            }
        })
    }

    async fn claim_with(
        &self,
        key: &str,
        value: &[u8],
        _until: Option<u64>,
    ) -> Result<bool, Error> {
        let contest = self.contend(key, value).await?;
        Ok(matches!(contest, Contest::Won))
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        self.backend.keys().await
    }
}

#[cfg(test)]
mod tests;
