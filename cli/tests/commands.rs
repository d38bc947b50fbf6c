//! The commands, from a new project to an upgrade, with tools that need no building.

mod common;

#[cfg(feature = "project")]
use common::COMPONENTS;
use common::{Releases, Server, bad, built, free_address, gatehouse, good, new_project};
use host::manifest::Source;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn named(name: &str) -> Vec<u8> {
    name.as_bytes().to_vec()
}

#[test]
fn a_project_is_written_into_a_folder_of_its_own_and_never_over_another() {
    let releases = Releases::new();
    releases.seal("0.1.0", named);
    let folder = tempfile::tempdir().unwrap();
    let url = releases.url("0.1.0");
    for (language, file) in [
        ("rust", "src/lib.rs"),
        ("python", "app.py"),
        ("js", "app.js"),
    ] {
        let name = format!("tools-{language}");
        let arguments = ["new", &name, "--lang", language, "--release", &url];
        assert!(good(folder.path(), &arguments).contains(&format!("cd {name}")));
        let project = folder.path().join(&name);
        assert!(project.join(file).is_file());
        let app = host::manifest::App::read(&project.join("spin.toml")).unwrap();
        let remotes = app.sources().filter_map(|source| match source {
            Source::Remote(remote) => Some(remote),
            _ => None,
        });
        assert_eq!(remotes.collect::<BTreeSet<_>>().len(), 9);
        fs::write(project.join(file), "mine").unwrap();
        assert!(bad(folder.path(), &arguments).contains("something in it"));
        assert_eq!(fs::read(project.join(file)).unwrap(), b"mine");
    }
    let no_project = bad(folder.path(), &["build"]);
    assert!(no_project.contains("gatehouse new"), "{no_project}");
    let missing = [
        "new",
        "a",
        "--lang",
        "js",
        "--release",
        &releases.url("0.9.9"),
    ];
    assert!(bad(folder.path(), &missing).contains("no release of Gatehouse"));
}

#[test]
fn an_upgrade_takes_everything_from_the_other_release_or_nothing() {
    let releases = Releases::new();
    releases.seal("0.1.0", named);
    releases.seal("0.2.0", |name| format!("new {name}").into_bytes());
    let folder = tempfile::tempdir().unwrap();
    let project = new_project(&releases.url("0.1.0"), folder.path(), "weather", "python");
    let read = |name: &str| fs::read_to_string(project.join(name)).unwrap();
    let mine = read("spin.toml").replace(
        "allowed_outbound_hosts = []",
        "allowed_outbound_hosts = [\"https://api.example.com\"] # mine",
    );
    fs::write(project.join("spin.toml"), &mine).unwrap();

    fs::remove_file(releases.folder("0.2.0").join("gatehouse.toml")).unwrap();
    bad(&project, &["upgrade", "0.2.0"]);
    assert_eq!(read("spin.toml"), mine);
    bad(&project, &["upgrade", "0.3.0"]);
    bad(&project, &["upgrade", "newest"]);

    releases.seal("0.2.0", named);
    let text = good(&project, &["upgrade", "0.2.0"]);
    assert!(text.contains("From 0.1.0 to 0.2.0"), "{text}");
    let (manifest, requirements) = (read("spin.toml"), read("requirements.txt"));
    for text in [&manifest, &requirements] {
        assert!(
            text.contains(&releases.url("0.2.0")) && !text.contains("0.1.0/"),
            "{text}"
        );
    }
    assert!(manifest.contains("[\"https://api.example.com\"] # mine"));
    assert!(requirements.contains("gatehouse_sdk-0.2.0-py3-none-any.whl"));
    good(&project, &["upgrade", &releases.url("0.1.0")]);
    assert_eq!(read("spin.toml"), mine);
}

