//! Mailboxes of HTTP+SSE sessions: what `/messages` has to say to the stream at `/sse`.
//!
//! The two requests may meet two instances or two machines, so messages travel through the store.
//! A mailbox is one record with [`SLOTS`] slots: a counter that numbers the messages, and a ring
//! in which they lie, sealed, until the stream takes them out. So a session is bounded, and one
//! entry for the sweep covers all of it.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `sse:<id>` | that the stream lives, and the negotiated revision | at the start, then once a minute |
//! | `sse:<id>.0` | a counter | at each message |
//! | `sse:<id>.1` to `.32` | a message, sealed | at each message; deleted when it is delivered |

use crate::Environment;
use crate::stream::session_state::SessionState;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};
use mcp::{ClientCapabilities, Revision};
use rand::{CryptoRng, RngExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use store::{KeyValue, Record, Store};

const SESSION: Purpose = Purpose("sse session");
const MESSAGE: Purpose = Purpose("sse message");

/// Seconds after the last sign of life at which a session counts as dead.
pub(crate) const LIFETIME: u64 = 150;

/// How many messages may wait for a stream.
const RING: u32 = 32;

/// The counter and the ring.
const SLOTS: u32 = 1 + RING;

/// Bytes of a message that go into one slot: sealed, they stay under what the smallest backend
/// takes as a value (400 KB).
const PART: usize = 256 * 1024;

/// Parts of a message at most: half of the ring.
const MOST_PARTS: usize = 16;

/// Sessions that one person may open in a minute.
const SESSIONS_PER_MINUTE: u64 = 120;

/// How long a message waits for a slot.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Seconds for which a stream waits for a message that was numbered and is not there.
const GAP: u64 = 3;

/// A session, as its stream keeps it alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// What `initialize` negotiated.
    pub(crate) revision: Option<Revision>,
    /// What the client can be asked.
    #[serde(rename = "abilities")]
    pub(crate) capabilities: ClientCapabilities,
    /// What the client has changed since.
    pub(crate) state: SessionState,
}

impl Record for Session {
    const KIND: &'static str = "sse";
}

/// A message, or a part of one.
#[derive(Serialize, Deserialize)]
struct Slot {
    number: i64,
    /// Counted from 0.
    part: usize,
    parts: usize,
    sealed: String,
}

/// The id of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailboxId(String);

impl MailboxId {
    /// Tells it from others.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// Why there is no new mailbox.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("one person opened too many sessions")]
    TooMany,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Why a message did not go into a mailbox.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("the session's stream does not read")]
    Full,
    #[error("the message is larger than a session can carry")]
    TooLarge,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The mailboxes in a store.
pub(crate) struct Mailboxes<'a, K> {
    pub(crate) store: &'a Store<K>,
    pub(crate) keys: &'a KeyRing,
}

