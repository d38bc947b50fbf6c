//! Building the examples with the commands that docs/tools.md gives.

use crate::build::{Profile, shared_build_dir};
use crate::install::{executable, node_packages, npm, python_packages};
use crate::shell::{cargo, program, root, run, step};
use crate::toolchain::WASM;
use anyhow::{Context, Result};
use std::path::Path;

/// The Wasm of the examples, as `spin.toml` would name it. That for hosts of WASI 0.2 lies beside it.
pub const EXAMPLES: [&str; 4] = [
    "target/examples/weather_rust.wasm",
    "target/examples/tools_rust.wasm",
    "target/examples/tools_js.wasm",
    "target/examples/tools_python.wasm",
];

/// The tools of the black-box tests that ask the host for what they may have, from the folders of the examples.
const HTTP_JS: &str = "../../tests/tools-http/app.js";
const HTTP_PYTHON: &str = "../../tests/tools-http/app.py";

/// Builds the tools of `examples/` in every language and those of `tests/tools-http`, for both contracts, into
/// `target/examples`.
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
    // Their release profile, under the name whose build has what these share with the components.
    let profile = Profile::Development.name();
    let inherits = format!("profile.{profile}.inherits=\"release\"");
    for example in ["tools", "weather"] {
        step(&format!("Building the example {example} in Rust"));
        let folder = root().join(format!("examples/{example}-rust"));
        let target = output.join("rust");
        for (extension, features) in [
            ("wasm", None),
            ("portable.wasm", Some("gatehouse-sdk/portable")),
        ] {
            run(cargo()
                .current_dir(&folder)
                .args(["build", "--locked", "--profile", profile, "--target", WASM])
                .args(["--config", &inherits, "--config", &shared_build_dir()])
                .args(
                    features
                        .into_iter()
                        .flat_map(|features| ["--features", features]),
                )
                .arg("--target-dir")
                .arg(&target))?;
            let built = target.join(format!("{WASM}/{profile}/{example}_rust.wasm"));
            let name = format!("{example}_rust.{extension}");
            std::fs::copy(built, output.join(&name))
                .with_context(|| format!("{name} cannot be written"))?;
        }
    }
    Ok(())
}

fn javascript(output: &Path) -> Result<()> {
    step("Building the example in JavaScript");
    // Those whose tests have packages of their own.
    for folder in ["sdk/js", "examples/weather-js"] {
        node_packages(&root().join(folder))?;
    }
    let folder = root().join("examples/tools-js");
    node_packages(&folder)?;
    for (app, portable, name) in [
        ("tools.js", None, "tools_js.wasm"),
        ("tools.js", Some("--portable"), "tools_js.portable.wasm"),
        (HTTP_JS, None, "http_js.wasm"),
        (HTTP_JS, Some("--portable"), "http_js.portable.wasm"),
    ] {
        run(npm("npx", &folder)
            .args(["gatehouse-sdk", "build", app, "-o"])
            .arg(output.join(name))
            .args(portable))?;
    }
    Ok(())
}

fn python(output: &Path) -> Result<()> {
    step("Building the example in Python");
    let folder = root().join("examples/tools-python");
    let python = python_packages(&folder)?.join(executable("python"));
    for (app, portable, name) in [
        ("app.py", None, "tools_python.wasm"),
        ("app.py", Some("--portable"), "tools_python.portable.wasm"),
        (HTTP_PYTHON, None, "http_python.wasm"),
        (HTTP_PYTHON, Some("--portable"), "http_python.portable.wasm"),
    ] {
        run(program(&python)
            .current_dir(&folder)
            .args(["-m", "gatehouse", "build", app, "-o"])
            .arg(output.join(name))
            .args(portable))?;
    }
    Ok(())
}
