//! Releases on a server of this machine, and the command `gatehouse`.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use project::release::{Address, Release, SUMS, sums_of_files_in};
use project::templates::{self, PART_FILE};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// The Wasm that a project's manifest names.
pub const COMPONENTS: [&str; 12] = [
    "account",
    "authorize",
    "client_metadata",
    "home",
    "identity_descope",
    "identity_oidc",
    "mcp",
    "metadata",
    "tool_server",
    "tools",
    "tools_mcp",
    "tools_openapi",
];

/// How long a step may take before a test gives up.
const STEP_TIMEOUT: Duration = Duration::from_secs(300);

/// Releases by their versions, served on loopback.
pub struct Releases {
    folder: TempDir,
    address: SocketAddr,
}

impl Releases {
    /// A server without a release.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let path = folder.path().to_owned();
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let path = path.clone();
                std::thread::spawn(move || answer(&stream.unwrap(), &path));
            }
        });
        Self { folder, address }
    }

    /// Returns the URL of a version.
    pub fn url(&self, version: &str) -> String {
        format!("http://{}/{version}", self.address)
    }

    /// Returns the folder of a version.
    pub fn folder(&self, version: &str) -> PathBuf {
        let folder = self.folder.path().join(version);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Makes the release of what is in the folder of a version, with these contents for what is not there.
    pub fn seal(&self, version: &str, content: impl Fn(&str) -> Vec<u8>) {
        let folder = self.folder(version);
        let others = [
            "README.md".to_owned(),
            format!("gatehouse_sdk-{version}-py3-none-any.whl"),
            format!("gatehouse-sdk-{version}.tgz"),
            format!("gatehouse-sdk-{version}.crate"),
        ];
        let names = COMPONENTS.map(|name| format!("gatehouse_{name}.wasm"));
        for name in names.into_iter().chain(others) {
            if !folder.join(&name).exists() {
                fs::write(folder.join(&name), content(&name)).unwrap();
            }
        }
        let address = Address::new(&self.url(version)).unwrap();
        let sums = sums_of_files_in(&folder).unwrap();
        let part = templates::part(&Release::new(address, &sums).unwrap()).unwrap();
        fs::write(folder.join(PART_FILE), part).unwrap();
        fs::write(folder.join(SUMS), sums_of_files_in(&folder).unwrap()).unwrap();
    }
}

/// Answers GETs of files.
fn answer(mut stream: &TcpStream, folder: &Path) {
    let mut lines = BufReader::new(stream).lines();
    let line = lines.next().and_then(Result::ok).unwrap_or_default();
    // The rest of the head: an empty line ends it.
    lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
    let path = line.split(' ').nth(1).unwrap_or_default();
    let content = fs::read(folder.join(path.trim_start_matches('/')));
    let (status, content) = match content {
        Ok(content) => ("200 OK", content),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let length = content.len();
    let head =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    // A client that has gone needs no answer.
    let _ = stream.write_all(&[head.as_bytes(), &content].concat());
}

/// Returns the folder of what cargo builds.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Returns what the components were built into.
pub fn built(file: &str) -> PathBuf {
    let folder = std::env::var_os("GATEHOUSE_TEST_WASM")
        .map_or_else(|| target().join("wasm32-wasip2/wasm-dev"), PathBuf::from);
    let path = folder.join(file);
    assert!(
        path.is_file(),
        "{} is not there: `cargo xtask build --for-tests`",
        path.display()
    );
    path
}

/// The command, in a folder, without what is configured here.
pub fn gatehouse(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    command.current_dir(folder).args(arguments);
    // Where the black-box tests find what these have compiled.
    command.env("XDG_CACHE_HOME", target().join("compiled-components"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("SPIN_VARIABLE_") || name == "GATEHOUSE_TOKEN" {
            command.env_remove(name);
        }
    }
    command
}

/// Makes a project in this language, of the release at this URL.
pub fn new_project(release: &str, folder: &Path, name: &str, language: &str) -> PathBuf {
    good(
        folder,
        &["new", name, "--lang", language, "--release", release],
    );
    folder.join(name)
}

/// Runs the command to its end, and returns what it printed.
pub fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = gatehouse(folder, arguments).output().unwrap();
    (output.status.success(), text(&output))
}

/// Runs the command to its end, which has to be a good one.
pub fn good(folder: &Path, arguments: &[&str]) -> String {
    let (is_good, text) = run(folder, arguments);
    assert!(is_good, "gatehouse {arguments:?}: {text}");
    text
}

/// Runs the command to its end, which has to be an error.
pub fn bad(folder: &Path, arguments: &[&str]) -> String {
    let (is_good, text) = run(folder, arguments);
    assert!(!is_good, "gatehouse {arguments:?}: {text}");
    text
}

fn text(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// A command that serves, until this is dropped.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Server {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self {
            child,
            lines,
            seen: String::new(),
        }
    }

    /// Waits until it prints a line with these words.
    pub fn wait_for(&mut self, words: &str) {
        loop {
            match self.lines.recv_timeout(STEP_TIMEOUT) {
                Ok(line) => {
                    self.seen += &format!("{line}\n");
                    if line.contains(words) {
                        return;
                    }
                }
                Err(error) => panic!("no {words:?} ({error}) in:\n{}", self.seen),
            }
        }
    }

    /// Asks it to stop, and waits for the end.
    pub fn stop(mut self) {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(asked.unwrap().success());
        assert!(self.child.wait().unwrap().success(), "{}", self.seen);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` it is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns an address on loopback of which the port, and the next one, are free. They are below those that systems hand out
/// (from 32768 on Linux), so that nothing takes them before a server does.
pub fn free_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let port = NEXT.fetch_add(2, Relaxed);
        if is_free(port) && is_free(port + 1) {
            return format!("127.0.0.1:{port}");
        }
    }
}
