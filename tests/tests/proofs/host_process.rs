//! The host as a process of its own, which may be killed at any moment.

use descope_emulator::{Config, Emulator, User};
use gatehouse_tests::{ENCRYPTION_KEY, Gatehouse, over_tested_wasm, ports, secrets};
use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A Gatehouse that runs as a process.
pub struct HostProcess {
    host: Child,
    address: SocketAddr,
    arguments: Vec<String>,
    /// Its own Descope, which is not killed.
    descope: Option<descope_emulator::Running>,
    folder: TempDir,
}

impl HostProcess {
    /// Starts one with no records, which will lie in a SQLite file, and with a Descope of its own.
    pub async fn start() -> Self {
        let descope = Emulator::start(Config::for_tests()).await;
        let descope = descope.expect("the emulator starts");
        let arguments = arguments(&descope);
        Self::serve(folder(), arguments, Some(descope)).await
    }

    /// Starts another machine of `gatehouse`, which reaches the same records as this runtime
    /// configuration has it.
    pub async fn beside(gatehouse: &Gatehouse, runtime_config: &str) -> Self {
        let folder = folder();
        let file = folder.path().join("runtime-config.toml");
        std::fs::write(&file, runtime_config).expect("it can be written");
        let mut arguments = arguments(&gatehouse.descope);
        arguments.extend([
            format!("--variable=public_url={}", gatehouse.base()),
            format!("--runtime-config-file={}", file.display()),
        ]);
        Self::serve(folder, arguments, None).await
    }

    /// Has this person sign in from now on, where the machine has a Descope of its own.
    pub fn sign_in_as(&self, user: User) {
        if let Some(descope) = &self.descope {
            descope.sign_in_as(user);
        }
    }

    async fn serve(
        folder: TempDir,
        mut arguments: Vec<String>,
        descope: Option<descope_emulator::Running>,
    ) -> Self {
        let address = ports::listener().local_addr().expect("an address");
        arguments.push(format!("--listen={address}"));
        Self {
            host: serve(folder.path(), address, &arguments).await,
            address,
            arguments,
            descope,
            folder,
        }
    }

    /// Where it listens: the issuer, where it was not told another.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the process as a power cut would: without a word, in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.host.kill().expect("it runs");
        self.host.wait().expect("it ends");
    }

    /// Starts the host again, with the records as they lie.
    pub async fn restart(&mut self) {
        self.host = serve(self.folder.path(), self.address, &self.arguments).await;
    }

    /// Everything that the host and its components have printed.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(log(self.folder.path())).expect("a log")
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.host.kill().ok();
        self.host.wait().ok();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn arguments(descope: &descope_emulator::Running) -> Vec<String> {
    let config = descope.config();
    secrets::keep(&config.client_secret);
    vec![
        format!("--variable=encryption_key={ENCRYPTION_KEY}"),
        // A fast machine registers more than the usual thousand between its kills.
        "--variable=registrations_per_hour=1000000".to_owned(),
        // What was revoked ends with the answer, and not up to a second after it.
        "--variable=grant_check=0".to_owned(),
        format!("--variable=descope_base_url={}", descope.base_url()),
        format!("--variable=descope_project_id={}", config.project_id),
        format!("--variable=descope_client_id={}", config.client_id),
        format!("--variable=descope_client_secret={}", config.client_secret),
    ]
}

async fn serve(folder: &Path, address: SocketAddr, arguments: &[String]) -> Child {
    let mut host = start(folder, arguments);
    while TcpStream::connect(address).await.is_err() {
        let ended = host.try_wait().expect("its state");
        assert!(ended.is_none(), "the host ended: {:?}", log(folder));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    host
}

fn start(folder: &Path, arguments: &[String]) -> Child {
    let log = || -> File {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log(folder));
        log.expect("a log")
    };
    // Cargo builds it beside the tests, because tests of its own need it.
    let tests = std::env::current_exe().expect("this program");
    let host = tests.ancestors().nth(2).expect("target/debug");
    Command::new(host.join("gatehouse-host"))
        .arg("--from")
        .arg(manifest(folder))
        .arg("--state-dir")
        .arg(folder)
        .args(arguments)
        .current_dir(folder)
        // The components that the harness has compiled are good for this host as well.
        .env(
            "XDG_CACHE_HOME",
            workspace().join("target/compiled-components"),
        )
        .env("RUST_LOG", "warn,gatehouse_host=trace")
        .stdin(Stdio::null())
        .stdout(log())
        .stderr(log())
        .spawn()
        .expect("the host starts; `cargo build --package host` builds it")
}

/// Writes `spin.toml` with the Wasm to test into a folder.
fn manifest(folder: &Path) -> PathBuf {
    let manifest = std::fs::read_to_string(workspace().join("spin.toml")).expect("a manifest");
    let path = folder.join("spin.toml");
    std::fs::write(&path, over_tested_wasm(&manifest)).expect("it is written");
    path
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_owned()
}
