//! `subscriptions/listen`, and the changes that it tells of.

use super::stateless::{ask, message, refused, send};
use super::*;
use crate::Environment;
use serde_json::json;
use std::time::Duration;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A client that listens.
pub(super) struct Stream {
    body: Body,
    text: String,
}

impl Stream {
    async fn open(fixture: &Fixture, token: &str, notifications: Value) -> Stream {
        Self::open_with(token, fixture, notifications, json!({})).await
    }

    pub(super) async fn open_with(
        token: &str,
        fixture: &Fixture,
        notifications: Value,
        capabilities: Value,
    ) -> Stream {
        let params = json!({"notifications": notifications});
        let message = message("subscriptions/listen", params, capabilities);
        let answer = send(fixture, token, &[], &message).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/event-stream");
        Stream {
            body: answer.body,
            text: String::new(),
        }
    }

    /// The next message, which names its subscription; `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let found = messages(&format!("{event}\n\n")).pop();
                self.text = rest.to_owned();
                if let Some(message) = found {
                    let holder = if message["method"].is_null() {
                        &message["result"]
                    } else {
                        &message["params"]
                    };
                    assert_eq!(holder["_meta"][SUBSCRIPTION], "q", "{message}");
                    return Some(message);
                }
                continue;
            }
            let frame = self.body.frame().await?.unwrap();
            let data = frame.into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    pub(super) async fn acknowledged(&mut self) -> Value {
        let first = self.next().await.unwrap();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
        first["params"]["notifications"].clone()
    }
}

/// Calls the tool that changes something.
async fn change(fixture: &Fixture, token: &str) {
    ask(fixture, token, "tools/call", json!({"name": "changes"})).await;
}

#[test]
fn it_acknowledges_first_and_only_what_there_is() {
    run(async |fixture, token| {
        let wanted = json!({
            "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
            "resourceSubscriptions": ["test:one"],
        });
        let mut stream = Stream::open(fixture, &token, wanted.clone()).await;
        let mut there = wanted.clone();
        there.as_object_mut().unwrap().remove("promptsListChanged");
        assert_eq!(stream.acknowledged().await, there);
        // Resources take a scope.
        let other = fixture.token(&["secret"]).await;
        let mut stream = Stream::open(fixture, &other, wanted).await;
        assert_eq!(
            stream.acknowledged().await,
            json!({"toolsListChanged": true})
        );
        let discovered = ask(fixture, &token, "server/discover", json!({})).await;
        let capabilities = &discovered["result"]["capabilities"];
        assert_eq!(capabilities["tools"], json!({"listChanged": true}));
        assert_eq!(capabilities["prompts"], json!({}));
        let resources = json!({"listChanged": true, "subscribe": true});
        assert_eq!(capabilities["resources"], resources);
    });
}

#[test]
fn it_tells_what_was_asked_for_and_nothing_else_whichever_instance_learns_of_it() {
    run(async |fixture, token| {
        let wanted = json!({"resourceSubscriptions": ["test:two", "test:three"]});
        let mut resources = Stream::open(fixture, &token, wanted).await;
        let mut tools = Stream::open(fixture, &token, json!({"toolsListChanged": true})).await;
        resources.acknowledged().await;
        tools.acknowledged().await;
        change(&fixture.twin(), &token).await;
        let notification = resources.next().await.unwrap();
        assert_eq!(notification["method"], "notifications/resources/updated");
        assert_eq!(notification["params"]["uri"], "test:two");
        let notification = tools.next().await.unwrap();
        assert_eq!(notification["method"], "notifications/tools/list_changed");
        change(fixture, &token).await;
        let notification = resources.next().await.unwrap();
        assert_eq!(notification["params"]["uri"], "test:two");
    });
}

#[test]
fn a_notified_client_gets_the_new_list_from_any_instance() {
    run(async |fixture, token| {
        let twin = fixture.twin();
        let instructions = async |fixture: &Fixture| {
            ask(fixture, &token, "tools/list", json!({})).await;
            let discovered = ask(fixture, &token, "server/discover", json!({})).await;
            discovered["result"]["instructions"].clone()
        };
        assert_eq!(instructions(&twin).await, Value::Null);
        assert_eq!(instructions(fixture).await, Value::Null);
        change(fixture, &token).await;
        assert_eq!(instructions(&twin).await, "1");
        assert_eq!(instructions(fixture).await, "1");
    });
}

#[test]
fn a_call_on_another_instance_follows_a_change_within_half_a_minute() {
    run(async |fixture, token| {
        let twin = fixture.twin();
        let instructions = async || {
            let discovered = ask(&twin, &token, "server/discover", json!({})).await;
            discovered["result"]["instructions"].clone()
        };
        assert_eq!(instructions().await, Value::Null);
        change(fixture, &token).await;
        fixture.environment.advance(30);
        assert_eq!(instructions().await, "1");
    });
}

