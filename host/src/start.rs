//! The start of an application: from a manifest to a running server.

use std::{
    collections::BTreeMap,
    io,
    net::TcpListener,
    sync::{Arc, OnceLock, Weak, atomic::AtomicBool},
    time::Duration,
};

use composition::ComposeError;
use host_limits::HostLimits;
use wasmtime::{Engine, component::Linker};

use crate::{
    allowed_hosts::{AllowedHosts, names_chaining},
    cache::Cache,
    component::Component,
    compose::Parts,
    engine::{self, ComponentError},
    handler::Handler,
    hooks::{Hooks, LiveCounters},
    host::Host,
    http_connector,
    key_value::Stores,
    logs::Logs,
    manifest::{self, App, ManifestError},
    memory,
    outbound_grant::{Application, Outbound, Shared},
    rate::Rate,
    routes::Router,
    running::{Running, Stopping},
    runtime_config::{Defaults, RuntimeConfig, RuntimeConfigError},
    server::Server,
    sources::{SourceError, Sources},
    state::State,
    template::Template,
    variables::{self, VariableError, VariableSource},
};

/// The label of the store that every host has.
const DEFAULT_STORE: &str = "default";

const HOUR: Duration = Duration::from_secs(3600);

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
    /// About Wasm that another machine has.
    #[error(transparent)]
    Source(#[from] SourceError),
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

    /// Makes everything ready, and listens.
    fn prepare(self) -> Result<(Arc<Server>, TcpListener, Logs), StartError> {
        raise_file_limit();
        let directory = manifest::directory(&self.manifest);
        let mut table = App::table(&self.manifest)?;
        for patch in self.patches {
            patch(&mut table);
        }
        let app = App::from_table(table, directory)?;
        // This thread is one that may wait.
        tokio::runtime::Handle::current().block_on(self.sources.fetch(app.sources()))?;
        let defaults = Defaults {
            application: directory,
            state: self.state_dir.as_deref(),
        };
        let mut config = RuntimeConfig::read(self.runtime_config.as_deref(), &defaults)?;
        config.key_value.extend(self.key_value);

        let listener = bind(self.listener, &self.listen)?;
        let address = listener.local_addr().map_err(system)?;
        let mut given = self.variables;
        for variables in self.bound_variables {
            given.extend(variables(address));
        }
        if let Some(unknown) = given.keys().find(|name| !app.variables.contains_key(*name)) {
            return Err(VariableError::Unknown(unknown.clone()).into());
        }
        let mut sources = vec![VariableSource::Given(given)];
        sources.append(&mut config.variables);
        sources.extend(self.environment.as_deref().map(VariableSource::environment));

        let router = Router::new(&app.triggers).map_err(StartError::Routes)?;
        let blocked = Arc::new(config.blocked);
        let host_limits = Arc::new(self.host_limits);
        let stores = Stores::new(config.key_value, &host_limits.key_value, &self.hooks.clock);
        let hourly = |most: u32| Rate::new(most, HOUR);
        let engine = engine::engine().map_err(system)?;
        let compiler = self.remember.then(memory::compiler);
        let compiler = compiler.transpose().map_err(system)?;
        let loader = Loader {
            values: variables::resolve(&app, &sources)?,
            linker: engine::linker(&engine, &host_limits.key_value).map_err(system)?,
            engine,
            cache: Cache::new(self.cache).compiler(compiler),
            sources: self.sources,
            remember: self.remember,
            key_value: Arc::new(stores),
            outbound: Arc::new(Shared {
                client: http_connector::client(blocked.clone(), config.pooling),
                blocked,
                rate: host_limits.max_outbound_per_hour.map(hourly),
                application: OnceLock::new(),
            }),
            environment: self.component_environment,
            limits: host_limits.clone(),
            hooks: self.hooks,
            logs: Logs::new(self.forward_logs, self.keep_logs),
        };
        let mut components = BTreeMap::new();
        for id in app.triggered() {
            components.insert(id.to_owned(), loader.load(&app, id)?);
        }
        let watcher = loader.hooks.http_tap.clone();
        let server = Arc::new(Server::new(
            app,
            router,
            components,
            address,
            watcher,
            self.limits,
            host_limits,
        ));
        let application: Weak<dyn Application> = Arc::<Server>::downgrade(&server);
        // Nothing else has set it yet.
        let _ = loader.outbound.application.set(application);
        Ok((server, listener, loader.logs))
    }
}

/// What components are loaded with.
struct Loader {
    values: BTreeMap<String, String>,
    engine: Engine,
    linker: Linker<State>,
    cache: Cache,
    sources: Sources,
    remember: bool,
    key_value: Arc<Stores>,
    outbound: Arc<Shared>,
    environment: BTreeMap<String, String>,
    limits: Arc<HostLimits>,
    hooks: Hooks,
    logs: Logs,
}

