//! Tasks: calls that run on by themselves (the extension `io.modelcontextprotocol/tasks`).
//!
//! A task lies in the store, so whichever instance is asked knows it. Its id is sealed for the
//! person and client that it belongs to: to others it is no id at all. The instance that gets the
//! request that begins a round of it, the first call or the last answer to its questions, runs that
//! round, and says in the store from time to time that it does. A task whose runner has died is
//! found by the next request for it.
//!
//! | module | what it does |
//! | --- | --- |
//! | `record` | what of a task lies in the store, and who may write it |
//! | `view` | how far a task has come |
//! | `runner` | running it |

mod record;
mod runner;
mod view;

use record::TASK_TTL;
pub(crate) use record::TaskId;
pub(crate) use runner::{First, TaskRunner};
pub(crate) use view::{Fingerprint, NotVisible, State, Tasks, View};

/// Milliseconds after which a client asks for a task again.
pub(crate) const POLL_INTERVAL: u64 = 1000;
