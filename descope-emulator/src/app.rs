//! The state of all endpoints: configuration, state, the test controls and the clock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use jwt::{KeySet, SigningKey, Unverified};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::config::{Config, TokenIssuer};
use crate::error::DescopeError;
use crate::fault::{Endpoint, Fault, Planned};
use crate::keys::{KeyError, openid_key};
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
    /// What the issuer at `/openid` signs with, if not with the project's keys.
    openid_key: Option<SigningKey>,
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
    /// What is otherwise about the next redirect after a sign-in: parameters, and nothing for one to leave out.
    pub(crate) callback: Vec<(String, Option<String>)>,
    /// What is otherwise about the next ID token: claims, `null` for one to leave out.
    pub(crate) id_token: Map<String, Value>,
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
            openid_key: openid_key(config.openid_algorithm),
            state: Mutex::new(state),
            plan: Mutex::new(Plan {
                user: config.user.clone(),
                outcomes: VecDeque::new(),
                faults: Vec::new(),
                callback: Vec::new(),
                id_token: Map::new(),
            }),
            clock_offset: AtomicU64::new(0),
            counts: Default::default(),
            stop,
            config,
        }
    }

    /// Returns the state. Held only between awaits.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the plan. Held only between awaits.
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the emulator's time, in seconds since the epoch.
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

    /// Returns the issuer of one kind.
    pub(crate) fn issuer(&self, kind: TokenIssuer) -> String {
        let (base, project) = (&self.base_url, &self.config.project_id);
        match kind {
            TokenIssuer::InboundApp => format!("{base}/v1/apps/{project}"),
            TokenIssuer::Agentic => {
                let server = &self.config.mcp_server_id;
                format!("{base}/v1/apps/agentic/{project}/{server}")
            }
            TokenIssuer::OpenId => format!("{base}/openid"),
        }
    }

    /// Signs a token of the type `typ` as `issuer` does.
    pub(crate) fn sign(
        &self,
        state: &State,
        issuer: TokenIssuer,
        typ: &str,
        claims: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        if let (TokenIssuer::OpenId, Some(key)) = (issuer, &self.openid_key) {
            return key.sign(typ, claims).map_err(|_| KeyError);
        }
        let key = state.keys.current()?;
        key.sign(typ, &key.kid, claims)
    }

    /// Returns the id of the key that signs as `issuer`.
    pub(crate) fn key_id(&self, state: &State, issuer: TokenIssuer) -> Result<String, KeyError> {
        match (issuer, &self.openid_key) {
            (TokenIssuer::OpenId, Some(key)) => {
                Ok(key.public().key_id().unwrap_or_default().to_owned())
            }
            _ => Ok(state.keys.current()?.kid.clone()),
        }
    }

    /// Returns the public keys of the issuer at `/openid` (RFC 7517 section 5).
    pub(crate) fn openid_jwks(&self) -> Value {
        match &self.openid_key {
            Some(key) => json!({ "keys": [key.public().to_jwk()] }),
            None => self.state().keys.to_jwks(),
        }
    }

    /// Returns the claims of `token` if one of our keys signed it. Times are the caller's to check.
    pub(crate) fn verify(&self, state: &State, token: &str) -> Option<Map<String, Value>> {
        if let Some(claims) = state.keys.verify(token) {
            return Some(claims);
        }
        let token = Unverified::parse(token).ok()?;
        let keys: KeySet = [self.openid_key.as_ref()?.public().clone()]
            .into_iter()
            .collect();
        let key = keys.find(token.header().key_id.as_deref(), token.header().algorithm)?;
        token.verify(key).ok()
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

    /// Returns the fault for this request, which counts as used.
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
