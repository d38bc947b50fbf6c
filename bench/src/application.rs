//! What runs while it is measured.

use anyhow::{Context, Result};
use host::Host;
use serde_json::json;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use tests::{Client, Gatehouse, Mcp, Person, Settings, Stateless};
use tokio::sync::Mutex;

/// Grants that the refresh target works on: one for each connection, so that none waits for
/// another.
const GRANTS: usize = 64;

/// The client that introspects, and its secret.
pub const RESOURCE_SERVER: &str = "bench";
pub const SECRET: &str = "nothing-to-guard-and-as-long-as-it-has-to-be";

/// The application and what it is held against, each on a host of its own, and who talks to it.
pub struct Bench {
    pub(crate) gatehouse: Gatehouse,
    /// The application with the tools of tests/conformance, and a client of it.
    pub(crate) fixtures: (Gatehouse, Stateless),
    pub(crate) empty: host::Running,
    pub(crate) bare: host::Running,
    pub(crate) client: Client,
    pub(crate) refresh_tokens: Arc<Mutex<VecDeque<String>>>,
    pub(crate) access_token: String,
    pub(crate) stateless: Stateless,
    /// A client in a session of 2025-11-25.
    pub(crate) session: Mcp,
    // Holds the SQLite files for as long as the bench runs.
    folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

impl Bench {
    /// Starts everything, with records in SQLite files, and signs in.
    ///
    /// # Errors
    ///
    /// If something does not start.
    pub async fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("gatehouse-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let folder = Folder(folder);
        let clients = json!([{
            "client_id": RESOURCE_SERVER,
            "client_secret": SECRET,
            "grant_types": ["client_credentials"],
            "resource_server": true,
        }]);
        let settings = folder.settings("bench.db");
        let gatehouse = Gatehouse::start_with(
            settings
                .variable("registrations_per_hour", "10000000")
                .variable("clients", clients.to_string()),
        )
        .await;
        let client = Client::register(&gatehouse).await;
        let person = Person::new();
        let access_token = client.sign_in(&person).await.access;
        let mut refresh_tokens = VecDeque::new();
        for _ in 0..GRANTS {
            refresh_tokens.push_back(client.sign_in(&person).await.refresh);
        }
        let settings = folder.settings("fixtures.db").conformance_tools();
        let with_fixtures = Gatehouse::start_with(settings).await;
        let fixtures_client = Client::register(&with_fixtures).await;
        let token = fixtures_client.sign_in(&person).await.access;
        let fixtures_client = Stateless::new(with_fixtures.url("/mcp"), &token);
        Ok(Self {
            empty: folder.empty().await?,
            bare: folder.bare().await?,
            fixtures: (with_fixtures, fixtures_client),
            client,
            refresh_tokens: Arc::new(Mutex::new(refresh_tokens)),
            stateless: Stateless::new(gatehouse.url("/mcp"), &access_token),
            session: Mcp::initialized(&gatehouse, &access_token).await,
            access_token,
            gatehouse,
            folder,
        })
    }

    /// A store beside the application's, with nothing in it.
    pub fn another_store(&self, name: &str) -> host::KeyValue {
        self.folder.store(name)
    }

    /// How often components have read from a store so far, and written to one.
    pub fn operations(&self) -> (u64, u64) {
        let hosts = [&self.gatehouse.host, &self.fixtures.0.host, &self.bare];
        let counters = hosts.map(host::Running::counters);
        let reads = counters.iter().map(|host| host.reads()).sum();
        (reads, counters.iter().map(|host| host.writes()).sum())
    }
}

impl Folder {
    fn store(&self, name: &str) -> host::KeyValue {
        host::KeyValue::sqlite(self.0.join(name))
    }

    /// Of an application that no one watches: that would be measured too.
    fn settings(&self, name: &str) -> Settings {
        Settings {
            key_value: self.store(name),
            is_watched: false,
            ..Settings::default()
        }
    }

    async fn empty(&self) -> Result<host::Running> {
        self.component("empty", "").await
    }

    /// The component that a call of a tool is held against.
    async fn bare(&self) -> Result<host::Running> {
        let tools = crate::sizes::components().join("gatehouse_tools.wasm");
        let parts = format!(
            "key_value_stores = [\"default\"]\n\
             [component.bare.dependencies]\n\
             \"gatehouse:tools/tools@0.3.0\" = {{ path = {tools:?} }}\n"
        );
        self.component("bare", &parts).await
    }

    /// A component of the bench alone, and what its part of the manifest has besides its source.
    async fn component(&self, name: &str, parts: &str) -> Result<host::Running> {
        let manifest = self.0.join(format!("{name}.toml"));
        let wasm = crate::sizes::components().join(format!("bench_{name}.wasm"));
        std::fs::write(
            &manifest,
            format!(
                "spin_manifest_version = 2\n[application]\nname = \"{name}\"\n\
                 [[trigger.http]]\nroute = \"/...\"\ncomponent = \"{name}\"\n\
                 [component.{name}]\nsource = {wasm:?}\n{parts}"
            ),
        )?;
        let store = self.store(&format!("{name}.db"));
        let host = Host::builder(manifest).key_value(store).start().await;
        host.with_context(|| format!("the {name} component"))
    }
}
