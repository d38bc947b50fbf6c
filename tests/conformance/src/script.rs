//! What a call does, step by step.

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

/// What a script that is one event long comes to at once; any other is given back.
pub(crate) fn at_once(mut script: Script) -> Result<CallResult, Script> {
    if script.len() == 1 {
        match script.pop() {
            Some(Step::Tell(Event::Done(output))) => return Ok(CallResult::Done(output)),
            Some(Step::Tell(Event::InputRequired(questions))) => {
                return Ok(CallResult::InputRequired(questions));
            }
            step => script.extend(step),
        }
    }
    Err(script)
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
