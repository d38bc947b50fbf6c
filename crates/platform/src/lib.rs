//! The one door to the platform: no other crate names `spin_sdk` or WASI.
//!
//! A component is an axum [`Router`](axum::Router) handed to [`http_component!`]. What else it may
//! touch is here as well, one module a capability: the key-value store, variables, outbound HTTP,
//! the clock and sleep, spawned work.
//!
//! There are two insides. `wasi3` is the main build: WASI 0.3, an instance serves many requests at once.
//! `wasi2`, which the feature `portable` chooses, is WASI 0.2 for hosts that have no other: an instance serves one
//! request, and its futures wait in an event loop of our own. What both need stands beside them, once.

#[cfg(any(feature = "portable", test))]
mod event_loop;
mod exchange_error;
pub mod http_client;
pub mod key_value;
mod panics;
mod redis;
mod serve;
pub mod time;
pub mod variables;
#[cfg(feature = "portable")]
mod wasi2;
#[cfg(not(feature = "portable"))]
mod wasi3;

pub use panics::log_panics;
#[cfg(feature = "portable")]
pub use wasi2::{OUTLIVES_A_REQUEST, block_on, note_blocking, spawn, wit_bindgen};
#[cfg(not(feature = "portable"))]
pub use wasi3::{OUTLIVES_A_REQUEST, scheduling::note_blocking, spawn, wit_bindgen};

#[doc(hidden)]
pub use axum;

/// What [`http_component!`] expands to; not for direct use.
#[doc(hidden)]
pub mod internal {
    #[cfg(feature = "portable")]
    pub use crate::wasi2::{bindings, entry::handle};
    #[cfg(not(feature = "portable"))]
    pub use crate::wasi3::{entry::handle, wasip3};
}
