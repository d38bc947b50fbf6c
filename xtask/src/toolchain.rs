//! The one thing that Wasm needs besides cargo.

use crate::shell::{self, output, program, run};
use anyhow::{Context, Result};
use std::path::Path;

/// The target that components are built for.
pub const WASM: &str = "wasm32-wasip2";

/// Whether the toolchain in use can build for [`WASM`].
pub fn has_wasm() -> bool {
    output(program("rustc").args(["--print", "target-libdir", "--target", WASM]))
        .is_some_and(|folder| Path::new(&folder).is_dir())
}

/// Installs [`WASM`] if it is missing.
///
/// # Errors
///
/// If rustup is not there or cannot install it.
pub fn ensure_wasm() -> Result<()> {
    if has_wasm() {
        return Ok(());
    }
    shell::step(&format!("Installing the target {WASM}"));
    run(program("rustup").args(["target", "add", WASM])).with_context(|| {
        format!(
            "The target {WASM} is missing. Install it with `rustup target add {WASM}`, or with the package manager your Rust came from"
        )
    })
}
