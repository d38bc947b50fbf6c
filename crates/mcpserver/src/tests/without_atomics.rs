//! The MCP server over a store without atomics, and over one of several regions.

use super::*;
use crate::Environment;
use std::time::Duration;
use store::{KeyValue, Regions};

fn fixture(regions: Regions) -> Fixture {
    Fixture::over(TestKeyValue::without_atomics(regions), &[])
}

#[test]
fn http_sse_is_not_found_and_the_answer_names_the_mcp_endpoint() {
    let fixture = fixture(Regions::One);
    fixture.environment.run(async {
        let token = fixture.token(&["tools"]).await;
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("accept", "text/event-stream"),
        ];
        for (method, path) in [("GET", "/sse"), ("POST", "/messages?sessionId=x")] {
            let answer = fixture.send(method, path, &headers, "").await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(
                String::from_utf8_lossy(&answer.bytes().await).contains("/mcp"),
                "{path}"
            );
        }
        assert!(fixture.post(&token, &[], PING).await.status == 200);
    });
}

/// Sends a request with a token whose grant comes to this region two seconds later.
async fn send_early(fixture: &Fixture, age: u64) -> u16 {
    let token = fixture
        .token_with(&["tools"], |claims| claims.iat -= age)
        .await;
    let backend = fixture.server.context.store.backend();
    let is_grant = |key: &&String| key.contains(":grant:");
    let key = backend.keys().iter().find(is_grant).unwrap().clone();
    let grant = backend.get(&key).await.unwrap().unwrap();
    backend.delete(&key).await.unwrap();
    let arrival = async {
        fixture.environment.sleep(Duration::from_secs(2)).await;
        backend.set(&key, &grant, None).await.unwrap();
    };
    let (answer, ()) = futures::join!(fixture.post(&token, &[], PING), arrival);
    answer.status
}

#[test]
fn a_fresh_token_waits_for_its_grant_from_another_region() {
    let fixture = fixture(Regions::Several);
    let status = fixture.environment.run(send_early(&fixture, 0));
    assert_eq!(status, 200);
}

#[test]
fn a_token_without_its_grant_is_refused_at_once_if_it_is_old_or_there_is_one_region() {
    for (regions, age) in [(Regions::Several, 120), (Regions::One, 0)] {
        let fixture = fixture(regions);
        let status = fixture.environment.run(send_early(&fixture, age));
        assert_eq!(status, 401, "{regions:?}");
    }
}
