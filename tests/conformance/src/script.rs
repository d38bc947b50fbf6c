//! What a call does, step by step.

use crate::bindings::wit_stream;
use crate::contract::{CallResult, Changed, Event, Log, LogLevel, Output, Progress};
use serde_json::Value;
use std::time::Duration;

/// The steps of a call. The last one should end it: without an end, the call fails.
pub(crate) type Script = Vec<Step>;

/// A step of a call.
pub(crate) enum Step {
    Tell(Event),
    Wait(Duration),
}

/// Plays a script until the caller drops the stream. A script that is one event long needs none.
pub(crate) fn play(mut script: Script) -> CallResult {
    if script.len() == 1 {
        match script.pop() {
            Some(Step::Tell(Event::Done(output))) => return CallResult::Done(output),
            Some(Step::Tell(Event::InputRequired(questions))) => {
                return CallResult::InputRequired(questions);
            }
            step => script.extend(step),
        }
    }
    let (mut events, stream) = wit_stream::new();
    wit_bindgen::spawn(async move {
        for step in script {
            match step {
                Step::Tell(event) => {
                    if events.write_one(event).await.is_some() {
                        return;
                    }
                }
                Step::Wait(duration) => {
                    let nanoseconds = duration.as_nanos().try_into().unwrap_or(u64::MAX);
                    wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
                }
            }
        }
    });
    CallResult::Running(stream)
}

/// The end: a result.
pub(crate) fn done(output: Output) -> Step {
    Step::Tell(Event::Done(output))
}

/// A report of so many steps out of `total`.
pub(crate) fn progress(steps: u32, total: u32) -> Step {
    Step::Tell(Event::Progress(Progress {
        progress: steps.into(),
        total: Some(total.into()),
        message: Some(format!("Completed step {steps} of {total}")),
    }))
}

/// A log message.
pub(crate) fn log(message: &str) -> Step {
    Step::Tell(Event::Log(Log {
        level: LogLevel::Info,
        data: Value::from(message).to_string(),
        logger: Some("conformance".to_owned()),
    }))
}

/// A report of a change.
pub(crate) fn changed(what: Changed) -> Step {
    Step::Tell(Event::Changed(what))
}

/// A pause of so many milliseconds.
pub(crate) fn wait(milliseconds: u64) -> Step {
    Step::Wait(Duration::from_millis(milliseconds))
}