impl<K: KeyValue> Mailboxes<'_, K> {
    /// Opens a mailbox for a person; gives its id, and the sealed form of it that the client gets.
    pub(crate) async fn open(
        &self,
        subject: &str,
        now: u64,
        random: &mut impl CryptoRng,
    ) -> Result<(MailboxId, String), OpenError> {
        let bytes: [u8; 16] = random.random();
        let sealed = self.keys.seal(SESSION, subject.as_bytes(), &bytes, random);
        let id = MailboxId(URL_SAFE_NO_PAD.encode(bytes));
        let person = URL_SAFE_NO_PAD.encode(&Sha256::digest(subject)[..16]);
        let is_within_limit = self
            .store
            .check_rate_limit(&format!("sse-limit:{person}"), SESSIONS_PER_MINUTE, 60, now)
            .await?;
        if !is_within_limit {
            return Err(OpenError::TooMany);
        }
        let session = Session::default();
        self.store
            .create_with_slots(&id.0, &session, SLOTS, now + LIFETIME)
            .await?;
        Ok((id, sealed))
    }

    /// The mailbox that a sealed id names, if it is this person's.
    pub(crate) fn find(&self, subject: &str, sealed: &str) -> Option<MailboxId> {
        let bytes = self
            .keys
            .open(SESSION, subject.as_bytes(), sealed)
            .ok()
            .filter(|bytes| bytes.len() == 16)?;
        Some(MailboxId(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The session, if its stream lives.
    pub(crate) async fn session(
        &self,
        id: &MailboxId,
        now: u64,
    ) -> Result<Option<Session>, store::Error> {
        self.store.get(&id.0, now).await
    }

    /// Keeps the session alive, and what it negotiated.
    pub(crate) async fn keep(
        &self,
        id: &MailboxId,
        session: &Session,
        now: u64,
    ) -> Result<(), store::Error> {
        self.store.put(&id.0, session, Some(now + LIFETIME)).await
    }

    /// Ends the session, and removes every key of it.
    pub(crate) async fn close(&self, id: &MailboxId) -> Result<(), store::Error> {
        self.store.delete_with_slots::<Session>(&id.0, SLOTS).await
    }

    /// Puts a message in.
    pub(crate) async fn post(
        &self,
        id: &MailboxId,
        message: &str,
        environment: &impl Environment,
    ) -> Result<(), PostError> {
        let parts: Vec<&[u8]> = message.as_bytes().chunks(PART).collect();
        if parts.len() > MOST_PARTS {
            return Err(PostError::TooLarge);
        }
        let count = parts.len() as i64;
        let counter = self.store.slot_key::<Session>(&id.0, 0);
        let last = self.store.backend().increment(&counter, count).await?;
        for (part, text) in parts.iter().enumerate() {
            let number = last - count + 1 + part as i64;
            let key = self.slot_key(id, number);
            let mut waited = Duration::ZERO;
            let mut wait = Duration::from_millis(5);
            while self.store.backend().exists(&key).await? {
                if waited >= LONGEST_WAIT {
                    return Err(PostError::Full);
                }
                environment.sleep(wait).await;
                waited += wait;
                wait = (wait * 2).min(Duration::from_millis(200));
            }
            let slot = Slot {
                number,
                part,
                parts: parts.len(),
                sealed: self.keys.seal(
                    MESSAGE,
                    context(id, number).as_bytes(),
                    text,
                    &mut environment.random(),
                ),
            };
            let bytes =
                serde_json::to_vec(&slot).map_err(|_| store::Error::Unreadable(key.clone()))?;
            self.store.backend().set(&key, &bytes).await?;
        }
        Ok(())
    }

    /// The messages of a mailbox, from its first one on.
    pub(crate) fn read(&self, id: &MailboxId) -> Reader {
        Reader {
            id: id.clone(),
            next: 1,
            parts: Vec::new(),
            looks: 0,
            gap_since: None,
        }
    }

    async fn slot(&self, id: &MailboxId, number: i64) -> Result<Option<Slot>, store::Error> {
        let key = self.slot_key(id, number);
        let bytes = self.store.backend().get(&key).await?;
        // What cannot be read was not written by this version: it is passed over like a gap.
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    fn slot_key(&self, id: &MailboxId, number: i64) -> String {
        let slot = 1 + number.rem_euclid(i64::from(RING)) as u32;
        self.store.slot_key::<Session>(&id.0, slot)
    }
}

/// Binds a sealed message to its place.
fn context(id: &MailboxId, number: i64) -> String {
    format!("{} {number}", id.0)
}

/// Takes the messages out of a mailbox, in order.
pub(crate) struct Reader {
    id: MailboxId,
    next: i64,
    parts: Vec<u8>,
    looks: u32,
    gap_since: Option<u64>,
}

/// What a look into a mailbox found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing.
    Nothing,
    /// A part of a message; more is to come.
    Part,
    /// A message.
    Message(String),
}

impl Reader {
    /// Looks once: one read of the store when there is nothing.
    pub(crate) async fn look<K: KeyValue>(
        &mut self,
        mailboxes: &Mailboxes<'_, K>,
        now: u64,
    ) -> Result<Look, store::Error> {
        // Whoever numbered a message may never have written it. So every fifth look that finds
        // nothing is at the one behind it.
        if self.looks % 5 == 4 {
            self.looks += 1;
            self.look_behind_a_gap(mailboxes, now).await?;
            return Ok(Look::Nothing);
        }
        let slot = mailboxes.slot(&self.id, self.next).await?;
        let Some(slot) = slot.filter(|slot| slot.number <= self.next) else {
            self.looks = self.looks.wrapping_add(1);
            return Ok(Look::Nothing);
        };
        let key = mailboxes.slot_key(&self.id, self.next);
        mailboxes.store.backend().delete(&key).await?;
        if slot.number < self.next {
            // It came after it was given up.
            return Ok(Look::Part);
        }
        self.next += 1;
        self.looks = 0;
        self.gap_since = None;
        let context = context(&self.id, slot.number);
        let Ok(text) = mailboxes
            .keys
            .open(MESSAGE, context.as_bytes(), &slot.sealed)
        else {
            self.parts.clear();
            return Ok(Look::Part);
        };
        if slot.part == 0 {
            self.parts.clear();
        }
        self.parts.extend(text);
        if slot.part + 1 < slot.parts {
            return Ok(Look::Part);
        }
        let message = String::from_utf8(std::mem::take(&mut self.parts));
        Ok(message.map_or(Look::Part, Look::Message))
    }

    async fn look_behind_a_gap<K: KeyValue>(
        &mut self,
        mailboxes: &Mailboxes<'_, K>,
        now: u64,
    ) -> Result<(), store::Error> {
        let behind = mailboxes.slot(&self.id, self.next + 1).await?;
        if behind.is_none_or(|slot| slot.number != self.next + 1) {
            self.gap_since = None;
        } else if *self.gap_since.get_or_insert(now) + GAP <= now {
            self.next += 1;
            self.gap_since = None;
            self.parts.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestKeyValue, World};
    use futures::executor::block_on;

    fn mailboxes(world: &World) -> Mailboxes<'_, TestKeyValue> {
        Mailboxes {
            store: &world.store,
            keys: &world.keys,
        }
    }

    async fn open(world: &World) -> (MailboxId, String) {
        let random = &mut world.environment.random();
        let now = world.environment.now();
        mailboxes(world).open("ann", now, random).await.unwrap()
    }

    async fn take(reader: &mut Reader, world: &World) -> Option<String> {
        for _ in 0..20 {
            let now = world.environment.now();
            match reader.look(&mailboxes(world), now).await.unwrap() {
                Look::Message(message) => return Some(message),
                Look::Nothing | Look::Part => {}
            }
        }
        None
    }

    #[test]
    fn messages_come_out_in_order_and_leave_nothing() {
        block_on(async {
            let world = World::new();
            let boxes = mailboxes(&world);
            let (id, _) = open(&world).await;
            let mut reader = boxes.read(&id);
            for round in 0..3 {
                for n in 0..20 {
                    let message = format!("{round} {n}");
                    boxes.post(&id, &message, &world.environment).await.unwrap();
                }
                for n in 0..20 {
                    let message = take(&mut reader, &world).await;
                    assert_eq!(message, Some(format!("{round} {n}")));
                }
            }
            assert_eq!(take(&mut reader, &world).await, None);
            boxes.close(&id).await.unwrap();
            let left = world.store.backend().keys();
            assert!(left.iter().all(|key| !key.starts_with("sse:")), "{left:?}");
        });
    }

    #[test]
    fn what_lies_in_the_store_tells_nothing() {
        block_on(async {
            let world = World::new();
            let boxes = mailboxes(&world);
            let (id, _) = open(&world).await;
            boxes
                .post(&id, "a secret", &world.environment)
                .await
                .unwrap();
            for key in world.store.backend().keys() {
                let value = world.store.backend().get(&key).await.unwrap().unwrap();
                let text = String::from_utf8_lossy(&value).into_owned();
                assert!(!text.contains("secret") && !text.contains("ann"));
                assert!(!key.contains("ann"));
            }
        });
    }

    #[test]
    fn a_large_message_travels_in_parts_and_a_too_large_one_not_at_all() {
        block_on(async {
            let world = World::new();
            let boxes = mailboxes(&world);
            let (id, _) = open(&world).await;
            let large = "ä".repeat(PART);
            boxes.post(&id, &large, &world.environment).await.unwrap();
            let mut reader = boxes.read(&id);
            assert_eq!(take(&mut reader, &world).await, Some(large));
            let too_large = "x".repeat(PART * MOST_PARTS + 1);
            let error = boxes.post(&id, &too_large, &world.environment).await;
            assert!(matches!(error, Err(PostError::TooLarge)));
        });
    }

    #[test]
    fn a_message_that_was_numbered_and_never_written_is_passed_over() {
        block_on(async {
            let world = World::new();
            let boxes = mailboxes(&world);
            let (id, _) = open(&world).await;
            let counter = world.store.slot_key::<Session>(&id.0, 0);
            world.store.backend().increment(&counter, 1).await.unwrap();
            boxes.post(&id, "second", &world.environment).await.unwrap();
            let mut reader = boxes.read(&id);
            assert_eq!(take(&mut reader, &world).await, None);
            world.environment.advance(GAP);
            assert_eq!(take(&mut reader, &world).await.as_deref(), Some("second"));
        });
    }

    #[test]
    fn a_mailbox_nobody_reads_fills_and_stays_bounded() {
        block_on(async {
            let world = World::new();
            let boxes = mailboxes(&world);
            let (id, _) = open(&world).await;
            for n in 0..RING + 8 {
                let posted = boxes.post(&id, "x", &world.environment).await;
                assert_eq!(posted.is_ok(), n < RING, "{n}");
            }
            let keys = world.store.backend().keys();
            let slots = keys.iter().filter(|key| key.starts_with("sse:"));
            assert_eq!(slots.count() as u32, 1 + SLOTS);
        });
    }

    #[test]
    fn a_mailbox_is_its_persons_alone_and_dies_without_its_stream() {
        block_on(async {
            let world = World::new();
            let boxes = mailboxes(&world);
            let (id, sealed) = open(&world).await;
            assert_eq!(boxes.find("ann", &sealed), Some(id.clone()));
            assert_eq!(boxes.find("bob", &sealed), None);
            assert_eq!(boxes.find("ann", "nonsense"), None);
            let now = world.environment.now();
            let session = boxes.session(&id, now).await.unwrap().unwrap();
            boxes.keep(&id, &session, now + 100).await.unwrap();
            let at = |seconds| boxes.session(&id, now + seconds);
            assert_eq!(at(100 + LIFETIME - 1).await.unwrap(), Some(session));
            assert_eq!(at(100 + LIFETIME).await.unwrap(), None);
        });
    }

    #[test]
    fn one_person_opens_so_many_sessions_a_minute() {
        block_on(async {
            let world = World::new();
            let random = &mut world.environment.random();
            for _ in 0..SESSIONS_PER_MINUTE {
                open(&world).await;
            }
            let boxes = mailboxes(&world);
            let refused = boxes.open("ann", world.environment.now(), random).await;
            assert!(matches!(refused, Err(OpenError::TooMany)));
            assert!(
                boxes
                    .open("bob", world.environment.now(), random)
                    .await
                    .is_ok()
            );
        });
    }
}
