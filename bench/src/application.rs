//! What runs while it is measured.

use crate::records;
use crate::server::{Application, Launcher, Server};
use anyhow::{Context, Result};
use descope_emulator::{Config, Emulator, User};
use serde_json::json;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tests::{Client, ENCRYPTION_KEY, Mcp, Person, Provider, Stateless};
use tokio::sync::Mutex;
use toml::{Table, Value};

/// Grants that the refresh target works on: one for each connection, so that none waits for
/// another.
const GRANTS: usize = 64;
const GRANTS_OF_A_PERSON: usize = 8;

/// The client that introspects, and its secret.
pub const RESOURCE_SERVER: &str = "bench";
pub const SECRET: &str = "nothing-to-guard-and-as-long-as-it-has-to-be";

/// The application and what it is held against, each on a host of its own, and who talks to it.
pub struct Bench {
    pub(crate) gatehouse: Server,
    /// The application with the tools of tests/conformance, and a client of it.
    pub(crate) fixtures: (Server, Stateless),
    pub(crate) empty: Server,
    pub(crate) bare: Server,
    pub(crate) client: Client,
    pub(crate) refresh_tokens: Arc<Mutex<VecDeque<String>>>,
    pub(crate) access_token: String,
    pub(crate) stateless: Stateless,
    /// A client in a session of 2025-11-25.
    pub(crate) session: Mcp,
    // People sign in there for as long as the bench runs.
    _descope: descope_emulator::Running,
}

impl Bench {
    /// Starts everything, with `records` live records in the application's store besides its own, and signs in.
    /// `variables` are those of the application that are not to have their defaults.
    ///
    /// # Errors
    ///
    /// If something does not start.
    pub async fn start(
        launcher: &Launcher,
        records: u64,
        variables: &[(String, String)],
    ) -> Result<Self> {
        let starting = launcher.servers.spawn(Emulator::start(Config::for_tests()));
        let descope = starting.await?.context("the emulator does not start")?;
        let own = gatehouse(&descope, variables)?;
        let with_fixtures = with_tools(&own, "conformance_tools.wasm");
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
            empty: launcher.start(component("empty", "")?).await?,
            bare: launcher.start(bare()?).await?,
            fixtures: (with_fixtures, fixtures_client),
            client,
            refresh_tokens: Arc::new(Mutex::new(refresh_tokens)),
            stateless: Stateless::new(mcp, &access_token),
            session,
            access_token,
            gatehouse,
            _descope: descope,
        })
    }

    /// How often components have read from a store so far, and written to one, where the host counts.
    pub fn operations(&self) -> Option<(u64, u64)> {
        let servers = [&self.gatehouse, &self.fixtures.0, &self.bare];
        let mut sum = (0, 0);
        for server in servers {
            let (reads, writes) = server.operations()?;
            sum = (sum.0 + reads, sum.1 + writes);
        }
        Some(sum)
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

/// The application of the repository's `spin.toml`, over the emulator.
fn gatehouse(
    descope: &descope_emulator::Running,
    changed: &[(String, String)],
) -> Result<Application> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("spin.toml"))?;
    // Its Wasm may lie in another folder than the one that it names.
    let folder = components();
    let folder = folder.to_string_lossy();
    let manifest = text.replace("target/wasm32-wasip2/wasm", &folder).parse()?;
    let clients = json!([{
        "client_id": RESOURCE_SERVER,
        "client_secret": SECRET,
        "grant_types": ["client_credentials"],
        "resource_server": true,
    }]);
    let mut variables = vec![
        ("encryption_key".to_owned(), ENCRYPTION_KEY.to_owned()),
        ("registrations_per_hour".to_owned(), "10000000".to_owned()),
        ("clients".to_owned(), clients.to_string()),
    ];
    let provider = Provider::Descope.variables(descope).into_iter();
    variables.extend(provider.map(|(name, value)| (name.to_owned(), value)));
    variables.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
    variables.extend_from_slice(changed);
    Ok(Application {
        name: "gatehouse",
        manifest,
        variables,
    })
}

/// The same application with other tools.
fn with_tools(application: &Application, wasm: &str) -> Application {
    let mut manifest = application.manifest.clone();
    let dependencies = manifest
        .get_mut("component")
        .and_then(|components| components.get_mut("mcp")?.get_mut("dependencies"))
        .and_then(Value::as_table_mut);
    for (name, dependency) in dependencies.into_iter().flatten() {
        if name.starts_with("gatehouse:tools/") {
            *dependency = Value::Table(path(&components().join(wasm)));
        }
    }
    Application {
        name: "fixtures",
        manifest,
        variables: application.variables.clone(),
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = target.join("wasm32-wasip2/wasm");
    std::path::absolute(&folder).unwrap_or(folder)
}
