//! The restrictions of hosts that run applications for others.

mod common;

use std::{process::Command, time::Duration};

use bytes::Bytes;
use common::{App, get, get_with, send, text};
use futures::{StreamExt, future::join_all, stream};
use gatehouse_host::{Clock, Hooks, HostLimits, KeyValueLimits, Running};
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

/// Components of WASI 0.2 alone.
const SECOND: &str = r#"
spin_manifest_version = 2

[application]
name = "limited"

[variables]
address = { default = "http://127.0.0.1:1" }

[[trigger.http]]
route = "/guest/..."
component = "guest"

[[trigger.http]]
route = { private = true }
component = "hidden"

[component.guest]
source = "WASIP2"
key_value_stores = ["default"]
allowed_outbound_hosts = ["{{ address }}"]

[component.hidden]
source = "WASIP2"
key_value_stores = ["default"]
"#;

/// A component of WASI 0.3 beside, which imports `wasi:keyvalue/atomics`.
const THIRD: &str = r#"
[[trigger.http]]
route = "/third/..."
component = "third"

[component.third]
source = "GUEST"

[component.third.dependencies]
"test:probe/probe@1.0.0" = { path = "DEPENDENCY" }
"#;

fn both() -> App {
    App::with(&format!("{SECOND}{THIRD}"))
}

/// An application whose components reach each other.
fn chained() -> App {
    let hosts = "[\"{{ address }}\", \"http://hidden.spin.internal\"]";
    App::with(&SECOND.replace("[\"{{ address }}\"]", hosts))
}

async fn start(app: &App, limits: HostLimits) -> Running {
    app.host().host_limits(limits).start().await.unwrap()
}

async fn refused(app: &App, limits: HostLimits) -> String {
    match app.host().host_limits(limits).start().await {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    }
}

fn stores(key_value: KeyValueLimits) -> HostLimits {
    HostLimits {
        key_value,
        ..HostLimits::default()
    }
}

/// Asks the component of WASI 0.2.
async fn ask(running: &Running, what: &str) -> String {
    let answer = get(&format!("{}/guest/{what}", running.url())).await;
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    answer.text
}

async fn kv(running: &Running, what: &str) -> String {
    ask(running, &format!("kv?store=default&{what}")).await
}

fn short() -> HostLimits {
    HostLimits {
        request_timeout: Some(Duration::from_millis(300)),
        ..HostLimits::default()
    }
}

#[tokio::test]
async fn a_request_without_a_response_in_time_is_answered_500() {
    let app = App::with(SECOND);
    let running = start(&app, short()).await;
    let url = format!("{}/guest/wait?milliseconds=3600000", running.url());
    let answer = get(&url).await;
    assert_eq!((answer.status, answer.text.as_str()), (500, ""));
    let logs = running.logs();
    assert!(
        logs.iter().any(|line| line.contains("took too long")),
        "{logs:?}"
    );
    assert_eq!(ask(&running, "requests").await, "1");
    running.shutdown().await;
}

