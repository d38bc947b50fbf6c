//! Resumption of session streams at `/mcp` after their connection is lost, over two machines.

use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings, SseStream, Tokens};
use serde_json::{Value, json};

/// Two machines that close streams after so many seconds.
async fn two(stream_seconds: &str) -> (Gatehouse, host::Running) {
    let settings = Settings::default().conformance_tools();
    let settings = settings.variable("stream_seconds", stream_seconds);
    let gatehouse = Gatehouse::start_with(settings).await;
    let other = gatehouse.another().await;
    (gatehouse, other)
}

async fn sign_in(gatehouse: &Gatehouse) -> Tokens {
    let client = Client::register(gatehouse).await;
    client.sign_in(&Person::new()).await
}

/// A new session, at each of two machines.
async fn session(gatehouse: &Gatehouse, other: &host::Running, token: &str) -> [Mcp; 2] {
    let here = Mcp::initialized(gatehouse, token).await;
    let there = here.at(format!("{}/mcp", other.url().trim_end_matches('/')));
    [here, there]
}

/// Begins a call that reports progress ten times a second.
async fn begin(mcp: &Mcp, seconds: u32) -> SseStream {
    let params = json!({ "name": "slow_compute", "arguments": { "seconds": seconds },
        "_meta": { "progressToken": "p" } });
    SseStream::of(mcp.request("tools/call", params).await)
}

/// What came of a call: its messages, and the id of the last event.
#[derive(Default)]
struct Received {
    messages: Vec<Value>,
    last: String,
}

impl Received {
    /// Takes the next event; `false` when the connection is over.
    async fn take(&mut self, stream: &mut SseStream) -> bool {
        let Some(event) = stream.event().await else {
            return false;
        };
        self.last = event.id.expect("an id");
        // The first event of a connection is empty.
        if !event.data.is_empty() {
            self.messages
                .push(serde_json::from_str(&event.data).unwrap());
        }
        true
    }

    fn is_over(&self) -> bool {
        let last = self.messages.last();
        last.is_some_and(|message| message["result"].is_object())
    }

    /// Checks that there are all messages of a call of so many seconds, each once and in order.
    fn check(&self, seconds: u32) {
        let (response, progress) = self.messages.split_last().expect("messages");
        let text = &response["result"]["content"][0]["text"];
        assert_eq!(*text, format!("Computed for {seconds} s."));
        let progress = progress.iter().map(|told| {
            assert_eq!(told["method"], "notifications/progress");
            told["params"]["progress"].as_f64().unwrap() as u32
        });
        assert!(progress.eq(0..seconds * 10), "{:?}", self.messages);
    }
}

#[tokio::test]
async fn a_stream_that_is_closed_goes_on_at_another_machine_with_each_message_once() {
    let (gatehouse, other) = two("1").await;
    let tokens = sign_in(&gatehouse).await;
    let machines = session(&gatehouse, &other, &tokens.access).await;
    let mut stream = begin(&machines[0], 5).await;
    let mut received = Received::default();
    let mut connections = 1;
    loop {
        while received.take(&mut stream).await {}
        if received.is_over() {
            break;
        }
        let next = &machines[connections % 2];
        stream = SseStream::of(next.resume(&received.last).await);
        connections += 1;
    }
    received.check(5);
    assert!(connections > 2, "{connections}");
    other.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_broke_off_goes_on_at_another_machine_with_each_message_once() {
    let (gatehouse, other) = two("60").await;
    let tokens = sign_in(&gatehouse).await;
    let [here, there] = session(&gatehouse, &other, &tokens.access).await;
    let mut stream = begin(&here, 3).await;
    let mut received = Received::default();
    while received.messages.len() < 5 {
        assert!(received.take(&mut stream).await);
    }
    drop(stream);
    let mut stream = SseStream::of(there.resume(&received.last).await);
    while received.take(&mut stream).await {}
    received.check(3);
    other.shutdown().await;
}

#[tokio::test]
async fn an_event_id_that_was_not_given_to_this_person_and_session_leads_nowhere() {
    let (gatehouse, other) = two("1").await;
    let tokens = sign_in(&gatehouse).await;
    let [here, there] = session(&gatehouse, &other, &tokens.access).await;
    let mut stream = begin(&here, 2).await;
    let id = stream.event().await.unwrap().id.unwrap();
    let (sealed, _) = id.rsplit_once('.').unwrap();
    let turned: String = id.chars().rev().collect();
    for forged in [
        "",
        "nonsense",
        "nonsense.1",
        sealed,
        &turned,
        &format!("{sealed}.-1"),
        &format!("{sealed}.99999999999"),
        &format!("{}.1", &sealed[1..]),
    ] {
        assert_eq!(there.resume(forged).await.status(), 400, "{forged}");
    }
    let [_, my_other_session] = session(&gatehouse, &other, &tokens.access).await;
    assert_eq!(my_other_session.resume(&id).await.status(), 400);
    gatehouse
        .descope
        .sign_in_as(descope_emulator::User::new("Eve", "eve@example.com"));
    let theirs = sign_in(&gatehouse).await;
    let [_, their_session] = session(&gatehouse, &other, &theirs.access).await;
    assert_eq!(their_session.resume(&id).await.status(), 400);
    let stolen = there.with_token(&theirs.access);
    assert_eq!(stolen.resume(&id).await.status(), 404);
    let mut received = Received::default();
    let mut stream = SseStream::of(there.resume(&id).await);
    while !received.is_over() {
        while received.take(&mut stream).await {}
        stream = SseStream::of(there.resume(&received.last).await);
    }
    received.check(2);
    other.shutdown().await;
}

#[tokio::test]
async fn what_changes_between_two_connections_is_told_on_the_second_at_another_machine() {
    let (gatehouse, other) = two("1").await;
    let tokens = sign_in(&gatehouse).await;
    let [here, there] = session(&gatehouse, &other, &tokens.access).await;
    let mut stream = SseStream::of(here.listen().await);
    let last = stream.event().await.unwrap().id.unwrap();
    stream.end().await;
    here.call("test_trigger_tool_change", json!({})).await;
    let mut stream = SseStream::of(there.resume(&last).await);
    let mut received = Received::default();
    while received.take(&mut stream).await {}
    let told: Vec<_> = received
        .messages
        .iter()
        .map(|told| &told["method"])
        .collect();
    assert_eq!(told, ["notifications/tools/list_changed"]);
    other.shutdown().await;
}
