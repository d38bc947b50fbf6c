//! Tasks: calls that go on without their request (SEP-2663, the extension
//! `io.modelcontextprotocol/tasks`).
//!
//! A task is in the store, so every instance can view it. Its id is sealed for its person and client, and
//! opens for no other. An instance that receives the request that begins a round (the call, or the last
//! input response) runs that round, and writes heartbeats to the store. If the runner dies, the next
//! request for the task finds that out.
//!
//! | module | what it has |
//! | --- | --- |
//! | `record` | the stored form of a task, and who may write each part |
//! | `view` | the state of a task |
//! | `runner` | the runs of a task's rounds |

mod record;
mod runner;
mod view;

use record::TASK_TTL;
pub(crate) use record::TaskId;
pub(crate) use runner::{TaskCallResult, TaskRunner};
pub(crate) use view::{Fingerprint, State, TaskView, Tasks, ViewError};

/// Milliseconds after which a client asks for a task again.
pub(crate) const POLL_INTERVAL: u64 = 1000;