#[tokio::test]
async fn a_response_that_takes_too_long_is_cut_with_its_instance() {
    for reuse in [false, true] {
        let app = both();
        let limits = HostLimits {
            instance_reuse: reuse,
            ..short()
        };
        let running = start(&app, limits).await;
        // One that wrote would learn that its client is gone, and might end by itself before it is cut.
        for path in ["/guest/count", "/third/events"] {
            let path = format!("{path}?milliseconds=3600000");
            let url = format!("{}{path}", running.url());
            let request = Request::get(url).body(text("")).unwrap();
            let mut body = send(request).await.into_body();
            loop {
                match body.frame().await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) => break,
                    None => panic!("{path} is complete"),
                }
            }
        }
        // A reused instance of WASI 0.3 goes on until its next write.
        let failures = if reuse { 1 } else { 2 };
        loop {
            let logs = running.logs();
            let failed = |line: &&String| line.contains("an instance failed");
            if logs.iter().filter(failed).count() == failures {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        running.shutdown().await;
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_413_or_fails_where_its_length_is_not_known() {
    let app = App::with(SECOND);
    let limits = HostLimits {
        max_body_bytes: Some(100),
        ..HostLimits::default()
    };
    let running = start(&app, limits).await;
    let url = format!("{}/guest/length", running.url());
    for (length, status) in [(100, 200), (101, 413)] {
        let request = Request::post(&url).body(text(vec![b'a'; length])).unwrap();
        assert_eq!(send(request).await.status().as_u16(), status, "{length}");
    }
    let chunks = stream::iter(0..10).map(|_| Ok(Frame::data(Bytes::from(vec![b'a'; 20]))));
    let request = Request::post(&url)
        .body(BodyExt::boxed(StreamBody::new(chunks)))
        .unwrap();
    let answer = send(request).await;
    let read = answer.into_body().collect().await.unwrap().to_bytes();
    let read: usize = std::str::from_utf8(&read).unwrap().parse().unwrap();
    assert!(read <= 100, "{read}");
    running.shutdown().await;
}

#[tokio::test]
async fn an_instance_that_needs_more_memory_than_there_is_fails() {
    let app = App::with(SECOND);
    let limits = HostLimits {
        max_memory_bytes: Some(32 << 20),
        ..HostLimits::default()
    };
    let running = start(&app, limits).await;
    let bytes = 8 << 20;
    let fits = ask(&running, &format!("memory?bytes={bytes}")).await;
    assert_eq!(fits, bytes.to_string());
    let url = format!("{}/guest/memory?bytes={}", running.url(), 64 << 20);
    assert_eq!(get(&url).await.status, 500);
    running.shutdown().await;
}

#[tokio::test]
async fn without_reuse_an_instance_of_either_generation_serves_one_request() {
    let app = both();
    let limits = HostLimits {
        instance_reuse: false,
        ..HostLimits::default()
    };
    let running = start(&app, limits).await;
    for path in ["guest", "third"] {
        for _ in 0..3 {
            let url = format!("{}/{path}/requests", running.url());
            assert_eq!(get(&url).await.text, "1", "{path}");
        }
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_component_that_imports_what_the_host_does_not_have_is_refused() {
    let message = refused(&both(), HostLimits::akamai()).await;
    assert!(
        message.contains("\"third\"") && message.contains("wasi:keyvalue/atomics@"),
        "{message}"
    );
    let message = refused(&App::with(SECOND), HostLimits::fermyon_cloud()).await;
    assert!(
        message.contains("\"guest\"") && message.contains("wasi:keyvalue/batch@"),
        "{message}"
    );
    // Without restrictions both are served.
    start(&both(), HostLimits::default()).await.shutdown().await;
}

/// Fermyon Cloud, with the batch interface that the guest imports.
fn fermyon_cloud() -> HostLimits {
    let mut limits = HostLimits::fermyon_cloud();
    limits.key_value.batch = true;
    limits
}

#[tokio::test]
async fn a_component_of_another_generation_is_refused() {
    let mut limits = fermyon_cloud();
    limits.key_value.atomics = true;
    let message = refused(&both(), limits).await;
    assert!(
        message.contains("\"third\"")
            && message.contains("must export wasi:http/incoming-handler@0.2.0,")
            && message.contains("exports wasi:http/handler@0.3."),
        "{message}"
    );
}

#[tokio::test]
async fn service_chaining_and_further_stores_are_refused_where_there_are_none() {
    let message = refused(&chained(), fermyon_cloud()).await;
    assert!(
        message.contains("\"guest\"") && message.contains("no service chaining"),
        "{message}"
    );
    let app = App::with(&SECOND.replacen("[\"default\"]", "[\"default\", \"second\"]", 1));
    for limits in [fermyon_cloud(), HostLimits::akamai()] {
        let host = app.host().host_limits(limits);
        let second = gatehouse_host::KeyValue::memory();
        let Err(error) = host.key_value_store("second", second).start().await else {
            panic!("it starts")
        };
        let message = error.to_string();
        assert!(
            message.contains("key_value_stores") && message.contains("no store \"second\""),
            "{message}"
        );
    }
}

#[tokio::test]
async fn an_application_within_the_restrictions_of_a_host_is_served() {
    for limits in [HostLimits::akamai(), fermyon_cloud()] {
        let running = start(&App::with(SECOND), limits).await;
        assert_eq!(kv(&running, "do=set&key=a&value=1").await, "Ok(())");
        assert_eq!(kv(&running, "do=get&key=a").await, "Ok(Some(\"1\"))");
        running.shutdown().await;
    }
    let running = start(&chained(), HostLimits::akamai()).await;
    let url = "fetch?url=http://hidden.spin.internal/requests";
    assert_eq!(ask(&running, url).await, "200 1");
    running.shutdown().await;
}

#[tokio::test]
async fn a_store_that_is_full_takes_no_further_keys() {
    let limits = stores(KeyValueLimits {
        max_keys: Some(3),
        ..KeyValueLimits::default()
    });
    let running = start(&App::with(SECOND), limits).await;
    for key in ["a", "b"] {
        let set = format!("do=set&key={key}&value=1");
        assert_eq!(kv(&running, &set).await, "Ok(())");
    }
    // Two keys at once, of which one has a place.
    let many = ask(&running, "bucket?store=default&do=many").await;
    assert!(
        many.contains("3 keys at most") && many.ends_with("Ok([])"),
        "{many}"
    );
    assert_eq!(kv(&running, "do=set&key=c&value=1").await, "Ok(())");
    for interface in ["kv", "bucket"] {
        let set = format!("{interface}?store=default&do=set&key=d&value=1");
        let full = ask(&running, &set).await;
        assert!(full.contains("3 keys at most"), "{full}");
    }
    assert_eq!(kv(&running, "do=set&key=a&value=2").await, "Ok(())");
    assert_eq!(kv(&running, "do=delete&key=a").await, "Ok(())");
    assert_eq!(kv(&running, "do=set&key=d&value=1").await, "Ok(())");
    running.shutdown().await;
}

#[tokio::test]
async fn keys_and_values_that_are_too_long_are_refused() {
    let limits = stores(KeyValueLimits {
        max_key_bytes: Some(10),
        max_value_bytes: Some(20),
        ..KeyValueLimits::default()
    });
    let running = start(&App::with(SECOND), limits).await;
    for (key, value, expected) in [
        (10, 20, "Ok(())"),
        (11, 20, "the key has 11 bytes, and may have 10"),
        (10, 21, "the value has 21 bytes, and may have 20"),
    ] {
        let (key, value) = ("k".repeat(key), "v".repeat(value));
        let set = format!("do=set&key={key}&value={value}");
        let answer = kv(&running, &set).await;
        assert!(answer.contains(expected), "{answer}");
    }
    let get = format!("do=get&key={}", "k".repeat(11));
    assert!(kv(&running, &get).await.contains("the key has 11 bytes"));
    running.shutdown().await;
}

#[tokio::test]
async fn reads_and_writes_beyond_the_rate_fail() {
    let limits = stores(KeyValueLimits {
        max_reads_per_second: Some(5),
        max_writes_per_second: Some(2),
        ..KeyValueLimits::default()
    });
    let running = start(&App::with(SECOND), limits).await;
    for what in ["do=set&key=a&value=1", "do=get&key=a"] {
        let answers = join_all((0..60).map(|_| kv(&running, what))).await;
        let is_over = |answer: &&String| answer.contains("too many requests");
        let over = answers.iter().filter(is_over).count();
        assert!(0 < over && over < 60, "{what}: {over}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn outbound_requests_beyond_the_hourly_number_fail() {
    let app = chained();
    let clock = Clock::new();
    let other = App::new().serve().await;
    let limits = HostLimits {
        max_outbound_per_hour: Some(2),
        ..HostLimits::default()
    };
    let host = app.host().variable("address", other.url());
    let host = host.hooks(Hooks::new().clock(clock.clone()));
    let running = host.host_limits(limits).start().await.unwrap();
    let url = format!("fetch?url={}/fixed", other.url());
    let answers = join_all((0..6).map(|_| ask(&running, &url))).await;
    let is_over = |answer: &&String| *answer == "ErrorCode::ConnectionLimitReached";
    let over = answers.iter().filter(is_over).count();
    assert!((2..=4).contains(&over), "{answers:?}");
    // Those between components do not count.
    let hidden = "fetch?url=http://hidden.spin.internal/requests";
    for _ in 0..3 {
        assert_eq!(ask(&running, hidden).await, "200 1");
    }
    clock.advance(3600);
    assert_eq!(ask(&running, &url).await, "418 short and stout");
    other.shutdown().await;
    running.shutdown().await;
}

/// Asks the component of WASI 0.2 in a region.
async fn ask_in(running: &Running, region: &str, what: &str) -> String {
    let url = format!("{}/guest/{what}", running.url());
    get_with(&url, &[("x-test-region", region)]).await.text
}

#[tokio::test]
async fn a_region_sees_the_writes_of_another_after_the_lag_and_its_own_at_once() {
    let app = chained();
    let clock = Clock::new();
    let limits = stores(KeyValueLimits {
        replication_lag: Some(Duration::from_secs(3600)),
        ..KeyValueLimits::default()
    });
    let host = app.host().hooks(Hooks::new().clock(clock.clone()));
    let running = host.host_limits(limits).start().await.unwrap();
    let (get, keys) = ("kv?store=default&do=get&key=a", "kv?store=default&do=keys");
    let exists = "bucket?store=default&do=exists&key=a";
    let set = "kv?store=default&do=set&key=a&value=1";
    assert_eq!(ask_in(&running, "one", set).await, "Ok(())");
    assert_eq!(ask_in(&running, "one", get).await, "Ok(Some(\"1\"))");
    assert_eq!(ask_in(&running, "one", keys).await, "Ok([\"a\"])");
    assert_eq!(ask_in(&running, "two", get).await, "Ok(None)");
    assert_eq!(ask_in(&running, "two", keys).await, "Ok([])");
    assert_eq!(ask_in(&running, "two", exists).await, "Ok(false)");
    assert_eq!(ask(&running, get).await, "Ok(None)");
    // A component that another one calls is in the same region.
    let hidden = format!(
        "fetch?url=http://hidden.spin.internal/{}",
        get.replace('&', "%26")
    );
    assert_eq!(
        ask_in(&running, "one", &hidden).await,
        "200 Ok(Some(\"1\"))"
    );
    assert_eq!(ask_in(&running, "two", &hidden).await, "200 Ok(None)");
    clock.advance(3600);
    for region in ["one", "two"] {
        assert_eq!(ask_in(&running, region, get).await, "Ok(Some(\"1\"))");
        assert_eq!(ask_in(&running, region, keys).await, "Ok([\"a\"])");
    }
    // A key that is gone there is still here.
    let delete = "kv?store=default&do=delete&key=a";
    assert_eq!(ask_in(&running, "one", delete).await, "Ok(())");
    assert_eq!(ask_in(&running, "one", get).await, "Ok(None)");
    assert_eq!(ask_in(&running, "two", get).await, "Ok(Some(\"1\"))");
    // Two at once: the later one counts in both, after the lag.
    for (region, value) in [("one", 2), ("two", 3)] {
        let set = format!("kv?store=default&do=set&key=b&value={value}");
        assert_eq!(ask_in(&running, region, &set).await, "Ok(())");
    }
    let get = "kv?store=default&do=get&key=b";
    assert_eq!(ask_in(&running, "one", get).await, "Ok(Some(\"2\"))");
    assert_eq!(ask_in(&running, "two", get).await, "Ok(Some(\"3\"))");
    clock.advance(3600);
    assert_eq!(ask_in(&running, "one", get).await, "Ok(Some(\"3\"))");
    running.shutdown().await;
}

#[tokio::test]
async fn without_a_lag_a_region_is_no_matter() {
    let running = start(&App::with(SECOND), HostLimits::default()).await;
    let set = "kv?store=default&do=set&key=a&value=1";
    assert_eq!(ask_in(&running, "one", set).await, "Ok(())");
    let get = "kv?store=default&do=get&key=a";
    assert_eq!(ask_in(&running, "two", get).await, "Ok(Some(\"1\"))");
    running.shutdown().await;
}

#[test]
fn the_program_restricts_as_the_host_that_it_is_told() {
    let app = chained();
    let program = Command::new(env!("CARGO_BIN_EXE_gatehouse-host"))
        .arg("--from")
        .arg(app.directory())
        .args(["--listen", "127.0.0.1:0", "--limits", "fermyon-cloud"])
        .output()
        .unwrap();
    assert!(!program.status.success());
    let words = String::from_utf8_lossy(&program.stderr);
    assert!(words.contains("no service chaining"), "{words}");
}
