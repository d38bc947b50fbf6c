//! The interfaces of WASI 0.2's time, whose functions are synchronous. Components of WASI 0.3 import `wasi:keyvalue`, too.

mod spin;
mod wasi;
