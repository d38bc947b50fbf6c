//! Hooks of tests into a running application: they fail, delay or count its calls to the host, watch its responses, and
//! put the clock forward.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::future::BoxFuture;
use http::request;

use crate::{
    clock::Clock,
    http_tap::{HttpTap, HttpTapHook},
};

/// A call of a component to a key-value store.
#[derive(Clone, Debug)]
pub struct KeyValueCall {
    /// The component that calls.
    pub component: String,
    /// The store's label.
    pub store: String,
    /// What is to be done.
    pub operation: Operation,
    /// The key, or the first of several; empty where there is none.
    pub key: String,
}

/// A request of a component to somewhere else, after the allowed hosts are checked.
#[derive(Clone, Debug)]
pub struct OutboundCall {
    /// The component that calls.
    pub component: String,
    /// The request's method.
    pub method: http::Method,
    /// The request's URL.
    pub url: http::Uri,
}

/// A call of a component to a Redis server, after the allowed hosts are checked.
#[derive(Clone, Debug)]
pub struct RedisCall {
    /// The component that calls.
    pub component: String,
    /// The server's host and port.
    pub server: String,
    /// The command in capitals; `OPEN` for a new connection.
    pub command: String,
    /// The key or the channel, or the first of several; empty where the interface has none.
    pub key: String,
}

/// Called before an operation is done: it may wait, and an error is the operation's outcome instead.
pub(crate) type KeyValueHook =
    Arc<dyn Fn(KeyValueCall) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Called before a request is sent: it may wait, and an error is the request's outcome instead.
pub(crate) type OutboundHook =
    Arc<dyn Fn(OutboundCall) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Called before a command is sent: it may wait, and an error is the command's outcome instead.
pub(crate) type RedisHook =
    Arc<dyn Fn(RedisCall) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Faults to put between components and the host, and who watches. None by default.
#[derive(Clone, Default)]
pub struct Hooks {
    pub(crate) http_tap: Option<HttpTapHook>,
    pub(crate) key_value: Option<KeyValueHook>,
    pub(crate) outbound: Option<OutboundHook>,
    pub(crate) redis: Option<RedisHook>,
    pub(crate) clock: Clock,
}

