//! Gatehouse itself, started from the repository's own `spin.toml`.

use crate::secrets::{self, Watched};
use crate::wire::Wire;
use crate::workspace::{over_tested_wasm, portable_wasm, root, wasm};
use crate::{ENCRYPTION_KEY, Flavour, Provider, ports};
use descope_emulator::{Config, Emulator};
use host::{Clock, Hooks, Host, HostLimits, KeyValue};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The settings with which a test starts Gatehouse.
pub struct Settings {
    /// How people sign in.
    pub provider: Provider,
    /// Application variables besides those that point at the emulator.
    pub variables: Vec<(&'static str, String)>,
    /// The key-value store.
    pub key_value: KeyValue,
    /// How Descope behaves, or whom the emulator plays in its place.
    pub descope: Config,
    /// Whether the components are pointed at the emulator.
    pub provider_variables: bool,
    /// Whether the runtime configuration is the repository's own, which keeps calls out of private
    /// networks.
    pub blocks_private_networks: bool,
    /// What may make the store stall.
    pub stalls: Option<Stalls>,
    /// Another tools component than Gatehouse's own: the path of its Wasm in the workspace.
    pub tools: Option<&'static str>,
    /// Tools components of their own, behind tool servers: the id in the manifest, and the path of the Wasm in the workspace.
    pub tool_servers: Vec<ToolServer>,
    /// Whether the tools inherit the hosts that the MCP endpoint may call, those of the identity provider.
    pub tools_inherit_hosts: bool,
    /// The variable that the manifest grants to no component, as one of an earlier version.
    pub ungranted: Option<&'static str>,
    /// The flavour that is served in place of `spin.toml`, with the limits of its host.
    pub flavour: Option<Flavour>,
    /// Other limits than those of the flavour's host.
    pub host_limits: Option<HostLimits>,
    /// Whether every message that it sends is held against the official schema of its revision, and
    /// what the host logs is searched for secrets.
    pub is_watched: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            provider: Provider::Descope,
            variables: vec![
                ("encryption_key", ENCRYPTION_KEY.to_owned()),
                // What a test ends has ended at once.
                ("grant_check", "0".to_owned()),
            ],
            key_value: KeyValue::memory(),
            descope: Config::for_tests(),
            provider_variables: true,
            blocks_private_networks: false,
            stalls: None,
            tools: None,
            tool_servers: Vec::new(),
            tools_inherit_hosts: false,
            ungranted: None,
            flavour: Flavour::chosen(),
            host_limits: None,
            is_watched: true,
        }
    }
}

impl Settings {
    /// Returns the usual ones, over this provider.
    pub fn over(provider: Provider) -> Self {
        Self {
            provider,
            ..Self::default()
        }
    }

    /// With the runtime configuration of the repository.
    #[must_use]
    pub fn block_private_networks(mut self) -> Self {
        self.blocks_private_networks = true;
        self
    }

    /// With another value for a variable.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }

    /// With another tools component, whose Wasm has this path in the workspace.
    #[must_use]
    pub fn tools(mut self, path: &'static str) -> Self {
        self.tools = Some(path);
        self
    }

    /// With a tools component of its own, which has this id and is served by a tool server.
    #[must_use]
    pub fn tool_server(mut self, id: &'static str, path: &'static str) -> Self {
        self.tool_servers.push(ToolServer {
            id,
            path,
            is_public: false,
            variables: Vec::new(),
            hosts: Vec::new(),
        });
        self
    }

