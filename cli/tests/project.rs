//! A project in Python from its template: its package, its build and its tests as README.md says.

mod common;

use common::{Releases, built, free_address, good};
use std::fs;
use std::path::Path;
use std::process::Command;

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

#[test]
fn a_project_in_python_is_made_tested_built_and_called() {
    let folder = tempfile::tempdir().unwrap();
    let releases = Releases::new();
    let release = releases.folder(env!("CARGO_PKG_VERSION"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // One environment makes the package of the SDK and becomes the project's.
    let environment = folder.path().join("venv");
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment));
    let python = environment.join("bin/python");
    let pip = || {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
        pip
    };
    run(pip()
        .args(["wheel", "--no-deps", "--wheel-dir"])
        .arg(&release)
        .arg(root.join("sdk/python")));
    releases.seal(env!("CARGO_PKG_VERSION"), |name| {
        fs::read(built(name)).unwrap()
    });
    let url = releases.url(env!("CARGO_PKG_VERSION"));
    good(
        folder.path(),
        &["new", "hello", "--lang", "python", "--release", &url],
    );
    let project = folder.path().join("hello");
    fs::rename(&environment, project.join(".venv")).unwrap();
    let python = project.join(".venv/bin/python");
    let mut install = Command::new(&python);
    run(install
        .current_dir(&project)
        .args(["-m", "pip", "--quiet", "--disable-pip-version-check"])
        .args(["install", "--requirement", "requirements.txt"]));
    run(Command::new(&python)
        .current_dir(&project)
        .args(["-m", "unittest", "--quiet"]));
    let address = free_address();
    let called = good(
        &project,
        &["call", "--listen", &address, "greet", "--name", "Ada"],
    );
    assert!(called.contains("Hello, Ada!"), "{called}");
}
