//! The contract `wit/tools`: a call that goes on is a stream.

wit_bindgen::generate!({ path: "../../wit/tools", world: "tools-component" });

use crate::Units;
export!(Units with_types_in self);

pub use exports::gatehouse::tools::tools::*;

/// Returns a call that goes on: its events are written while the caller reads them.
pub fn running(events: impl Iterator<Item = Event> + 'static) -> CallResult {
    let (mut writer, reader) = wit_stream::new();
    wit_bindgen::spawn(async move {
        for event in events {
            // A caller who no longer listens has cancelled the call.
            if writer.write_one(event).await.is_some() {
                return;
            }
        }
    });
    CallResult::Running(reader)
}
