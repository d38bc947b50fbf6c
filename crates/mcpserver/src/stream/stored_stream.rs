//! The part of a resumable stream that lies in the store, and the ids of its events.
//!
//! Events are in a ring of [`RING_SIZE`] slots beside one record, so that a stream is bounded and one line
//! in the ledger of the sweep covers all of it. A client that stays away too long loses the oldest events.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `mcp-stream:<id>` | that the stream lives, and its first event there | when its connection ends, then once a minute |
//! | `mcp-stream:<id>.0` to `.63` | an event or a part of one, sealed | at each event |

use crate::stream::ring_seal::RingSeal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};
use mcp::Revision;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use store::ring::Ring;
use store::{KeyValue, Record, Store};

const STREAM: Purpose = Purpose("mcp stream");
const EVENT: Purpose = Purpose("mcp stream event");

/// Parts of events that wait for a client that resumes the stream.
pub(crate) const RING_SIZE: u32 = 64;

/// The record of a stream.
#[derive(Serialize, Deserialize)]
pub(crate) struct StreamRecord {
    /// The number of the first event in the store.
    pub(crate) first: u64,
}

impl Record for StreamRecord {
    const KIND: &'static str = "mcp-stream";
}

/// The id of a stream: the prefix of its events' ids, and the key of its record.
#[derive(Clone)]
pub(crate) struct StreamName {
    sealed: String,
    pub(crate) key: String,
}

impl StreamName {
    /// Returns a name of these random bytes that opens for the reader alone.
    pub(crate) fn new(
        keys: &KeyRing,
        reader: &Reader<'_>,
        bytes: [u8; 16],
        random: &mut impl CryptoRng,
    ) -> Self {
        Self {
            sealed: keys.seal(STREAM, reader.context().as_bytes(), &bytes, random),
            key: URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    /// Returns the name and the number in the id of an event; `None` if no event of the reader has the id.
    pub(crate) fn of_event(keys: &KeyRing, reader: &Reader<'_>, id: &str) -> Option<(Self, u64)> {
        let (sealed, number) = id.rsplit_once('.')?;
        let bytes = keys
            .open(STREAM, reader.context().as_bytes(), sealed)
            .ok()?;
        let name = Self {
            sealed: sealed.to_owned(),
            key: URL_SAFE_NO_PAD.encode(bytes),
        };
        let number: u64 = number.parse().ok()?;
        // No stream has so many events, and sums do not overflow.
        (number <= u64::from(u32::MAX)).then_some((name, number))
    }

    /// Returns the id of the event with this number.
    pub(crate) fn event(&self, number: u64) -> String {
        format!("{}.{number}", self.sealed)
    }

    /// Returns the ring of the stream's events.
    pub(crate) fn ring<'s, K: KeyValue>(&self, store: &'s Store<K>) -> Ring<'s, K> {
        Ring::of_record::<StreamRecord>(store, &self.key, RING_SIZE)
    }

    /// Returns the seal of the events.
    pub(crate) fn seal<'a>(&'a self, keys: &'a KeyRing) -> RingSeal<'a> {
        RingSeal {
            keys,
            purpose: EVENT,
            ring: &self.key,
        }
    }
}

/// The client that reads a stream.
pub(crate) struct Reader<'a> {
    pub(crate) subject: &'a str,
    /// The name of the session.
    pub(crate) session: &'a str,
    pub(crate) revision: Revision,
}

impl Reader<'_> {
    fn context(&self) -> String {
        format!("{} {}", self.session, self.subject)
    }

    /// Returns whether the server may close the connection, and an event may be empty (from 2025-11-25
    /// on).
    pub(crate) fn polls(&self) -> bool {
        self.revision.polls()
    }
}
