//! The platform as WASI 0.3, through `spin_sdk`.

pub(crate) mod clock;
pub(crate) mod entry;
pub(crate) mod exchange;
pub(crate) mod key_value;
pub(crate) mod redis;
pub(crate) mod scheduling;
pub(crate) mod variables;

pub use spin_sdk::wasip3::{self, spawn};

/// For bindings of further contracts: two versions in one component would be two async runtimes.
/// Its `generate!` wants `runtime_path: "platform::wit_bindgen::rt"`.
pub use spin_sdk::wit_bindgen;
