//! The state of a component's instance: the configuration and the store.
//!
//! No request's data is kept here: an instance serves many requests at once.

pub use config::granted;
use config::{BaseUrl, Problem, RedisUrl, Server};
use http::HeaderMap;
use platform::key_value::KeyValueStore;
use rand::rngs::SysRng;
use rand::{Rng, rand_core::UnwrapErr};
use std::sync::Arc;
use store::Store;

/// Steps of the sweep behind a request: more than the requests between two such sweeps add ledger lines.
const MAX_SWEEP_STEPS: u64 = 128;

/// The state of an instance, or the problems of its configuration.
pub struct Instance(Result<Arc<Parts>, Vec<Problem>>);

/// What a request is served with.
pub struct Parts {
    /// The configuration.
    pub config: Server,
    /// The key-value store.
    pub store: Store<KeyValueStore>,
}

impl AsRef<Store<KeyValueStore>> for Parts {
    fn as_ref(&self) -> &Store<KeyValueStore> {
        &self.store
    }
}

/// Returns the key-value store that the configuration chooses.
pub fn key_value(config: &Server) -> KeyValueStore {
    platform::key_value::open(config.redis_url.as_ref().map(RedisUrl::expose))
}

impl Instance {
    /// Reads the configuration from these variables, which are those that the component is
    /// [granted](config::granted). Its problems are also returned by
    /// [`parts_and_base_url`](Self::parts_and_base_url).
    pub async fn read(variables: &[&'static str]) -> Self {
        Self(configuration(variables).await.map(|config| {
            Arc::new(Parts {
                store: Store::new(key_value(&config), config.key_prefix.clone()),
                config,
            })
        }))
    }

    /// Returns what to serve with, and where the server is as a request with these headers sees it.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration.
    pub fn parts_and_base_url(
        &self,
        headers: &HeaderMap,
    ) -> Result<(&Parts, BaseUrl), Vec<Problem>> {
        let parts: &Parts = self.0.as_ref().map_err(Clone::clone)?;
        let base = parts.config.public_url.base(headers);
        let base = base.map_err(|problem| vec![problem])?;
        Ok((parts, base))
    }

    /// Returns the response with the headers that depend on where the server is: each response of a
    /// component goes through here.
    pub fn secured<B>(&self, response: http::Response<B>) -> http::Response<B> {
        match &self.0 {
            Ok(parts) => web::require_https(parts.config.public_url.requires_https(), response),
            Err(_) => response,
        }
    }

    /// Sweeps a part of the store after the response, [if that is due](store::sweep_if_due). For requests that write.
    pub fn sweep_if_due(&self) {
        if let Ok(parts) = &self.0 {
            store::sweep_if_due(
                parts,
                random().next_u32(),
                platform::time::now(),
                MAX_SWEEP_STEPS,
                platform::spawn,
                |error| log_line::write(format_args!("the sweep stopped: {error}")),
            );
        }
    }
}

/// Reads the configuration from these variables, which are those that the component is
/// [granted](config::granted): Spin logs an error for any other. What is wrong with it goes to the log as well.
///
/// # Errors
///
/// Every [`Problem`] of the configuration.
pub async fn configuration(variables: &[&'static str]) -> Result<Server, Vec<Problem>> {
    let values = platform::variables::read(variables).await;
    let unread = config::unread_policy(variables, |name| values.get(name).is_some());
    let config = match Server::read(|name| values.get(name)) {
        Ok(config) if unread.is_empty() => Ok(config),
        Ok(_) => Err(unread),
        Err(problems) => Err([problems, unread].concat()),
    };
    let problems = match &config {
        Ok(config) => &config.left_out,
        Err(problems) => problems,
    };
    for problem in problems {
        log_line::write(format_args!(
            "{problem} ({})",
            problem.environment_variable()
        ));
    }
    config
}

/// Returns the platform's randomness.
pub fn random() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
