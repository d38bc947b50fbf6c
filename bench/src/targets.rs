//! What is measured.

use anyhow::{Context, Result};
use host::{Counters, Host};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tests::{Client, Gatehouse, Mcp, Person, Settings};
use tokio::sync::Mutex;

/// Grants that the refresh target works on: one for each connection, so that none waits for
/// another.
const GRANTS: usize = 64;

/// The client that introspects, and its secret.
const RESOURCE_SERVER: &str = "bench";
const SECRET: &str = "nothing-to-guard-and-as-long-as-it-has-to-be";

/// A kind of request, and how it is answered.
#[derive(Clone)]
pub struct Target {
    /// What the table calls it.
    pub name: String,
    /// The status of every answer.
    pub status: u16,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Get(String),
    Call {
        url: String,
        token: String,
    },
    Register(String),
    Refresh {
        url: String,
        client_id: String,
        tokens: Arc<Mutex<VecDeque<String>>>,
    },
    Introspect {
        url: String,
        token: String,
    },
}

impl Target {
    /// The next request, or `None` when there is nothing to send it with.
    pub async fn next(&self, http: &reqwest::Client) -> Option<RequestBuilder> {
        Some(match &self.kind {
            Kind::Get(url) => http.get(url),
            Kind::Call { url, token } => http
                .post(url)
                .bearer_auth(token)
                .header("accept", "application/json, text/event-stream")
                .header("mcp-protocol-version", "2025-11-25")
                .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                    "params": { "name": "add", "arguments": { "a": 2, "b": 3 } } })),
            Kind::Register(url) => http.post(url).json(&json!({
                "client_name": "Bench",
                "redirect_uris": ["http://127.0.0.1/callback"],
                "token_endpoint_auth_method": "none",
            })),
            Kind::Refresh {
                url,
                client_id,
                tokens,
            } => {
                let token = tokens.lock().await.pop_front()?;
                http.post(url).form(&[
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token.as_str()),
                    ("client_id", client_id),
                ])
            }
            Kind::Introspect { url, token } => http
                .post(url)
                .basic_auth(RESOURCE_SERVER, Some(SECRET))
                .form(&[("token", token)]),
        })
    }

    /// Takes from an answer what the next request needs.
    pub async fn answered(&self, body: &[u8]) {
        if let Kind::Refresh { tokens, .. } = &self.kind
            && let Ok(answer) = serde_json::from_slice::<Value>(body)
            && let Some(token) = answer["refresh_token"].as_str()
        {
            tokens.lock().await.push_back(token.to_owned());
        }
    }
}

/// The application and the empty component, each on a host of its own.
pub struct Bench {
    gatehouse: Gatehouse,
    empty: host::Running,
    client: Client,
    refresh_tokens: Arc<Mutex<VecDeque<String>>>,
    access_token: String,
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
    /// Starts both, with records in a SQLite file, and signs in.
    ///
    /// # Errors
    ///
    /// If something does not start.
    pub async fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("gatehouse-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let settings = Settings {
            key_value: host::KeyValue::sqlite(folder.join("bench.db")),
            ..Settings::default()
        };
        let clients = json!([{
            "client_id": RESOURCE_SERVER,
            "client_secret": SECRET,
            "grant_types": ["client_credentials"],
        }]);
        let gatehouse = Gatehouse::start_with(
            settings
                .variable("registrations_per_hour", "10000000")
                .variable("clients", clients.to_string()),
        )
        .await;
        let manifest = folder.join("spin.toml");
        let wasm = wasm("bench_empty");
        std::fs::write(
            &manifest,
            format!(
                "spin_manifest_version = 2\n[application]\nname = \"empty\"\n\
                 [[trigger.http]]\nroute = \"/...\"\ncomponent = \"empty\"\n\
                 [component.empty]\nsource = {:?}\n",
                wasm
            ),
        )?;
        let empty = Host::builder(manifest)
            .start()
            .await
            .context("the empty component")?;
        let client = Client::register(&gatehouse).await;
        let person = Person::new();
        let access_token = client.sign_in(&person).await.access;
        let mut refresh_tokens = VecDeque::new();
        for _ in 0..GRANTS {
            refresh_tokens.push_back(client.sign_in(&person).await.refresh);
        }
        Mcp::new(gatehouse.url("/mcp"), Some(&access_token))
            .call("add", json!({ "a": 2, "b": 3 }))
            .await;
        Ok(Self {
            gatehouse,
            empty,
            client,
            refresh_tokens: Arc::new(Mutex::new(refresh_tokens)),
            access_token,
            folder: Folder(folder),
        })
    }

    /// What is measured, the empty component first.
    ///
    /// # Errors
    ///
    /// If a fresh access token cannot be had.
    pub async fn targets(&self) -> Result<Vec<Target>> {
        let target = |name: &str, status, kind| Target {
            name: name.to_owned(),
            status,
            kind,
        };
        Ok(vec![
            target("empty component", 200, Kind::Get(self.empty.url())),
            target(
                "GET metadata",
                200,
                Kind::Get(
                    self.gatehouse
                        .url("/.well-known/oauth-authorization-server"),
                ),
            ),
            target(
                "tools/call add on /mcp",
                200,
                Kind::Call {
                    url: self.gatehouse.url("/mcp"),
                    token: self.access_token.clone(),
                },
            ),
            target(
                "POST /register",
                201,
                Kind::Register(self.gatehouse.url("/register")),
            ),
            target(
                "refresh at /token",
                200,
                Kind::Refresh {
                    url: self.gatehouse.url("/token"),
                    client_id: self.client.id().to_owned(),
                    tokens: self.refresh_tokens.clone(),
                },
            ),
            target(
                "POST /introspect",
                200,
                Kind::Introspect {
                    url: self.gatehouse.url("/introspect"),
                    token: self.access_token.clone(),
                },
            ),
        ])
    }

    /// A store beside the application's, with nothing in it.
    pub fn another_store(&self) -> host::KeyValue {
        host::KeyValue::sqlite(self.folder.0.join("another.db"))
    }

    /// The application.
    pub fn gatehouse(&self) -> &Gatehouse {
        &self.gatehouse
    }

    /// What the application's components have done so far.
    pub fn counters(&self) -> Counters {
        self.gatehouse.host.counters()
    }

    /// Prints the size of every component.
    ///
    /// # Errors
    ///
    /// If the folder of components cannot be read.
    pub fn print_sizes(&self) -> Result<()> {
        let folder = wasm("x");
        let folder = folder.parent().context("a folder of components")?;
        let mut files: Vec<_> = std::fs::read_dir(folder)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "wasm")
            })
            .collect();
        files.sort();
        for file in files {
            println!(
                "{:<40} {:>8.0} KB",
                file.file_stem().unwrap_or_default().to_string_lossy(),
                std::fs::metadata(&file)?.len() as f64 / 1000.0
            );
        }
        Ok(())
    }
}

fn wasm(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target
        .join("wasm32-wasip2/wasm")
        .join(format!("{name}.wasm"))
}
