//! The host as a value: configured, started, asked, stopped.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::runtime::Runtime;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::{
    allowed_hosts::AllowedHosts,
    cache::{self, Cache},
    component::Component,
    compose::{self, ComposeError},
    connect,
    engine::{self, ComponentError},
    handler::Instances,
    hooks::{Counters, Hooks, LiveCounters},
    key_value::KeyValue,
    logs::Logs,
    manifest::{self, App, ManifestError},
    outbound::{Outbound, Shared},
    routes::Router,
    runtime_config::{Defaults, RuntimeConfig, RuntimeConfigError},
    server::Server,
    template::Template,
    variables::{self, VariableError, VariableSource},
};

/// How long stopping may take.
const STOP: Duration = Duration::from_secs(5);

type Patch = Box<dyn FnOnce(&mut toml::Table) + Send>;
type BoundVariables = Box<dyn FnOnce(SocketAddr) -> Vec<(String, String)> + Send>;

/// A host to be started.
pub struct Host {
    manifest: PathBuf,
    patches: Vec<Patch>,
    listen: String,
    listener: Option<TcpListener>,
    variables: BTreeMap<String, String>,
    bound_variables: Vec<BoundVariables>,
    environment: Option<PathBuf>,
    component_environment: BTreeMap<String, String>,
    runtime_config: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    key_value: BTreeMap<String, KeyValue>,
    hooks: Hooks,
    forward_logs: bool,
    keep_logs: bool,
    cache: Option<PathBuf>,
    threads: Option<usize>,
}

