//! Events in the log of the running application, one JSON object a line (docs/events.md).

use descope_emulator::User;
use gatehouse_tests::{Client, Gatehouse, Mcp, Person, Settings, Tokens};
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// All events so far. The host puts the component's name before each line.
fn events(gatehouse: &Gatehouse) -> Vec<Value> {
    let lines = gatehouse.host.log().lines();
    let objects = lines
        .iter()
        .filter_map(|line| line.find('{').map(|start| &line[start..]));
    objects
        .filter_map(|object| serde_json::from_str(object).ok())
        .collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event"] == kind)
        .collect()
}

#[tokio::test]
async fn a_sign_in_a_call_and_a_revocation_are_found_in_the_log() {
    let gatehouse = Gatehouse::start().await;
    let user = User::new("Ada Lovelace", "ada@example.com");
    gatehouse.descope.sign_in_as(user.clone());
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    let mcp = Mcp::initialized(&gatehouse, &tokens.access).await;
    mcp.call("add", json!({"a": 31_415_926, "b": 27_182_818}))
        .await;
    let tokens = Tokens::read(client.refresh(&tokens.refresh).await).await;
    client.revoke(&tokens.refresh).await;
    let refused = Mcp::new(gatehouse.url("/mcp"), Some(&tokens.access));
    assert_eq!(refused.request("tools/list", json!({})).await.status(), 401);

    let events = events(&gatehouse);
    for (kind, member, value) in [
        ("registration", "change", "created"),
        ("consent", "decision", "allowed"),
        ("sign_in", "purpose", "client"),
        ("grant", "scope", "tools userinfo upstream_token"),
        ("token", "grant_type", "authorization_code"),
        ("tool_call", "outcome", "ok"),
        ("refresh", "scope", "tools userinfo upstream_token"),
        ("revocation", "by", "client"),
        ("refusal", "error", "invalid_token"),
    ] {
        let found = of_kind(&events, kind);
        assert_eq!(found.len(), 1, "{kind} in {events:?}");
        assert_eq!(found[0][member], value, "{kind}");
        if kind != "refusal" {
            assert_eq!(found[0]["client_id"], client.id(), "{kind}");
        }
        if !matches!(kind, "registration" | "consent" | "refusal") {
            assert_eq!(found[0]["subject"], user.subject.as_str(), "{kind}");
        }
    }
    let call = of_kind(&events, "tool_call")[0];
    assert_eq!(call["tool"], "add");
    assert!(call["duration_ms"].is_u64());
    let log = gatehouse.host.log().lines().join("\n");
    for secret in ["31415926", "58598744", &tokens.access, &tokens.refresh] {
        assert!(!log.contains(secret));
    }
}

#[tokio::test]
async fn an_event_has_the_identifiers_of_the_requests_trace() {
    let gatehouse = Gatehouse::start().await;
    let request = reqwest::Client::new().post(gatehouse.url("/token"));
    let request = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "unknown"),
    ];
    assert_eq!(request.form(&form).send().await.unwrap().status(), 401);
    let events = events(&gatehouse);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["error"], "invalid_client");
    assert_eq!(events[0]["client_id"], "unknown");
    assert_eq!(events[0]["trace_id"], TRACE);
    assert_eq!(events[0]["parent_id"], "00f067aa0ba902b7");
}

#[tokio::test]
async fn the_kinds_of_events_are_chosen_by_a_variable() {
    let gatehouse =
        Gatehouse::start_with(Settings::default().variable("events", "tool_call")).await;
    Mcp::signed_in(&gatehouse)
        .await
        .call("add", json!({"a": 1, "b": 2}))
        .await;
    let written = events(&gatehouse);
    assert_eq!(written.len(), 1, "{written:?}");
    assert_eq!(written[0]["event"], "tool_call");

    let gatehouse = Gatehouse::start_with(Settings::default().variable("events", "everything"));
    let gatehouse = gatehouse.await;
    let answer = reqwest::get(gatehouse.url("/authorize")).await.unwrap();
    assert_eq!(answer.status(), 500);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("events") && !text.contains("everything"),
        "{text}"
    );
}

#[tokio::test]
async fn a_person_who_may_not_come_in_is_found_in_the_log() {
    let settings = Settings::default().variable("allowed", "domain:example.com");
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::register(&gatehouse).await;
    let stranger = User::new("Eve Adams", "eve@evil.example");
    gatehouse.descope.sign_in_as(stranger.clone());
    let person = Person::new();
    let url = client.authorization_url(&client.authorization_request());
    let form = person.form(person.open(&url).await).await;
    let back = person
        .come_back(&person.send(&form, ("decision", "allow")).await)
        .await;
    assert_eq!(person.open(back.as_str()).await.status(), 403);
    let events = events(&gatehouse);
    let refusal = of_kind(&events, "refusal")[0];
    assert_eq!(refusal["error"], "access_denied");
    assert_eq!(refusal["reason"], "this account may not use this server");
    assert_eq!(refusal["subject"], stranger.subject.as_str());
    assert_eq!(refusal["client_id"], client.id());
    assert!(of_kind(&events, "grant").is_empty());
}
