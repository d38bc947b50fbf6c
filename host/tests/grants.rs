//! Grants of components: key-value stores, variables, other hosts, and the part that dependencies inherit.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use common::{App, MANIFEST, ask, get, get_with};
use gatehouse_host::{Hooks, KeyValue, Operation};

#[tokio::test]
async fn values_are_kept_and_counters_are_shared_by_both_interfaces() {
    let running = App::new().serve().await;
    assert_eq!(
        ask(&running, "kv?store=default&do=get&key=a").await,
        "Ok(None)"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=set&key=a&value=1").await,
        "Ok(())"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=get&key=a").await,
        "Ok(Some(\"1\"))"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=exists&key=a").await,
        "Ok(true)"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=keys").await,
        "Ok([\"a\"])"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=list").await,
        "Ok([\"a\"])"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=delete&key=a").await,
        "Ok(())"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=exists&key=a").await,
        "Ok(false)"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=increment&key=n&value=5").await,
        "Ok(5)"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=increment&key=n&value=-2").await,
        "Ok(3)"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=many").await,
        "Ok(()) Ok([(\"m2\", Some([2]))])"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn a_swap_is_lost_to_an_earlier_one() {
    let running = App::new().serve().await;
    ask(&running, "kv?store=default&do=set&key=c&value=x").await;
    assert_eq!(
        ask(&running, "kv?store=default&do=swap&key=c").await,
        "Ok(Some([120])) Ok(Some([120])) true lost true"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=get&key=c").await,
        "Ok(Some(\"third\"))"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn a_store_that_is_not_granted_is_refused() {
    let running = App::new().serve().await;
    assert_eq!(
        ask(&running, "kv?store=other&do=get&key=a").await,
        "Error::AccessDenied"
    );
    assert_eq!(
        ask(&running, "kv?store=other&do=increment&key=a").await,
        "Error::AccessDenied"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn state_outlives_a_restart_in_a_file_and_in_a_shared_memory() {
    let app = App::new();
    let directory = tempfile::tempdir().unwrap();
    for backend in [
        KeyValue::memory(),
        KeyValue::sqlite(directory.path().join("state/store.db")),
    ] {
        let running = app.host().key_value(backend.clone()).start().await.unwrap();
        ask(&running, "kv?store=default&do=set&key=a&value=kept").await;
        ask(&running, "kv?store=default&do=increment&key=n&value=1").await;
        running.shutdown().await;
        let running = app.host().key_value(backend).start().await.unwrap();
        assert_eq!(
            ask(&running, "kv?store=default&do=get&key=a").await,
            "Ok(Some(\"kept\"))"
        );
        assert_eq!(
            ask(&running, "kv?store=default&do=increment&key=n&value=1").await,
            "Ok(2)"
        );
        running.shutdown().await;
    }
}

#[tokio::test]
async fn the_default_store_lies_beside_the_manifest() {
    let app = App::new();
    let running = gatehouse_host::Host::builder(app.directory().join("spin.toml"))
        .start()
        .await
        .unwrap();
    ask(&running, "kv?store=default&do=set&key=a&value=1").await;
    assert!(app.directory().join(".spin/sqlite_key_value.db").exists());
    running.shutdown().await;
}

#[tokio::test]
async fn concurrent_increments_over_http_lose_nothing() {
    let running = App::new().serve().await;
    let all = (0..100).map(|_| ask(&running, "kv?store=default&do=increment&key=n&value=1"));
    let mut seen = futures::future::join_all(all).await;
    seen.sort_by_key(|text| {
        text.len() * 1000
            + text
                .trim_matches(|c: char| !c.is_ascii_digit())
                .parse::<usize>()
                .unwrap()
    });
    assert_eq!(
        seen,
        (1..=100)
            .map(|number| format!("Ok({number})"))
            .collect::<Vec<_>>()
    );
    running.shutdown().await;
}

#[tokio::test]
async fn listing_keys_beside_writes_stops_no_writer() {
    let running = App::new().serve().await;
    for key in 0..20 {
        ask(
            &running,
            &format!("kv?store=default&do=set&key={key}&value=1"),
        )
        .await;
    }
    let all = (0..60).map(|index| {
        let running = &running;
        async move {
            match index % 2 {
                0 => assert!(
                    ask(running, "kv?store=default&do=keys")
                        .await
                        .starts_with("Ok([")
                ),
                _ => assert_eq!(
                    ask(
                        running,
                        &format!("kv?store=default&do=set&key={index}&value=2")
                    )
                    .await,
                    "Ok(())"
                ),
            }
        }
    });
    futures::future::join_all(all).await;
    running.shutdown().await;
}

#[tokio::test]
async fn variables_are_templates_over_the_application_s() {
    let app = App::new();
    let running = app.serve().await;
    assert_eq!(
        ask(&running, "variable?name=greeting").await,
        "Ok(\"hello, world\")"
    );
    assert!(
        ask(&running, "variable?name=address")
            .await
            .contains("Undefined")
    );
    assert!(
        ask(&running, "variable?name=NOT-A-NAME")
            .await
            .contains("InvalidName")
    );
    assert_eq!(
        ask(&running, "environment?name=COLOUR").await,
        "Ok(\"green\")"
    );
    running.shutdown().await;
    let running = app
        .host()
        .variable("greeting", "good day")
        .start()
        .await
        .unwrap();
    assert_eq!(
        ask(&running, "variable?name=greeting").await,
        "Ok(\"good day, world\")"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn variables_may_depend_on_the_address() {
    let app = App::new();
    let host = app
        .host()
        .variables_for(|address| vec![("greeting", format!("http://{address}"))]);
    let running = host.start().await.unwrap();
    assert_eq!(
        ask(&running, "variable?name=greeting").await,
        format!("Ok(\"{}, world\")", running.url())
    );
    running.shutdown().await;
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_refused() {
    let running = App::new().serve().await;
    for url in [
        "http://127.0.0.1:2/",
        "https://example.com/",
        "http://guest.spin.internal/",
    ] {
        assert_eq!(
            ask(&running, &format!("fetch?url={url}")).await,
            "ErrorCode::HttpRequestDenied",
            "{url}"
        );
    }
    assert_eq!(running.counters().outbound, 0);
    let logs = running.logs();
    for url in [
        "http://127.0.0.1:2",
        "https://example.com",
        "http://guest.spin.internal",
    ] {
        let is_it = |line: &&String| {
            line.starts_with("[guest]")
                && line.contains(&format!("add \"{url}\" to allowed_outbound_hosts"))
        };
        assert_eq!(logs.iter().filter(is_it).count(), 1, "{url}: {logs:?}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_listed_host_is_reached_and_its_body_streams_through() {
    let app = App::new();
    let other = app.serve().await;
    let running = app
        .host()
        .variable("address", other.url())
        .start()
        .await
        .unwrap();
    let url = format!("{}/fixed", other.url());
    assert_eq!(
        ask(&running, &format!("fetch?url={url}")).await,
        "418 short and stout"
    );
    let events = format!("{}/guest/test/count?to=5", other.url());
    assert_eq!(
        ask(&running, &format!("relay?url={events}")).await,
        "1\n2\n3\n4\n5\n"
    );
    other.shutdown().await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_host_without_a_server_refuses_the_connection() {
    let app = App::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let running = app
        .host()
        .variable("address", format!("http://{free}"))
        .start()
        .await
        .unwrap();
    assert_eq!(
        ask(&running, &format!("fetch?url=http://{free}/")).await,
        "ErrorCode::ConnectionRefused"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn a_blocked_network_is_refused_after_name_resolution() {
    let app = App::new();
    let other = app.serve().await;
    let address = format!("http://localhost:{}", other.address().port());
    let config = app.directory().join("runtime-config.toml");
    std::fs::write(
        &config,
        "[outbound_networking]\nblock_networks = [\"private\"]\n",
    )
    .unwrap();
    let host = app
        .host()
        .variable("address", address.clone())
        .runtime_config(config);
    let running = host.start().await.unwrap();
    assert_eq!(
        ask(&running, &format!("fetch?url={address}/fixed")).await,
        "ErrorCode::DestinationIpProhibited"
    );
    other.shutdown().await;
    running.shutdown().await;
}

#[tokio::test]
async fn an_entry_that_its_variable_leaves_empty_opens_nothing_and_shuts_nothing_out() {
    let app = App::with(
        &MANIFEST
            .replace("\"{{ address }}\"", "\"{{ address }}\", \"{{ more }}\"")
            .replace("address = {", "more = { default = \"\" }\naddress = {"),
    );
    let other = app.serve().await;
    let running = app.host().variable("address", other.url());
    let running = running.start().await.unwrap();
    assert_eq!(
        ask(&running, &format!("fetch?url={}/fixed", other.url())).await,
        "418 short and stout"
    );
    assert_eq!(
        ask(&running, "fetch?url=http://127.0.0.1:1/").await,
        "ErrorCode::HttpRequestDenied"
    );
    other.shutdown().await;
    running.shutdown().await;
}

#[tokio::test]
async fn with_an_entry_that_cannot_be_read_a_component_starts_and_reaches_no_host() {
    let app = App::new();
    for address in ["http://127.0.0.1:1/path", "127.0.0.1", " "] {
        let running = app.host().variable("address", address);
        let running = running.start().await.unwrap();
        for url in [
            "http://127.0.0.1:1/",
            "http://hidden.spin.internal/",
            "http://self.alt/",
        ] {
            assert_eq!(
                ask(&running, &format!("fetch?url={url}")).await,
                "ErrorCode::HttpRequestDenied",
                "{url} with {address:?}"
            );
        }
        running.shutdown().await;
    }
    // A manifest that is wrong as it stands does not start.
    let wrong = App::with(&MANIFEST.replace("http://127.0.0.1:1", "http://127.0.0.1:1/path"));
    let error = wrong.host().start().await.err().unwrap().to_string();
    assert!(error.contains("allowed_outbound_hosts"), "{error}");
}

#[tokio::test]
async fn a_blocked_network_is_no_matter_between_components() {
    let app = App::new();
    let config = app.directory().join("runtime-config.toml");
    let blocks = "[outbound_networking]\nblock_networks = [\"private\"]\n";
    std::fs::write(&config, blocks).unwrap();
    let running = app.host().runtime_config(config).start().await.unwrap();
    let answer = ask(&running, "fetch?url=http://hidden.spin.internal/a/headers").await;
    assert!(answer.starts_with("200 "), "{answer}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_private_component_is_reached_from_within_only() {
    let running = App::new().serve().await;
    let answer = ask(&running, "fetch?url=http://hidden.spin.internal/a/headers").await;
    let headers = answer.strip_prefix("200 ").unwrap();
    for line in [
        "spin-full-url: http://localhost/a/headers",
        "spin-path-info: /a/headers",
        "spin-component-route: ",
        "spin-raw-component-route: /...",
        "spin-client-addr: 0.0.0.0:0",
    ] {
        assert!(
            headers
                .lines()
                .any(|sent| sent.trim_end() == line.trim_end()),
            "{line} in {headers}"
        );
    }
    for path in ["/hidden", "/hidden/headers"] {
        let answer = get_with(
            &format!("{}{path}", running.url()),
            &[("host", "hidden.spin.internal")],
        )
        .await;
        assert_eq!(answer.status, 400);
    }
    running.shutdown().await;
}

#[tokio::test]
async fn an_application_reaches_itself_where_it_may() {
    let running = App::new().serve().await;
    assert_eq!(
        ask(&running, "fetch?url=http://self.alt/fixed").await,
        "418 short and stout"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn a_dependency_streams_to_its_component() {
    let running = App::new().serve().await;
    assert_eq!(ask(&running, "count?to=3").await, "1\n2\n3\n");
    running.shutdown().await;
}

#[tokio::test]
async fn a_dependency_uses_nothing_that_it_does_not_inherit() {
    let running = App::new().serve().await;
    assert_eq!(
        ask(&running, "attempt?grant=variables").await,
        "Err(Error::Undefined(\"greeting\"))"
    );
    assert_eq!(
        ask(&running, "attempt?grant=key_value_stores").await,
        "Error::AccessDenied"
    );
    let refused = ask(&running, "attempt?grant=allowed_outbound_hosts").await;
    assert!(
        refused.contains("InternalError") && refused.contains("is not permitted"),
        "{refused}"
    );
    assert_eq!(ask(&running, "attempt?grant=environment").await, "[]");
    running.shutdown().await;
}

#[tokio::test]
async fn a_denied_call_that_is_lent_a_resource_gives_it_back_and_its_instance_lives_on() {
    let running = App::new().serve().await;
    // A look-up of a name borrows the network.
    for _ in 0..3 {
        let refused = ask(&running, "attempt?grant=sockets").await;
        assert!(refused.starts_with("Err("), "{refused}");
    }
    assert_eq!(running.counters_by_component()["guest"].instances, 1);
    running.shutdown().await;
}

#[tokio::test]
async fn a_dependency_uses_what_it_inherits() {
    let app = App::with(&MANIFEST.replacen(
        "{ path = \"DEPENDENCY\" }",
        "{ path = \"DEPENDENCY\", inherit_configuration = [\"variables\", \"environment\"] }",
        1,
    ));
    let running = app.serve().await;
    assert_eq!(
        ask(&running, "attempt?grant=variables").await,
        "Ok(\"hello, world\")"
    );
    assert_eq!(
        ask(&running, "attempt?grant=environment").await,
        "[(\"COLOUR\", \"green\")]"
    );
    assert_eq!(
        ask(&running, "attempt?grant=key_value_stores").await,
        "Error::AccessDenied"
    );
    running.shutdown().await;

    let all = "dependencies_inherit_configuration = true\nvariables = { greeting";
    let app = App::with(&MANIFEST.replacen("variables = { greeting", all, 1));
    let running = app.serve().await;
    assert_eq!(
        ask(&running, "attempt?grant=variables").await,
        "Ok(\"hello, world\")"
    );
    assert_eq!(
        ask(&running, "attempt?grant=key_value_stores").await,
        "Ok(false)"
    );
    assert_eq!(
        ask(&running, "attempt?grant=allowed_outbound_hosts").await,
        "ErrorCode::HttpRequestDenied"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn hooks_fail_operations_and_counters_count_them() {
    let app = App::new();
    let broken = Arc::new(AtomicBool::new(false));
    let hooks = Hooks::new().on_key_value({
        let broken = broken.clone();
        move |call| {
            let fails = broken.load(Ordering::Relaxed)
                && call.operation == Operation::Set
                && call.key == "a";
            async move {
                if fails {
                    Err("the disk is full".to_owned())
                } else {
                    Ok(())
                }
            }
        }
    });
    let hooks = hooks.on_outbound(|call| async move {
        if call.url.path() == "/fixed" {
            Err("the cable is cut".to_owned())
        } else {
            Ok(())
        }
    });
    let running = app.host().hooks(hooks).start().await.unwrap();
    assert_eq!(
        ask(&running, "kv?store=default&do=set&key=a&value=1").await,
        "Ok(())"
    );
    broken.store(true, Ordering::Relaxed);
    let before = running.counters();
    assert!(
        ask(&running, "kv?store=default&do=set&key=a&value=2")
            .await
            .contains("the disk is full")
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=set&key=b&value=2").await,
        "Ok(())"
    );
    assert_eq!(
        ask(&running, "kv?store=default&do=get&key=a").await,
        "Ok(Some(\"1\"))"
    );
    let since = running.counters().since(&before);
    assert_eq!((since.reads(), since.writes(), since.requests), (1, 2, 3));
    assert!(
        ask(&running, "fetch?url=http://self.alt/fixed")
            .await
            .contains("the cable is cut")
    );
    running.shutdown().await;
}

#[tokio::test]
async fn a_hook_that_waits_delays_one_operation_and_no_other_request() {
    let app = App::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let hooks = Hooks::new().on_key_value({
        let gate = gate.clone();
        move |call| {
            let gate = gate.clone();
            async move {
                if call.operation == Operation::Get {
                    gate.acquire()
                        .await
                        .map_err(|error| error.to_string())?
                        .forget();
                }
                Ok(())
            }
        }
    });
    let running = app.host().hooks(hooks).start().await.unwrap();
    let url = format!("{}/guest/test/kv?store=default&do=get&key=a", running.url());
    let slow = tokio::spawn(async move { get(&url).await.text });
    while running.counters().reads() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        ask(&running, "kv?store=default&do=exists&key=a").await,
        "Ok(false)"
    );
    assert!(!slow.is_finished());
    gate.add_permits(1);
    assert_eq!(slow.await.unwrap(), "Ok(None)");
    running.shutdown().await;
}
