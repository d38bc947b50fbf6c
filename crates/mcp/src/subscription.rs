//! Subscriptions: `subscriptions/listen` and its stream (2026-07-28, Subscriptions), and the notifications of
//! changes, which older revisions have without a subscription.

use crate::Error;
use crate::jsonrpc::{Id, Reply};
use crate::members::Members;
use crate::result_envelope::{Envelope, complete, object};
use serde::Serialize;
use serde_json::value::RawValue;

/// The name under which everything on a stream says which subscription it belongs to.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Resources of one subscription.
const MAX_RESOURCES: usize = 64;

/// Bytes of a resource's URI.
pub const MAX_SUBSCRIPTION_URI_BYTES: usize = 2048;

/// Tasks of one subscription.
const MAX_TASKS: usize = 16;

/// Bytes of a task's id.
const MAX_TASK_ID_BYTES: usize = 512;

/// The filter of a subscription: the notifications that the client wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// That the list of tools changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tools_list_changed: bool,
    /// That the list of prompts changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prompts_list_changed: bool,
    /// That the list of resources changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub resources_list_changed: bool,
    /// That a resource with one of these URIs changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_subscriptions: Vec<String>,
    /// What becomes of these tasks (the extension `io.modelcontextprotocol/tasks`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_ids: Vec<String>,
}

impl Filter {
    /// Reads the parameters of `subscriptions/listen`.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if there is no filter, or it asks for more than one stream carries.
    pub fn read(params: Option<&RawValue>) -> Result<Self, Error> {
        let wanted = Members::of_params(params)?.required_object("notifications")?;
        let notifications = Self {
            tools_list_changed: wanted.flag("toolsListChanged")?,
            prompts_list_changed: wanted.flag("promptsListChanged")?,
            resources_list_changed: wanted.flag("resourcesListChanged")?,
            resource_subscriptions: wanted.texts("resourceSubscriptions")?,
            task_ids: wanted.texts("taskIds")?,
        };
        let is_bounded = |list: &[String], most, longest| {
            list.len() <= most && list.iter().all(|one| one.len() <= longest)
        };
        if !is_bounded(
            &notifications.resource_subscriptions,
            MAX_RESOURCES,
            MAX_SUBSCRIPTION_URI_BYTES,
        ) {
            return Err(Error::invalid_params(format!(
                "A subscription may name {MAX_RESOURCES} resources, whose URIs may have {MAX_SUBSCRIPTION_URI_BYTES} bytes."
            )));
        }
        if !is_bounded(&notifications.task_ids, MAX_TASKS, MAX_TASK_ID_BYTES) {
            return Err(Error::invalid_params(format!(
                "A subscription may name {MAX_TASKS} tasks."
            )));
        }
        Ok(notifications)
    }

    /// The first message of the subscription: what it is told of.
    pub fn acknowledged(&self, subscription: &Id) -> String {
        let filter = serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned());
        notification(
            "notifications/subscriptions/acknowledged",
            Some(subscription),
            &format!(r#""notifications":{filter}"#),
        )
    }
}

/// A list that may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Of tools.
    Tools,
    /// Of prompts.
    Prompts,
    /// Of resources.
    Resources,
}

/// The message that a list changed.
pub fn list_changed(list: List, subscription: Option<&Id>) -> String {
    let method = match list {
        List::Tools => "notifications/tools/list_changed",
        List::Prompts => "notifications/prompts/list_changed",
        List::Resources => "notifications/resources/list_changed",
    };
    notification(method, subscription, "")
}

/// The message that a resource changed.
pub fn resource_updated(uri: &str, subscription: Option<&Id>) -> String {
    let uri = serde_json::Value::from(uri);
    notification(
        "notifications/resources/updated",
        subscription,
        &format!(r#""uri":{uri}"#),
    )
}

/// The last message of a subscription that the server ends: the response to its request.
pub fn subscription_ended(subscription: Id, envelope: &Envelope) -> Reply {
    let meta = RawValue::from_string(meta(&subscription)).ok();
    let result = complete("{}".to_owned(), meta.as_deref(), envelope, None);
    Reply::new(subscription, Ok(result))
}

/// A notification with these members of its parameters.
pub(crate) fn notification(method: &str, subscription: Option<&Id>, members: &str) -> String {
    let meta = subscription.map_or_else(String::new, |id| format!(r#""_meta":{}"#, meta(id)));
    let params = object(&[&meta, members]);
    let method = format!(r#""jsonrpc":"2.0","method":"{method}""#);
    let params = match params.as_str() {
        "{}" => String::new(),
        params => format!(r#""params":{params}"#),
    };
    object(&[&method, &params])
}

fn meta(subscription: &Id) -> String {
    format!(r#"{{"{SUBSCRIPTION}":{}}}"#, subscription.as_json())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Revision;
    use crate::jsonrpc::{self, Body, Message};
    use serde_json::{Value, json};

    fn read(params: &Value) -> Result<Filter, i32> {
        let params = RawValue::from_string(params.to_string()).unwrap();
        Filter::read(Some(&params)).map_err(|error| error.code.number())
    }

    fn id(json: &str) -> Id {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{json},"method":"x"}}"#);
        match jsonrpc::parse(body.as_bytes(), Revision::NEWEST) {
            Ok(Body::Single(Message::Request { id, .. })) => id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_filter_is_bounded_and_says_nothing_that_was_not_asked() {
        assert_eq!(read(&json!({"notifications": {}})), Ok(Filter::default()));
        let all = json!({
            "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
            "resourceSubscriptions": ["x:1"], "taskIds": ["t"],
        });
        let filter = read(&json!({"notifications": all, "_meta": {}})).unwrap();
        assert_eq!(serde_json::to_value(&filter).unwrap(), all);
        for notifications in [
            json!(null),
            json!(["tools"]),
            json!({"toolsListChanged": 1}),
            json!({"resourceSubscriptions": vec!["x"; MAX_RESOURCES + 1]}),
            json!({"resourceSubscriptions": ["x".repeat(MAX_SUBSCRIPTION_URI_BYTES + 1)]}),
            json!({"taskIds": vec!["x"; MAX_TASKS + 1]}),
            json!({"taskIds": ["x".repeat(MAX_TASK_ID_BYTES + 1)]}),
        ] {
            assert_eq!(read(&json!({"notifications": notifications})), Err(-32602));
        }
        assert_eq!(read(&json!({})), Err(-32602));
    }

    #[test]
    fn everything_on_a_stream_names_its_subscription() {
        for (json, value) in [("7", json!(7)), ("\"a\"", json!("a"))] {
            let id = id(json);
            for message in [
                Filter::default().acknowledged(&id),
                list_changed(List::Tools, Some(&id)),
                resource_updated("x:\"1\"", Some(&id)),
            ] {
                let message: Value = serde_json::from_str(&message).unwrap();
                assert_eq!(message["params"]["_meta"][SUBSCRIPTION], value);
            }
            let last: Value = serde_json::from_str(
                &subscription_ended(id.clone(), &Revision::NEWEST.into()).to_json(Revision::NEWEST),
            )
            .unwrap();
            assert_eq!(last["id"], value);
            assert_eq!(last["result"]["_meta"][SUBSCRIPTION], value);
            assert_eq!(last["result"]["resultType"], "complete");
        }
    }

    #[test]
    fn without_a_subscription_a_change_is_said_alone() {
        assert_eq!(
            list_changed(List::Prompts, None),
            r#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}"#
        );
        assert_eq!(
            resource_updated("x:1", None),
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:1"}}"#
        );
    }
}
