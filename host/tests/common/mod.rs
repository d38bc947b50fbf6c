//! The guest components, an application of them, and a client.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use bytes::Bytes;
use gatehouse_host::{Host, KeyValue, Running};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tempfile::TempDir;

/// The manifest of the application that the tests serve.
pub const MANIFEST: &str = r#"
spin_manifest_version = 2

[application]
name = "probe"
version = "1.2.3"

[variables]
greeting = { default = "hello" }
address = { default = "http://127.0.0.1:1" }

[[trigger.http]]
route = "/guest/:name/..."
component = "guest"

[[trigger.http]]
route = { private = true }
component = "hidden"

[[trigger.http]]
id = "fixed"
route = "/fixed"
static_response = { status_code = 418, headers = { x-kind = "fixed" }, body = "short and stout" }

[component.guest]
source = "GUEST"
allowed_outbound_hosts = ["{{ address }}", "http://hidden.spin.internal", "http://self"]
key_value_stores = ["default"]
variables = { greeting = "{{ greeting }}, world" }
environment = { COLOUR = "green" }

[component.guest.dependencies]
"test:probe/probe@1.0.0" = { path = "DEPENDENCY" }

[component.hidden]
source = "GUEST"

[component.hidden.dependencies]
"test:probe/probe@1.0.0" = { path = "DEPENDENCY" }
"#;

/// The manifest of an application of WASI 0.2, with a private component and one of WASI 0.3 beside.
pub const MANIFEST_WASIP2: &str = r#"
spin_manifest_version = 2

[application]
name = "second"

[variables]
greeting = { default = "hello" }
address = { default = "http://127.0.0.1:1" }

[[trigger.http]]
route = "/guest/:name/..."
component = "guest"

[[trigger.http]]
route = { private = true }
component = "hidden"

[[trigger.http]]
route = "/third/..."
component = "third"

[component.guest]
source = "WASIP2"
allowed_outbound_hosts = ["{{ address }}", "http://hidden.spin.internal", "http://third.spin.internal", "http://self"]
key_value_stores = ["default"]
variables = { greeting = "{{ greeting }}, world" }
environment = { COLOUR = "green" }

[component.hidden]
source = "WASIP2"

[component.third]
source = "GUEST"
key_value_stores = ["default"]
allowed_outbound_hosts = ["http://hidden.spin.internal"]

[component.third.dependencies]
"test:probe/probe@1.0.0" = { path = "DEPENDENCY" }
"#;

/// An application in a directory of its own.
pub struct App {
    directory: TempDir,
}

impl App {
    /// The application of [`MANIFEST`].
    pub fn new() -> Self {
        Self::with(MANIFEST)
    }

    /// An application with this manifest, in which `GUEST`, `DEPENDENCY` and `WASIP2` stand for the guest components, and
    /// `WASIP2_CALLER` and `WASIP2_USED` for one with a dependency.
    pub fn with(manifest: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let manifest = manifest
            .replace("GUEST", &component("host_test_guest"))
            .replace("DEPENDENCY", &component("host_test_dependency"))
            .replace("WASIP2_CALLER", &component("examples/caller"))
            .replace("WASIP2_USED", &component("examples/dependency"))
            .replace("WASIP2", &component("host_test_guest_wasip2"));
        std::fs::write(directory.path().join("spin.toml"), manifest).unwrap();
        Self { directory }
    }

    /// The application's directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A host for it, with its state in memory.
    pub fn host(&self) -> Host {
        Host::builder(self.directory().join("spin.toml"))
            .key_value(KeyValue::memory())
            .threads(2)
    }

    /// Serves it with state in memory.
    pub async fn serve(&self) -> Running {
        self.host().start().await.unwrap()
    }
}

/// Returns a listener for a host that is stopped and started again. Its port is below those that systems hand out (from 32768
/// on Linux), so that no other test is given it meanwhile.
pub fn listener_to_return_to() -> TcpListener {
    (20_000..32_000)
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .unwrap()
}

/// The path of a guest component, built if need be.
fn component(name: &str) -> String {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let directory = BUILT.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let built = Command::new(env!("CARGO"))
            .current_dir(workspace)
            .args([
                "build",
                "--quiet",
                "--lib",
                "--examples",
                "--target",
                "wasm32-wasip2",
                "-p",
                "host-test-guest",
                "-p",
                "host-test-dependency",
                "-p",
                "host-test-guest-wasip2",
            ])
            .arg("--target-dir")
            .arg(target)
            .status()
            .unwrap();
        assert!(built.success(), "the guest components are not built");
        target.join("wasm32-wasip2/debug")
    });
    directory
        .join(name)
        .with_extension("wasm")
        .display()
        .to_string()
}

/// A response read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub text: String,
}

/// Sends a request and hands back the response with its body still to come.
pub async fn send(request: Request<BoxBody<Bytes, std::io::Error>>) -> Response<Incoming> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap()
}

/// A request's body of this text.
pub fn text(text: impl Into<Bytes>) -> BoxBody<Bytes, std::io::Error> {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed()
}

/// Gets a URL with these headers.
pub async fn get_with(url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = send(request.body(text("")).unwrap()).await;
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text,
    }
}

/// Gets a URL.
pub async fn get(url: &str) -> Answer {
    get_with(url, &[]).await
}

/// Asks the guest component for something, and expects a plain answer.
pub async fn ask(running: &Running, what: &str) -> String {
    let answer = get(&format!("{}/guest/test/{what}", running.url())).await;
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    answer.text
}
