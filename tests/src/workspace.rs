//! The folder of the workspace.

use std::path::{Path, PathBuf};

/// Returns it, with no link resolved.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace")
        .to_owned()
}
