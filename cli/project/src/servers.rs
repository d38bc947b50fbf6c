//! The servers that a command starts, and that end with it.

use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Receives Ctrl-C.
///
/// # Errors
///
/// If it cannot be handled.
pub fn stop_signal() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        // A second Ctrl-C finds the first one under way.
        sender.send(()).ok();
    })
    .context("Ctrl-C cannot be handled")?;
    Ok(receiver)
}

/// What was started here. Whatever happens, it ends with this value.
#[derive(Default)]
pub struct Servers(Vec<(&'static str, Child)>);

impl Servers {
    /// Starts `command`, and calls it `name`.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let child = command
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        self.0.push((name, child));
        Ok(())
    }

    /// Waits until `path` at `address` answers 200.
    ///
    /// # Errors
    ///
    /// If a server ends, `stop` comes, or it takes too long.
    pub fn wait_until_healthy(
        &mut self,
        address: SocketAddr,
        path: &str,
        stop: &Receiver<()>,
    ) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut last = "no answer".to_owned();
        while Instant::now() < deadline {
            self.check()?;
            match get(address, path) {
                Ok(answer) if answer.contains(" 200 ") => return Ok(()),
                Ok(answer) => last = answer,
                Err(_) => {}
            }
            if stop.recv_timeout(Duration::from_millis(100)).is_ok() {
                bail!("Stopped.");
            }
        }
        bail!("http://{address}{path} does not answer as it should: {last}")
    }

    /// Waits for Ctrl-C.
    ///
    /// # Errors
    ///
    /// If a server ends.
    pub fn watch(&mut self, stop: &Receiver<()>) -> Result<()> {
        loop {
            match stop.recv_timeout(Duration::from_millis(300)) {
                Err(RecvTimeoutError::Timeout) => self.check()?,
                _ => {
                    eprintln!("\nStopping.");
                    return Ok(());
                }
            }
        }
    }

    fn check(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended ({status}); what it said is above");
            }
        }
        Ok(())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for (_, child) in self.0.iter_mut().rev() {
            terminate(child);
        }
    }
}

/// Asks first: spin has to end a child of its own.
fn terminate(child: &mut Child) {
    if cfg!(unix) {
        Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .ok();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    child.kill().ok();
    child.wait().ok();
}

/// Returns the status line that answers a GET of `path`, and the start of the body if it is not a 200.
pub(crate) fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    Ok(format!("{status}  {}", body.trim()))
}
