//! Deployments with programs that only note what they are given.

#![cfg(unix)]

use super::*;
use crate::flavours::{Wasi, Wasm};
use clap::Parser;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tempfile::TempDir;

const SECRETS: [(&str, &str); 2] = [
    (
        "encryption_key",
        "f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ),
    ("descope_client_secret", "it's a \"secret\" of $HOME"),
];

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

/// What a command line says.
fn options(arguments: &[&str]) -> Options {
    let arguments = ["deploy"].iter().chain(arguments);
    Line::try_parse_from(arguments).unwrap().options
}

fn to(arguments: &[&str]) -> To {
    options(arguments).to
}

fn variables() -> Variables {
    let manifest = include_str!("../../../../spin.toml").parse().unwrap();
    let mut variables = Variables::of(&manifest);
    variables.set("public_url", "https://mcp.example.com");
    for (name, value) in SECRETS {
        variables.set(name, value);
    }
    variables
}

/// The repository, as a project.
fn project() -> Project {
    Project::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A folder of programs that stand for those that deploy.
struct Fakes(TempDir);

impl Fakes {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/deploy/fake_tool.sh");
        for name in ["kubectl", "spin"] {
            symlink(&script, folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    /// The programs, of which those fail that get an argument with this word.
    fn failing_at(word: &str) -> Self {
        let fakes = Self::new();
        fs::write(fakes.0.path().join("fail"), word).unwrap();
        fakes
    }

    fn tools(&self) -> Tools {
        Tools::in_path(self.0.path())
    }

    /// The commands that were run, one a line.
    fn commands(&self) -> String {
        fs::read_to_string(self.0.path().join("commands")).unwrap_or_default()
    }

    /// What was in the files that were named with `@`.
    fn files(&self) -> String {
        fs::read_to_string(self.0.path().join("files")).unwrap_or_default()
    }
}

fn has_secret(text: &str) -> bool {
    SECRETS.iter().any(|(_, value)| text.contains(value))
}

fn spinkube_plan(folder: &Path, more: &[&str]) -> Plan {
    let image = ["spinkube", "--image", "registry.example.com/gatehouse:1"];
    let To::Spinkube(options) = to(&[&image, more].concat()) else {
        panic!("not SpinKube");
    };
    let manifest = Path::new("/built/spin.toml");
    spinkube::plan(&project(), manifest, folder, &variables(), &options).unwrap()
}

#[test]
fn akamai_gets_every_variable_in_a_file_that_is_removed_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let to = to(&["akamai", "--", "--no-confirm"]);
    let plan = to
        .plan(&project(), &folder.path().join("spin.toml"), &variables())
        .unwrap();
    let fakes = Fakes::new();
    plan.run(&fakes.tools()).unwrap();
    let file = folder.path().join("variables.json");
    assert_eq!(
        fakes.commands(),
        format!(
            "spin aka deploy --variable @{} --no-confirm\n",
            file.display()
        )
    );
    let read: serde_json::Value = serde_json::from_str(&fakes.files()).unwrap();
    assert_eq!(read["public_url"], "https://mcp.example.com");
    for (name, value) in SECRETS {
        assert_eq!(read[name], value);
    }
    assert!(!file.exists());
    assert!(!has_secret(&plan.shown()));
    assert!(plan.shown().contains("encryption_key"));
}

#[test]
fn a_file_of_secrets_is_removed_also_when_a_command_fails() {
    let folder = tempfile::tempdir().unwrap();
    let plan = to(&["akamai"])
        .plan(&project(), &folder.path().join("spin.toml"), &variables())
        .unwrap();
    let error = plan.run(&Fakes::failing_at("aka").tools()).unwrap_err();
    assert!(error.to_string().contains("spin aka failed"), "{error}");
    assert!(!folder.path().join("variables.json").exists());
    assert!(plan.run(&Tools::in_path(folder.path())).is_err());
    assert!(!folder.path().join("variables.json").exists());
}

#[test]
fn fermyon_cloud_gets_secrets_only_if_the_operator_says_so() {
    let exposed = |arguments: &[&str]| {
        let To::FermyonCloud(options) = to(arguments) else {
            panic!("not Fermyon Cloud");
        };
        fermyon_cloud::exposed_secrets(&variables(), &options)
    };
    let refusal = exposed(&["fermyon-cloud"]).unwrap();
    assert!(
        refusal.starts_with("descope_client_secret, encryption_key"),
        "{refusal}"
    );
    assert!(!has_secret(&refusal));
    let allowed = ["fermyon-cloud", "--secrets-on-command-line"];
    assert_eq!(exposed(&allowed), None);

    let plan = to(&allowed)
        .plan(&project(), Path::new("/built/spin.toml"), &variables())
        .unwrap();
    let fakes = Fakes::new();
    plan.run(&fakes.tools()).unwrap();
    let [key, secret] = SECRETS.map(|(_, value)| value);
    assert_eq!(
        fakes.commands(),
        format!(
            "spin cloud deploy --from /built/spin.toml --variable descope_client_secret={secret} \
             --variable encryption_key={key} --variable public_url=https://mcp.example.com\n"
        )
    );
    assert!(!has_secret(&plan.shown()));
    assert!(plan.shown().contains("--variable encryption_key=(secret)"));
}

#[test]
fn spinkube_gets_the_image_and_then_the_resources() {
    let folder = tempfile::tempdir().unwrap();
    let plan = spinkube_plan(folder.path(), &[]);
    let fakes = Fakes::new();
    plan.run(&fakes.tools()).unwrap();
    let folder = folder.path().display();
    assert_eq!(
        fakes.commands(),
        format!(
            "kubectl get customresourcedefinition/spinapps.core.spinkube.dev\n\
             spin registry push --from /built/spin.toml registry.example.com/gatehouse:1\n\
             kubectl apply --filename {folder}/variables.yaml\n\
             kubectl apply --filename {folder}/runtime-config.yaml\n\
             kubectl apply --filename {folder}/app.yaml\n"
        )
    );
    assert!(!has_secret(&fakes.commands()) && !has_secret(&plan.shown()));
}

#[test]
fn a_deployment_ends_at_the_first_command_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let plan = spinkube_plan(folder.path(), &[]);
    for (word, count) in [("get", 1), ("push", 2), ("variables.yaml", 3)] {
        let fakes = Fakes::failing_at(word);
        assert!(plan.run(&fakes.tools()).is_err());
        assert_eq!(fakes.commands().lines().count(), count, "{word}");
    }
}

#[test]
fn resources_are_files_that_only_their_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    spinkube_plan(folder.path(), &[])
        .write_kept_files()
        .unwrap();
    for name in ["variables.yaml", "runtime-config.yaml", "app.yaml"] {
        let file = folder.path().join(name).metadata().unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
    let app = fs::read_to_string(folder.path().join("app.yaml")).unwrap();
    assert!(!has_secret(&app));
}

#[test]
fn with_a_secret_of_the_cluster_none_is_written_here() {
    let folder = tempfile::tempdir().unwrap();
    let plan = spinkube_plan(folder.path(), &["--secret", "ours"]);
    plan.write_kept_files().unwrap();
    assert!(!folder.path().join("variables.yaml").exists());
    assert!(!plan.shown().contains("variables.yaml"));
}

#[test]
fn what_follows_the_first_deployment_is_the_second_one() {
    let host = akamai::host();
    let follows = what_follows(&project(), &Variables::of(&toml::Table::new()), &host);
    assert!(follows.contains("SPIN_VARIABLE_PUBLIC_URL"));
    assert!(follows.contains("gatehouse deploy akamai"));
    let follows = what_follows(&project(), &variables(), &host);
    assert!(follows.contains("https://mcp.example.com/mcp"));
    assert!(follows.contains("https://mcp.example.com/callback"));
}

#[test]
fn an_application_is_linked_before_it_is_deployed_again() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(akamai::not_linked(folder.path(), true), None);
    assert!(
        akamai::not_linked(folder.path(), false)
            .unwrap()
            .contains("spin aka app link")
    );
    fs::create_dir(folder.path().join(".spin-aka")).unwrap();
    assert_eq!(akamai::not_linked(folder.path(), false), None);
}

#[test]
fn every_variable_that_spin_toml_calls_secret_is_never_printed() {
    let manifest: toml::Table = include_str!("../../../../spin.toml").parse().unwrap();
    let mut variables = Variables::of(&manifest);
    let declared = manifest["variables"].as_table().unwrap();
    for name in declared.keys() {
        variables.set(name, format!("value-of-{name}"));
    }
    let secret = declared.iter().filter(|(_, variable)| {
        variable.get("secret").and_then(toml::Value::as_bool) == Some(true)
    });
    let secret: Vec<&String> = secret.map(|(name, _)| name).collect();
    assert!(secret.len() > 5);
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["akamai"][..],
        &["fermyon-cloud"],
        &["spinkube", "--image", "a.example/b:1"],
    ] {
        let shown = match to(arguments) {
            To::Spinkube(options) => {
                let manifest = Path::new("spin.toml");
                spinkube::plan(&project(), manifest, folder.path(), &variables, &options)
                    .unwrap()
                    .shown()
            }
            to => to
                .plan(&project(), &folder.path().join("spin.toml"), &variables)
                .unwrap()
                .shown(),
        };
        for name in &secret {
            assert!(!shown.contains(&format!("value-of-{name}")), "{name}");
        }
    }
}

