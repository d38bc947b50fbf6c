//! An application on the host that is measured: the embedded one, in this process, or Spin, in one of its own.

use crate::process::Process;
use anyhow::{Context, Result, bail};
use host::Host;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use toml::{Table, Value};

/// How long an application may take to start: Spin compiles every component first.
const START: Duration = Duration::from_secs(180);

/// Where applications are started.
pub struct Launcher {
    /// Spin's program, unless the embedded host is measured.
    pub spin: Option<PathBuf>,
    /// The Redis that keeps the records, unless SQLite files do.
    pub redis: Option<String>,
    /// The runtime that servers are started on.
    pub servers: Handle,
    /// Has manifests and stores.
    pub folder: PathBuf,
}

/// An application to start.
pub struct Application {
    /// What its files are called.
    pub name: &'static str,
    /// Its manifest, in which Wasm has absolute paths.
    pub manifest: Table,
    /// Its variables.
    pub variables: Vec<(String, String)>,
}

/// A running application.
pub enum Server {
    /// On the embedded host.
    Embedded(host::Running),
    /// On Spin.
    Spin(Spin),
}

/// Spin's process, which ends with this value.
pub struct Spin {
    process: Child,
    address: SocketAddr,
}

impl Drop for Spin {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Launcher {
    /// Starts `application`.
    ///
    /// # Errors
    ///
    /// If its files cannot be written or it does not start.
    pub async fn start(&self, application: Application) -> Result<Server> {
        let folder = self.folder.join(application.name);
        std::fs::create_dir_all(&folder)?;
        let manifest = folder.join("spin.toml");
        std::fs::write(&manifest, application.manifest.to_string())?;
        let runtime_config = folder.join("runtime-config.toml");
        std::fs::write(&runtime_config, self.runtime_config(application.name))?;
        let (spin, variables) = (self.spin.clone(), application.variables);
        let starting = self.servers.spawn(async move {
            match spin {
                Some(program) => start_spin(&program, &manifest, &runtime_config, variables).await,
                None => start_embedded(manifest, runtime_config, variables).await,
            }
        });
        let started = starting.await?;
        started.with_context(|| format!("{} does not start", application.name))
    }

    /// The file of the store that an application of this name keeps its records in, unless Redis does.
    pub fn store(&self, name: &str) -> PathBuf {
        self.folder.join(name).join("store.db")
    }

    fn runtime_config(&self, name: &str) -> String {
        let store = match &self.redis {
            Some(url) => Table::from_iter([text("type", "redis"), text("url", url)]),
            None => Table::from_iter([
                text("type", "spin"),
                text("path", &self.store(name).to_string_lossy()),
            ]),
        };
        let stores = Table::from_iter([("default".to_owned(), Value::Table(store))]);
        Table::from_iter([("key_value_store".to_owned(), Value::Table(stores))]).to_string()
    }
}

fn text(name: &str, value: &str) -> (String, Value) {
    (name.to_owned(), Value::String(value.to_owned()))
}

async fn start_embedded(
    manifest: PathBuf,
    runtime_config: PathBuf,
    variables: Vec<(String, String)>,
) -> Result<Server> {
    let mut host = Host::builder(manifest).runtime_config(runtime_config);
    for (name, value) in variables {
        host = host.variable(name, value);
    }
    Ok(Server::Embedded(host.start().await?))
}

async fn start_spin(
    program: &Path,
    manifest: &Path,
    runtime_config: &Path,
    variables: Vec<(String, String)>,
) -> Result<Server> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let variables = variables
        .into_iter()
        .map(|(name, value)| (format!("SPIN_VARIABLE_{}", name.to_uppercase()), value));
    let log = manifest.with_file_name("spin.log");
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let mut spin = Spin {
        process: Command::new(program)
            .args(["up", "--quiet", "--from"])
            .arg(manifest)
            .arg("--runtime-config-file")
            .arg(runtime_config)
            .args(["--listen", &port.to_string()])
            .envs(variables)
            .env_remove("RUST_BACKTRACE")
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?,
        address: port,
    };
    let started = Instant::now();
    while TcpStream::connect(port).is_err() {
        if let Some(status) = spin.process.try_wait()? {
            bail!("Spin ended with {status}: {}", said());
        }
        if started.elapsed() > START {
            bail!(
                "Spin did not listen in {} seconds: {}",
                START.as_secs(),
                said()
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(Server::Spin(spin))
}

impl Server {
    /// Its URL, without a slash at the end.
    pub fn base(&self) -> String {
        match self {
            Self::Embedded(host) => host.url().trim_end_matches('/').to_owned(),
            Self::Spin(spin) => format!("http://{}", spin.address),
        }
    }

    /// Ends it: otherwise it would serve what is still open for as long as the bench runs.
    pub async fn stop(self) {
        match self {
            Self::Embedded(host) => host.shutdown().await,
            Self::Spin(spin) => drop(spin),
        }
    }

    /// How often its components have read from the store so far, and written to it, where the host counts.
    pub fn operations(&self) -> Option<(u64, u64)> {
        match self {
            Self::Embedded(host) => {
                let counters = host.counters();
                Some((counters.reads(), counters.writes()))
            }
            Self::Spin(_) => None,
        }
    }

    /// The id of its process, where it is one of its own.
    pub fn process_id(&self) -> Option<u32> {
        match self {
            Self::Embedded(_) => None,
            Self::Spin(spin) => Some(spin.process.id()),
        }
    }

    /// What its process has used so far, where it is one of its own and the system tells.
    pub fn process(&self) -> Option<Process> {
        Process::of(self.process_id()?)
    }

    /// What the process that it runs in has used so far: one of its own, or this one, together with the clients.
    pub fn process_or_this(&self) -> Option<Process> {
        match self.process_id() {
            Some(id) => Process::of(id),
            None => Process::now(),
        }
    }
}
