//! A host that runs: asked, and stopped.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use tokio::runtime::Runtime;

use crate::{hooks::Counters, logs::Logs, manifest::App, server::Server};

/// How long stopping may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A running host. It stops when it is dropped.
pub struct Running {
    pub(crate) server: Arc<Server>,
    pub(crate) logs: Logs,
    pub(crate) runtime: Stopping,
}

impl Running {
    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://<address>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The application that it serves.
    pub fn app(&self) -> &App {
        self.server.app()
    }

    /// What each component did so far, by the component's name.
    pub fn counters_by_component(&self) -> BTreeMap<String, Counters> {
        let components = self.server.components();
        components
            .map(|component| (component.id.clone(), component.counters.snapshot()))
            .collect()
    }

    /// What all components did so far.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for component in self.server.components() {
            sum += &component.counters.snapshot();
        }
        sum
    }

    /// The lines that components printed and that the host reported of them, each as `[component] text`.
    pub fn logs(&self) -> Vec<String> {
        self.logs.lines()
    }

    /// The log itself, which outlives the host.
    pub fn log(&self) -> Logs {
        self.logs.clone()
    }

    /// Stops at once: open responses are cut off, and the port is free again.
    pub async fn shutdown(mut self) {
        self.server.stop();
        if let Some(runtime) = self.runtime.0.take() {
            // Dropping a runtime waits for its threads, which this thread may not do.
            let stopped =
                tokio::task::spawn_blocking(move || runtime.shutdown_timeout(STOP_TIMEOUT));
            let _ = stopped.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.stop();
    }
}

/// A runtime that is stopped when it is dropped, even within another one.
pub(crate) struct Stopping(pub(crate) Option<Runtime>);

impl Stopping {
    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        match &self.0 {
            Some(runtime) => runtime.handle().clone(),
            None => unreachable!("it is taken only to be stopped"),
        }
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
