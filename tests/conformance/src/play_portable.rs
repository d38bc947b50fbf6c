//! The playing of a script as a resource.

use crate::bindings::exports::gatehouse::tools_portable::tools::GuestEventStream;
use crate::contract::{CallResult, Event, EventStream};
use crate::script::{Script, Step, at_once};
use std::cell::RefCell;
use std::vec::IntoIter;

/// The steps that are left.
pub struct Playing(RefCell<IntoIter<Step>>);

impl GuestEventStream for Playing {
    fn next(&self) -> Option<Event> {
        loop {
            match self.0.borrow_mut().next()? {
                Step::Tell(event) => return Some(event),
                Step::Wait(duration) => std::thread::sleep(duration),
            }
        }
    }
}

/// Plays a script until the caller drops the resource.
pub(crate) fn play(script: Script) -> CallResult {
    match at_once(script) {
        Ok(result) => result,
        Err(script) => {
            let playing = Playing(RefCell::new(script.into_iter()));
            CallResult::Running(EventStream::new(playing))
        }
    }
}