/// Why a host does not start. The message says what is wrong and where; no value of a variable is part of it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// About the manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// About the runtime configuration.
    #[error(transparent)]
    RuntimeConfig(#[from] RuntimeConfigError),
    /// About variables.
    #[error(transparent)]
    Variables(#[from] VariableError),
    /// About a component and its dependencies.
    #[error("component {component:?}: {source}")]
    Compose {
        /// The component's name.
        component: String,
        /// What is wrong.
        source: ComposeError,
    },
    /// About a component's Wasm.
    #[error("component {component:?}: {source}")]
    Component {
        /// The component's name.
        component: String,
        /// What is wrong.
        source: ComponentError,
    },
    /// About a component's grants.
    #[error("component {component:?}, {field}: {reason}")]
    Grant {
        /// The component's name.
        component: String,
        /// The field of the manifest.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// About routes.
    #[error("{0}")]
    Routes(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The machine does not give what the host needs.
    #[error("{0}")]
    System(String),
}

impl Host {
    /// A host for the application of this manifest: on a free loopback port, with its state in `.spin` beside the manifest, without
    /// a look at the environment.
    pub fn builder(manifest: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            patches: Vec::new(),
            listen: "127.0.0.1:0".to_owned(),
            listener: None,
            variables: BTreeMap::new(),
            bound_variables: Vec::new(),
            environment: None,
            component_environment: BTreeMap::new(),
            runtime_config: None,
            state_dir: None,
            key_value: BTreeMap::new(),
            hooks: Hooks::default(),
            forward_logs: false,
            keep_logs: true,
            cache: Some(cache::default_directory()),
            threads: None,
        }
    }

    /// Listens on this address, such as `127.0.0.1:3000`; port 0 is a free one.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Listens on this socket, which is bound already.
    #[must_use]
    pub fn listener(mut self, listener: TcpListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Sets an application variable; it wins over every other source.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets application variables that depend on the address that is listened on.
    #[must_use]
    pub fn variables_for<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl FnOnce(SocketAddr) -> Vec<(N, V)> + Send + 'static,
    ) -> Self {
        self.bound_variables.push(Box::new(|address| {
            variables(address)
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect()
        }));
        self
    }

    /// Takes variables from `SPIN_VARIABLE_*` in the environment and in the file `.env` of this directory, too.
    #[must_use]
    pub fn environment(mut self, directory: impl Into<PathBuf>) -> Self {
        self.environment = Some(directory.into());
        self
    }

    /// Sets an environment variable of every component.
    #[must_use]
    pub fn component_environment(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.component_environment.insert(name.into(), value.into());
        self
    }

    /// Reads this runtime configuration.
    #[must_use]
    pub fn runtime_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.runtime_config = Some(path.into());
        self
    }

    /// Keeps state in this directory; an empty path keeps it in memory.
    #[must_use]
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// Keeps the default key-value store here, whatever the configuration says.
    #[must_use]
    pub fn key_value(self, backend: KeyValue) -> Self {
        self.key_value_store("default", backend)
    }

    /// Keeps the key-value store of this label here, whatever the configuration says.
    #[must_use]
    pub fn key_value_store(mut self, label: impl Into<String>, backend: KeyValue) -> Self {
        self.key_value.insert(label.into(), backend);
        self
    }

    /// Puts faults between components and the host.
    #[must_use]
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// Changes the manifest after it is read. Relative paths in it are taken from the manifest's directory.
    #[must_use]
    pub fn patch_manifest(mut self, patch: impl FnOnce(&mut toml::Table) + Send + 'static) -> Self {
        self.patches.push(Box::new(patch));
        self
    }

    /// Takes a component's Wasm from another file.
    #[must_use]
    pub fn source(self, component: impl Into<String>, path: impl AsRef<Path>) -> Self {
        let (component, path) = (component.into(), absolute(path.as_ref()));
        self.patch_manifest(move |manifest| {
            if let Some(component) = table(manifest, &["component", &component]) {
                component.insert("source".to_owned(), path.into());
            }
        })
    }

    /// Takes a component's dependency from another file.
    #[must_use]
    pub fn dependency(
        self,
        component: impl Into<String>,
        name: impl Into<String>,
        path: impl AsRef<Path>,
    ) -> Self {
        let (component, name, path) = (component.into(), name.into(), absolute(path.as_ref()));
        self.patch_manifest(move |manifest| {
            if let Some(dependency) =
                table(manifest, &["component", &component, "dependencies", &name])
            {
                dependency.remove("component");
                dependency.insert("path".to_owned(), path.into());
            }
        })
    }

    /// Forwards what components print to standard error, or not. Off by default.
    #[must_use]
    pub fn forward_logs(mut self, forward: bool) -> Self {
        self.forward_logs = forward;
        self
    }

    /// Keeps what components print for [`Running::logs`], or not. On by default; it grows for as long as the host runs.
    #[must_use]
    pub fn keep_logs(mut self, keep: bool) -> Self {
        self.keep_logs = keep;
        self
    }

    /// Keeps compiled components in this directory, or not at all. By default they lie in the user's cache directory.
    #[must_use]
    pub fn cache(mut self, directory: Option<PathBuf>) -> Self {
        self.cache = directory;
        self
    }

    /// Uses so many threads for components. By default one for each processor.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Starts the host, on threads of its own.
    ///
    /// # Errors
    /// Says what is wrong with the manifest, the configuration, a variable or a component, or which part of them the host does not
    /// support.
    pub async fn start(self) -> Result<Running, StartError> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        if let Some(threads) = self.threads {
            runtime.worker_threads(threads);
        }
        let runtime = runtime
            .thread_name("host")
            .enable_all()
            .build()
            .map_err(system)?;
        let runtime = Stopping(Some(runtime));
        let handle = runtime.handle();
        let prepared = handle
            .spawn_blocking(|| self.prepare())
            .await
            .map_err(system)?;
        let (server, listener, logs) = prepared?;
        let listener = {
            let _within = handle.enter();
            tokio::net::TcpListener::from_std(listener).map_err(system)?
        };
        handle.spawn(server.clone().serve(listener));
        Ok(Running {
            server,
            logs,
            runtime,
        })
    }

    fn prepare(self) -> Result<(Arc<Server>, TcpListener, Logs), StartError> {
        raise_file_limit();
        let directory = manifest::directory(&self.manifest);
        let mut table = App::table(&self.manifest)?;
        for patch in self.patches {
            patch(&mut table);
        }
        let app = App::from_table(table, directory)?;
        let defaults = Defaults {
            application: directory,
            state: self.state_dir.as_deref(),
        };
        let mut config = RuntimeConfig::read(self.runtime_config.as_deref(), &defaults)?;
        config.key_value.extend(self.key_value);

        let listen_error = |source| StartError::Listen {
            address: self.listen.clone(),
            source,
        };
        let listener = match self.listener {
            Some(listener) => listener,
            None => TcpListener::bind(&self.listen).map_err(listen_error)?,
        };
        listener.set_nonblocking(true).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;

        let mut given = self.variables;
        given.extend(
            self.bound_variables
                .into_iter()
                .flat_map(|variables| variables(address)),
        );
        if let Some(unknown) = given.keys().find(|name| !app.variables.contains_key(*name)) {
            return Err(VariableError::Unknown(unknown.clone()).into());
        }
        let mut sources = vec![VariableSource::Given(given)];
        sources.append(&mut config.variables);
        sources.extend(self.environment.as_deref().map(VariableSource::environment));
        let values = variables::resolve(&app, &sources)?;

        let router = Router::new(&app.triggers).map_err(StartError::Routes)?;
        let client = connect::client(config.blocked, config.pooling);
        let shared = Arc::new(Shared {
            client,
            server: OnceLock::new(),
        });
        let key_value = Arc::new(config.key_value);
        let logs = Logs::new(self.forward_logs, self.keep_logs);
        let engine = engine::engine().map_err(system)?;
        let linker = engine::linker(&engine).map_err(system)?;
        let cache = Cache::new(self.cache);
        let names = app
            .components
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>();
        let mut components = BTreeMap::new();
        for id in app.triggered() {
            let Some(component) = app.components.get(id) else {
                continue;
            };
            let grant = |field, reason| StartError::Grant {
                component: id.to_owned(),
                field,
                reason,
            };
            for label in &component.key_value_stores {
                if !key_value.contains_key(label) {
                    return Err(grant(
                        "key_value_stores",
                        format!("there is no store {label:?} in the runtime configuration"),
                    ));
                }
            }
            for entry in &component.allowed_outbound_hosts {
                supported_scheme(entry)
                    .map_err(|reason| grant("allowed_outbound_hosts", reason))?;
            }
            let allowed = AllowedHosts::parse(&component.allowed_outbound_hosts, &values, &names)
                .map_err(|reason| grant("allowed_outbound_hosts", reason))?;
            let mut environment = component.environment.clone();
            environment.extend(self.component_environment.clone());
            let shared = Component {
                id: id.to_owned(),
                variables: variables::of_component(id, component, &values)?,
                environment,
                key_value_stores: component.key_value_stores.clone(),
                key_value: key_value.clone(),
                outbound: Outbound {
                    allowed,
                    shared: shared.clone(),
                },
                hooks: self.hooks.clone(),
                counters: LiveCounters::default(),
                logs: logs.clone(),
            };
            let composed =
                compose::compose(id, component).map_err(|source| StartError::Compose {
                    component: id.to_owned(),
                    source,
                })?;
            let refused = |source| StartError::Component {
                component: id.to_owned(),
                source,
            };
            let compiled = cache
                .compile(&engine, &composed)
                .map_err(|error| refused(ComponentError::Wasm(format!("{error:#}"))))?;
            let service = engine::prepare(&engine, &linker, &compiled).map_err(refused)?;
            let instances = Instances {
                component: Arc::new(shared),
                service,
            };
            components.insert(id.to_owned(), ProxyHandler::new(instances));
        }
        let server = Arc::new(Server::new(app, router, components, address));
        // Nobody else has seen it yet.
        let _ = shared.server.set(Arc::downgrade(&server));
        Ok((server, listener, logs))
    }
}

