//! Logs: the output of components, and their failures.

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// How much of a component's output may wait for the end of its line.
const MAX_LINE_BYTES: usize = 64 << 10;

/// How many bytes a component may print at once.
const PERMIT_BYTES: usize = 64 << 10;

/// The lines that components print and the host reports, forwarded to standard error, kept, both or neither.
#[derive(Clone, Default)]
pub struct Logs {
    forward: bool,
    kept: Option<Arc<Mutex<Vec<String>>>>,
}

impl Logs {
    pub(crate) fn new(forward: bool, keep: bool) -> Self {
        Self {
            forward,
            kept: keep.then(Arc::default),
        }
    }

    /// The lines kept so far, each as `[component] text`.
    pub fn lines(&self) -> Vec<String> {
        let Some(kept) = &self.kept else {
            return Vec::new();
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a line.
    pub(crate) fn line(&self, component: &str, text: &str) {
        if !self.forward && self.kept.is_none() {
            return;
        }
        let line = format!("[{component}] {text}");
        if self.forward {
            write_line(&mut io::stderr(), &line);
        }
        self.push(line);
    }

    /// Keeps a line that the host itself has reported to standard error.
    pub(crate) fn keep(&self, component: &str, text: &str) {
        if self.kept.is_some() {
            self.push(format!("[{component}] {text}"));
        }
    }

    fn push(&self, line: String) {
        if let Some(kept) = &self.kept {
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }

    /// A standard output or standard error for instances of a component.
    pub(crate) fn stream(&self, component: &str) -> LogStream {
        LogStream(Arc::new(Output {
            logs: self.clone(),
            component: component.to_owned(),
            rest: Mutex::default(),
        }))
    }
}

/// Writes a line with its end in one write: other processes write to the same terminal or file.
fn write_line(output: &mut impl Write, line: &str) {
    // There is nowhere to report that standard error is closed.
    let _ = output.write_all(format!("{line}\n").as_bytes());
}

/// One output of one instance: cut into lines.
#[derive(Clone)]
pub(crate) struct LogStream(Arc<Output>);

struct Output {
    logs: Logs,
    component: String,
    rest: Mutex<Vec<u8>>,
}

impl Output {
    fn write(&self, bytes: &[u8]) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.extend_from_slice(bytes);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = rest.drain(..=end).collect::<Vec<_>>();
            self.logs
                .line(&self.component, String::from_utf8_lossy(&line).trim_end());
        }
        if rest.len() > MAX_LINE_BYTES {
            self.finish(&mut rest);
        }
    }

    fn finish(&self, rest: &mut Vec<u8>) {
        if !rest.is_empty() {
            self.logs
                .line(&self.component, &String::from_utf8_lossy(rest));
            rest.clear();
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let mut rest = std::mem::take(self.rest.get_mut().unwrap_or_else(PoisonError::into_inner));
        self.finish(&mut rest);
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_kept_line_by_line_with_the_component_before_it() {
        let logs = Logs::new(false, true);
        let stream = logs.stream("c");
        stream.0.write(b"one\ntw");
        assert_eq!(logs.lines(), ["[c] one"]);
        stream.0.write(b"o\n");
        stream.0.write(b"last");
        drop(stream);
        assert_eq!(logs.lines(), ["[c] one", "[c] two", "[c] last"]);
    }

    #[test]
    fn instances_that_write_in_parts_do_not_cut_each_others_lines() {
        let logs = Logs::new(false, true);
        let (one, other) = (logs.stream("c"), logs.stream("c"));
        for part in ["on", "e ", "line\n"] {
            one.0.write(part.as_bytes());
            other.0.write(part.to_uppercase().as_bytes());
        }
        assert_eq!(logs.lines(), ["[c] one line", "[c] ONE LINE"]);
    }

    #[test]
    fn a_line_is_forwarded_in_one_write() {
        struct Writes(Vec<Vec<u8>>);
        impl Write for Writes {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.to_vec());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writes = Writes(Vec::new());
        write_line(&mut writes, "[c] one");
        assert_eq!(writes.0, [b"[c] one\n"]);
    }

    #[test]
    fn nothing_is_kept_unless_asked_for() {
        let logs = Logs::new(false, false);
        logs.line("c", "one");
        assert!(logs.lines().is_empty());
    }
}
