//! Mailboxes of HTTP+SSE sessions (2024-11-05, Transports): messages from `/messages` to the stream at `/sse`.
//!
//! The two requests may meet two instances or two machines, so messages travel through the store, in a ring
//! beside the record of the session. So a session is bounded, and one ledger line of the sweep covers all of
//! it. A writer waits until the stream has emptied a slot.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `sse:<id>` | that the stream lives, and the negotiated revision | at the start, then once a minute |
//! | `sse:<id>.0` | the counter of the ring | at each message |
//! | `sse:<id>.1` to `.32` | a part of a message, sealed | at each message; deleted when it is delivered |

use crate::Environment;
use crate::rate_limit;
use crate::stream::MAX_MESSAGE_PARTS;
use crate::stream::ring_seal::RingSeal;
use crate::stream::session_state::SessionState;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};
use mcp::{ClientCapabilities, Revision};
use rand::{CryptoRng, RngExt};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::ring::{self, Ring, part_count};
use store::{KeyValue, ReadAhead, Record, Store};

const SESSION: Purpose = Purpose("sse session");
const MESSAGE: Purpose = Purpose("sse message");

/// Seconds after its last heartbeat at which a session has ended.
pub(crate) const SESSION_TTL: u64 = 150;

/// Parts of messages that may wait for a stream.
const RING_SIZE: u32 = 32;

/// The counter and the ring.
const SLOTS: u32 = 1 + RING_SIZE;

/// The time that a message waits for an empty slot.
const SLOT_TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds that a reader waits for a message that has a number and is not written.
const GAP_TIMEOUT: u64 = 3;

/// A session, as its stream keeps it alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Negotiated by `initialize`.
    pub(crate) revision: Option<Revision>,
    #[serde(rename = "abilities")]
    pub(crate) capabilities: ClientCapabilities,
    pub(crate) state: SessionState,
}

impl Record for Session {
    const KIND: &'static str = "sse";
}

/// The id of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailboxId(String);

impl MailboxId {
    /// Returns the name of the session in other keys of the store.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// Why no mailbox was opened.
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
    /// Opens a mailbox for a person. Returns its id, and the sealed form for the client.
    pub(crate) async fn open(
        &self,
        subject: &str,
        now: u64,
        random: &mut impl CryptoRng,
    ) -> Result<(MailboxId, String), OpenError> {
        let bytes: [u8; 16] = random.random();
        let sealed = self.keys.seal(SESSION, subject.as_bytes(), &bytes, random);
        let id = MailboxId(URL_SAFE_NO_PAD.encode(bytes));
        let person = rate_limit::person(subject);
        if !rate_limit::check(self.store, "sse-limit", &person, now).await? {
            return Err(OpenError::TooMany);
        }
        let session = Session::default();
        self.store
            .create_with_slots(&id.0, &session, SLOTS, now + SESSION_TTL)
            .await?;
        Ok((id, sealed))
    }

