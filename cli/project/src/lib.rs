//! The folder of an application, and what is done to it: for the command `gatehouse`, and for `cargo xtask`, which works
//! on Gatehouse's own.
//!
//! Nothing here serves or fetches: this crate stays small, because `cargo xtask` waits for it before it does anything.

#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "for programs for a terminal"
)]

pub mod builds;
mod connect;
pub mod deploy;
pub mod doctor;
pub mod environment;
pub mod flavours;
pub mod identity;
pub mod identity_component;
pub mod launch;
pub mod manifest;
mod project;
pub mod release;
pub mod report;
mod runtime_config;
pub mod sdk_lock;
pub mod servers;
pub mod shell;
pub mod templates;

pub use project::{MANIFEST, Project};
