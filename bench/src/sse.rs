//! HTTP+SSE sessions: how soon a message reaches the stream of a busy one, and what many idle ones
//! cost.

use crate::process::Process;
use anyhow::{Result, ensure};
use descope_emulator::User;
use hdrhistogram::Histogram;
use serde_json::json;
use std::time::{Duration, Instant};
use tests::sse::initialize;
use tests::{Client, Gatehouse, Person, Settings, SseStream};

/// Sessions that one person opens: below what one may in a minute.
const SESSIONS_OF_A_PERSON: usize = 100;

/// Messages to the busy session.
const MESSAGES: u64 = 500;

/// After this long without a message a session is at its idlest.
const UNTIL_IDLE: Duration = Duration::from_secs(32);

/// Measures sessions of a Gatehouse of their own on `key_value`: a busy one, and so many idle ones
/// for so long.
///
/// # Errors
///
/// If a session does not open, or a message is refused.
pub async fn measure(key_value: host::KeyValue, sessions: usize, time: Duration) -> Result<()> {
    let settings = Settings {
        key_value,
        is_watched: false,
        ..Settings::default()
    };
    let gatehouse = Gatehouse::start_with(settings).await;
    latency(&gatehouse, MESSAGES).await?;
    idle(&gatehouse, sessions, time).await?;
    // Or it would look for messages to the sessions while others are measured.
    gatehouse.host.shutdown().await;
    Ok(())
}

/// Measures how long after a message was posted its answer comes through the stream.
async fn latency(gatehouse: &Gatehouse, messages: u64) -> Result<()> {
    let session = Session::open(gatehouse, &sign_in(gatehouse, 0).await).await?;
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

/// Measures what so many idle sessions cost in this process, clients included, for so long.
async fn idle(gatehouse: &Gatehouse, sessions: usize, time: Duration) -> Result<()> {
    let before = Process::now();
    let mut open = Vec::with_capacity(sessions);
    let mut token = String::new();
    for number in 0..sessions {
        if number % SESSIONS_OF_A_PERSON == 0 {
            token = sign_in(gatehouse, number).await;
        }
        open.push(Session::open(gatehouse, &token).await?.stream);
    }
    let after = Process::now();
    tokio::time::sleep(UNTIL_IDLE).await;
    let counters = gatehouse.host.counters();
    let begun = Process::now();
    tokio::time::sleep(time).await;
    let ended = Process::now();
    let counters = gatehouse.host.counters().since(&counters);
    let seconds = time.as_secs_f64();
    print!("{:<40} ", format!("SSE: {sessions} idle sessions"));
    if let (Some(before), Some(after), Some(begun), Some(ended)) = (before, after, begun, ended) {
        print!(
            "{:.0} KB each, {:.1} % of a core, ",
            after.memory.saturating_sub(before.memory) as f64 / 1000.0 / sessions as f64,
            (ended.cpu.saturating_sub(begun.cpu)).as_secs_f64() / seconds * 100.0
        );
    }
    println!(
        "{:.2} key-value reads a second each",
        counters.reads() as f64 / seconds / sessions as f64
    );
    drop(open);
    Ok(())
}

struct Session {
    stream: SseStream,
    endpoint: String,
    token: String,
}

impl Session {
    async fn open(gatehouse: &Gatehouse, token: &str) -> Result<Self> {
        let mut stream = SseStream::open(&gatehouse.base(), token).await;
        let (event, path) = stream.next().await;
        ensure!(event == "endpoint", "the stream does not say where to post");
        Ok(Self {
            stream,
            endpoint: gatehouse.url(&path),
            token: token.to_owned(),
        })
    }
}

async fn sign_in(gatehouse: &Gatehouse, number: usize) -> String {
    let email = format!("person-{number}@example.com");
    gatehouse.descope.sign_in_as(User::new("Person", &email));
    let client = Client::register(gatehouse).await;
    client.sign_in(&Person::new()).await.access
}