    /// Returns the mailbox that a sealed id names, if it is this person's.
    pub(crate) fn find(&self, subject: &str, sealed: &str) -> Option<MailboxId> {
        let bytes = self
            .keys
            .open(SESSION, subject.as_bytes(), sealed)
            .ok()
            .filter(|bytes| bytes.len() == 16)?;
        Some(MailboxId(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns the session; `None` once its stream has ended.
    pub(crate) async fn session(
        &self,
        id: &MailboxId,
        now: u64,
    ) -> Result<Option<Session>, store::Error> {
        self.store.get(&id.0, now).await
    }

    /// Writes the session, which lives for [`SESSION_TTL`] from now on.
    pub(crate) async fn keep(
        &self,
        id: &MailboxId,
        session: &Session,
        now: u64,
    ) -> Result<(), store::Error> {
        self.store
            .put(&id.0, session, Some(now + SESSION_TTL))
            .await?;
        self.ring(id).until(now + SESSION_TTL).keep_counter().await
    }

    /// Removes the session with all its keys.
    pub(crate) async fn close(&self, id: &MailboxId) -> Result<(), store::Error> {
        self.store.delete_with_slots::<Session>(&id.0, SLOTS).await
    }

    /// Puts a message into a mailbox, and waits up to [`SLOT_TIMEOUT`] for each slot that is not empty.
    pub(crate) async fn post(
        &self,
        id: &MailboxId,
        message: &str,
        environment: &impl Environment,
    ) -> Result<(), PostError> {
        let parts = part_count(message.len());
        if parts > MAX_MESSAGE_PARTS {
            return Err(PostError::TooLarge);
        }
        let until = environment.now() + SESSION_TTL;
        let ring = self.ring(id).until(until);
        let first = ring.reserve(parts).await?;
        for part in ring::split(first, message.as_bytes(), false) {
            let mut waited = Duration::ZERO;
            let mut wait = Duration::from_millis(5);
            while !ring.is_free(part.number).await? {
                if waited >= SLOT_TIMEOUT {
                    return Err(PostError::Full);
                }
                environment.sleep(wait).await;
                waited += wait;
                wait = (wait * 2).min(Duration::from_millis(200));
            }
            let sealed = self.seal(id).seal(&part, &mut environment.random());
            ring.write(&part, sealed).await?;
        }
        Ok(())
    }

    /// Returns the reader of a mailbox, from its first message on.
    pub(crate) fn read(&self, id: &MailboxId) -> Reader {
        Reader {
            id: id.clone(),
            messages: ring::Reader::new(1)
                .consuming()
                .passing_gaps(MAX_MESSAGE_PARTS, GAP_TIMEOUT),
        }
    }

    fn ring(&self, id: &MailboxId) -> Ring<'_, K> {
        Ring::of_record_with_counter::<Session>(self.store, &id.0, RING_SIZE)
    }

    fn seal<'a>(&'a self, id: &'a MailboxId) -> RingSeal<'a> {
        RingSeal {
            keys: self.keys,
            purpose: MESSAGE,
            ring: &id.0,
        }
    }
}

/// The reader of a mailbox: its messages in order, each of which it removes.
pub(crate) struct Reader {
    id: MailboxId,
    messages: ring::Reader,
}

/// The result of a read of a mailbox.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MailboxRead {
    /// No message yet.
    Nothing,
    /// A part of a message; more is to come.
    Part,
    /// A message.
    Message(String),
}

impl Reader {
    /// Returns the key that the next look reads first.
    pub(crate) fn next_key<K: KeyValue>(&self, mailboxes: &Mailboxes<'_, K>) -> Option<String> {
        self.messages.next_key(&mailboxes.ring(&self.id))
    }

    /// Reads the next part of a message. One read of the store if there is none, unless that was read `ahead`.
    pub(crate) async fn look<K: KeyValue>(
        &mut self,
        mailboxes: &Mailboxes<'_, K>,
        now: u64,
        ahead: &mut ReadAhead,
    ) -> Result<MailboxRead, store::Error> {
        let seal = mailboxes.seal(&self.id);
        let ring = mailboxes.ring(&self.id);
        let open = |number, sealed: &str| seal.open(number, sealed);
        Ok(match self.messages.read(&ring, &open, now, ahead).await? {
            ring::Read::Nothing => MailboxRead::Nothing,
            ring::Read::Part | ring::Read::Lost { .. } => MailboxRead::Part,
            ring::Read::Message(message) => {
                String::from_utf8(message.bytes).map_or(MailboxRead::Part, MailboxRead::Message)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestKeyValue, World};
    use futures::executor::block_on;
    use store::MAX_SEALED_BYTES;

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
            let ahead = &mut ReadAhead::default();
            match reader.look(&mailboxes(world), now, ahead).await.unwrap() {
                MailboxRead::Message(message) => return Some(message),
                MailboxRead::Nothing | MailboxRead::Part => {}
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
            let large = "ä".repeat(MAX_SEALED_BYTES);
            boxes.post(&id, &large, &world.environment).await.unwrap();
            let mut reader = boxes.read(&id);
            assert_eq!(take(&mut reader, &world).await, Some(large));
            let too_large = "x".repeat(MAX_SEALED_BYTES * MAX_MESSAGE_PARTS as usize + 1);
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
            world
                .store
                .backend()
                .increment(&counter, 1, None)
                .await
                .unwrap();
            boxes.post(&id, "second", &world.environment).await.unwrap();
            let mut reader = boxes.read(&id);
            assert_eq!(take(&mut reader, &world).await, None);
            world.environment.advance(GAP_TIMEOUT);
            assert_eq!(take(&mut reader, &world).await.as_deref(), Some("second"));
        });
    }

    #[test]
    fn a_mailbox_without_a_reader_fills_and_stays_bounded() {
        block_on(async {
            let world = World::new();
            let boxes = mailboxes(&world);
            let (id, _) = open(&world).await;
            for n in 0..RING_SIZE + 8 {
                let posted = boxes.post(&id, "x", &world.environment).await;
                assert_eq!(posted.is_ok(), n < RING_SIZE, "{n}");
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
            assert_eq!(at(100 + SESSION_TTL - 1).await.unwrap(), Some(session));
            assert_eq!(at(100 + SESSION_TTL).await.unwrap(), None);
        });
    }

    #[test]
    fn one_person_opens_so_many_sessions_a_minute() {
        block_on(async {
            let world = World::new();
            let random = &mut world.environment.random();
            for _ in 0..rate_limit::MAX_PER_MINUTE {
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
