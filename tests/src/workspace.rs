//! The folder of the workspace, and the Wasm that was built in it.

use std::path::{Path, PathBuf};

/// Returns it, with no link resolved.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace")
        .to_owned()
}

/// Where `spin.toml` has the Wasm.
const NAMED: &str = "target/wasm32-wasip2/wasm/";

/// Returns the folder of the Wasm that is tested.
fn built() -> PathBuf {
    std::env::var_os("GATEHOUSE_TEST_WASM")
        .map_or_else(|| root().join("target/wasm32-wasip2/wasm-dev"), Into::into)
}

/// Returns the file to test of the Wasm that `spin.toml` would name so.
pub(crate) fn wasm(path: &str) -> PathBuf {
    match path.strip_prefix(NAMED) {
        Some(name) => built().join(name),
        None => root().join(path),
    }
}

/// Returns the same, built for hosts of WASI 0.2. That of the examples lies beside what was built of them for Spin.
pub(crate) fn portable_wasm(path: &str) -> PathBuf {
    let Some(name) = path.strip_prefix(NAMED) else {
        return root().join(path).with_extension("portable.wasm");
    };
    let built = built();
    let profile = built.file_name().expect("the folder of a profile");
    root()
        .join("target/wasi2/wasm32-wasip2")
        .join(profile)
        .join(name)
}

/// Returns `spin.toml`, or what was made of it, with the Wasm to test.
pub fn over_tested_wasm(manifest: &str) -> String {
    let built = built();
    assert!(
        built.is_dir(),
        "{} is not there: `cargo xtask build --for-tests`",
        built.display()
    );
    manifest.replace(NAMED, &format!("{}/", built.display()))
}
