//! The stored form of a task, sealed.
//!
//! No key has two writers: where two instances could write, a counter decides which one does.
//!
//! The slots are fixed, and are not a `store::ring::Ring`. A ring is for messages whose count is not known,
//! which a reader follows. Here every value has its slot, most are written once, and all are read again at
//! each request for the task. The end says how many parts the result has, and is written after them. A ring
//! would number these parts a second time and use no order of them.
//!
//! | key | holds | written |
//! | --- | --- | --- |
//! | `task:<id>` | the call | once, before the client learns of the task |
//! | slot 0 | counter: which instance ends the task | once by each that would |
//! | slot 1 | how it ended | once |
//! | slot 2 | the last heartbeat of its runner | every ten seconds while it runs |
//! | slots 3 to 10 | counters: which instance runs a round | once by each that would |
//! | slots 11 to 18 | the input requests that a round ended with | once |
//! | slots 19 to 42 | an input response | once |
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

/// Seconds from the call on.
pub(crate) const TASK_TTL: u64 = 3600;

/// Tasks that one person may begin in [`TASK_TTL`].
const MAX_TASKS_PER_TTL: u64 = 240;

/// Times that a task may ask its client.
pub(super) const MAX_ROUNDS: u32 = 8;

/// Input requests of a task, over all its rounds.
pub(super) const MAX_INPUT_REQUESTS: usize = 24;

/// Parts of a result.
const MAX_PARTS: u32 = 8;

const END_CLAIM: u32 = 0;
const END: u32 = 1;
const HEARTBEAT: u32 = 2;
const ROUND_CLAIMS: u32 = 3;
const ROUND_ENDS: u32 = ROUND_CLAIMS + MAX_ROUNDS;
const INPUT_RESPONSES: u32 = ROUND_ENDS + MAX_ROUNDS;
const RESULT_PARTS: u32 = INPUT_RESPONSES + MAX_INPUT_REQUESTS as u32;
const SLOTS: u32 = RESULT_PARTS + MAX_PARTS;

/// Bytes of an id: more than any sealed id has.
const MAX_ID_BYTES: usize = 256;

/// The id of a task.
#[derive(Clone, Debug)]
pub(crate) struct TaskId {
    /// The id of the record.
    stored: String,
    /// The sealed form, which clients have.
    pub(crate) shown: String,
}

/// Returns the context of a task's seal: the person and the client.
fn owner(authenticated: &Authenticated) -> Vec<u8> {
    let client_id = authenticated.caller.client_id.as_deref();
    serde_json::to_vec(&(authenticated.subject(), client_id)).unwrap_or_default()
}

#[derive(Serialize, Deserialize)]
struct TaskRecord(String);

impl Record for TaskRecord {
    const KIND: &'static str = "task";
}

/// The call that became a task.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskRequest {
    pub(crate) tool: String,
    pub(crate) arguments: String,
    #[serde(rename = "abilities")]
    pub(crate) capabilities: ClientCapabilities,
    /// The scopes of the tool, without which no caller may view the task.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The task ends when this does.
    #[serde(default)]
    pub(crate) authority: Option<Authority>,
    /// Seconds since the Unix epoch.
    pub(crate) created_at: u64,
}

/// A heartbeat of the instance that runs a round.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TaskHeartbeat {
    pub(super) at: u64,
    /// The message of the tool's last progress.
    pub(super) message: Option<String>,
}

/// The end of a round after which the task goes on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RoundEnd {
    pub(super) at: u64,
    /// The tool's state for the next round.
    pub(super) state: Option<String>,
    #[serde(rename = "questions")]
    pub(super) requests: Vec<TaskInputRequest>,
}

/// An input request of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TaskInputRequest {
    /// Counted over all rounds of the task.
    pub(super) number: u32,
    /// The key for the client, which no other request of the task has.
    pub(crate) key: String,
    /// The id that the tool gave.
    pub(super) id: String,
    pub(crate) method: String,
    pub(crate) params: String,
}

/// The client's response to an input request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TaskInputResponse {
    pub(super) at: u64,
    pub(super) result: String,
}

