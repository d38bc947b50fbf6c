//! Gatehouse itself, started from the repository's own `spin.toml`.

use crate::ENCRYPTION_KEY;
use crate::secrets::{self, Watched};
use descope_emulator::{Config, Emulator};
use host::{Host, KeyValue};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// What a test starts Gatehouse with.
pub struct Settings {
    /// Application variables besides those that point at the emulator.
    pub variables: Vec<(&'static str, String)>,
    /// Where records lie.
    pub key_value: KeyValue,
    /// How Descope behaves.
    pub descope: Config,
    /// Whether the components are pointed at the emulator.
    pub descope_variables: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            variables: vec![("encryption_key", ENCRYPTION_KEY.to_owned())],
            key_value: KeyValue::memory(),
            descope: Config::for_tests(),
            descope_variables: true,
        }
    }
}

impl Settings {
    /// With another value for a variable.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }
}

/// A running Gatehouse, and the Descope it leans on.
pub struct Gatehouse {
    /// Descope.
    pub descope: descope_emulator::Running,
    /// The host that runs the application.
    pub host: host::Running,
    settings: Vec<(String, String)>,
    key_value: KeyValue,
    // The last of all, so that it is dropped when everything has been logged.
    logs: Watched,
}

impl Gatehouse {
    /// Starts one with records in memory.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// Starts one as `settings` say.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn start_with(settings: Settings) -> Self {
        secrets::trace();
        let descope = Emulator::start(settings.descope)
            .await
            .expect("the emulator starts");
        let mut variables: Vec<(String, String)> = settings
            .variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if settings.descope_variables {
            let config = descope.config();
            for (name, value) in [
                ("descope_base_url", descope.base_url()),
                ("descope_project_id", &config.project_id),
                ("descope_client_id", &config.client_id),
                ("descope_client_secret", &config.client_secret),
            ] {
                if !variables.iter().any(|(known, _)| known == name) {
                    variables.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        keep_secrets(&variables);
        let logs = Watched::default();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let host = serve(listener, &variables, settings.key_value.clone(), &logs).await;
        Self {
            descope,
            host,
            settings: variables,
            key_value: settings.key_value,
            logs,
        }
    }

    /// Stops the host and starts another on the same port with the same records, as after a
    /// restart of the machine.
    pub async fn restart(self) -> Self {
        let address = self.host.address();
        self.host.shutdown().await;
        let listener = TcpListener::bind(address).expect("the port is free again");
        let host = serve(listener, &self.settings, self.key_value.clone(), &self.logs).await;
        Self { host, ..self }
    }

    /// Another host on the same records: a second machine.
    pub async fn another(&self) -> host::Running {
        self.another_with(self.key_value.clone()).await
    }

    /// Another host that reaches the same records in a way of its own, such as a connection to the
    /// same server.
    pub async fn another_with(&self, key_value: KeyValue) -> host::Running {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut variables = self.settings.clone();
        if !variables.iter().any(|(name, _)| name == "public_url") {
            variables.push(("public_url".to_owned(), self.base()));
        }
        serve(listener, &variables, key_value, &self.logs).await
    }

    /// The base URL: the issuer.
    pub fn base(&self) -> String {
        self.host.url().trim_end_matches('/').to_owned()
    }

    /// The URL of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }
}

async fn serve(
    listener: TcpListener,
    variables: &[(String, String)],
    key_value: KeyValue,
    logs: &Watched,
) -> host::Running {
    let mut host = Host::builder(root().join("spin.toml"))
        .listener(listener)
        .key_value(key_value)
        .cache(Some(root().join("target/compiled-components")));
    for (name, value) in variables {
        host = host.variable(name, value);
    }
    let running = host.start().await.expect("the host starts");
    logs.add(running.log());
    running
}

/// Notes the secrets among the variables.
fn keep_secrets(variables: &[(String, String)]) {
    for (name, value) in variables {
        let is_secret = ["key", "secret", "token"]
            .iter()
            .any(|kind| name.ends_with(kind));
        for part in value.split(',').filter(|_| is_secret) {
            secrets::keep(part.trim());
        }
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace")
        .to_owned()
}
