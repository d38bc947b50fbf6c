//! HTTP+SSE sessions whose stream and whose messages meet two machines on one Redis server.

use crate::host_process::HostProcess;
use crate::redis::Redis;
use gatehouse_tests::sse::initialize;
use gatehouse_tests::{Client, Gatehouse, Person, Settings, SseStream};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What an operator shows.
const ADMIN_TOKEN: &str = "an-operator-of-the-proofs-shows-this";

/// Seconds after the last sign of life of its stream at which a session is over.
const SESSION_TTL: u64 = 150;

/// A machine where messages come in, a client, and a Redis server for more machines.
struct World {
    redis: Redis,
    gatehouse: Gatehouse,
    token: String,
}

impl World {
    async fn start() -> Self {
        let redis = Redis::start().await;
        let settings = Settings {
            key_value: redis.store(),
            ..Settings::default()
        };
        let settings = settings.variable("admin_token", ADMIN_TOKEN);
        let gatehouse = Gatehouse::start_with(settings).await;
        let client = Client::register(&gatehouse).await;
        let token = client.sign_in(&Person::new()).await.access;
        Self {
            redis,
            gatehouse,
            token,
        }
    }

    async fn another(&self) -> host::Running {
        self.gatehouse.another_with(self.redis.store()).await
    }

    /// Opens a stream at another machine, and gives the place at the first where messages go.
    async fn connect(&self, base: &str) -> (SseStream, String) {
        let mut stream = SseStream::open(base.trim_end_matches('/'), &self.token).await;
        let (event, path) = stream.next().await;
        assert_eq!(event, "endpoint");
        (stream, self.gatehouse.url(&path))
    }

    async fn post(&self, url: &str, message: &Value) -> u16 {
        let request = reqwest::Client::new().post(url).bearer_auth(&self.token);
        let response = request.json(message).send().await;
        response.expect("an answer").status().as_u16()
    }

    /// The keys of sessions in the store.
    async fn keys(&self) -> Vec<String> {
        let store = self.redis.store().open("default").await;
        let mut keys = store.expect("Redis").keys().await.expect("keys");
        keys.retain(|key| key.contains("sse:"));
        keys
    }

    async fn sweep(&self) {
        loop {
            let url = self.gatehouse.url("/admin/sweep");
            let request = reqwest::Client::new().post(url).bearer_auth(ADMIN_TOKEN);
            let response = request.send().await.expect("an answer");
            let swept: Value = response.json().await.expect("JSON");
            if swept["more"] == false {
                return;
            }
        }
    }
}

fn call(id: u64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": "add", "arguments": { "a": id, "b": id } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_cross_machines_once_and_in_order_and_a_session_that_ended_leaves_no_key() {
    let world = World::start().await;
    let other = world.another().await;
    let (mut stream, url) = world.connect(&other.url()).await;
    assert_eq!(world.post(&url, &initialize()).await, 202);
    let answer = stream.message().await;
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
    // More than the ring of the mailbox has slots, some of them before anybody reads.
    for round in 0..5 {
        let ids = round * 20..(round + 1) * 20;
        for id in ids.clone() {
            assert_eq!(world.post(&url, &call(id)).await, 202);
        }
        for id in ids {
            let answer = stream.message().await;
            assert_eq!(answer["id"], id);
            let sum = &answer["result"]["content"][0]["text"];
            assert_eq!(*sum, (2 * id).to_string());
        }
    }
    assert!(!world.keys().await.is_empty());
    drop(stream);
    // The stream learns that its client is gone when it next says that it lives.
    for _ in 0..600 {
        if world.keys().await.is_empty() {
            assert_eq!(world.post(&url, &call(0)).await, 404);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?}", world.keys().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_machine_died_is_over_in_its_time_and_swept() {
    let world = World::start().await;
    let runtime_config = format!(
        "[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n",
        world.redis.url()
    );
    let mut other = HostProcess::beside(&world.gatehouse, &runtime_config).await;
    let (mut stream, url) = world.connect(&other.base()).await;
    assert_eq!(world.post(&url, &initialize()).await, 202);
    stream.message().await;
    other.kill();
    drop(stream);
    assert_eq!(world.post(&url, &call(1)).await, 202, "no one can know yet");
    world.gatehouse.pass(SESSION_TTL);
    assert_eq!(world.post(&url, &call(2)).await, 404);
    // The hour has to be over, and five minutes more.
    world.gatehouse.pass(2 * 3600);
    world.sweep().await;
    assert_eq!(world.keys().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_costs_at_most_two_reads_a_second() {
    let world = World::start().await;
    let other = world.another().await;
    let (mut stream, url) = world.connect(&other.url()).await;
    assert_eq!(world.post(&url, &initialize()).await, 202);
    stream.message().await;
    // Half a minute after the last message it is at its slowest.
    for _ in 0..3 {
        stream.comment().await;
    }
    let (began, before) = (Instant::now(), other.counters());
    for _ in 0..5 {
        stream.comment().await;
    }
    let cost = other.counters().since(&before);
    // Its messages and its grant. However slow the machine is, no look comes before its time.
    assert!(
        cost.reads() <= 2 * (began.elapsed().as_secs() + 1),
        "{cost:?}"
    );
    assert!(cost.writes() <= 2, "{cost:?}");
}
