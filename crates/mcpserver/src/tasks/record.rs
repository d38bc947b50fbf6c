//! What of a task lies in the store, sealed.
//!
//! Nothing is written by two at once: where two could, who may is decided by a counter.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `task:<id>` | the call | once, before the client learns of the task |
//! | slot 0 | counter: who ends the task | once by each who would |
//! | slot 1 | how it ended | once |
//! | slot 2 | when its runner was last heard of | every ten seconds while it runs |
//! | slots 3 to 10 | counters: who runs a round | once by each who would |
//! | slots 11 to 18 | the questions that a round ended with | once |
//! | slots 19 to 42 | an answer | once |
//! | slots 43 to 50 | the result, in parts | once |

use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::Authority;
use crate::{Environment, Parts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::Purpose;
use mcp::ClientCapabilities;
use rand::RngExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{KeyValue, MAX_SEALED_BYTES, Record};

const ID: Purpose = Purpose("mcp task id");
const CONTENT: Purpose = Purpose("mcp task");

/// Seconds that a task is there, from its beginning on.
pub(crate) const TASK_TTL: u64 = 3600;

/// Tasks that one person may begin in that time.
const MAX_TASKS_PER_TTL: u64 = 240;

/// Times that a task may ask its client.
pub(super) const MAX_ROUNDS: u32 = 8;

/// Input requests of a task, over all its rounds.
pub(super) const MAX_INPUT_REQUESTS: usize = 24;

/// Parts of a result.
const MAX_PARTS: u32 = 8;

const END: u32 = 0;
const ENDED: u32 = 1;
const BEAT: u32 = 2;
const RUNS: u32 = 3;
const ASKED: u32 = RUNS + MAX_ROUNDS;
const ANSWERS: u32 = ASKED + MAX_ROUNDS;
const PARTS: u32 = ANSWERS + MAX_INPUT_REQUESTS as u32;
const SLOTS: u32 = PARTS + MAX_PARTS;

/// Bytes of an id: more than any sealed id has.
const MAX_ID_BYTES: usize = 256;

/// The id of a task.
#[derive(Clone, Debug)]
pub(crate) struct TaskId {
    /// In the store.
    stored: String,
    /// As its owner knows it.
    pub(crate) shown: String,
}

/// Whose a task is: a person's, through one client.
fn owner(authenticated: &Authenticated) -> Vec<u8> {
    let client_id = authenticated.caller.client_id.as_deref();
    serde_json::to_vec(&(authenticated.subject(), client_id)).unwrap_or_default()
}

#[derive(Serialize, Deserialize)]
struct TaskRecord(String);

impl Record for TaskRecord {
    const KIND: &'static str = "task";
}

/// The call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Beginning {
    pub(crate) tool: String,
    pub(crate) arguments: String,
    #[serde(rename = "abilities")]
    pub(crate) capabilities: ClientCapabilities,
    /// The scopes that the tool took, and that looking at the task takes.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// What the task ends with.
    #[serde(default)]
    pub(crate) authority: Option<Authority>,
    /// Seconds since the Unix epoch.
    pub(crate) created_at: u64,
}

/// A sign of life of whoever runs a round.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Beat {
    pub(super) at: u64,
    /// What the tool said last of how far it is.
    pub(super) message: Option<String>,
}

/// What a round ended with, if not with the task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) at: u64,
    /// What the next round needs.
    pub(super) state: Option<String>,
    pub(super) questions: Vec<Asking>,
}

/// A question of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asking {
    /// Of all questions of this task.
    pub(super) number: u32,
    /// As the client knows it: none is used twice.
    pub(crate) key: String,
    /// As the tool knows it.
    pub(super) id: String,
    pub(crate) method: String,
    pub(crate) params: String,
}

/// An answer to a question.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) at: u64,
    pub(super) result: String,
}

/// How a task ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) at: u64,
    pub(super) kind: EndKind,
    parts: u32,
}

/// What a task ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum EndKind {
    Completed,
    Failed,
    Cancelled,
}

