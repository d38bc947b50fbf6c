//! Components of WASI 0.2: how they are served, and what they may use.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use common::{App, MANIFEST_WASIP2, ask, get, get_with, send, text};
use futures::{StreamExt, channel::mpsc};
use gatehouse_host::{Clock, Hooks, KeyValue, Operation, Running};
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

fn app() -> App {
    App::with(MANIFEST_WASIP2)
}

async fn logged(running: &Running, text: &str) -> Vec<String> {
    loop {
        let logs = running.logs();
        if logs.iter().any(|line| line.contains(text)) {
            return logs;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_component_is_told_of_url_route_and_client_after_what_the_client_said() {
    let running = app().serve().await;
    let url = format!("{}/guest/ada/x/headers?a=b", running.url());
    let forged = ("spin-full-url", "https://forged.test/");
    let answer = get_with(&url, &[forged, ("connection", "close")]).await;
    let values = |name: &str| {
        let prefix = format!("{name}: ");
        let lines = answer.text.lines();
        lines
            .filter_map(|line| line.strip_prefix(&prefix))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        values("spin-full-url"),
        ["https://forged.test/", url.as_str()]
    );
    assert_eq!(values("spin-path-info"), ["/x/headers"]);
    assert_eq!(values("spin-matched-route"), ["/guest/:name/..."]);
    assert_eq!(values("spin-path-match-name"), ["ada"]);
    assert!(values("host").is_empty() && values("connection").is_empty());
    assert!(values("spin-client-addr")[0].starts_with("127.0.0.1:"));
    assert_eq!(
        ask(&running, "url?a=b").await,
        format!("{}/guest/test/url?a=b", running.address())
    );
    running.shutdown().await;
}

#[tokio::test]
async fn an_instance_serves_one_request() {
    let running = app().serve().await;
    for _ in 0..3 {
        assert_eq!(ask(&running, "requests").await, "1");
    }
    assert_eq!(running.counters_by_component()["guest"].instances, 3);
    running.shutdown().await;
}

#[tokio::test]
async fn requests_of_one_component_are_served_at_once() {
    let running = app().serve().await;
    let all = (0..50).map(|_| ask(&running, "wait?milliseconds=100"));
    for answer in futures::future::join_all(all).await {
        assert_eq!(answer, "waited");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_body_streams_in_and_out_at_the_same_time() {
    let running = app().serve().await;
    let (sender, receiver) = mpsc::unbounded::<&'static str>();
    let chunks = receiver.map(|chunk| Ok(Frame::data(Bytes::from(chunk))));
    let body = BodyExt::boxed(StreamBody::new(chunks));
    let request = Request::post(format!("{}/guest/test/echo", running.url()))
        .body(body)
        .unwrap();
    sender.unbounded_send("zero").unwrap();
    let mut answer = send(request).await.into_body();
    for chunk in ["zero", "one", "two"] {
        if chunk != "zero" {
            sender.unbounded_send(chunk).unwrap();
        }
        let mut seen = Vec::new();
        while seen.len() < chunk.len() {
            let frame = answer.frame().await.unwrap().unwrap();
            seen.extend_from_slice(frame.data_ref().unwrap());
        }
        assert_eq!(seen, chunk.as_bytes());
    }
    drop(sender);
    assert!(answer.frame().await.is_none());
    running.shutdown().await;
}

#[tokio::test]
async fn a_large_body_passes_unchanged() {
    let running = app().serve().await;
    let large = (0_u32..1 << 18)
        .flat_map(u32::to_le_bytes)
        .collect::<Bytes>();
    let request = Request::post(format!("{}/guest/test/echo", running.url()))
        .body(text(large.clone()))
        .unwrap();
    let answer = send(request).await.into_body().collect().await.unwrap();
    assert!(answer.to_bytes() == large);
    running.shutdown().await;
}

#[tokio::test]
async fn an_instance_goes_on_after_its_response() {
    let app = app();
    let store = KeyValue::memory();
    let running = app.host().key_value(store.clone()).start().await.unwrap();
    assert_eq!(ask(&running, "count?to=2&then=set").await, "1\n2\n");
    let store = store.open("default").await.unwrap();
    while !store.exists("after").await.unwrap() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed_at_the_next_write() {
    let app = app();
    let store = KeyValue::memory();
    let running = app.host().key_value(store.clone()).start().await.unwrap();
    let request = Request::get(format!("{}/guest/test/count?gone=left", running.url()))
        .body(text(""))
        .unwrap();
    let mut events = send(request).await.into_body();
    events.frame().await.unwrap().unwrap();
    drop(events);
    let store = store.open("default").await.unwrap();
    while !store.exists("left").await.unwrap() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_panic_or_no_response_is_an_empty_500_and_is_logged() {
    let running = app().serve().await;
    for (path, words) in [("panic", "unreachable"), ("nothing", "without one")] {
        let answer = get(&format!("{}/guest/test/{path}", running.url())).await;
        assert_eq!((answer.status, answer.text.as_str()), (500, ""));
        let logs = running.logs();
        let is_it = |line: &&String| line.contains("no response") && line.contains(words);
        assert_eq!(logs.iter().filter(is_it).count(), 1, "{logs:?}");
    }
    assert!(running.logs().iter().any(|line| line.contains("as asked")));
    assert_eq!(ask(&running, "requests").await, "1");
    running.shutdown().await;
}

/// As in Spin: nothing tells the client of it, and the log says so once.
#[tokio::test]
async fn a_panic_within_a_body_ends_it_as_if_it_were_complete_and_is_logged_once() {
    let running = app().serve().await;
    assert_eq!(ask(&running, "count?to=2&then=panic").await, "1\n2\n");
    let logs = logged(&running, "an instance failed").await;
    let is_it = |line: &&String| line.contains("an instance failed");
    assert_eq!(logs.iter().filter(is_it).count(), 1, "{logs:?}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_body_that_its_component_drops_is_cut() {
    let running = app().serve().await;
    let url = format!("{}/guest/test/count?to=2&then=drop", running.url());
    let request = Request::get(url).body(text("")).unwrap();
    let mut body = send(request).await.into_body();
    let mut seen = String::new();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => seen += &String::from_utf8_lossy(&frame.into_data().unwrap()),
            Some(Err(_)) => break,
            None => panic!("it is complete: {seen}"),
        }
    }
    assert!("1\n2\n".starts_with(&seen), "{seen}");
    running.shutdown().await;
}

#[tokio::test]
async fn stopping_says_nothing_of_the_instances_that_it_cuts_off() {
    let running = app().serve().await;
    let mut open = Vec::new();
    for _ in 0..10 {
        let request = Request::get(format!("{}/guest/test/count", running.url()))
            .body(text(""))
            .unwrap();
        let mut events = send(request).await.into_body();
        events.frame().await.unwrap().unwrap();
        open.push(events);
    }
    let logs = running.log();
    running.shutdown().await;
    for mut events in open {
        while let Some(Ok(_)) = events.frame().await {}
    }
    assert!(logs.lines().is_empty(), "{:?}", logs.lines());
}

#[tokio::test]
async fn values_are_kept_and_are_those_of_every_interface() {
    let running = app().serve().await;
    let kv = |what: &str| {
        let url = format!("kv?store=default&{what}");
        let running = &running;
        async move { ask(running, &url).await }
    };
    assert_eq!(kv("do=get&key=a").await, "Ok(None)");
    assert_eq!(kv("do=set&key=a&value=1").await, "Ok(())");
    assert_eq!(kv("do=get&key=a").await, "Ok(Some(\"1\"))");
    assert_eq!(kv("do=exists&key=a").await, "Ok(true)");
    assert_eq!(kv("do=keys").await, "Ok([\"a\"])");
    for (what, expected) in [
        ("do=get&key=a", "Ok(Some(\"1\"))"),
        ("do=set&key=b&value=2", "Ok(())"),
        ("do=exists&key=b", "Ok(true)"),
        ("do=delete&key=b", "Ok(())"),
        ("do=keys", "Ok([\"a\"])"),
        ("do=many", "Ok(()) Ok([(\"m2\", Some([2]))])"),
    ] {
        let url = format!("bucket?store=default&{what}");
        assert_eq!(ask(&running, &url).await, expected, "{what}");
    }
    let third = format!("{}/third/kv?store=default&do=get&key=a", running.url());
    assert_eq!(get(&third).await.text, "Ok(Some(\"1\"))");
    assert_eq!(kv("do=delete&key=a").await, "Ok(())");
    assert_eq!(kv("do=exists&key=a").await, "Ok(false)");
    running.shutdown().await;
}

#[tokio::test]
async fn a_store_that_is_not_granted_is_refused() {
    let running = app().serve().await;
    for interface in ["kv", "bucket"] {
        let refused = ask(&running, &format!("{interface}?store=other&do=get&key=a")).await;
        assert_eq!(refused, "Error::AccessDenied");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn variables_and_environment_are_those_of_the_manifest() {
    let running = app().serve().await;
    assert_eq!(
        ask(&running, "variable?name=greeting").await,
        "Ok(\"hello, world\")"
    );
    for (name, error) in [("address", "Undefined"), ("NOT-A-NAME", "InvalidName")] {
        let answer = ask(&running, &format!("variable?name={name}")).await;
        assert!(answer.contains(error), "{answer}");
    }
    assert_eq!(
        ask(&running, "environment?name=COLOUR").await,
        "Ok(\"green\")"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn what_a_component_prints_is_kept_with_its_name() {
    let running = app().serve().await;
    ask(&running, "print?text=ink").await;
    let logs = running.logs();
    for line in ["[guest] out ink", "[guest] err ink"] {
        assert!(logs.contains(&line.to_owned()), "{logs:?}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn the_time_is_that_of_the_host_s_clock() {
    let app = app();
    let clock = Clock::new();
    let hooks = Hooks::new().clock(clock.clone());
    let running = app.host().hooks(hooks).start().await.unwrap();
    let before: u64 = ask(&running, "time").await.parse().unwrap();
    clock.advance(1_000_000);
    let after: u64 = ask(&running, "time").await.parse().unwrap();
    assert!(after >= before + 1_000_000);
    running.shutdown().await;
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_refused_and_named_in_the_log() {
    let running = app().serve().await;
    for url in ["http://127.0.0.1:2", "https://example.com"] {
        assert_eq!(
            ask(&running, &format!("fetch?url={url}/")).await,
            "ErrorCode::HttpRequestDenied",
            "{url}"
        );
        let line = format!("add \"{url}\" to allowed_outbound_hosts");
        assert!(running.logs().iter().any(|logged| logged.contains(&line)));
    }
    assert_eq!(running.counters().outbound, 0);
    running.shutdown().await;
}

#[tokio::test]
async fn a_listed_host_the_application_itself_and_its_private_components_are_reached() {
    let app = app();
    let other = App::new().serve().await;
    let host = app.host().variable("address", other.url());
    let running = host.start().await.unwrap();
    let fixed = format!("fetch?url={}/fixed", other.url());
    assert_eq!(ask(&running, &fixed).await, "418 short and stout");
    assert_eq!(
        ask(&running, "fetch?url=http://self.alt/guest/ada/requests").await,
        "200 1"
    );
    for component in ["hidden", "third"] {
        let url = format!("fetch?url=http://{component}.spin.internal/a/headers");
        let answer = ask(&running, &url).await;
        let headers = answer.strip_prefix("200 ").unwrap();
        assert!(headers.contains("spin-client-addr: 0.0.0.0:0"), "{headers}");
    }
    // And from a component of WASI 0.3.
    let url = "fetch?url=http://hidden.spin.internal/a/requests";
    let answer = get(&format!("{}/third/{url}", running.url())).await;
    assert_eq!(answer.text, "200 1");
    other.shutdown().await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_blocked_network_and_a_closed_port_have_errors_of_their_own() {
    let app = app();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let running = app.host().variable("address", address.clone());
    let running = running.start().await.unwrap();
    let url = format!("fetch?url={address}/");
    assert_eq!(ask(&running, &url).await, "ErrorCode::ConnectionRefused");
    running.shutdown().await;

    let config = app.directory().join("runtime-config.toml");
    let blocks = "[outbound_networking]\nblock_networks = [\"private\"]\n";
    std::fs::write(&config, blocks).unwrap();
    let host = app.host().variable("address", address);
    let running = host.runtime_config(config).start().await.unwrap();
    assert_eq!(
        ask(&running, &url).await,
        "ErrorCode::DestinationIpProhibited"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn hooks_fail_operations_and_counters_count_them() {
    let app = app();
    let broken = Arc::new(AtomicBool::new(false));
    let fails = broken.clone();
    let hooks = Hooks::new()
        .on_key_value(move |call| {
            let fails = fails.load(Ordering::Relaxed) && call.operation == Operation::Set;
            async move {
                match fails {
                    true => Err("the disk is full".to_owned()),
                    false => Ok(()),
                }
            }
        })
        .on_outbound(|_| async { Err("the cable is cut".to_owned()) });
    let running = app.host().hooks(hooks).start().await.unwrap();
    let set = "store=default&do=set&key=a&value=1";
    assert_eq!(ask(&running, &format!("kv?{set}")).await, "Ok(())");
    broken.store(true, Ordering::Relaxed);
    let before = running.counters();
    for interface in ["kv", "bucket"] {
        let failed = ask(&running, &format!("{interface}?{set}")).await;
        assert!(failed.contains("the disk is full"), "{failed}");
    }
    let since = running.counters().since(&before);
    assert_eq!((since.writes(), since.requests), (2, 2));
    let failed = ask(&running, "fetch?url=http://self.alt/guest/ada/url").await;
    assert!(failed.contains("the cable is cut"), "{failed}");
    running.shutdown().await;
}

/// A component with a dependency.
const CALLER: &str = r#"
spin_manifest_version = 2

[application]
name = "composed"

[[trigger.http]]
route = "/..."
component = "caller"

[component.caller]
source = "WASIP2_CALLER"
key_value_stores = ["default"]
variables = { greeting = "hello" }
environment = { COLOUR = "green" }

[component.caller.dependencies]
"test:guest/probe" = { path = "WASIP2_USED" }
"#;

#[tokio::test]
async fn counters_are_added_to_and_a_swap_is_lost_to_an_earlier_one() {
    let running = App::with(CALLER).serve().await;
    for sum in [5, 10] {
        let answer = get(&format!("{}/increment", running.url())).await;
        assert_eq!(answer.text, format!("Ok({sum})"));
    }
    let answer = get(&format!("{}/swap", running.url())).await;
    assert_eq!(answer.text, "Ok([true, false, true])");
    running.shutdown().await;
}

#[tokio::test]
async fn a_dependency_uses_what_it_inherits_and_nothing_else() {
    let all = CALLER.replace(
        "WASIP2_USED\"",
        "WASIP2_USED\", inherit_configuration = true",
    );
    for (manifest, expected) in [
        (
            CALLER,
            [
                ("variables", "Err(Error::Undefined(\"greeting\"))"),
                ("key-value", "Error::AccessDenied"),
                ("buckets", "Error::AccessDenied"),
                ("redis", "is not permitted"),
                ("http", "is not permitted"),
                ("environment", "[]"),
            ],
        ),
        (
            all.as_str(),
            [
                ("variables", "Ok(\"hello\")"),
                ("key-value", "Ok(false)"),
                ("buckets", "Ok(false)"),
                ("redis", "Error::InvalidAddress"),
                ("http", "ErrorCode::HttpRequestDenied"),
                ("environment", "[(\"COLOUR\", \"green\")]"),
            ],
        ),
    ] {
        let running = App::with(manifest).serve().await;
        for (grant, expected) in expected {
            let answer = get(&format!("{}/{grant}", running.url())).await;
            assert_eq!(answer.status, 200, "{grant}: {:?}", running.logs());
            assert!(answer.text.contains(expected), "{grant}: {}", answer.text);
        }
        running.shutdown().await;
    }
}
