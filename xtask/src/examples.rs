//! Building the examples with the commands that docs/tools.md gives.

use crate::install::{executable, node_packages, npm, python_packages};
use crate::shell::{cargo, program, root, run, step};
use crate::toolchain::WASM;
use anyhow::{Context, Result};
use std::path::Path;

/// Builds the tools of `examples/` in every language, into `target/examples`.
///
/// # Errors
///
/// If what builds them cannot be installed, or one does not build.
pub fn build() -> Result<()> {
    let output = root().join("target/examples");
    std::fs::create_dir_all(&output).context("target/examples cannot be made")?;
    rust(&output)?;
    javascript(&output)?;
    python(&output)
}

fn rust(output: &Path) -> Result<()> {
    step("Building the example in Rust");
    run(cargo()
        .current_dir(root().join("examples/tools-rust"))
        .args(["build", "--locked", "--release", "--target", WASM])
        .arg("--target-dir")
        .arg(output))
}

fn javascript(output: &Path) -> Result<()> {
    step("Building the example in JavaScript");
    let folder = root().join("examples/tools-js");
    node_packages(&folder)?;
    run(npm("npx", &folder)
        .args(["componentize-qjs", "--wit", "../../wit/tools"])
        .args(["-n", "tools-component", "--js", "tools.js", "-o"])
        .arg(output.join("tools_js.wasm")))
}

fn python(output: &Path) -> Result<()> {
    step("Building the example in Python");
    let folder = root().join("examples/tools-python");
    let componentize = python_packages(&folder)?.join(executable("componentize-py"));
    run(program(componentize)
        .current_dir(folder)
        .args(["-d", "../../wit/tools", "-w", "tools-component"])
        .args(["componentize", "app", "-o"])
        .arg(output.join("tools_python.wasm")))
}
