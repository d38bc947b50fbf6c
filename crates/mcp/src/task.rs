//! Tasks: the extension `io.modelcontextprotocol/tasks` (SEP-2663).

use crate::Error;
use crate::json::{self, InvalidJson};
use crate::jsonrpc::Id;
use crate::members::Members;
use crate::result_envelope::{Envelope, InputRequest, complete, input_requests, inside, stateless};
use crate::subscription::notification;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use time::UtcDateTime;
use time::format_description::well_known::Rfc3339;

/// A call that runs on by itself, as its client sees it.
#[derive(Debug)]
pub struct Task<'a> {
    /// Names it to its owner.
    pub id: &'a str,
    /// When it began (seconds since the Unix epoch).
    pub created_at: u64,
    /// When it was last heard of (seconds since the Unix epoch).
    pub updated_at: u64,
    /// For how long it is there at most, from its beginning on (milliseconds).
    pub ttl: u64,
    /// How often to ask after it (milliseconds).
    pub poll_interval: u64,
    /// What it does, for people.
    pub message: Option<&'a str>,
    /// How far it has come.
    pub state: TaskState<'a>,
}

/// How far a task has come.
#[derive(Debug)]
pub enum TaskState<'a> {
    /// It runs.
    Working,
    /// It waits for answers to these.
    InputRequired(Vec<InputRequest<'a>>),
    /// It came to its result: JSON.
    Completed(&'a str),
    /// It came to an error: JSON.
    Failed(&'a str),
    /// Its client gave it up.
    Cancelled,
}

/// Which task a request is about.
#[derive(Debug, PartialEq, Eq)]
pub struct TaskParams<'a> {
    /// The task.
    pub id: Cow<'a, str>,
}

impl<'a> TaskParams<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if no task is named.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        let members = Members::of_params(params)?;
        Ok(Self {
            id: members.required_text("taskId")?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    task_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    created_at: String,
    last_updated_at: String,
    ttl_ms: u64,
    poll_interval_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_requests: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a RawValue>,
}

impl Task<'_> {
    /// The result of the request that became this task.
    ///
    /// # Errors
    ///
    /// [`InvalidJson`] never, as nothing of a component's is in it.
    pub fn to_created(&self, envelope: &Envelope) -> Result<String, InvalidJson> {
        let task = json::write(&self.wire())?;
        Ok(stateless("task", None, None, &task, envelope))
    }

    /// The result of `tasks/get`.
    ///
    /// # Errors
    ///
    /// Fails if a text that should be JSON is not.
    pub fn to_result(&self, envelope: &Envelope) -> Result<String, InvalidJson> {
        Ok(complete(self.detailed()?, None, envelope, None))
    }

    /// The notification of what became of it.
    ///
    /// # Errors
    ///
    /// As [`to_result`](Self::to_result).
    pub fn to_notification(&self, subscription: &Id) -> Result<String, InvalidJson> {
        let task = self.detailed()?;
        let method = "notifications/tasks";
        Ok(notification(method, Some(subscription), inside(&task)))
    }

    fn detailed(&self) -> Result<String, InvalidJson> {
        let mut wire = self.wire();
        match &self.state {
            TaskState::Working | TaskState::Cancelled => {}
            TaskState::InputRequired(questions) => {
                wire.input_requests = Some(input_requests(questions.iter().copied())?);
            }
            TaskState::Completed(result) => wire.result = Some(serde_json::from_str(result)?),
            TaskState::Failed(error) => wire.error = Some(serde_json::from_str(error)?),
        }
        json::write(&wire)
    }

    fn wire(&self) -> Wire<'_> {
        Wire {
            task_id: self.id,
            status: match self.state {
                TaskState::Working => "working",
                TaskState::InputRequired(_) => "input_required",
                TaskState::Completed(_) => "completed",
                TaskState::Failed(_) => "failed",
                TaskState::Cancelled => "cancelled",
            },
            status_message: self.message,
            created_at: rfc3339(self.created_at),
            last_updated_at: rfc3339(self.updated_at),
            ttl_ms: self.ttl,
            poll_interval_ms: self.poll_interval,
            input_requests: None,
            result: None,
            error: None,
        }
    }
}

/// A time in the Internet's form of ISO 8601. What lies beyond all calendars is their last second.
fn rfc3339(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| UtcDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(UtcDateTime::MAX);
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Revision;
    use serde_json::json;

    fn task(state: TaskState<'_>) -> Task<'_> {
        Task {
            id: "t",
            created_at: 951_782_400,
            updated_at: 951_782_401,
            ttl: 60_000,
            poll_interval: 1000,
            message: None,
            state,
        }
    }

    #[test]
    fn a_task_says_all_of_its_state_and_nothing_else() {
        let question = InputRequest {
            id: "q",
            method: "roots/list",
            params: "{}",
        };
        for (state, status, member) in [
            (TaskState::Working, "working", json!({})),
            (
                TaskState::InputRequired(vec![question]),
                "input_required",
                json!({"inputRequests": {"q": {"method": "roots/list", "params": {}}}}),
            ),
            (
                TaskState::Completed(r#"{"content":[]}"#),
                "completed",
                json!({"result": {"content": []}}),
            ),
            (
                TaskState::Failed(r#"{"code":1}"#),
                "failed",
                json!({"error": {"code": 1}}),
            ),
            (TaskState::Cancelled, "cancelled", json!({})),
        ] {
            let task = task(state);
            let mut result: Value =
                serde_json::from_str(&task.to_result(&Revision::NEWEST.into()).unwrap()).unwrap();
            let fields = result.as_object_mut().unwrap();
            fields.remove("_meta");
            let mut expected = json!({
                "resultType": "complete", "taskId": "t", "status": status,
                "createdAt": "2000-02-29T00:00:00Z", "lastUpdatedAt": "2000-02-29T00:00:01Z",
                "ttlMs": 60_000, "pollIntervalMs": 1000,
            });
            let expected_fields = expected.as_object_mut().unwrap();
            expected_fields.extend(member.as_object().unwrap().clone());
            assert_eq!(result, expected);
            let created: Value =
                serde_json::from_str(&task.to_created(&Revision::NEWEST.into()).unwrap()).unwrap();
            assert_eq!(created["resultType"], "task");
            for member in ["result", "error", "inputRequests"] {
                assert!(created[member].is_null());
            }
        }
    }

    #[test]
    fn what_should_be_json_and_is_not_is_no_task() {
        for state in [TaskState::Completed("{"), TaskState::Failed("")] {
            assert!(task(state).to_result(&Revision::NEWEST.into()).is_err());
        }
    }
}
