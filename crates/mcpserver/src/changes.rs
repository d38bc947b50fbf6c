//! What is no longer as it was, for whoever listens.

use crate::tools::Changed;
use crate::{Parts, Server};
use std::sync::PoisonError;

impl<P: Parts> Server<P> {
    /// Takes note of a change. This instance asks anew for what there is; nobody is told yet.
    pub(crate) async fn report(&self, changed: &Changed) {
        if matches!(
            changed,
            Changed::Tools | Changed::Prompts | Changed::Resources
        ) {
            *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}