/// A `cargo` that writes the Wasm of the crate `weather` and a lock file with this checksum.
#[cfg(unix)]
fn fake_cargo(folder: &Path, index: &str, checksum: &str) {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = fetch ]; then\nprintf '[[package]]\\nname = \"gatehouse-sdk\"\\nversion = \"0.1.0\"\\n\
         source = \"sparse+{index}\"\\nchecksum = \"{checksum}\"\\n' > Cargo.lock\nexit\nfi\n\
         case \"$*\" in *\"--target-dir \"*) target=${{*##*--target-dir }};; *) target=target;; esac\n\
         mkdir -p \"$target/wasm32-wasip2/release\" && echo wasm > \"$target/wasm32-wasip2/release/weather.wasm\"\n"
    );
    let path = folder.join("cargo");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_fresh_project_in_rust_builds_for_every_host_with_the_sdk_of_its_release_alone() {
    let releases = Releases::new();
    releases.seal("0.1.0", named);
    let folder = tempfile::tempdir().unwrap();
    let url = releases.url("0.1.0");
    let project = new_project(&url, folder.path(), "weather", "rust");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(folder.path().to_owned()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).unwrap();
    let build = |arguments: &[&str], sdk: &str| {
        let checksum = project::release::hex(sdk.as_bytes());
        fake_cargo(folder.path(), &format!("{url}/index/"), &checksum);
        let output = gatehouse(&project, arguments)
            .env("PATH", &path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), text)
    };
    // The release has no other form of Gatehouse's own components here; the tools are built before those are looked for.
    let (is_good, text) = build(&["build", "--for", "portable"], "gatehouse-sdk-0.1.0.crate");
    let built = project.join("target/wasm32-wasip2/release");
    assert!(built.join("weather.portable.wasm").is_file(), "{text}");
    assert!(!is_good && !built.join("weather.wasm").exists(), "{text}");
    assert!(build(&["build"], "gatehouse-sdk-0.1.0.crate").0);
    assert!(built.join("weather.wasm").is_file());
    fs::remove_dir_all(&built).unwrap();
    let (is_good, text) = build(&["build"], "another");
    assert!(
        !is_good && text.contains("another gatehouse-sdk than the release"),
        "{text}"
    );
    assert!(!built.exists());
}

#[test]
fn doctor_says_that_all_is_well_or_names_what_is_not() {
    let releases = Releases::new();
    releases.seal("0.1.0", named);
    let folder = tempfile::tempdir().unwrap();
    let project = new_project(&releases.url("0.1.0"), folder.path(), "weather", "python");
    let address = free_address();
    let doctor = ["doctor", "--listen", &address];
    let missing = bad(&project, &doctor);
    assert!(
        missing.contains("`.venv/bin/python`, which is not there") && missing.contains("1 to mend"),
        "{missing}"
    );
    fs::create_dir_all(project.join(".venv/bin")).unwrap();
    fs::write(project.join(".venv/bin/python"), "").unwrap();
    let well = good(&project, &doctor);
    assert!(
        well.contains("All is well. Start with `gatehouse up`"),
        "{well}"
    );
    // It changes nothing, whereas `up` makes a key.
    assert!(!project.join(".env").exists());
    fs::write(
        project.join(".env"),
        "SPIN_VARIABLE_PUBLIC_URL=http://mcp.example.com\nSPIN_VARIABLE_SCOPE=x\n",
    )
    .unwrap();
    let taken = releases.url("0.1.0");
    let taken = taken.trim_start_matches("http://");
    let taken = taken.trim_end_matches("/0.1.0");
    let found = bad(&project, &["doctor", "--listen", taken]);
    for words in ["(SPIN_VARIABLE_PUBLIC_URL)", taken, "to mend", "scope: "] {
        assert!(found.contains(words), "no {words:?} in {found}");
    }
}

