//! The state that every instance of a component shares.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use host_limits::HostLimits;

use crate::{
    hooks::{Hooks, LiveCounters},
    key_value::Stores,
    logs::Logs,
    outbound_grant::Outbound,
};

/// A component with its grants, resolved.
pub(crate) struct Component {
    pub(crate) id: String,
    pub(crate) variables: HashMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) key_value_stores: BTreeSet<String>,
    pub(crate) key_value: Arc<Stores>,
    pub(crate) outbound: Outbound,
    pub(crate) limits: Arc<HostLimits>,
    pub(crate) hooks: Hooks,
    pub(crate) counters: LiveCounters,
    pub(crate) logs: Logs,
    /// Whether the host stops, and instances end with it.
    pub(crate) stopping: AtomicBool,
}

impl Component {
    /// Reports an instance that failed, unless the host stops: one that still served then is dropped in the middle of it.
    pub(crate) fn report_failure(&self, error: &wasmtime::Error) {
        if self.stopping.load(Ordering::Relaxed) {
            return;
        }
        tracing::error!("an instance of component {:?} failed: {error:#}", self.id);
        self.logs
            .keep(&self.id, &format!("an instance failed: {error:#}"));
    }

    /// Tells the operator of a call that the component's grants do not allow.
    pub(crate) fn report_refusal(&self, refusal: &str) {
        tracing::error!("{refusal}");
        self.logs.keep(&self.id, refusal);
    }
}