fn not_composed(id: &str, source: ComposeError) -> StartError {
    let component = id.to_owned();
    StartError::Compose { component, source }
}

fn refused(id: &str, source: ComponentError) -> StartError {
    let component = id.to_owned();
    StartError::Component { component, source }
}

impl Loader {
    fn load(&self, app: &App, id: &str) -> Result<Handler, StartError> {
        let component = app
            .components
            .get(id)
            .ok_or_else(|| system(format!("there is no component {id:?}")))?;
        let shared = self.grant(app, id, component)?;
        let parts = Parts::read(id, component, &self.sources);
        let parts = parts.map_err(|error| not_composed(id, error))?;
        let compiled = match self.remember {
            true => memory::component(parts.digest(), || self.compile(id, parts))?,
            false => self.compile(id, parts)?,
        };
        let handlers = self.limits.handlers;
        let proxy = engine::prepare(&self.engine, &self.linker, &compiled, handlers);
        let proxy = proxy.map_err(|source| refused(id, source))?;
        Ok(Handler::new(shared, proxy))
    }

    fn compile(
        &self,
        id: &str,
        parts: Parts<'_>,
    ) -> Result<wasmtime::component::Component, StartError> {
        let composed = parts.compose().map_err(|error| not_composed(id, error))?;
        let compiled = self.cache.compile(&self.engine, &composed);
        compiled.map_err(|error| refused(id, ComponentError::Wasm(format!("{error:#}"))))
    }

    /// Resolves what a component may use.
    fn grant(
        &self,
        app: &App,
        id: &str,
        component: &manifest::Component,
    ) -> Result<Component, StartError> {
        let refused = |field, reason| StartError::Grant {
            component: id.to_owned(),
            field,
            reason,
        };
        for label in &component.key_value_stores {
            if !self.key_value.contains(label) {
                let reason = format!("there is no store {label:?} in the runtime configuration");
                return Err(refused("key_value_stores", reason));
            }
        }
        let other = |label: &&String| *label != DEFAULT_STORE;
        if self.limits.key_value.default_store_only
            && let Some(label) = component.key_value_stores.iter().find(other)
        {
            let reason = format!("this host has no store {label:?}, and {DEFAULT_STORE:?} alone");
            return Err(refused("key_value_stores", reason));
        }
        for entry in &component.allowed_outbound_hosts {
            if !self.limits.service_chaining && names_chaining(entry) {
                let reason = format!("{entry:?}: this host has no service chaining");
                return Err(refused("allowed_outbound_hosts", reason));
            }
            supported_scheme(entry).map_err(|reason| refused("allowed_outbound_hosts", reason))?;
        }
        let names = app
            .components
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>();
        let hosts = &component.allowed_outbound_hosts;
        AllowedHosts::validate(hosts, &variables::defaults(app))
            .map_err(|reason| refused("allowed_outbound_hosts", reason))?;
        // An invalid value is no reason not to start: as in Spin, the component then reaches no host.
        let allowed = AllowedHosts::parse(hosts, &self.values, &names).unwrap_or_else(|reason| {
            tracing::error!(
                "component {id:?} may not send any request, since its allowed_outbound_hosts cannot be read: {reason}"
            );
            AllowedHosts::default()
        });
        let mut environment = component.environment.clone();
        environment.extend(self.environment.clone());
        Ok(Component {
            id: id.to_owned(),
            variables: variables::of_component(id, component, &self.values)?,
            environment,
            key_value_stores: component.key_value_stores.clone(),
            key_value: self.key_value.clone(),
            outbound: Outbound {
                allowed,
                shared: self.outbound.clone(),
            },
            limits: self.limits.clone(),
            hooks: self.hooks.clone(),
            counters: LiveCounters::default(),
            logs: self.logs.clone(),
            stopping: AtomicBool::new(false),
        })
    }
}

fn bind(listener: Option<TcpListener>, address: &str) -> Result<TcpListener, StartError> {
    let refused = |source| StartError::Listen {
        address: address.to_owned(),
        source,
    };
    let listener = match listener {
        Some(listener) => listener,
        None => TcpListener::bind(address).map_err(refused)?,
    };
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// An error of the machine rather than of the application.
pub(crate) fn system(error: impl ToString) -> StartError {
    StartError::System(error.to_string())
}

/// Sockets, other databases and brokers are not among what components can reach here.
fn supported_scheme(entry: &str) -> Result<(), String> {
    let literal = Template::parse(entry).is_ok_and(|template| template.is_literal());
    match entry.split_once("://") {
        Some((scheme, _))
            if literal && !matches!(scheme.trim(), "*" | "http" | "https" | "redis" | "rediss") =>
        {
            Err(format!(
                "{entry:?}: the embedded host has no connections but those of HTTP and Redis"
            ))
        }
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
