//! The platform as WASI 0.3, through `spin_sdk`.

pub(crate) mod clock;
pub(crate) mod entry;
pub(crate) mod exchange;
pub(crate) mod key_value;
pub(crate) mod redis;
pub(crate) mod scheduling;
pub(crate) mod variables;

pub use spin_sdk::wasip3::{self, spawn};

/// Whether an instance goes on after a request, and may serve others.
pub const OUTLIVES_A_REQUEST: bool = true;

/// For bindings of further contracts: two versions in one component would be two async runtimes.
/// Its `generate!` wants `runtime_path: "platform::wit_bindgen::rt"`.
pub use spin_sdk::wit_bindgen;