/// A running host. It stops when it is dropped.
pub struct Running {
    server: Arc<Server>,
    logs: Logs,
    runtime: Stopping,
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

    /// Stops at once: open responses are cut off, and the port is free again.
    pub async fn shutdown(mut self) {
        if let Some(runtime) = self.runtime.0.take() {
            // Dropping a runtime waits for its threads, which this thread may not do.
            let stopped = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(STOP));
            let _ = stopped.await;
        }
    }
}

/// A runtime that is stopped when it is dropped, even within another one.
struct Stopping(Option<Runtime>);

impl Stopping {
    fn handle(&self) -> tokio::runtime::Handle {
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

fn system(error: impl ToString) -> StartError {
    StartError::System(error.to_string())
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

fn table<'a>(manifest: &'a mut toml::Table, path: &[&str]) -> Option<&'a mut toml::Table> {
    path.iter()
        .try_fold(manifest, |table, key| table.get_mut(*key)?.as_table_mut())
}

/// Sockets, databases and brokers are not among what components can reach here.
fn supported_scheme(entry: &str) -> Result<(), String> {
    let literal = Template::parse(entry).is_ok_and(|template| template.is_literal());
    match entry.split_once("://") {
        Some((scheme, _)) if literal && !matches!(scheme.trim(), "*" | "http" | "https") => Err(
            format!("{entry:?}: the embedded host has no connections but those of HTTP"),
        ),
        _ => Ok(()),
    }
}

/// A thousand open responses need more than the thousand files that a process may often open.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        if limit.current < limit.maximum || limit.maximum.is_none() {
            limit.current = limit
                .maximum
                .map(|maximum| maximum.min(65_536))
                .or(Some(65_536));
            if let Err(error) = setrlimit(Resource::Nofile, limit) {
                tracing::debug!("the limit of open files stays as it is: {error}");
            }
        }
    }
}
