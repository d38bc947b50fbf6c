//! Runs a Spin application on an embedded Wasmtime, where no Spin is installed, and in tests.
//!
//! It reads the same `spin.toml` and `runtime-config.toml` as Spin, composes the same dependencies and serves the same routes, and
//! behaves as Spin does. What of a manifest it does not support stops the start, with a message that names it:
//!
//! - HTTP triggers with components of WASI 0.2 (`wasi:http/incoming-handler@0.2`) or 0.3 (`wasi:http/handler@0.3`), or with
//!   static responses;
//! - component dependencies, with the grants that they inherit;
//! - Wasm in files, and at `{ url = "...", digest = "sha256:..." }`, which is fetched once and kept; not in registries
//!   (`{ registry = "...", package = "...", version = "..." }`), whose client is larger than the rest of the host;
//! - key-value stores on SQLite or Redis (`fermyon:spin/key-value@2.0.0`, `spin:key-value@3.0.0`, `wasi:keyvalue@0.2.0-draft2`);
//! - variables (`fermyon:spin/variables@2.0.0`, `spin:variables@3.0.0`), and templates over them;
//! - outbound HTTP within `allowed_outbound_hosts`, to other components at `http://<component>.spin.internal` included;
//! - outbound Redis within `allowed_outbound_hosts` (`fermyon:spin/redis@2.0.0`, `spin:redis@3.0.0`).
//!
//! ```no_run
//! # async fn run() -> Result<(), gatehouse_host::StartError> {
//! use gatehouse_host::{Host, KeyValue};
//!
//! let running = Host::builder("spin.toml")
//!     .key_value(KeyValue::memory())
//!     .variables_for(|address| vec![("public_url", format!("http://{address}"))])
//!     .start()
//!     .await?;
//! println!("{}", running.url());
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod allowed_hosts;
mod bindings;
mod blocked_networks;
mod cache;
mod clock;
mod component;
mod compose;
mod deadline;
mod denied_imports;
mod download;
mod engine;
mod handler;
mod headers;
mod hooks;
mod host;
mod http_connector;
mod http_tap;
mod key_value;
mod limits;
mod logs;
pub mod manifest;
mod memory;
mod outbound;
mod outbound_grant;
mod outbound_redis;
mod rate;
mod registry;
mod routes;
mod running;
mod runtime_config;
mod server;
mod sources;
mod start;
mod state;
mod stop_signal;
mod template;
mod timed_body;
mod variables;

pub use clock::Clock;
pub use composition::{ComposeError, DependencyName};
pub use engine::ComponentError;
pub use hooks::{Counters, Hooks, KeyValueCall, Operation, OutboundCall, RedisCall};
pub use host::Host;
pub use host_limits::{Handlers, HostLimits, KeyValueLimits};
pub use http_tap::HttpTap;
pub use key_value::{KeyValue, KeyValueError, KeyValueStore};
pub use limits::Limits;
pub use logs::Logs;
pub use running::Running;
pub use runtime_config::RuntimeConfigError;
pub use sources::{SourceError, Sources, fetch};
pub use start::StartError;
pub use stop_signal::stop_signal;
pub use variables::{VariableError, VariableSource};
