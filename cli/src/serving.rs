//! An application that is served in this process: the host and, if it stands in, the emulator.

use anyhow::{Context, Result, bail};
use descope_emulator::{Config, Emulator};
use host::{Host, Running};
use project::identity::{EMULATOR_CLIENT, EMULATOR_PROJECT, EMULATOR_SECRET};
use project::launch::{self, HEALTH, Launch};
use project::{MANIFEST, Project};
use reqwest::ClientBuilder;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long the first request may take.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(120);

/// A served application.
pub struct Serving {
    /// A second handle of the socket, with which the next host begins while this one still serves.
    listener: TcpListener,
    application: Running,
    emulator: Option<descope_emulator::Running>,
    /// How the emulator was started.
    emulated: Option<launch::Emulator>,
}

impl Serving {
    /// Starts the emulator if there is to be one, and then the application, and asks it something.
    ///
    /// # Errors
    ///
    /// If one does not start, or the application does not answer as it should.
    pub async fn start(project: &Project, launch: &Launch) -> Result<Self> {
        let emulator = start_emulator(launch.emulator()).await?;
        let listener = TcpListener::bind(launch.listen())
            .with_context(|| format!("{} cannot be listened on", launch.listen()))?;
        let application = start_application(project, launch, &listener).await?;
        check_health(launch.reached_at()).await?;
        Ok(Self {
            listener,
            application,
            emulator,
            emulated: launch.emulator().cloned(),
        })
    }

    /// Serves what the project has become, and ends what was served before. Requests that are open are cut off.
    ///
    /// # Errors
    ///
    /// If that does not start: then what was served is served on.
    pub async fn replace(&mut self, project: &Project, launch: &Launch) -> Result<()> {
        let new = start_application(project, launch, &self.listener).await?;
        std::mem::replace(&mut self.application, new)
            .shutdown()
            .await;
        Ok(())
    }

    /// Starts, ends or changes the emulator as the project now needs it, and asks the application something.
    ///
    /// # Errors
    ///
    /// If the emulator does not start, or the application does not answer as it should.
    pub async fn settle(&mut self, launch: &Launch) -> Result<()> {
        if self.emulated.as_ref() != launch.emulator() {
            if let Some(emulator) = self.emulator.take() {
                emulator.stop().await;
            }
            self.emulated = None;
            self.emulator = start_emulator(launch.emulator()).await?;
            self.emulated = launch.emulator().cloned();
        }
        check_health(launch.reached_at()).await
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.application.shutdown().await;
        if let Some(emulator) = self.emulator {
            emulator.stop().await;
        }
    }
}

/// Starts the emulator if there is to be one.
async fn start_emulator(
    emulator: Option<&launch::Emulator>,
) -> Result<Option<descope_emulator::Running>> {
    let Some(emulator) = emulator else {
        return Ok(None);
    };
    let mut config = Config {
        listen: emulator.listen,
        project_id: EMULATOR_PROJECT.to_owned(),
        client_id: EMULATOR_CLIENT.to_owned(),
        client_secret: EMULATOR_SECRET.to_owned(),
        redirect_uris: emulator.redirect_uri.iter().cloned().collect(),
        auto_login: emulator.auto_login,
        state_file: Some(emulator.state.clone()),
        ..Config::default()
    };
    if let Some(server) = &emulator.mcp_server {
        server.id.clone_into(&mut config.mcp_server_id);
        config.mcp_server_url = Some(server.url.clone());
        config.scopes = server
            .scopes
            .split_whitespace()
            .map(str::to_owned)
            .collect();
    }
    let started = Emulator::start(config).await;
    started.map(Some).context("The emulator does not start")
}

async fn start_application(
    project: &Project,
    launch: &Launch,
    listener: &TcpListener,
) -> Result<Running> {
    let mut host = Host::builder(project.path(MANIFEST))
        .listener(listener.try_clone()?)
        .forward_logs(true)
        .keep_logs(false);
    if let Some(path) = launch.runtime_config() {
        host = host.runtime_config(path);
    }
    for variable in launch.variables().set_variables() {
        host = host.variable(variable.name, variable.value);
    }
    Ok(host.start().await?)
}

/// Returns what makes a client for servers on this machine, which no proxy is for.
pub fn local_client() -> ClientBuilder {
    reqwest::Client::builder().no_proxy()
}

/// Asks for something that needs a component, its variables and its store.
async fn check_health(address: SocketAddr) -> Result<()> {
    let url = format!("http://{address}{HEALTH}");
    let client = local_client().timeout(HEALTH_TIMEOUT).build()?;
    let answer = client.get(&url).send().await;
    let answer = answer.with_context(|| format!("{url} does not answer"))?;
    let status = answer.status();
    if !status.is_success() {
        let body = answer.text().await.unwrap_or_default();
        bail!("{url} does not answer as it should: {status} {body}");
    }
    Ok(())
}

/// Returns what runs the server beside this thread.
///
/// # Errors
///
/// If the machine has no more threads.
pub fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}