/// The tasks in the store.
pub(crate) struct TaskRecords<P: Parts> {
    context: Arc<Context<P>>,
}

impl<P: Parts> TaskRecords<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self { context }
    }

    /// Whether this person may begin another task.
    pub(super) async fn may_begin(&self, person: &str) -> Result<bool, store::Error> {
        let limit = format!("task-limit:{person}");
        let now = self.context.environment.now();
        self.context
            .store
            .check_rate_limit(&limit, MAX_TASKS_PER_TTL, TASK_TTL, now)
            .await
    }

    /// Writes a new task; its first round runs.
    pub(super) async fn begin(
        &self,
        authenticated: &Authenticated,
        beginning: &Beginning,
    ) -> Result<TaskId, store::Error> {
        let Context {
            environment,
            config,
            store,
            ..
        } = &*self.context;
        let mut random = environment.random();
        let bytes: [u8; 16] = random.random();
        let id = TaskId {
            stored: URL_SAFE_NO_PAD.encode(bytes),
            shown: config
                .keys
                .seal(ID, &owner(authenticated), &bytes, &mut random),
        };
        let plain = serde_json::to_vec(beginning).unwrap_or_default();
        let context = id.stored.as_bytes();
        let begun = TaskRecord(config.keys.seal(CONTENT, context, &plain, &mut random));
        let ends_at = beginning.created_at + TASK_TTL;
        store
            .create_with_slots(&id.stored, &begun, SLOTS, ends_at)
            .await?;
        Ok(id)
    }

    /// The task that an id names, if it is this caller's. What is in it, `Tasks::view` tells.
    pub(crate) fn find(&self, authenticated: &Authenticated, shown: &str) -> Option<TaskId> {
        if shown.len() > MAX_ID_BYTES {
            return None;
        }
        let keys = &self.context.config.keys;
        let bytes = keys.open(ID, &owner(authenticated), shown).ok()?;
        (bytes.len() == 16).then(|| TaskId {
            stored: URL_SAFE_NO_PAD.encode(bytes),
            shown: shown.to_owned(),
        })
    }

    /// The call that became this task, as long as it is there.
    pub(super) async fn beginning(&self, id: &TaskId) -> Result<Option<Beginning>, store::Error> {
        let now = self.context.environment.now();
        let begun: Option<TaskRecord> = self.context.store.get(&id.stored, now).await?;
        let keys = &self.context.config.keys;
        Ok(begun.and_then(|TaskRecord(sealed)| {
            let plain = keys.open(CONTENT, id.stored.as_bytes(), &sealed).ok()?;
            serde_json::from_slice(&plain).ok()
        }))
    }

    /// Ends a task, unless somebody has.
    pub(super) async fn end(
        &self,
        id: &TaskId,
        kind: EndKind,
        content: &str,
    ) -> Result<(), store::Error> {
        let parts: Vec<&[u8]> = content.as_bytes().chunks(MAX_SEALED_BYTES).collect();
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        if count > MAX_PARTS {
            return Box::pin(self.end(id, EndKind::Failed, TOO_LARGE)).await;
        }
        if !self.claim(id, END).await? {
            return Ok(());
        }
        for (slot, part) in (PARTS..).zip(parts) {
            self.put(id, slot, part).await?;
        }
        let end = End {
            at: self.context.environment.now(),
            kind,
            parts: count,
        };
        self.write(id, ENDED, &end).await
    }

    /// Gives a task up, unless it has ended. Whoever runs it finds out within a second.
    pub(crate) async fn cancel(&self, id: &TaskId) -> Result<(), store::Error> {
        self.end(id, EndKind::Cancelled, "").await
    }

    /// Whether somebody ends it, or has.
    pub(super) async fn is_ending(&self, id: &TaskId) -> Result<bool, store::Error> {
        let key = self.key(id, END);
        self.context.store.backend().exists(&key).await
    }

    /// How it ended, and with what.
    pub(super) async fn ended(&self, id: &TaskId) -> Result<Option<(End, String)>, store::Error> {
        let Some(end) = self.read::<End>(id, ENDED).await? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        for slot in PARTS..PARTS + end.parts.min(MAX_PARTS) {
            content.extend(self.get(id, slot).await?.unwrap_or_default());
        }
        Ok(Some((end, String::from_utf8(content).unwrap_or_default())))
    }

    /// Whether this instance is the one to run a round.
    pub(super) async fn claim_round(&self, id: &TaskId, round: u32) -> Result<bool, store::Error> {
        self.claim(id, RUNS + round).await
    }

    pub(super) async fn is_claimed(&self, id: &TaskId, round: u32) -> Result<bool, store::Error> {
        let key = self.key(id, RUNS + round);
        self.context.store.backend().exists(&key).await
    }

    pub(super) async fn beat(
        &self,
        id: &TaskId,
        message: Option<&str>,
    ) -> Result<(), store::Error> {
        let beat = Beat {
            at: self.context.environment.now(),
            message: message.map(str::to_owned),
        };
        self.write(id, BEAT, &beat).await
    }

    pub(super) async fn last_beat(&self, id: &TaskId) -> Result<Option<Beat>, store::Error> {
        self.read(id, BEAT).await
    }

    pub(super) async fn ask(
        &self,
        id: &TaskId,
        round: u32,
        asked: &Asked,
    ) -> Result<(), store::Error> {
        self.write(id, ASKED + round, asked).await
    }

    pub(super) async fn asked(
        &self,
        id: &TaskId,
        round: u32,
    ) -> Result<Option<Asked>, store::Error> {
        if round >= MAX_ROUNDS {
            return Ok(None);
        }
        self.read(id, ASKED + round).await
    }

    pub(super) async fn answer(
        &self,
        id: &TaskId,
        number: u32,
        answered: &Answered,
    ) -> Result<(), store::Error> {
        self.write(id, ANSWERS + number, answered).await
    }

    pub(super) async fn answered(
        &self,
        id: &TaskId,
        number: u32,
    ) -> Result<Option<Answered>, store::Error> {
        self.read(id, ANSWERS + number).await
    }

    async fn claim(&self, id: &TaskId, slot: u32) -> Result<bool, store::Error> {
        let key = self.key(id, slot);
        Ok(self.context.store.backend().increment(&key, 1).await? == 1)
    }

    async fn write(
        &self,
        id: &TaskId,
        slot: u32,
        value: &(impl Serialize + Sync),
    ) -> Result<(), store::Error> {
        let plain = serde_json::to_vec(value).unwrap_or_default();
        self.put(id, slot, &plain).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        id: &TaskId,
        slot: u32,
    ) -> Result<Option<T>, store::Error> {
        let plain = self.get(id, slot).await?;
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }

    async fn put(&self, id: &TaskId, slot: u32, plain: &[u8]) -> Result<(), store::Error> {
        let key = self.key(id, slot);
        let random = &mut self.context.environment.random();
        let keys = &self.context.config.keys;
        let sealed = keys.seal(CONTENT, key.as_bytes(), plain, random);
        self.context
            .store
            .backend()
            .set(&key, sealed.as_bytes())
            .await
    }

    async fn get(&self, id: &TaskId, slot: u32) -> Result<Option<Vec<u8>>, store::Error> {
        let key = self.key(id, slot);
        let Some(sealed) = self.context.store.backend().get(&key).await? else {
            return Ok(None);
        };
        let keys = &self.context.config.keys;
        let opened = std::str::from_utf8(&sealed)
            .ok()
            .and_then(|sealed| keys.open(CONTENT, key.as_bytes(), sealed).ok());
        opened.map(Some).ok_or(store::Error::Unreadable(key))
    }

    fn key(&self, id: &TaskId, slot: u32) -> String {
        self.context.store.slot_key::<TaskRecord>(&id.stored, slot)
    }
}

const TOO_LARGE: &str =
    r#"{"code":-32603,"message":"The result is larger than a task can carry."}"#;
