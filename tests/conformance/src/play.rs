//! The playing of a script as a stream.

use crate::bindings::wit_stream;
use crate::contract::CallResult;
use crate::script::{Script, Step, at_once};

/// Plays a script until the caller drops the stream.
pub(crate) fn play(script: Script) -> CallResult {
    let script = match at_once(script) {
        Ok(result) => return result,
        Err(script) => script,
    };
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
