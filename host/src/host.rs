//! The host as a library: builder, running application, shutdown.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use host_limits::HostLimits;

use crate::{cache, hooks::Hooks, key_value::KeyValue, limits::Limits, sources::Sources};

type Patch = Box<dyn FnOnce(&mut toml::Table) + Send>;
type BoundVariables = Box<dyn FnOnce(SocketAddr) -> Vec<(String, String)> + Send>;

/// A host to be started.
pub struct Host {
    pub(crate) manifest: PathBuf,
    pub(crate) patches: Vec<Patch>,
    pub(crate) listen: String,
    pub(crate) listener: Option<TcpListener>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) bound_variables: Vec<BoundVariables>,
    pub(crate) environment: Option<PathBuf>,
    pub(crate) component_environment: BTreeMap<String, String>,
    pub(crate) runtime_config: Option<PathBuf>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) key_value: BTreeMap<String, KeyValue>,
    pub(crate) hooks: Hooks,
    pub(crate) forward_logs: bool,
    pub(crate) keep_logs: bool,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) remember: bool,
    pub(crate) sources: Sources,
    pub(crate) threads: Option<usize>,
    pub(crate) limits: Limits,
    pub(crate) host_limits: HostLimits,
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
            remember: false,
            sources: Sources::default(),
            threads: None,
            limits: Limits::default(),
            host_limits: HostLimits::default(),
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
                for field in ["component", "url", "digest"] {
                    dependency.remove(field);
                }
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

    /// Keeps composed components and compiled functions in memory until the process ends, or not, which is the default: for a
    /// process that serves many variants of an application, such as one that tests it. A component that was composed before
    /// starts at once, and one that has most of its functions in common with another compiles in a third of the time.
    #[must_use]
    pub fn remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// Keeps the Wasm that other machines have in this directory. By default it lies in the user's cache directory.
    #[must_use]
    pub fn sources(mut self, sources: Sources) -> Self {
        self.sources = sources;
        self
    }

    /// Uses so many threads for components. By default one for each processor.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Bounds connections, and the time that a request may take to arrive.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Restricts the application as another host does.
    #[must_use]
    pub fn host_limits(mut self, limits: HostLimits) -> Self {
        self.host_limits = limits;
        self
    }
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