    /// With these variables and hosts of the tool server that was added last.
    ///
    /// # Panics
    ///
    /// If none was added.
    #[must_use]
    pub fn granted(mut self, variables: &[(&'static str, &str)], hosts: &[&str]) -> Self {
        let server = self.tool_servers.last_mut().expect("a tool server");
        server.variables = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        server.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        self
    }

    /// With tool servers that have public routes, as an operator may give them in error: `/<id>/...`.
    #[must_use]
    pub fn public_tool_servers(mut self) -> Self {
        for server in &mut self.tool_servers {
            server.is_public = true;
        }
        self
    }

    /// Over a flavour, whose components have their dependencies inside.
    #[must_use]
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = Some(flavour);
        self
    }

    /// With limits in place of those of the flavour's host.
    #[must_use]
    pub fn host_limits(mut self, limits: HostLimits) -> Self {
        self.host_limits = Some(limits);
        self
    }

    /// With tools that may call the hosts that the MCP endpoint may call.
    #[must_use]
    pub fn tools_inherit_hosts(mut self) -> Self {
        self.tools_inherit_hosts = true;
        self
    }

    /// With the tools of the conformance suite (tests/conformance).
    #[must_use]
    pub fn conformance_tools(self) -> Self {
        self.tools("target/wasm32-wasip2/wasm/conformance_tools.wasm")
    }
}

/// A tools component of its own.
#[derive(Clone)]
pub struct ToolServer {
    id: &'static str,
    path: &'static str,
    is_public: bool,
    variables: Vec<(&'static str, String)>,
    hosts: Vec<String>,
}

impl ToolServer {
    /// Adds it to the manifest, with variables, hosts and a store of its own, and lets `mcp` call it.
    fn add_to(&self, manifest: &mut toml::Table, is_portable: bool) {
        let id = self.id;
        let (server, tools, contract) = match is_portable {
            false => (wasm(TOOL_SERVER), wasm(self.path), TOOLS_CONTRACT),
            true => (
                portable_wasm(TOOL_SERVER),
                portable_wasm(self.path),
                PORTABLE_CONTRACT,
            ),
        };
        let mut component: toml::Table = format!(
            r#"
            source = {server:?}
            key_value_stores = ["{id}"]
            dependencies = {{ "{contract}" = {{ path = {tools:?}, inherit_configuration = true }} }}
            "#
        )
        .parse()
        .expect("TOML");
        component.insert(
            "allowed_outbound_hosts".to_owned(),
            self.hosts.clone().into(),
        );
        let variables = self.variables.iter();
        let variables =
            variables.map(|(name, value)| ((*name).to_owned(), toml::Value::from(value.as_str())));
        let variables: toml::Table = variables.collect();
        component.insert("variables".to_owned(), variables.into());
        let route = if self.is_public {
            format!("\"/{id}/...\"")
        } else {
            "{ private = true }".to_owned()
        };
        let trigger = format!("route = {route}\ncomponent = {id:?}");
        let trigger: toml::Table = trigger.parse().expect("TOML");
        let triggers = manifest["trigger"]["http"].as_array_mut();
        triggers.expect("triggers").push(trigger.into());
        let components = manifest["component"].as_table_mut().expect("components");
        components.insert(id.to_owned(), component.into());
        let hosts = components["mcp"]["allowed_outbound_hosts"].as_array_mut();
        let host = format!("http://{id}.spin.internal");
        hosts.expect("hosts").push(host.into());
    }
}

/// A switch: whether components get no answer of the store.
#[derive(Clone, Default)]
pub struct Stalls(Arc<AtomicBool>);

impl Stalls {
    /// Stalls the store from now on, or no longer.
    pub fn set(&self, stalls: bool) {
        self.0.store(stalls, Ordering::Relaxed);
    }

