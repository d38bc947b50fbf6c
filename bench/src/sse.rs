//! HTTP+SSE sessions: how soon a message reaches the stream of a busy one, and what many idle ones
//! cost.

use crate::application::Alone;
use crate::server::Launcher;
use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use serde_json::json;
use std::time::{Duration, Instant};
use tests::SseStream;
use tests::sse::initialize;

/// Sessions that one person opens: below what one may in a minute.
const SESSIONS_OF_A_PERSON: usize = 100;

/// Messages to the busy session.
const MESSAGES: u64 = 500;

/// After this long without a message a session is at its idlest.
const UNTIL_IDLE: Duration = Duration::from_secs(32);

/// Measures sessions of a Gatehouse of their own: a busy one, and so many idle ones for so long.
///
/// # Errors
///
/// If something does not start, a session does not open, or a message is refused.
pub async fn measure(
    launcher: &Launcher,
    variables: &[(String, String)],
    sessions: usize,
    time: Duration,
) -> Result<()> {
    let gatehouse = Alone::start(launcher, "streams", variables).await?;
    latency(&gatehouse, MESSAGES).await?;
    idle(&gatehouse, sessions, time).await?;
    gatehouse.server.stop().await;
    Ok(())
}

/// Measures how long after a message was posted its answer comes through the stream.
async fn latency(gatehouse: &Alone, messages: u64) -> Result<()> {
    let session = Session::open(gatehouse, &gatehouse.sign_in(0).await).await?;
    let Session {
        mut stream,
        endpoint,
        token,
    } = session;
    let http = reqwest::Client::new();
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut post = async |message: &serde_json::Value| {
        let sent = Instant::now();
        let request = http.post(&endpoint).bearer_auth(&token).json(message);
        let posted = tokio::spawn(request.send());
        let answer = stream.message().await;
        let took = sent.elapsed();
        ensure!(posted.await??.status() == 202, "a message was refused");
        ensure!(answer["id"] == message["id"], "another answer came");
        Ok(took)
    };
    post(&initialize()).await?;
    for id in 1..=messages {
        let took = post(&json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })).await?;
        latencies.record(u64::try_from(took.as_micros())?)?;
    }
    println!(
        "{:<40} p50 {:.1} ms, p99 {:.1} ms",
        "SSE: from POST to event, busy session",
        latencies.value_at_percentile(50.0) as f64 / 1000.0,
        latencies.value_at_percentile(99.0) as f64 / 1000.0
    );
    Ok(())
}

/// Measures for so long what so many idle sessions cost: in the server's process, or in this one, with its clients.
async fn idle(gatehouse: &Alone, sessions: usize, time: Duration) -> Result<()> {
    let server = &gatehouse.server;
    let before = server.process_or_this();
    let mut open = Vec::with_capacity(sessions);
    let mut token = String::new();
    for number in 0..sessions {
        if number % SESSIONS_OF_A_PERSON == 0 {
            token = gatehouse.sign_in(number).await;
        }
        open.push(Session::open(gatehouse, &token).await?.stream);
    }
    let after = server.process_or_this();
    tokio::time::sleep(UNTIL_IDLE).await;
    let first = server.operations();
    let begun = server.process_or_this();
    tokio::time::sleep(time).await;
    let ended = server.process_or_this();
    let last = server.operations();
    let seconds = time.as_secs_f64();
    print!("{:<40} ", format!("SSE: {sessions} idle sessions"));
    if let (Some(before), Some(after), Some(begun), Some(ended)) = (before, after, begun, ended) {
        print!(
            "{:.0} KB each, {:.1} % of a core",
            after.memory.saturating_sub(before.memory) as f64 / 1000.0 / sessions as f64,
            (ended.cpu.saturating_sub(begun.cpu)).as_secs_f64() / seconds * 100.0
        );
    }
    if let (Some((first, _)), Some((last, _))) = (first, last) {
        let reads = (last - first) as f64 / seconds / sessions as f64;
        print!(", {reads:.2} key-value reads a second each");
    }
    println!();
    drop(open);
    Ok(())
}

struct Session {
    stream: SseStream,
    endpoint: String,
    token: String,
}

impl Session {
    async fn open(gatehouse: &Alone, token: &str) -> Result<Self> {
        let base = gatehouse.server.base();
        let mut stream = SseStream::open(&base, token).await;
        let (event, path) = stream.next().await;
        ensure!(event == "endpoint", "the stream does not say where to post");
        Ok(Self {
            stream,
            endpoint: format!("{base}{path}"),
            token: token.to_owned(),
        })
    }
}
