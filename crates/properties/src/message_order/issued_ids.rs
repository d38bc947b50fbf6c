//! The ids that were handed out, and the step that names one of them.

use std::collections::HashMap;

/// A step.
pub(super) struct Step {
    /// Who does it, and at which instance.
    pub(super) who: u8,
    /// Which way a request takes, or what happens in its place.
    pub(super) way: u8,
    /// What the message is.
    pub(super) what: u8,
    /// Which of the known ids are named.
    pub(super) pick: u8,
    /// What is odd about the request.
    pub(super) odd: u8,
    /// What its id looks like, and how its answer is read.
    pub(super) how: u8,
}

/// What has been handed out so far, to anybody.
#[derive(Default)]
pub(super) struct IssuedIds {
    pub(super) sessions: Vec<String>,
    pub(super) mailboxes: Vec<String>,
    /// Whose each of those is.
    pub(super) owners: HashMap<String, usize>,
    pub(super) states: Vec<String>,
    pub(super) cursors: Vec<String>,
    pub(super) tasks: Vec<String>,
    pub(super) events: Vec<String>,
    /// As they are in JSON.
    pub(super) questions: Vec<String>,
    /// The keys of a task's questions.
    pub(super) keys: Vec<String>,
    /// Ids of requests as they are in JSON, and who chose them.
    pub(super) asked: Vec<(String, usize)>,
}

impl IssuedIds {
    /// One of these, the newest first; or one that no person was given.
    pub(super) fn pick(ids: &[String], number: u8) -> String {
        let newest = || ids.last().cloned().unwrap_or_default();
        match number % 16 {
            15 => "forged".to_owned(),
            14 => {
                let mut changed = newest();
                let last = changed.pop();
                changed.push(if last == Some('A') { 'B' } else { 'A' });
                changed
            }
            number => {
                let back = usize::from(number) % ids.len().max(1);
                let index = ids.len().checked_sub(1 + back);
                index.map_or_else(|| "none".to_owned(), |index| ids[index].clone())
            }
        }
    }
}
