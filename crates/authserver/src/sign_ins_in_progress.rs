//! Sign-ins that this instance is completing right now.
//!
//! A browser may load `/callback` several times at once: someone reloads, a preview prefetches. The
//! identity provider takes a code once, and may revoke what it gave when the code comes again (RFC
//! 6749 section 4.1.2). So of the loads that meet here one goes to the provider, and the others
//! wait. Loads at other instances meet in the store, where one completes the sign-in, and where one says so
//! whose provider takes long to answer.
//!
//! Nothing else is written before the provider has confirmed the sign-in: anyone can send a made-up code.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a load waits in all, for other loads and for the provider. Longer than an exchange takes, in which the
/// provider has ten seconds for each answer, and shorter than hosts wait for a response, which are 30.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(25);

/// The time after which the store has a note of an exchange: shorter than [`MIN_REFUSED_WAIT`], and longer than
/// a provider usually takes.
pub(crate) const NOTED_AFTER: Duration = Duration::from_secs(3);

/// How long a load whose code was refused waits at least for another one to complete the sign-in with it. Then it
/// waits on if there is a note of an exchange.
pub(crate) const MIN_REFUSED_WAIT: Duration = Duration::from_secs(5);

/// The ids of the sign-ins that an instance is completing: at most as many as it serves requests at once.
#[derive(Default)]
pub struct SignInsInProgress(Mutex<Vec<String>>);

/// The right to complete a sign-in, until it is dropped.
pub(crate) struct Turn<'a> {
    in_progress: &'a SignInsInProgress,
    id: String,
}

impl SignInsInProgress {
    /// Returns the right to complete the sign-in with this id; `None` while another load has it.
    pub(crate) fn turn(&self, id: &str) -> Option<Turn<'_>> {
        let mut ids = self.ids();
        if ids.iter().any(|known| known == id) {
            return None;
        }
        ids.push(id.to_owned());
        Some(Turn {
            in_progress: self,
            id: id.to_owned(),
        })
    }

    fn ids(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.in_progress.ids().retain(|id| *id != self.id);
    }
}
