//! What an instance of a component reads once and keeps: the configuration and the store.
//!
//! Nothing of a request is kept here: an instance serves many at once.

use config::{Base, Problem, Server};
use http::HeaderMap;
use platform::key_value::SpinKeyValue;
use rand::rngs::SysRng;
use rand::{Rng, rand_core::UnwrapErr};
use std::sync::{Arc, OnceLock};
use store::Store;

/// One in so many requests that write also sweeps.
const SWEEP_EVERY: u32 = 16;

/// Ledger lines that such a sweep reads at most: more than that many requests enter.
const SWEEP_LINES: u64 = 128;

/// An instance's own.
pub struct Instance {
    config: Result<Server, Vec<Problem>>,
    store: OnceLock<Store<SpinKeyValue>>,
}

impl Instance {
    /// Reads the configuration. What is wrong with it goes to the log, here, and to whoever asks,
    /// from [`place`](Self::place).
    pub async fn read() -> Self {
        let values = platform::variables::read(Server::VARIABLES).await;
        let config = Server::read(|name| values.get(name).map(String::as_str));
        if let Err(problems) = &config {
            for problem in problems {
                eprintln!("{problem} ({})", problem.environment_variable());
            }
        }
        Self {
            config,
            store: OnceLock::new(),
        }
    }

    /// The configuration, and where the server is as a request with these headers sees it.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration.
    pub fn place(&self, headers: &HeaderMap) -> Result<(&Server, Base), Vec<Problem>> {
        let config = self.config.as_ref().map_err(Clone::clone)?;
        let full_url = headers
            .get("spin-full-url")
            .and_then(|value| value.to_str().ok());
        let base = config
            .site
            .base(full_url)
            .map_err(|problem| vec![problem])?;
        Ok((config, base))
    }

    /// The store, opened at the first need.
    ///
    /// # Errors
    ///
    /// The backend's; the next call tries again.
    pub async fn store(&self, config: &Server) -> Result<&Store<SpinKeyValue>, store::Error> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let backend = SpinKeyValue::open().await?;
        Ok(self
            .store
            .get_or_init(|| Store::new(backend, config.key_prefix.clone())))
    }

    /// Now and then, sweeps a little of the store, behind the answer. For requests that write.
    pub fn sweep_sometimes(self: &Arc<Self>) {
        if !random().next_u32().is_multiple_of(SWEEP_EVERY) {
            return;
        }
        let instance = Arc::clone(self);
        platform::spawn(async move {
            if let Some(store) = instance.store.get() {
                let swept = store.sweep(platform::time::now(), SWEEP_LINES).await;
                if let Err(error) = swept {
                    eprintln!("the sweep stopped: {error}");
                }
            }
        });
    }
}

/// The platform's randomness.
pub fn random() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
