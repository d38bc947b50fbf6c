//! A real Redis server, for one test.

use host::KeyValue;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The server. It ends with this value, and keeps nothing.
pub struct Redis {
    server: Child,
    folder: TempDir,
    /// The port of 127.0.0.1 where it listens besides its socket; 0: none.
    port: u16,
}

impl Redis {
    /// Starts one that listens on a socket in a folder of its own, and on no port.
    pub async fn start() -> Self {
        Self::start_at(0).await
    }

    /// Starts one that also listens on a port of 127.0.0.1.
    pub async fn start_listening() -> Self {
        let free = gatehouse_tests::ports::listener();
        let port = free.local_addr().expect("its address").port();
        drop(free);
        Self::start_at(port).await
    }

    /// Stops it, and forgets what it held.
    pub fn stop(mut self) -> u16 {
        self.server.kill().ok();
        self.server.wait().ok();
        self.port
    }

    /// Starts one at this port.
    pub async fn start_at(port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--unixsocket", "redis.sock"])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; `cargo xtask test` installs it");
        let mut redis = Self {
            server,
            folder,
            port,
        };
        while redis.store().open("default").await.is_err() {
            let ended = redis.server.try_wait().expect("its state");
            assert!(ended.is_none(), "redis-server ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        redis
    }

    /// A connection to it, for one host.
    pub fn store(&self) -> KeyValue {
        KeyValue::redis(&self.url()).expect("a URL of Redis")
    }

    /// Stops it where it is: connections stay open and nothing is answered.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.server.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Where it listens.
    pub fn tcp_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where its socket is.
    pub fn url(&self) -> String {
        let socket = self.folder.path().join("redis.sock");
        format!("redis+unix://{}", socket.display())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}