    async fn wait(self) {
        while self.0.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A running Gatehouse, and the identity provider it leans on.
pub struct Gatehouse {
    /// Descope, or whom the emulator plays in its place.
    pub descope: descope_emulator::Running,
    /// The host that runs the application.
    pub host: host::Running,
    key_value: KeyValue,
    application: Application,
}

/// The application, the number of its hosts, and what their output is searched for.
struct Application {
    provider: Provider,
    blocks_private_networks: bool,
    stalls: Option<Stalls>,
    variables: Vec<(String, String)>,
    tools: Option<&'static str>,
    tool_servers: Vec<ToolServer>,
    tools_inherit_hosts: bool,
    ungranted: Option<&'static str>,
    flavour: Option<Flavour>,
    host_limits: HostLimits,
    clock: Clock,
    /// `None` if its messages are not checked.
    wire: Option<Wire>,
    // The last of all, so that it is dropped when everything has been logged.
    logs: Watched,
}

impl Gatehouse {
    /// Starts one with records in memory.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// Starts one over this provider, with records in memory.
    pub async fn start_over(provider: Provider) -> Self {
        Self::start_with(Settings::over(provider)).await
    }

    /// Starts one as `settings` say.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn start_with(settings: Settings) -> Self {
        if settings.is_watched {
            secrets::trace();
        }
        let descope = Emulator::start(settings.descope)
            .await
            .expect("the emulator starts");
        let mut variables: Vec<(String, String)> = settings
            .variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if settings.provider_variables {
            for (name, value) in settings.provider.variables(&descope) {
                if !variables.iter().any(|(known, _)| known == name) {
                    variables.push((name.to_owned(), value));
                }
            }
        }
        keep_secrets(&variables);
        let host_limits = settings.host_limits.unwrap_or_else(|| {
            settings
                .flavour
                .map_or_else(HostLimits::default, Flavour::limits)
        });
        let application = Application {
            provider: settings.provider,
            blocks_private_networks: settings.blocks_private_networks,
            stalls: settings.stalls,
            variables,
            tools: settings.tools,
            tool_servers: settings.tool_servers,
            tools_inherit_hosts: settings.tools_inherit_hosts,
            ungranted: settings.ungranted,
            flavour: settings.flavour,
            host_limits,
            clock: Clock::new(),
            wire: settings.is_watched.then(Wire::default),
            logs: Watched::default(),
        };
        let listener = ports::listener();
        let key_value = settings.key_value;
        let host = application.serve(listener, key_value.clone(), &[]).await;
        Self {
            descope,
            host,
            key_value,
            application,
        }
    }

    /// Stops the host and starts another on the same port with the same records, as after a
    /// restart of the machine.
    pub async fn restart(self) -> Self {
        let address = self.host.address();
        self.host.shutdown().await;
        let listener = TcpListener::bind(address).expect("the port is free again");
        let key_value = self.key_value.clone();
        let host = self.application.serve(listener, key_value, &[]).await;
        Self { host, ..self }
    }

    /// Returns the same, with other values for variables.
    pub async fn restart_with(mut self, variables: &[(&str, &str)]) -> Self {
        for (name, value) in variables {
            let set = &mut self.application.variables;
            set.retain(|(known, _)| known != name);
            set.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.restart().await
    }

    /// Another host on the same records: a second machine.
    pub async fn another(&self) -> host::Running {
        self.another_with(self.key_value.clone()).await
    }

    /// Another host that reaches the same records in a way of its own, such as a connection to the
    /// same server.
    pub async fn another_with(&self, key_value: KeyValue) -> host::Running {
        let listener = ports::listener();
        let here = [("public_url", self.base())];
        self.application.serve(listener, key_value, &here).await
    }

    /// Returns the revisions of the protocol in which its tools were called, as far as its messages were checked.
    pub fn called_in(&self) -> Vec<&'static str> {
        let wire = self.application.wire.as_ref();
        wire.map_or_else(Vec::new, Wire::called)
    }

    /// Lets so many seconds pass, here, on every other machine and at Descope.
    pub fn pass(&self, seconds: u64) {
        self.application.clock.advance(seconds);
        self.descope.advance_clock(seconds);
    }

    /// Returns the base URL: the issuer.
    pub fn base(&self) -> String {
        self.host.url().trim_end_matches('/').to_owned()
    }

    /// Returns the URL of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }
}

impl Application {
    /// Serves it, with these variables too where it has none of the name.
    async fn serve(
        &self,
        listener: TcpListener,
        key_value: KeyValue,
        more: &[(&str, String)],
    ) -> host::Running {
        let hooks = Hooks::new().clock(self.clock.clone());
        let hooks = match &self.wire {
            Some(wire) => wire.watch(hooks),
            None => hooks,
        };
        let hooks = match self.stalls.clone() {
            Some(stalls) => hooks.on_key_value(move |_| {
                let stalls = stalls.clone();
                async move {
                    stalls.wait().await;
                    Ok(())
                }
            }),
            None => hooks,
        };
        let folder = match self.flavour {
            Some(flavour) => flavour.folder(self.provider, self.tools),
            None => root(),
        };
        let host = Host::builder(folder.join("spin.toml"));
        let mut host = host.host_limits(self.host_limits.clone());
        host = match self.flavour {
            // Its tools are composed in.
            Some(_) => host,
            None => {
                let tools = self.tools.unwrap_or(OWN_TOOLS);
                host.patch_manifest(|manifest| {
                    let tested = over_tested_wasm(&manifest.to_string());
                    *manifest = tested.parse().expect("TOML");
                })
                .source("identity", wasm(self.provider.component()))
                .dependency("mcp", TOOLS_CONTRACT, wasm(tools))
            }
        };
        let is_portable = self.flavour.is_some();
        for server in self.tool_servers.clone() {
            host = host
                .key_value_store(server.id, KeyValue::memory())
                .patch_manifest(move |manifest| server.add_to(manifest, is_portable));
        }
        if self.tools_inherit_hosts {
            host = host.patch_manifest(let_tools_inherit_hosts);
        }
        if let Some(name) = self.ungranted {
            host = host.patch_manifest(|manifest| remove_grants(manifest, name));
        }
        host = host
            .listener(listener)
            .key_value(key_value)
            .hooks(hooks)
            .cache(Some(
                root().join("target/compiled-components/gatehouse-host"),
            ))
            .remember(true);
        for (name, value) in more {
            host = host.variable(*name, value);
        }
        for (name, value) in &self.variables {
            host = host.variable(name, value);
        }
        if self.blocks_private_networks {
            host = host.runtime_config(root().join("runtime-config.toml"));
        }
        let running = host.start().await.expect("the host starts");
        self.logs.add(running.log());
        running
    }
}

/// The one line of `spin.toml` that another tools component takes, and what it names there.
const TOOLS_CONTRACT: &str = "gatehouse:tools/tools@0.3.0";
const PORTABLE_CONTRACT: &str = "gatehouse:tools-portable/tools@0.3.0";
const TOOL_SERVER: &str = "target/wasm32-wasip2/wasm/gatehouse_tool_server.wasm";
const OWN_TOOLS: &str = "target/wasm32-wasip2/wasm/gatehouse_tools.wasm";

/// Grants the variable to no component.
fn remove_grants(manifest: &mut toml::Table, name: &str) {
    let components = manifest["component"].as_table_mut().expect("components");
    for (_, component) in components {
        let variables = component.get_mut("variables");
        if let Some(variables) = variables.and_then(toml::Value::as_table_mut) {
            variables.remove(name);
        }
    }
}

/// Lets the tools call the hosts that the MCP endpoint may call.
fn let_tools_inherit_hosts(manifest: &mut toml::Table) {
    let tools = manifest["component"]["mcp"]["dependencies"][TOOLS_CONTRACT].as_table_mut();
    let inherited = toml::Value::Array(vec!["allowed_outbound_hosts".into()]);
    tools
        .expect("a dependency")
        .insert("inherit_configuration".to_owned(), inherited);
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
