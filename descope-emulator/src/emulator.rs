//! A running emulator: start, controls for tests, stop.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::app::{App, Outcome, Shared};
use crate::config::{Config, TokenIssuer};
use crate::endpoints;
use crate::fault::{Endpoint, Fault, Planned};
use crate::keys::{KeyError, SigningKey};
use crate::state::{State, StateError};
use crate::tokens::Mint;
use crate::user::User;

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is open to other machines and that was not allowed.
    #[error(
        "{0} is reachable from other machines, and the emulator signs anyone in; allow it with --allow-remote"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The base URL is not one.
    #[error("the base URL must be an http or https URL without query or fragment")]
    BaseUrl,
    /// The project id, client id or MCP server id cannot stand in a path, or two clients share one id.
    #[error("{0} must be made of letters, digits, '-', '_' and '.', and differ from the other ids")]
    Id(&'static str),
    /// The state cannot be read, written or made.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The emulator, before it runs.
pub struct Emulator;

impl Emulator {
    /// Starts an emulator on the current Tokio runtime and waits until it accepts connections.
    ///
    /// # Errors
    /// [`StartError`], each of which says what to change.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        check_ids(&config)?;
        if !config.listen.ip().is_loopback() && !config.allow_remote {
            return Err(StartError::NotLoopback(config.listen));
        }
        let listen_error = |source| StartError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let base_url = match &config.base_url {
            None => format!("http://{address}"),
            Some(text) => checked_base_url(text).ok_or(StartError::BaseUrl)?,
        };

        let file = config.state_file.clone();
        // Making an RSA key takes long enough to stall other tasks.
        let state = tokio::task::spawn_blocking(move || State::open(file))
            .await
            .map_err(|_| StateError::Key(KeyError))??;
        let (stop, stopped) = watch::channel(false);
        let app = Arc::new(App::new(config, base_url, state, stopped));
        let router = endpoints::router(app.clone());
        let until = app.clone();
        let server = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(async move { until.stopped().await })
                .await
        });
        Ok(Running {
            app,
            address,
            stop,
            server,
        })
    }
}

/// A running emulator, and the controls over it. Dropping it stops it.
pub struct Running {
    app: Shared,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Returns the base URL, without a trailing slash: what an application takes for `https://api.descope.com`.
    pub fn base_url(&self) -> &str {
        &self.app.base_url
    }

    /// Returns the address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what the emulator was started with.
    pub fn config(&self) -> &Config {
        &self.app.config
    }

    /// Returns the issuer URL of one kind.
    pub fn issuer(&self, kind: TokenIssuer) -> String {
        self.app.issuer(kind)
    }

    /// From now on `user` signs in without the page, and the page suggests them.
    pub fn sign_in_as(&self, user: User) {
        self.app.plan().user = user;
    }

    /// Turns the login without the page on or off.
    pub fn set_auto_login(&self, on: bool) {
        self.app.auto_login.store(on, Ordering::Relaxed);
    }

    /// The next login ends as if the person had denied it: `error=access_denied`.
    pub fn deny_next(&self) {
        self.error_next("access_denied", "The user denied the request");
    }

    /// The next login ends with this `error` and `error_description`. Several queue up.
    pub fn error_next(&self, error: impl Into<String>, description: impl Into<String>) {
        self.app.plan().outcomes.push_back(Outcome {
            error: error.into(),
            description: description.into(),
        });
    }

    /// The next redirect after a sign-in has these parameters in place of its own; `None` leaves one out.
    pub fn change_next_callback(&self, parameters: &[(&str, Option<&str>)]) {
        let changes = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(ToOwned::to_owned)));
        self.app.plan().callback = changes.collect();
    }

    /// The next ID token has these claims over its own; `null` leaves one out. It is signed as ever.
    pub fn change_next_id_token(&self, claims: Value) {
        if let Value::Object(claims) = claims {
            self.app.plan().id_token = claims;
        }
    }

    /// The next `times` requests to `endpoint` meet `fault`. Several faults follow one another.
    pub fn fail(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        if times > 0 {
            self.app.plan().faults.push(Planned {
                endpoint,
                fault,
                times,
            });
        }
    }

    /// Forgets all planned faults, errors and changes. Requests that hang already go on hanging.
    pub fn heal(&self) {
        let mut plan = self.app.plan();
        plan.faults.clear();
        plan.outcomes.clear();
        plan.callback.clear();
        plan.id_token.clear();
    }

    /// Sets how long access tokens and ID tokens issued from now on are good for, in seconds.
    pub fn set_access_token_lifetime(&self, seconds: u64) {
        self.app
            .access_token_lifetime
            .store(seconds, Ordering::Relaxed);
    }

    /// Puts the emulator's clock forward, so that codes and tokens end without a wait. Tokens issued afterwards are
    /// from the future to everyone else.
    pub fn advance_clock(&self, seconds: u64) {
        self.app.advance_clock(seconds);
    }

    /// Signs with a new key from now on, and gives its key id. The old keys stay in the JWKS.
    ///
    /// # Errors
    /// [`KeyError`] if no key can be made.
    pub fn rotate_signing_key(&self) -> Result<String, KeyError> {
        let key = SigningKey::generate()?;
        let kid = key.kid.clone();
        let mut state = self.app.state();
        state.keys.rotate_to(key);
        // A state file that cannot be written has been reported by the write itself.
        let _ = state.save(self.app.now());
        Ok(kid)
    }

    /// Takes every key but the current one out of the JWKS.
    pub fn withdraw_old_keys(&self) {
        let mut state = self.app.state();
        state.keys.withdraw_old();
        let _ = state.save(self.app.now());
    }

    /// Makes an access token without a login.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be signed.
    pub fn mint(&self, mint: Mint) -> Result<String, KeyError> {
        mint.sign(&self.app)
    }

    /// Returns how many requests `endpoint` has had, those that met a fault included.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.app.requests(endpoint)
    }

    /// Everyone who has signed in, by subject.
    pub fn users(&self) -> BTreeMap<String, User> {
        self.app.state().users.clone()
    }

    /// Changes what is known of the user with this subject, as an administrator would: tokens that are issued or
    /// refreshed from now on say it.
    pub fn change_user(&self, user: User) {
        let mut state = self.app.state();
        state.users.insert(user.subject.clone(), user);
        let _ = state.save(self.app.now());
    }

    /// Ends all grants of the user with this subject, as an administrator of Descope would, and says how many there
    /// were. Their refresh tokens find no consent any more.
    pub fn revoke_user(&self, subject: &str) -> usize {
        let mut state = self.app.state();
        let ended = state.revoke_user(subject);
        let _ = state.save(self.app.now());
        ended
    }

    /// Stops: no new connections, hanging requests end, and what is under way has a second to finish.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        // Browsers open connections ahead of need, and one that has sent nothing would be waited for.
        let _ = tokio::time::timeout(STOP_GRACE, &mut self.server).await;
        self.server.abort();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.server.abort();
    }
}

fn checked_base_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let good = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    good.then(|| text.trim_end_matches('/').to_owned())
}

fn check_ids(config: &Config) -> Result<(), StartError> {
    for (name, id) in [
        ("the project id", &config.project_id),
        ("the client id", &config.client_id),
        ("the MCP server id", &config.mcp_server_id),
    ] {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if id.is_empty() || !id.bytes().all(plain) {
            return Err(StartError::Id(name));
        }
    }
    if config.client_id == config.project_id {
        return Err(StartError::Id("the client id"));
    }
    Ok(())
}

const STOP_GRACE: Duration = Duration::from_secs(1);