impl Hooks {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `hook` for every request from outside. The tap that it returns, if any, observes the request and its response.
    #[must_use]
    pub fn on_http_exchange(
        mut self,
        hook: impl Fn(&request::Parts) -> Option<Box<dyn HttpTap>> + Send + Sync + 'static,
    ) -> Self {
        self.http_tap = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` before every key-value operation. What it waits for delays the operation; an error that it returns is the
    /// outcome, as an error of kind `other` with that text.
    #[must_use]
    pub fn on_key_value<F>(
        mut self,
        hook: impl Fn(KeyValueCall) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.key_value = Some(Arc::new(move |call| Box::pin(hook(call))));
        self
    }

    /// Calls `hook` before every outbound request that is allowed, chained ones included. What it waits for delays the request;
    /// an error that it returns is the outcome, as an internal error with that text.
    #[must_use]
    pub fn on_outbound<F>(
        mut self,
        hook: impl Fn(OutboundCall) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.outbound = Some(Arc::new(move |call| Box::pin(hook(call))));
        self
    }

    /// Calls `hook` before every command to a Redis server that is allowed, and before every connection. What it waits for
    /// delays the command; an error that it returns is the outcome, as an error of kind `other` with that text.
    #[must_use]
    pub fn on_redis<F>(mut self, hook: impl Fn(RedisCall) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.redis = Some(Arc::new(move |call| Box::pin(hook(call))));
        self
    }

    /// Lets components read the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hooks")
            .field("http_tap", &self.http_tap.is_some())
            .field("key_value", &self.key_value.is_some())
            .field("outbound", &self.outbound.is_some())
            .field("redis", &self.redis.is_some())
            .field("clock", &self.clock)
            .finish()
    }
}

macro_rules! operations {
    ($($name:ident: $doc:literal, $write:literal;)*) => {
        /// What a component does with a key-value store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = $doc] $name,)*
        }

        impl Operation {
            const ALL: &[Self] = &[$(Self::$name),*];

            /// Whether it changes the store.
            pub const fn writes(self) -> bool {
                match self {
                    $(Self::$name => $write,)*
                }
            }
        }
    };
}

operations! {
    Open: "Opening a store.", false;
    Get: "Reading the value of a key.", false;
    Set: "Setting the value of a key.", true;
    Delete: "Removing a key.", true;
    Exists: "Asking whether a key has a value.", false;
    Keys: "Listing the keys.", false;
    GetMany: "Reading several keys.", false;
    SetMany: "Setting several keys.", true;
    DeleteMany: "Removing several keys.", true;
    Increment: "Adding to a counter.", true;
    Swap: "Swapping a value for another.", true;
}

/// Counts of what one component did, kept while it runs.
#[derive(Debug, Default)]
pub(crate) struct LiveCounters {
    key_value: [AtomicU64; Operation::ALL.len()],
    pub(crate) requests: AtomicU64,
    pub(crate) outbound: AtomicU64,
    pub(crate) redis: AtomicU64,
    pub(crate) instances: AtomicU64,
}

impl LiveCounters {
    pub(crate) fn count(&self, operation: Operation) {
        self.key_value[operation as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Counters {
        let key_value = Operation::ALL.iter().zip(&self.key_value);
        Counters {
            key_value: key_value
                .map(|(operation, count)| (*operation, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            requests: self.requests.load(Ordering::Relaxed),
            outbound: self.outbound.load(Ordering::Relaxed),
            redis: self.redis.load(Ordering::Relaxed),
            instances: self.instances.load(Ordering::Relaxed),
        }
    }
}

/// Counts of what a component did since the host started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Key-value operations by kind, those that happened.
    pub key_value: BTreeMap<Operation, u64>,
    /// Requests that it was given.
    pub requests: u64,
    /// Requests that it sent and was allowed to send.
    pub outbound: u64,
    /// Commands that it sent to Redis servers.
    pub redis: u64,
    /// Instances that were made of it.
    pub instances: u64,
}

impl Counters {
    /// Key-value operations that read, opening a store not among them.
    pub fn reads(&self) -> u64 {
        self.sum(|operation| !operation.writes() && operation != Operation::Open)
    }

    /// Key-value operations that write.
    pub fn writes(&self) -> u64 {
        self.sum(Operation::writes)
    }

    /// What was added since an earlier look.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |operation| earlier.key_value.get(operation).copied().unwrap_or(0);
        Self {
            key_value: self
                .key_value
                .iter()
                .map(|(operation, count)| (*operation, count - before(operation)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            requests: self.requests - earlier.requests,
            outbound: self.outbound - earlier.outbound,
            redis: self.redis - earlier.redis,
            instances: self.instances - earlier.instances,
        }
    }

    fn sum(&self, wanted: impl Fn(Operation) -> bool) -> u64 {
        self.key_value
            .iter()
            .filter(|(operation, _)| wanted(**operation))
            .map(|(_, count)| count)
            .sum()
    }
}

impl std::ops::AddAssign<&Counters> for Counters {
    fn add_assign(&mut self, other: &Counters) {
        for (operation, count) in &other.key_value {
            *self.key_value.entry(*operation).or_default() += count;
        }
        self.requests += other.requests;
        self.outbound += other.outbound;
        self.redis += other.redis;
        self.instances += other.instances;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_tell_reads_from_writes_and_differences() {
        let live = LiveCounters::default();
        live.count(Operation::Open);
        live.count(Operation::Get);
        let earlier = live.snapshot();
        assert_eq!((earlier.reads(), earlier.writes()), (1, 0));
        live.count(Operation::Increment);
        live.count(Operation::Get);
        let since = live.snapshot().since(&earlier);
        assert_eq!((since.reads(), since.writes()), (1, 1));
        assert_eq!(since.key_value.get(&Operation::Open), None);
    }
}