/// Makes a project of a release with the built components, whose tools are copied from where its file `tools` says, and in
/// the form for hosts of WASI 0.2 from where its file `portable` says.
fn copied_tools(releases: &Releases, folder: &Path) -> PathBuf {
    releases.seal("0.1.0", |name| match name.ends_with(".wasm") {
        true => fs::read(built(name)).unwrap(),
        false => named(name),
    });
    let project = new_project(&releases.url("0.1.0"), folder, "copied", "python");
    let manifest = project.join("spin.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let built = "\".venv/bin/python -m gatehouse build app.py -o copied.wasm\"";
    assert!(text.contains(built) && text.contains("[\"*.py\", "));
    let text = text.replace(built, "\"cp $(cat tools.txt) copied.wasm\"");
    let built = "\".venv/bin/python -m gatehouse build app.py --portable -o copied.portable.wasm\"";
    assert!(text.contains(built));
    let text = text.replace(built, "\"cp $(cat portable.txt) copied.portable.wasm\"");
    fs::write(&manifest, text.replace("[\"*.py\", ", "[\"*.txt\", ")).unwrap();
    project
}

fn choose(project: &Path, wasm: &str) {
    fs::write(project.join("tools.txt"), wasm).unwrap();
}

#[test]
fn what_changes_is_built_and_served_again_and_what_does_not_build_is_not() {
    let releases = Releases::new();
    let folder = tempfile::tempdir().unwrap();
    let project = copied_tools(&releases, folder.path());
    choose(&project, &built("gatehouse_tools.wasm").to_string_lossy());
    let address = free_address();
    let call = |arguments: &[&str]| {
        let arguments = [&["call", "--listen", &address], arguments].concat();
        common::run(&project, &arguments)
    };
    let mut server = Server::start(gatehouse(&project, &["watch", "--listen", &address]));
    server.wait_for("Gatehouse is served at");
    let (is_good, sum) = call(&["add", "--a", "2", "--b", "3"]);
    assert!(is_good && sum.contains('5'), "{sum}");
    let (is_good, sum) = call(&["--json", r#"{"a": 2, "b": 4}"#, "add"]);
    assert!(is_good && sum.contains('6'), "{sum}");
    // What follows the tool's name is the tool's, whatever this command calls so.
    let (is_good, text) = call(&[
        "add",
        "--json",
        "1",
        "--project",
        "x",
        "--token",
        "y",
        "--a",
        "2",
        "--b",
        "3",
    ]);
    assert!(
        !text.contains("unexpected argument") && !text.contains("no JSON"),
        "{text}"
    );
    assert!(!is_good && text.contains("json"), "{text}");
    let (is_good, text) = call(&["--jsn", "add"]);
    assert!(!is_good && text.contains("no option --jsn"), "{text}");

    choose(&project, "no-such-file.wasm");
    server.wait_for("served on");
    assert!(call(&["add", "--a", "2", "--b", "3"]).0);

    choose(&project, &built("conformance_tools.wasm").to_string_lossy());
    server.wait_for("Serving what changed");
    let (is_good, other) = call(&["add"]);
    assert!(
        !is_good && other.contains("There is no tool \"add\""),
        "{other}"
    );
    server.stop();
}

#[test]
fn what_listens_and_is_not_gatehouse_is_not_called() {
    let releases = Releases::new();
    releases.seal("0.1.0", named);
    let folder = tempfile::tempdir().unwrap();
    let url = releases.url("0.1.0");
    let project = new_project(&url, folder.path(), "weather", "js");
    // The server of the releases answers 404, and then with no JSON.
    let address = url.trim_start_matches("http://").trim_end_matches("/0.1.0");
    let arguments = ["call", "--listen", address, "greet"];
    assert!(bad(&project, &arguments).contains("--listen"));
    let other = releases.folder(".well-known/oauth-protected-resource");
    fs::write(other.join("mcp"), "{\"hello\": 1}").unwrap();
    let text = bad(&project, &arguments);
    assert!(
        text.contains("Something else than Gatehouse listens at"),
        "{text}"
    );
}

/// Returns what a component was built into for hosts of WASI 0.2.
#[cfg(feature = "project")]
fn built_portable(file: &str) -> PathBuf {
    let main = built(file);
    let profile = main.parent().and_then(Path::file_name).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("wasi2/wasm32-wasip2").join(profile).join(file);
    assert!(
        path.is_file(),
        "{} is not there: `cargo xtask test`",
        path.display()
    );
    path
}

/// Needs Wasm that `cargo xtask test --quick` does not build.
#[cfg(feature = "project")]
#[test]
fn a_project_is_composed_for_other_hosts_and_a_deployment_shown() {
    let releases = Releases::new();
    for name in COMPONENTS {
        let wasm = built_portable(&format!("gatehouse_{name}.wasm"));
        let portable = format!("gatehouse_{name}.portable.wasm");
        fs::copy(wasm, releases.folder("0.1.0").join(portable)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let project = copied_tools(&releases, folder.path());
    let tools = built_portable("gatehouse_tools.wasm");
    fs::write(project.join("portable.txt"), &*tools.to_string_lossy()).unwrap();
    good(&project, &["build", "--for", "portable"]);
    let composed = project.join("target/portable");
    let app = host::manifest::App::read(&composed.join("spin.toml")).unwrap();
    for source in app.sources() {
        let is_beside =
            matches!(source, Source::File(path) if path.is_file() && path.starts_with(&composed));
        assert!(is_beside, "{source:?}");
    }
    // The tools are inside of what serves them.
    let size = |path: &Path| path.metadata().unwrap().len();
    let server = built_portable("gatehouse_tool_server.wasm");
    assert!(size(&composed.join("copied.wasm")) > size(&tools) + size(&server));

    let secret = "0123456789abcdef".repeat(4);
    let variables = [
        ("PUBLIC_URL", "https://mcp.example.com"),
        ("ENCRYPTION_KEY", &secret),
        ("DESCOPE_PROJECT_ID", "P1"),
        ("DESCOPE_CLIENT_ID", "ours"),
        ("DESCOPE_CLIENT_SECRET", "hidden"),
        ("REDIS_URL", "rediss://cache.example.com:6379"),
        ("REDIS_HOST", "rediss://cache.example.com:6379"),
    ];
    let lines = variables.map(|(name, value)| format!("SPIN_VARIABLE_{name}={value}\n"));
    fs::write(project.join(".env"), lines.concat()).unwrap();
    let image = "registry.example.com/copied:1";
    let shown = good(
        &project,
        &["deploy", "--dry-run", "spinkube", "--image", image],
    );
    let push = format!("spin registry push --from {}", composed.display());
    for words in [&*push, image, "kubectl apply --filename"] {
        assert!(shown.contains(words), "no {words:?} in {shown}");
    }
    assert!(
        !shown.contains(&secret) && !shown.contains("hidden"),
        "{shown}"
    );
    let resource = fs::read_to_string(project.join("target/spinkube/app.yaml")).unwrap();
    assert!(resource.contains(image), "{resource}");
    // Its tools are a component of their own, which needs service chaining.
    let refused = bad(&project, &["deploy", "--dry-run", "fermyon-cloud"]);
    assert!(
        refused.contains("service chaining") && refused.contains("\"copied\""),
        "{refused}"
    );
}

#[test]
fn a_server_runs_for_a_call_or_until_its_process_is_ended() {
    let releases = Releases::new();
    let folder = tempfile::tempdir().unwrap();
    let project = copied_tools(&releases, folder.path());
    choose(&project, &built("gatehouse_tools.wasm").to_string_lossy());
    let address = free_address();
    let arguments = [
        "call", "--listen", &address, "add", "--a", "20", "--b", "22",
    ];
    assert!(good(&project, &arguments).contains("42"));
    assert!(std::net::TcpListener::bind(&*address).is_ok());
    // No proxy is asked for what is on this machine.
    let mut proxied = gatehouse(&project, &arguments);
    proxied
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("http_proxy", "http://127.0.0.1:1");
    proxied.env_remove("NO_PROXY").env_remove("no_proxy");
    assert!(proxied.output().unwrap().status.success());
    // Another time it needs no network.
    fs::remove_dir_all(releases.folder("0.1.0")).unwrap();
    let arguments = [&arguments[..3], &["--skip-build"], &arguments[3..]].concat();
    assert!(good(&project, &arguments).contains("42"));
    let up = ["up", "--listen", &address, "--skip-build"];
    let mut server = Server::start(gatehouse(&project, &up));
    server.wait_for("Gatehouse is served at");
    let wrong = bad(&project, &[&arguments[..4], &["add", "--a", "x"]].concat());
    assert!(wrong.contains("--a x"), "{wrong}");
    let refused = bad(&project, &up);
    assert!(refused.contains("choose another address"), "{refused}");
    server.stop();
    assert!(std::net::TcpListener::bind(&*address).is_ok());
}
