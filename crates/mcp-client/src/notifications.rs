//! Notifications of the server while a request runs.

use serde::Deserialize;
use serde_json::value::RawValue;
use tools_export::{Changed, Context, Event, Log, LogLevel, Progress};

/// The notifications of one request, as events.
#[derive(Debug)]
pub(crate) struct Notifications {
    /// The id of the request, which is its progress token too; `None` if progress is not wanted.
    token: Option<u64>,
    progress: f64,
    log_level: Option<LogLevel>,
    /// The lists whose change was told.
    changed: [bool; 3],
}

impl Notifications {
    pub(crate) fn new(id: u64, context: &Context) -> Self {
        Self {
            token: context.wants_progress.then_some(id),
            progress: f64::NEG_INFINITY,
            log_level: context.log_level,
            changed: [false; 3],
        }
    }

    /// Returns the event, if it is one that the caller wants: progress of this request that has grown, a log message of their
    /// level, or a list that has not changed before.
    pub(crate) fn event(&mut self, method: &str, params: Option<&RawValue>) -> Option<Event> {
        match method {
            "notifications/progress" => self.progress(params?).map(Event::Progress),
            "notifications/message" => self.log(params?).map(Event::Log),
            "notifications/tools/list_changed" => self.changed(0, Changed::Tools),
            "notifications/prompts/list_changed" => self.changed(1, Changed::Prompts),
            "notifications/resources/list_changed" => self.changed(2, Changed::Resources),
            _ => None,
        }
    }

    fn progress(&mut self, params: &RawValue) -> Option<Progress> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            #[serde(borrow)]
            progress_token: &'a RawValue,
            progress: f64,
            total: Option<f64>,
            message: Option<String>,
        }
        let token = self.token?;
        let wire: Wire<'_> = serde_json::from_str(params.get()).ok()?;
        if wire.progress_token.get() != token.to_string() || wire.progress <= self.progress {
            return None;
        }
        self.progress = wire.progress;
        Some(Progress {
            progress: wire.progress,
            total: wire.total,
            message: wire.message,
        })
    }

    fn log(&self, params: &RawValue) -> Option<Log> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            level: mcp::LogLevel,
            #[serde(borrow)]
            data: &'a RawValue,
            logger: Option<String>,
        }
        let least = self.log_level?;
        let wire: Wire<'_> = serde_json::from_str(params.get()).ok()?;
        let level = level(wire.level);
        (level >= least).then(|| Log {
            level,
            data: wire.data.get().to_owned(),
            logger: wire.logger,
        })
    }

    fn changed(&mut self, list: usize, changed: Changed) -> Option<Event> {
        let was_told = std::mem::replace(&mut self.changed[list], true);
        (!was_told).then_some(Event::Changed(changed))
    }
}

/// Returns a level as servers are told of it.
pub(crate) fn wire_level(level: LogLevel) -> mcp::LogLevel {
    match level {
        LogLevel::Debug => mcp::LogLevel::Debug,
        LogLevel::Info => mcp::LogLevel::Info,
        LogLevel::Notice => mcp::LogLevel::Notice,
        LogLevel::Warning => mcp::LogLevel::Warning,
        LogLevel::Error => mcp::LogLevel::Error,
        LogLevel::Critical => mcp::LogLevel::Critical,
        LogLevel::Alert => mcp::LogLevel::Alert,
        LogLevel::Emergency => mcp::LogLevel::Emergency,
    }
}

fn level(level: mcp::LogLevel) -> LogLevel {
    match level {
        mcp::LogLevel::Debug => LogLevel::Debug,
        mcp::LogLevel::Info => LogLevel::Info,
        mcp::LogLevel::Notice => LogLevel::Notice,
        mcp::LogLevel::Warning => LogLevel::Warning,
        mcp::LogLevel::Error => LogLevel::Error,
        mcp::LogLevel::Critical => LogLevel::Critical,
        mcp::LogLevel::Alert => LogLevel::Alert,
        mcp::LogLevel::Emergency => LogLevel::Emergency,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;
    use serde_json::{Value, json, value::to_raw_value};

    fn notifications(wants_progress: bool, log_level: Option<LogLevel>) -> Notifications {
        let context = Context {
            wants_progress,
            log_level,
            ..context()
        };
        Notifications::new(7, &context)
    }

    fn event(notifications: &mut Notifications, method: &str, params: Value) -> Option<Event> {
        notifications.event(method, Some(&to_raw_value(&params).unwrap()))
    }

    #[test]
    fn progress_is_of_this_request_and_grows() {
        let mut all = notifications(true, None);
        let mut progress = |token: Value, progress: f64| {
            let params = json!({"progressToken": token, "progress": progress, "total": 3});
            event(&mut all, "notifications/progress", params).is_some()
        };
        assert!(progress(json!(7), 1.0));
        assert!(!progress(json!(8), 2.0), "another request");
        assert!(!progress(json!("7"), 2.0), "another token");
        assert!(!progress(json!(7), 1.0), "no growth");
        assert!(progress(json!(7), 1.5));
        let params = json!({"progressToken": 7, "progress": 1});
        assert_eq!(
            event(
                &mut notifications(false, None),
                "notifications/progress",
                params
            ),
            None
        );
    }

    #[test]
    fn log_messages_are_of_the_level_that_the_caller_wants() {
        let log = |wanted, level: &str| {
            let params = json!({"level": level, "data": {"a": 1}});
            event(
                &mut notifications(false, wanted),
                "notifications/message",
                params,
            )
        };
        assert!(log(Some(LogLevel::Warning), "error").is_some());
        assert!(log(Some(LogLevel::Warning), "info").is_none());
        assert!(log(Some(LogLevel::Debug), "loud").is_none());
        assert!(log(None, "emergency").is_none());
    }

    #[test]
    fn a_list_changes_once_in_a_call() {
        let mut all = notifications(false, None);
        let method = "notifications/tools/list_changed";
        assert_eq!(
            all.event(method, None),
            Some(Event::Changed(Changed::Tools))
        );
        assert_eq!(all.event(method, None), None);
        assert!(
            all.event("notifications/prompts/list_changed", None)
                .is_some()
        );
        assert!(all.event("notifications/resources/updated", None).is_none());
    }
}
