//! The restrictions of hosts that run applications for others, as they document them.
//!
//! `gatehouse-host` serves an application under them; `cargo xtask deploy` compares an application with them before it is deployed.

use std::time::Duration;

/// What an application gets of a host at most. By default nothing is restricted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLimits {
    /// How long a request may take, its response's body included; then it is cut. Without a response it is answered 500.
    pub request_timeout: Option<Duration>,
    /// How many bytes the body of a request may have; a larger one is answered 413.
    pub max_body_bytes: Option<u64>,
    /// How many bytes the Wasm of the application may have in all. The embedded host does not check it.
    pub max_application_bytes: Option<u64>,
    /// How many bytes of memory an instance may have.
    pub max_memory_bytes: Option<usize>,
    /// Whether an instance of a component of WASI 0.3 serves more than one request.
    pub instance_reuse: bool,
    /// Which handlers a component may export.
    pub handlers: Handlers,
    /// Whether components reach each other at `http://<component>.spin.internal`.
    pub service_chaining: bool,
    /// How many HTTP requests the application may send in an hour, those to its own components not among them.
    pub max_outbound_per_hour: Option<u32>,
    /// The restrictions of key-value stores.
    pub key_value: KeyValueLimits,
}

/// The handlers of HTTP requests that a component may export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handlers {
    /// `wasi:http/incoming-handler@0.2` and `wasi:http/handler@0.3`.
    All,
    /// `wasi:http/incoming-handler@0.2.0`, and no later version.
    ExactlyWasi0_2_0,
}

/// What an application gets of key-value stores at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValueLimits {
    /// Whether there is no store but that of the label `default`.
    pub default_store_only: bool,
    /// Whether components can import `wasi:keyvalue/batch`.
    pub batch: bool,
    /// Whether components can import `wasi:keyvalue/atomics`.
    pub atomics: bool,
    /// How many bytes a key may have.
    pub max_key_bytes: Option<usize>,
    /// How many bytes a value may have.
    pub max_value_bytes: Option<usize>,
    /// How many keys a store may have.
    pub max_keys: Option<usize>,
    /// How many keys may be read from a store in a second. Listing the keys counts as one.
    pub max_reads_per_second: Option<u32>,
    /// How many keys of a store may be written in a second.
    pub max_writes_per_second: Option<u32>,
    /// How long a region does not see what another one has written. With it, the header `x-test-region` of a request names its
    /// region, every instance serves one request, and requests without the header share a region. Atomics see every region.
    pub replication_lag: Option<Duration>,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            request_timeout: None,
            max_body_bytes: None,
            max_application_bytes: None,
            max_memory_bytes: None,
            instance_reuse: true,
            handlers: Handlers::All,
            service_chaining: true,
            max_outbound_per_hour: None,
            key_value: KeyValueLimits::default(),
        }
    }
}

impl Default for KeyValueLimits {
    fn default() -> Self {
        Self {
            default_store_only: false,
            batch: true,
            atomics: true,
            max_key_bytes: None,
            max_value_bytes: None,
            max_keys: None,
            max_reads_per_second: None,
            max_writes_per_second: None,
            replication_lag: None,
        }
    }
}

impl HostLimits {
    /// Those of Akamai Functions, as documented in November 2026. It has many regions; which lag there is between them is not
    /// documented, and a test sets it.
    pub fn akamai() -> Self {
        Self {
            request_timeout: Some(Duration::from_secs(30)),
            max_body_bytes: Some(10 << 20),
            max_application_bytes: Some(50 << 20),
            max_memory_bytes: Some(128 << 20),
            instance_reuse: false,
            handlers: Handlers::All,
            service_chaining: true,
            max_outbound_per_hour: None,
            key_value: KeyValueLimits {
                default_store_only: true,
                batch: true,
                atomics: false,
                max_key_bytes: Some(8 << 10),
                max_value_bytes: Some(1 << 20),
                max_keys: None,
                max_reads_per_second: Some(1_000),
                max_writes_per_second: Some(50),
                replication_lag: None,
            },
        }
    }

    /// Those of Fermyon Cloud, as documented in November 2026.
    pub fn fermyon_cloud() -> Self {
        Self {
            request_timeout: Some(Duration::from_secs(30)),
            max_body_bytes: Some(10_000_000),
            max_application_bytes: Some(100_000_000),
            max_memory_bytes: None,
            instance_reuse: false,
            handlers: Handlers::ExactlyWasi0_2_0,
            service_chaining: false,
            max_outbound_per_hour: Some(500),
            key_value: KeyValueLimits {
                default_store_only: true,
                batch: false,
                atomics: false,
                max_key_bytes: Some(255),
                max_value_bytes: Some(1_000_000),
                max_keys: Some(1_024),
                max_reads_per_second: None,
                max_writes_per_second: None,
                replication_lag: None,
            },
        }
    }

    /// Whether an instance of a component of WASI 0.3 serves more than one request: not where the region is that of a request.
    pub fn reuses_instances(&self) -> bool {
        self.instance_reuse && self.key_value.replication_lag.is_none()
    }
}
