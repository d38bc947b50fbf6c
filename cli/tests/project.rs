//! Projects from their templates: their packages, their builds and their tests as README.md says.

mod common;

use common::{Releases, bad, built, free_address, good, new_project};
use project::Project;
use project::builds::{self, PORTABLE};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// Returns a folder of the repository.
fn repository(folder: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join(folder)
}

/// Makes a project of a release with the built components and the packages that are in its folder.
fn new(folder: &Path, releases: &Releases, language: &str) -> PathBuf {
    releases.seal(VERSION, |name| match name.ends_with(".wasm") {
        true => fs::read(built(name)).unwrap(),
        false => name.as_bytes().to_vec(),
    });
    new_project(&releases.url(VERSION), folder, "hello", language)
}

fn call(project: &Path) {
    let address = free_address();
    let called = good(
        project,
        &["call", "--listen", &address, "greet", "--name", "Ada"],
    );
    assert!(called.contains("Hello, Ada!"), "{called}");
}

/// Builds the tools for hosts of WASI 0.2, into this file.
fn build_portable(folder: &Path, wasm: &str) {
    let project = Project::new(folder);
    let manifest = project.manifest().unwrap();
    for build in builds::of_manifest(&project, &manifest, Some(PORTABLE)).unwrap() {
        build.run().unwrap();
    }
    assert!(folder.join(wasm).is_file());
}

#[test]
fn a_project_in_python_is_made_tested_built_and_called() {
    let folder = tempfile::tempdir().unwrap();
    let releases = Releases::new();
    // One environment makes the package of the SDK and becomes the project's.
    let environment = folder.path().join("venv");
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment));
    let pip = |python: &Path| {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
        pip
    };
    run(pip(&environment.join("bin/python"))
        .args(["wheel", "--no-deps", "--wheel-dir"])
        .arg(releases.folder(VERSION))
        .arg(repository("sdk/python")));
    let project = new(folder.path(), &releases, "python");
    fs::rename(&environment, project.join(".venv")).unwrap();
    let python = project.join(".venv/bin/python");
    run(pip(&python)
        .current_dir(&project)
        .args(["install", "--requirement", "requirements.txt"]));
    run(Command::new(&python)
        .current_dir(&project)
        .args(["-m", "unittest", "--quiet"]));
    call(&project);
    build_portable(&project, "hello.portable.wasm");
}

/// Changes the text of a file.
fn edit(file: &Path, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, change(text)).unwrap();
}

/// Lets a project's builds take what the builds of the examples in Rust have compiled, and add to it: these have the same
/// dependencies. Its own profile for releases has the same name as theirs then.
fn share_dependencies(project: &Path) {
    fs::copy(
        repository("examples/weather-rust/Cargo.lock"),
        project.join("Cargo.lock"),
    )
    .unwrap();
    let build_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let build_dir = format!(
        "\n[build]\nbuild-dir = {:?}\n",
        build_dir.display().to_string()
    );
    edit(&project.join(".cargo/config.toml"), |text| {
        text + &build_dir
    });
    let profile = "\n[profile.wasm-dev]\ninherits = \"release\"\n";
    edit(&project.join("Cargo.toml"), |text| text + profile);
    edit(&project.join("spin.toml"), |text| {
        text.replace("--release", "--profile wasm-dev")
            .replace("wasm32-wasip2/release", "wasm32-wasip2/wasm-dev")
    });
}

/// Removes what Cargo keeps of the registry of a release.
fn forget_registry(release: &str) {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let registry = home.unwrap().join("registry");
    for index in fs::read_dir(registry.join("index")).unwrap() {
        let index = index.unwrap();
        let config = fs::read_to_string(index.path().join("config.json"));
        if config.is_ok_and(|config| config.contains(release)) {
            for kind in ["cache", "src", "index"] {
                fs::remove_dir_all(registry.join(kind).join(index.file_name())).unwrap();
            }
        }
    }
}

#[test]
fn a_project_in_rust_is_made_tested_built_and_called() {
    // Where the workspace's flags for rustc hold.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let releases = Releases::new();
    let url = releases.url(VERSION);
    let base = url.strip_suffix(VERSION).unwrap();
    run(Command::new(env!("CARGO"))
        .current_dir(repository(""))
        .args(["xtask", "dist", "--url", base, "--crates-into"])
        .arg(releases.folder(VERSION)));
    let project = new(folder.path(), &releases, "rust");
    share_dependencies(&project);
    run(Command::new("cargo")
        .current_dir(&project)
        .args(["test", "--quiet"]));
    call(&project);
    build_portable(
        &project,
        "target/wasm32-wasip2/wasm-dev/hello.portable.wasm",
    );
    forget_registry(&url);
}

#[test]
fn a_project_in_javascript_is_made_tested_built_and_called() {
    let folder = tempfile::tempdir().unwrap();
    let releases = Releases::new();
    run(Command::new("npm")
        .current_dir(repository("sdk/js"))
        .args(["pack", "--silent", "--pack-destination"])
        .arg(releases.folder(VERSION)));
    let project = new(folder.path(), &releases, "js");
    // Without `npm install` no package of this name is fetched from elsewhere.
    let missing = bad(&project, &["build"]);
    assert!(
        missing.contains("README.md says what to install first"),
        "{missing}"
    );
    for arguments in [
        &["install", "--no-audit", "--no-fund"][..],
        &["test", "--silent"],
    ] {
        run(Command::new("npm").current_dir(&project).args(arguments));
    }
    call(&project);
    build_portable(&project, "hello.portable.wasm");
    let lock = project.join("package-lock.json");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replace("sha512-", "sha512-other")).unwrap();
    let refused = bad(&project, &["build"]);
    assert!(
        refused.contains("another gatehouse-sdk than the release"),
        "{refused}"
    );
}