/// A component that imports nothing and exports `wasi:http/incoming-handler@0.2.0` without a function, as binary Wasm.
fn stub_component() -> Vec<u8> {
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    // The section of instances: one, which exports nothing.
    component.extend([5, 3, 1, 1, 0]);
    // The section of exports: the instance.
    let name = "wasi:http/incoming-handler@0.2.0";
    let mut exports = vec![1, 0, u8::try_from(name.len()).unwrap()];
    exports.extend(name.bytes());
    exports.extend([5, 0, 0]);
    component.extend([11, u8::try_from(exports.len()).unwrap()]);
    component.extend(exports);
    component
}

/// An application as Gatehouse is, whose components are all the same and have nothing inside.
struct StubApplication {
    folder: TempDir,
    wasm: PathBuf,
    is_built: Cell<bool>,
}

impl StubApplication {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shipped = include_str!("../../../../spin.toml");
        let mut manifest: toml::Table = shipped.parse().unwrap();
        for (_, component) in manifest["component"].as_table_mut().unwrap() {
            component.as_table_mut().unwrap().remove("dependencies");
        }
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("spin.toml", toml::to_string(&manifest).unwrap().as_bytes());
        write("runtime-config.toml", b"");
        write("stub.wasm", &stub_component());
        Self {
            wasm: folder.path().join("stub.wasm"),
            folder,
            is_built: Cell::new(false),
        }
    }

    /// Deploys with every variable that is needed and returns what was said.
    fn deploy(&self, arguments: &[&str], tools: &Tools) -> Result<String> {
        let mut variables = variables();
        for (name, value) in [
            ("descope_project_id", "P1"),
            ("descope_client_id", "ours"),
            ("descope_client_secret", "a-secret-of-the-client"),
            (
                "redis_url",
                "rediss://us:a-secret-of-the-store@cache.example.com:6379",
            ),
            ("redis_host", "rediss://cache.example.com:6379"),
        ] {
            variables.set(name, value);
        }
        let project = Project::new(self.folder.path());
        let mut output = Vec::new();
        let options = options(arguments);
        let done = deploy_with(&project, &options, self, variables, tools, &mut output);
        let output = String::from_utf8(output).unwrap();
        println!("{output}");
        done.map(|()| output)
    }
}