/// The end of a task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TaskEnd {
    pub(super) at: u64,
    pub(super) kind: EndKind,
    parts: u32,
}

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

    /// Counts one more task of a person. Returns `false` if that is too many.
    pub(super) async fn may_begin(&self, person: &str) -> Result<bool, store::Error> {
        let limit = format!("task-limit:{person}");
        let now = self.context.environment.now();
        self.context
            .store
            .check_rate_limit(&limit, MAX_TASKS_PER_TTL, TASK_TTL, now)
            .await
    }

    /// Writes a new task, whose first round the caller runs.
    pub(super) async fn begin(
        &self,
        authenticated: &Authenticated,
        request: &TaskRequest,
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
        let plain = serde_json::to_vec(request).unwrap_or_default();
        let context = id.stored.as_bytes();
        let record = TaskRecord(config.keys.seal(CONTENT, context, &plain, &mut random));
        let ends_at = request.created_at + TASK_TTL;
        store
            .create_with_slots(&id.stored, &record, SLOTS, ends_at)
            .await?;
        Ok(id)
    }

    /// Returns the task that an id names, if it is this caller's. Whether it exists and what it holds is
    /// for `Tasks::view`.
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

    /// Returns the call that became this task; `None` once the task has expired.
    pub(super) async fn request(&self, id: &TaskId) -> Result<Option<TaskRequest>, store::Error> {
        let now = self.context.environment.now();
        let record: Option<TaskRecord> = self.context.store.get(&id.stored, now).await?;
        let keys = &self.context.config.keys;
        Ok(record.and_then(|TaskRecord(sealed)| {
            let plain = keys.open(CONTENT, id.stored.as_bytes(), &sealed).ok()?;
            serde_json::from_slice(&plain).ok()
        }))
    }

    /// Ends a task, unless another caller has.
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
        if !self.claim(id, END_CLAIM).await? {
            return Ok(());
        }
        for (slot, part) in (RESULT_PARTS..).zip(parts) {
            self.put(id, slot, part).await?;
        }
        let end = TaskEnd {
            at: self.context.environment.now(),
            kind,
            parts: count,
        };
        self.write(id, END, &end).await
    }

    /// Cancels a task, unless it has ended. Its runner finds out within a second.
    pub(crate) async fn cancel(&self, id: &TaskId) -> Result<(), store::Error> {
        self.end(id, EndKind::Cancelled, "").await
    }

    /// Returns whether a caller has claimed the end.
    pub(super) async fn is_ending(&self, id: &TaskId) -> Result<bool, store::Error> {
        let key = self.key(id, END_CLAIM);
        self.context.store.backend().exists(&key).await
    }

    /// Returns the end and the result or error, as JSON; `None` if the task has not ended.
    pub(super) async fn ended(
        &self,
        id: &TaskId,
    ) -> Result<Option<(TaskEnd, String)>, store::Error> {
        let Some(end) = self.read::<TaskEnd>(id, END).await? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        for slot in RESULT_PARTS..RESULT_PARTS + end.parts.min(MAX_PARTS) {
            content.extend(self.get(id, slot).await?.unwrap_or_default());
        }
        Ok(Some((end, String::from_utf8(content).unwrap_or_default())))
    }

    /// Returns `true` to one caller: the one that runs the round.
    pub(super) async fn claim_round(&self, id: &TaskId, round: u32) -> Result<bool, store::Error> {
        self.claim(id, ROUND_CLAIMS + round).await
    }

    pub(super) async fn is_claimed(&self, id: &TaskId, round: u32) -> Result<bool, store::Error> {
        let key = self.key(id, ROUND_CLAIMS + round);
        self.context.store.backend().exists(&key).await
    }

    pub(super) async fn write_heartbeat(
        &self,
        id: &TaskId,
        message: Option<&str>,
    ) -> Result<(), store::Error> {
        let heartbeat = TaskHeartbeat {
            at: self.context.environment.now(),
            message: message.map(str::to_owned),
        };
        self.write(id, HEARTBEAT, &heartbeat).await
    }

    pub(super) async fn last_heartbeat(
        &self,
        id: &TaskId,
    ) -> Result<Option<TaskHeartbeat>, store::Error> {
        self.read(id, HEARTBEAT).await
    }

    pub(super) async fn write_round_end(
        &self,
        id: &TaskId,
        round: u32,
        ended: &RoundEnd,
    ) -> Result<(), store::Error> {
        self.write(id, ROUND_ENDS + round, ended).await
    }

    pub(super) async fn round_end(
        &self,
        id: &TaskId,
        round: u32,
    ) -> Result<Option<RoundEnd>, store::Error> {
        if round >= MAX_ROUNDS {
            return Ok(None);
        }
        self.read(id, ROUND_ENDS + round).await
    }

    pub(super) async fn write_input_response(
        &self,
        id: &TaskId,
        number: u32,
        response: &TaskInputResponse,
    ) -> Result<(), store::Error> {
        self.write(id, INPUT_RESPONSES + number, response).await
    }

    pub(super) async fn input_response(
        &self,
        id: &TaskId,
        number: u32,
    ) -> Result<Option<TaskInputResponse>, store::Error> {
        self.read(id, INPUT_RESPONSES + number).await
    }

    async fn claim(&self, id: &TaskId, slot: u32) -> Result<bool, store::Error> {
        let ends_at = self.slots_end_at();
        self.context
            .store
            .claim_slot::<TaskRecord>(&id.stored, slot, ends_at)
            .await
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
            .set(&key, sealed.as_bytes(), Some(self.slots_end_at()))
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

    /// Returns when what is written now ends where the backend removes it by itself: not before its task.
    fn slots_end_at(&self) -> u64 {
        self.context.environment.now() + TASK_TTL
    }

    fn key(&self, id: &TaskId, slot: u32) -> String {
        self.context.store.slot_key::<TaskRecord>(&id.stored, slot)
    }
}

const TOO_LARGE: &str = r#"{"code":-32603,"message":"The result is too large for a task."}"#;
