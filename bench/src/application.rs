//! The hosts that are measured: the application, and those that it is compared with.

use crate::records;
use crate::server::{Application, Launcher, Server};
use anyhow::{Context, Result};
use descope_emulator::{Config, Emulator, User};
use serde_json::json;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tests::{Client, ENCRYPTION_KEY, Mcp, Person, Provider, Stateless};
use tokio::sync::Mutex;
use toml::{Table, Value};

/// Grants that the refresh target works on: one for each connection, so that none waits for
/// another.
const GRANTS: usize = 64;
const GRANTS_OF_A_PERSON: usize = 8;

/// Where a checkout's `spin.toml` names its components.
const WASM: &str = "target/wasm32-wasip2/wasm";

/// The client that introspects, and its secret.
pub const RESOURCE_SERVER: &str = "bench";
pub const SECRET: &str = "nothing-to-guard-and-as-long-as-it-has-to-be";

/// What is measured and what it is held against, each on a host of its own.
pub struct Bench {
    pub(crate) empty: Server,
    pub(crate) bare: Server,
    /// Gatehouse as it is built here, and then the one of another checkout, if one was given.
    pub(crate) subjects: Vec<Subject>,
    // People sign in there for as long as the bench runs.
    _descope: descope_emulator::Running,
}

impl Bench {
    /// Starts everything, with `records` live records in the application's store besides its own, and signs in.
    /// `variables` are those of the application that are not to have their defaults. `beside` is the checkout whose
    /// application is measured in the same run.
    ///
    /// # Errors
    ///
    /// If something does not start.
    pub async fn start(
        launcher: &Launcher,
        records: u64,
        variables: &[(String, String)],
        beside: Option<&Path>,
    ) -> Result<Self> {
        let descope = start_emulator(launcher).await?;
        let mut checkouts = vec![Checkout::of_the_bench()];
        checkouts.extend(beside.map(Checkout::beside));
        let mut subjects = Vec::new();
        for checkout in &checkouts {
            let starting = Subject::start(launcher, checkout, &descope, records, variables);
            subjects.push(starting.await?);
        }
        Ok(Self {
            empty: launcher.start(component("empty", "")?).await?,
            bare: launcher.start(bare()?).await?,
            subjects,
            _descope: descope,
        })
    }

    /// How often components have read from a store so far, and written to one, where the host counts.
    pub fn operations(&self) -> Option<(u64, u64)> {
        let servers = self.subjects.iter().flat_map(Subject::servers);
        let mut sum = (0, 0);
        for server in servers.chain([&self.bare]) {
            let (reads, writes) = server.operations()?;
            sum = (sum.0 + reads, sum.1 + writes);
        }
        Some(sum)
    }

    /// The processor time that all servers have used; `None` where they have no processes of their own.
    pub fn processor_time(&self) -> Option<Duration> {
        let servers = self.servers();
        servers.map(|server| Some(server.process()?.cpu)).sum()
    }

    /// The ids of the servers' processes; `None` where they have none of their own.
    pub fn processes(&self) -> Option<Vec<u32>> {
        self.servers().map(Server::process_id).collect()
    }

    fn servers(&self) -> impl Iterator<Item = &Server> {
        let subjects = self.subjects.iter().flat_map(Subject::servers);
        subjects.chain([&self.empty, &self.bare])
    }
}

async fn start_emulator(launcher: &Launcher) -> Result<descope_emulator::Running> {
    let starting = launcher.servers.spawn(Emulator::start(Config::for_tests()));
    starting.await?.context("the emulator does not start")
}

/// Gatehouse as it is built here, on a host of its own, for what is not measured beside anything.
pub struct Alone {
    pub(crate) server: Server,
    // People sign in there.
    descope: descope_emulator::Running,
}

impl Alone {
    /// Starts it. Its files are called `name`.
    ///
    /// # Errors
    ///
    /// If something does not start.
    pub async fn start(
        launcher: &Launcher,
        name: &'static str,
        variables: &[(String, String)],
    ) -> Result<Self> {
        let descope = start_emulator(launcher).await?;
        let application = Checkout::of_the_bench().gatehouse(&descope, variables)?;
        let server = launcher.start(Application {
            name,
            ..application
        });
        Ok(Self {
            server: server.await?,
            descope,
        })
    }

    /// Signs in the person with this number, and returns the access token of a client of theirs.
    pub async fn sign_in(&self, number: usize) -> String {
        let email = format!("person-{number}@example.com");
        self.descope.sign_in_as(User::new("Person", &email));
        let client = Client::register_at(&self.server.base(), metadata()).await;
        client.sign_in(&Person::new()).await.access
    }
}

/// Gatehouse of one checkout, and who talks to it.
pub struct Subject {
    /// What its rows are called besides the request: nothing for the bench's own checkout.
    pub(crate) label: &'static str,
    pub(crate) gatehouse: Server,
    /// The application with the tools of tests/conformance, and a client of it.
    pub(crate) fixtures: (Server, Stateless),
    pub(crate) client: Client,
    pub(crate) refresh_tokens: Arc<Mutex<VecDeque<String>>>,
    pub(crate) access_token: String,
    pub(crate) stateless: Stateless,
    /// A client in a session of 2025-11-25.
    pub(crate) session: Mcp,
}

