//! The server: the way to it, and its lists as far as they are kept.

use crate::connection::Connection;
use crate::environment::Environment;
use crate::error::Error;
use crate::lists::Lists;
use crate::settings::Settings;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The server.
pub(crate) struct Remote<E: Environment> {
    pub(crate) connection: Connection<E>,
    kept: Mutex<Option<Arc<Lists>>>,
}

impl<E: Environment> Remote<E> {
    pub(crate) fn new(settings: Settings, environment: E) -> Self {
        Self {
            connection: Connection::new(settings, environment),
            kept: Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.connection.wire.settings
    }

    /// Returns the lists: those that are kept, as long as they are fresh or there are no others.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub(crate) async fn lists(&self) -> Result<Arc<Lists>, Error> {
        let kept = self.kept().clone();
        let now = self.connection.wire.environment.elapsed();
        if let Some(lists) = kept.as_ref().filter(|lists| now < lists.until) {
            return Ok(Arc::clone(lists));
        }
        match (self.fetch().await, kept) {
            (Ok(lists), _) => Ok(lists),
            (Err(error), Some(lists)) => {
                self.log(&error);
                Ok(lists)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Fetches the lists.
    ///
    /// # Errors
    ///
    /// If they cannot be had.
    pub(crate) async fn fetch(&self) -> Result<Arc<Lists>, Error> {
        let lists = Arc::new(Lists::fetch(&self.connection).await?);
        *self.kept() = Some(Arc::clone(&lists));
        Ok(lists)
    }

    /// Returns the lists that are kept, however old.
    pub(crate) fn kept_lists(&self) -> Option<Arc<Lists>> {
        self.kept().clone()
    }

    /// Forgets the lists: they have changed.
    pub(crate) fn forget_lists(&self) {
        *self.kept() = None;
    }

    /// Tells the operator why a request failed.
    pub(crate) fn log(&self, error: &Error) {
        let host = self.settings().host();
        log_line::write(format_args!("mcp-client: {host} {error}"));
    }

    fn kept(&self) -> MutexGuard<'_, Option<Arc<Lists>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
