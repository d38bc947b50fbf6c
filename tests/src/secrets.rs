//! No secret may be in a log: what a test run keeps secret, and the search for it.
//!
//! A secret that Gatehouse makes up itself (token, code, cookie, state, client secret, key) is found by
//! its looks: 256 random bits or more, in hex or URL-safe Base64. One that a test chose is found because
//! it was [`keep`]ed. Every [`Gatehouse`](crate::Gatehouse) looks through its logs when it is dropped.

use host::Logs;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use tracing_subscriber::EnvFilter;

/// Characters from which on a run without a break is no word, name or number: 30 random bytes in
/// URL-safe Base64.
const MAX_WORD_CHARS: usize = 40;

/// Characters of the shortest secret that is searched for: a shorter one is found in ordinary words.
const MIN_SECRET_CHARS: usize = 12;

/// The host's own lines, of everything that it could be asked to log, and the warnings of others.
const VERBOSE: &str = "warn,gatehouse_host=trace";

static KEPT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static TRACED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Notes a secret of this run.
pub fn keep(secret: &str) {
    if secret.len() >= MIN_SECRET_CHARS {
        lock(&KEPT).insert(secret.to_owned());
    }
}

/// Returns the first secret in these lines: what it is, and the line without it.
pub fn find<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let kept = lock(&KEPT);
    lines.into_iter().find_map(|line| {
        let chosen = kept.iter().map(String::as_str);
        let secret = chosen
            .filter(|secret| line.contains(secret))
            .chain(words(line).filter(|word| is_random(word)))
            .next()?;
        let hidden = line.replace(secret, "<the secret>");
        Some(format!("{} characters of it in: {hidden}", secret.len()))
    })
}

/// Collects what this process logs through `tracing`, from now on.
pub(crate) fn trace() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(VERBOSE))
            .with_ansi(false)
            .with_writer(|| Trace)
            .init();
    });
}

/// Logs that are looked through when this is dropped.
#[derive(Default)]
pub(crate) struct Watched(Mutex<Vec<Logs>>);

impl Watched {
    pub(crate) fn add(&self, logs: Logs) {
        lock(&self.0).push(logs);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let lines: Vec<String> = lock(&self.0).iter().flat_map(Logs::lines).collect();
        let traced = String::from_utf8_lossy(&lock(&TRACED)).into_owned();
        let all = lines.iter().map(String::as_str).chain(traced.lines());
        if let Some(found) = find(all) {
            panic!("a secret is in the log: {found}");
        }
    }
}

struct Trace;

impl Write for Trace {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&TRACED).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the runs of characters that hex and URL-safe Base64 are made of.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !(character.is_ascii_alphanumeric() || "-_".contains(character)))
}

/// Whether a word is too long and too mixed for one that a person wrote.
fn is_random(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    word.len() >= MAX_WORD_CHARS
        && has(u8::is_ascii_digit)
        && (word.bytes().all(|byte| byte.is_ascii_hexdigit())
            || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