impl Subject {
    async fn start(
        launcher: &Launcher,
        checkout: &Checkout,
        descope: &descope_emulator::Running,
        records: u64,
        variables: &[(String, String)],
    ) -> Result<Self> {
        let own = checkout.gatehouse(descope, variables)?;
        let with_fixtures = checkout.with_fixtures(&own);
        if records > 0 {
            let store = launcher.store(own.name);
            std::fs::create_dir_all(store.parent().unwrap_or(&launcher.folder))?;
            records::live(&host::KeyValue::sqlite(store), records).await?;
        }
        let gatehouse = launcher.start(own).await?;
        let base = gatehouse.base();
        let client = Client::register_at(&base, metadata()).await;
        let person = Person::new();
        let access_token = client.sign_in(&person).await.access;
        let mut refresh_tokens = VecDeque::new();
        for number in 0..GRANTS {
            // So that no limit ends one.
            if number % GRANTS_OF_A_PERSON == 0 {
                let email = format!("person-{number}@example.com");
                descope.sign_in_as(User::new("Person", &email));
            }
            let tokens = client.sign_in(&Person::new()).await;
            refresh_tokens.push_back(tokens.refresh);
        }
        let with_fixtures = launcher.start(with_fixtures).await?;
        let fixtures_client = Client::register_at(&with_fixtures.base(), metadata()).await;
        let token = fixtures_client.sign_in(&person).await.access;
        let fixtures_client = Stateless::new(fixtures_client.url("/mcp"), &token);
        let mcp = client.url("/mcp");
        let mut session = Mcp::new(mcp.clone(), Some(&access_token));
        session.initialize(tests::mcp::NEWEST).await;
        Ok(Self {
            label: checkout.label,
            fixtures: (with_fixtures, fixtures_client),
            client,
            refresh_tokens: Arc::new(Mutex::new(refresh_tokens)),
            stateless: Stateless::new(mcp, &access_token),
            session,
            access_token,
            gatehouse,
        })
    }

    fn servers(&self) -> [&Server; 2] {
        [&self.gatehouse, &self.fixtures.0]
    }
}

/// What a client registers.
fn metadata() -> serde_json::Value {
    json!({
        "client_name": "Bench",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
    })
}

/// Where an application that is measured comes from.
struct Checkout {
    label: &'static str,
    /// What the application's files are called, and those of the one with other tools.
    names: [&'static str; 2],
    root: PathBuf,
    components: PathBuf,
}

impl Checkout {
    fn of_the_bench() -> Self {
        Self {
            label: "",
            names: ["gatehouse", "fixtures"],
            root: root(),
            components: components(),
        }
    }

    /// Another one, whose components are where its `cargo xtask build` puts them.
    fn beside(root: &Path) -> Self {
        Self {
            label: "beside: ",
            names: ["beside", "beside-fixtures"],
            root: root.to_owned(),
            components: root.join(WASM),
        }
    }

    /// The application of its `spin.toml`, over the emulator.
    fn gatehouse(
        &self,
        descope: &descope_emulator::Running,
        changed: &[(String, String)],
    ) -> Result<Application> {
        let manifest = self.root.join("spin.toml");
        let text = std::fs::read_to_string(&manifest)
            .with_context(|| format!("{} cannot be read", manifest.display()))?;
        // Its Wasm may lie in another folder than the one that it names.
        let manifest: Table = text
            .replace(WASM, &self.components.to_string_lossy())
            .parse()?;
        let clients = json!([{
            "client_id": RESOURCE_SERVER,
            "client_secret": SECRET,
            "grant_types": ["client_credentials"],
            "resource_server": true,
        }]);
        let mut variables = vec![
            ("encryption_key".to_owned(), ENCRYPTION_KEY.to_owned()),
            ("registrations_per_hour".to_owned(), "10000000".to_owned()),
            ("registrations_per_source".to_owned(), "10000000".to_owned()),
            ("clients".to_owned(), clients.to_string()),
        ];
        let provider = Provider::Descope.variables(descope).into_iter();
        variables.extend(provider.map(|(name, value)| (name.to_owned(), value)));
        variables.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
        variables.extend_from_slice(changed);
        Ok(Application {
            name: self.names[0],
            manifest,
            variables,
        })
    }

    /// The same application with the tools of tests/conformance.
    fn with_fixtures(&self, application: &Application) -> Application {
        let mut manifest = application.manifest.clone();
        let dependencies = manifest
            .get_mut("component")
            .and_then(|components| components.get_mut("mcp")?.get_mut("dependencies"))
            .and_then(Value::as_table_mut);
        for (name, dependency) in dependencies.into_iter().flatten() {
            if name.starts_with("gatehouse:tools/") {
                let wasm = self.components.join("conformance_tools.wasm");
                *dependency = Value::Table(path(&wasm));
            }
        }
        Application {
            name: self.names[1],
            manifest,
            variables: application.variables.clone(),
        }
    }
}

fn path(wasm: &Path) -> Table {
    Table::from_iter([(
        "path".to_owned(),
        Value::String(wasm.to_string_lossy().into()),
    )])
}

/// The component that a call of a tool is held against.
fn bare() -> Result<Application> {
    let tools = components().join("gatehouse_tools.wasm");
    component(
        "bare",
        &format!(
            "key_value_stores = [\"default\"]\n\
             [component.bare.dependencies]\n\
             \"gatehouse:tools/tools@0.3.0\" = {{ path = {tools:?} }}\n"
        ),
    )
}

/// A component of the bench alone, and what its part of the manifest has besides its source.
fn component(name: &'static str, parts: &str) -> Result<Application> {
    let wasm = components().join(format!("bench_{name}.wasm"));
    let manifest = format!(
        "spin_manifest_version = 2\n[application]\nname = \"{name}\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"{name}\"\n\
         [component.{name}]\nsource = {wasm:?}\n{parts}"
    );
    Ok(Application {
        name,
        manifest: manifest.parse()?,
        variables: Vec::new(),
    })
}

/// The folder of the components.
pub fn components() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = target.join("wasm32-wasip2/wasm");
    std::path::absolute(&folder).unwrap_or(folder)
}

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
