//! What all endpoints share: configuration, state, the test controls and the clock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::config::{Config, TokenIssuer};
use crate::error::DescopeError;
use crate::fault::{Endpoint, Fault, Planned};
use crate::state::State;
use crate::user::User;

/// A handle to the one [`App`] of an emulator.
pub(crate) type Shared = Arc<App>;

/// One emulator.
pub(crate) struct App {
    pub(crate) config: Config,
    /// Without a trailing slash.
    pub(crate) base_url: String,
    pub(crate) auto_login: AtomicBool,
    pub(crate) access_token_lifetime: AtomicU64,
    state: Mutex<State>,
    plan: Mutex<Plan>,
    clock_offset: AtomicU64,
    counts: [AtomicU64; Endpoint::COUNT],
    stop: watch::Receiver<bool>,
}

/// What tests asked for.
pub(crate) struct Plan {
    /// Who signs in without the page.
    pub(crate) user: User,
    /// How the next logins end, first one first.
    pub(crate) outcomes: VecDeque<Outcome>,
    /// Faults, first one first.
    pub(crate) faults: Vec<Planned>,
}

/// A login that ends with an error (RFC 6749 section 4.1.2.1).
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) error: String,
    pub(crate) description: String,
}

impl App {
    pub(crate) fn new(
        config: Config,
        base_url: String,
        state: State,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            base_url,
            auto_login: AtomicBool::new(config.auto_login),
            access_token_lifetime: AtomicU64::new(config.access_token_lifetime),
            state: Mutex::new(state),
            plan: Mutex::new(Plan {
                user: config.user.clone(),
                outcomes: VecDeque::new(),
                faults: Vec::new(),
            }),
            clock_offset: AtomicU64::new(0),
            counts: Default::default(),
            stop,
            config,
        }
    }

    /// The state. Held only between awaits.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plan. Held only between awaits.
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The emulator's time, in seconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        let real = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs());
        real.saturating_add(self.clock_offset.load(Ordering::Relaxed))
    }

    /// Puts the emulator's clock forward.
    pub(crate) fn advance_clock(&self, seconds: u64) {
        self.clock_offset.fetch_add(seconds, Ordering::Relaxed);
    }

    /// The issuer of one kind.
    pub(crate) fn issuer(&self, kind: TokenIssuer) -> String {
        let (base, project) = (&self.base_url, &self.config.project_id);
        match kind {
            TokenIssuer::InboundApp => format!("{base}/v1/apps/{project}"),
            TokenIssuer::Agentic => {
                let server = &self.config.mcp_server_id;
                format!("{base}/v1/apps/agentic/{project}/{server}")
            }
        }
    }

    /// Refuses the path of another project.
    pub(crate) fn check_project(&self, project_id: &str) -> Result<(), DescopeError> {
        if project_id == self.config.project_id {
            Ok(())
        } else {
            Err(DescopeError::ProjectNotFound)
        }
    }

    /// Refuses the path of another MCP server.
    pub(crate) fn check_mcp_server(&self, server_id: &str) -> Result<(), DescopeError> {
        if server_id == self.config.mcp_server_id {
            Ok(())
        } else {
            Err(DescopeError::WrongMcpServer)
        }
    }

    pub(crate) fn count(&self, endpoint: Endpoint) {
        self.counts[endpoint as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self, endpoint: Endpoint) -> u64 {
        self.counts[endpoint as usize].load(Ordering::Relaxed)
    }

    /// The fault for this request, which counts as used.
    pub(crate) fn take_fault(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut plan = self.plan();
        let position = plan
            .faults
            .iter()
            .position(|planned| planned.endpoint == endpoint)?;
        let planned = &mut plan.faults[position];
        planned.times -= 1;
        let fault = planned.fault.clone();
        if planned.times == 0 {
            plan.faults.remove(position);
        }
        Some(fault)
    }

    /// Resolves when the emulator stops.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // An error means that the handle is gone, which is a stop too.
        let _ = stop.wait_for(|stopped| *stopped).await;
    }
}