impl WasmFiles for StubApplication {
    fn prepare(&self, _: &Project, _: &BTreeSet<Wasm>, _: Wasi) -> Result<()> {
        self.is_built.set(true);
        Ok(())
    }

    fn portable_file(&self, _: &Project, _: &Wasm, _: bool) -> Result<PathBuf> {
        Ok(self.wasm.clone())
    }
}

/// For each host a command line, and the last command of its deployment.
const DEPLOYMENTS: [(&[&str], &str); 4] = [
    (&["akamai"], "spin aka deploy"),
    (
        &["fermyon-cloud", "--secrets-on-command-line"],
        "spin cloud deploy",
    ),
    (
        &["spinkube", "--image", "registry.example.com/gatehouse:1"],
        "kubectl apply",
    ),
    (
        &["akamai", "--first", "--", "--no-confirm"],
        "spin aka deploy",
    ),
];

#[test]
fn a_dry_run_shows_every_command_and_no_secret_and_runs_none() {
    let (fakes, empty) = (Fakes::new(), tempfile::tempdir().unwrap());
    for (arguments, last) in DEPLOYMENTS {
        let arguments = [&["--dry-run"][..], arguments].concat();
        // Whether the programs are there or not.
        for tools in [fakes.tools(), Tools::in_path(empty.path())] {
            let application = StubApplication::new();
            let said = application.deploy(&arguments, &tools).unwrap();
            assert!(application.is_built.get());
            assert!(said.contains(last), "{said}");
            assert!(
                !has_secret(&said) && !said.contains("a-secret-of"),
                "{said}"
            );
        }
    }
    let asked = fakes.commands();
    for line in asked.lines() {
        let asks = [
            "spin --version",
            "spin plugins list --installed",
            "kubectl version --client",
        ];
        assert!(asks.contains(&line), "{line}");
    }
}

#[test]
fn nothing_is_built_or_run_while_a_program_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    for (arguments, _) in DEPLOYMENTS {
        let application = StubApplication::new();
        let refused = application.deploy(arguments, &Tools::in_path(empty.path()));
        let words = refused.unwrap_err().to_string();
        assert!(words.starts_with("Nothing was deployed"), "{words}");
        assert!(words.contains("`spin` is missing"), "{words}");
        assert!(!application.is_built.get());
        assert!(!application.folder.path().join("target").exists());
    }
}