#[test]
fn an_idle_stream_costs_one_read_a_second_and_no_write() {
    run(async |fixture, token| {
        let mut stream = Stream::open(fixture, &token, json!({"toolsListChanged": true})).await;
        stream.acknowledged().await;
        fixture.environment.sleep(Duration::from_secs(20)).await;
        let (reads, writes) = fixture.server.context.store.backend().operations();
        fixture.environment.sleep(Duration::from_secs(40)).await;
        let (more_reads, more_writes) = fixture.server.context.store.backend().operations();
        // What changes is read with the grant.
        assert!(more_reads - reads <= 42, "{}", more_reads - reads);
        assert_eq!(more_writes, writes);
    });
}

#[test]
fn changes_take_a_fixed_number_of_keys_and_tell_nothing() {
    run(async |fixture, token| {
        for _ in 0..100 {
            change(fixture, &token).await;
        }
        let keys = fixture.keys().await;
        let changes = keys.iter().filter(|key| key.contains("changes:"));
        assert_eq!(changes.count(), 65);
        for key in &keys {
            let value = store::KeyValue::get(fixture.server.context.store.backend(), key).await;
            let value = value.unwrap().unwrap();
            assert!(!String::from_utf8_lossy(&value).contains("test:one"));
        }
    });
}

#[test]
fn a_stream_that_the_changes_overtook_tells_of_everything_it_listens_to() {
    run(async |fixture, token| {
        let wanted = json!({"resourceSubscriptions": ["test:three"]});
        let mut stream = Stream::open(fixture, &token, wanted).await;
        stream.acknowledged().await;
        let uri = |n: u32| crate::Changed::Resource(format!("test:{n}"));
        for n in 0..100 {
            fixture.changes().report(&uri(n)).await;
        }
        let notification = stream.next().await.unwrap();
        assert_eq!(notification["params"]["uri"], "test:three");
    });
}

#[test]
fn a_change_that_was_numbered_and_never_written_stops_no_reader() {
    run(async |fixture, token| {
        let mut stream = Stream::open(fixture, &token, json!({"toolsListChanged": true})).await;
        stream.acknowledged().await;
        let store = &fixture.server.context.store;
        let counter = store.key("changes", "last");
        let numbered = store::KeyValue::increment(store.backend(), &counter, 1, None).await;
        numbered.unwrap();
        fixture.changes().report(&crate::Changed::Tools).await;
        let notification = stream.next().await.unwrap();
        assert_eq!(notification["method"], "notifications/tools/list_changed");
    });
}

#[test]
fn it_ends_with_its_token_and_says_so() {
    run(async |fixture, _| {
        let short_lived = |claims: &mut access_token::Claims| claims.exp = START + 30;
        let token = fixture.token_with(&["tools"], short_lived).await;
        let mut stream = Stream::open(fixture, &token, json!({"toolsListChanged": true})).await;
        stream.acknowledged().await;
        let last = stream.next().await.unwrap();
        assert_eq!(
            (&last["id"], &last["result"]["resultType"]),
            (&json!("q"), &json!("complete"))
        );
        assert_eq!(stream.next().await, None);
        assert_eq!(fixture.environment.working(), 0);
    });
}

#[test]
fn it_ends_within_seconds_of_its_grant() {
    run(async |fixture, token| {
        let mut stream = Stream::open(fixture, &token, json!({})).await;
        assert_eq!(stream.acknowledged().await, json!({}));
        fixture.end_grants().await;
        assert!(stream.next().await.unwrap()["result"].is_object());
        assert!(fixture.environment.now() <= START + 3);
    });
}

#[test]
fn it_ends_when_its_client_goes_away() {
    run(async |fixture, token| {
        let mut stream = Stream::open(fixture, &token, json!({"toolsListChanged": true})).await;
        stream.acknowledged().await;
        drop(stream);
        fixture.environment.sleep(Duration::from_secs(16)).await;
        assert_eq!(fixture.environment.working(), 0);
    });
}

#[test]
fn it_is_refused_what_no_stream_carries() {
    run(async |fixture, token| {
        let listen = |notifications| {
            let params = json!({"notifications": notifications});
            message("subscriptions/listen", params, json!({}))
        };
        let many = listen(json!({"resourceSubscriptions": vec!["x"; 65]}));
        assert_eq!(refused(fixture, &token, &[], &many).await, (200, -32602));
        let none = message("subscriptions/listen", json!({}), json!({}));
        assert_eq!(refused(fixture, &token, &[], &none).await, (200, -32602));
        let json = [("accept", "application/json")];
        let plain = refused(fixture, &token, &json, &listen(json!({}))).await;
        assert_eq!(plain.0, 406);
        for _ in 0..120 {
            Stream::open(fixture, &token, json!({})).await;
        }
        let more = refused(fixture, &token, &[], &listen(json!({}))).await;
        assert_eq!(more.0, 429);
    });
}

#[test]
fn it_is_closed_without_a_word_when_stream_seconds_are_over() {
    let fixture = Fixture::with(&[("stream_seconds", "5")]);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let wanted = json!({"toolsListChanged": true});
        let mut stream = Stream::open(&fixture, &token, wanted).await;
        stream.acknowledged().await;
        assert_eq!(stream.next().await, None);
        assert!(fixture.environment.now() <= START + 6);
        assert_eq!(fixture.environment.working(), 0);
    });
}
