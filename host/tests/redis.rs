//! Redis servers, as components of either generation reach them.
#![cfg(feature = "redis-server")]

mod common;

use std::{
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{App, MANIFEST_WASIP2, get};
use gatehouse_host::{Hooks, Host, Running};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A Redis server on a free port of the loopback interface. It ends with this value.
struct RedisServer {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl RedisServer {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; `cargo xtask test` installs it");
        let mut server = Self {
            process,
            port,
            _folder: folder,
        };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = server.process.try_wait().unwrap();
            assert!(ended.is_none(), "redis-server ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The routes of the two components, of WASI 0.2 and 0.3.
const GENERATIONS: [&str; 2] = ["/guest/test", "/third"];

/// An application whose components may reach the hosts of the variable `address`.
fn app() -> App {
    App::with(&MANIFEST_WASIP2.replace(
        "allowed_outbound_hosts = [\"http://hidden.spin.internal\"]",
        "allowed_outbound_hosts = [\"{{ address }}\", \"http://hidden.spin.internal\"]",
    ))
}

async fn redis(running: &Running, generation: &str, what: &str) -> String {
    let url = format!("{}{generation}/redis?{what}", running.url());
    let answer = get(&url).await;
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    answer.text
}

async fn start(host: Host, server: &RedisServer) -> Running {
    host.variable("address", server.url())
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn every_call_does_what_its_name_says() {
    for generation in GENERATIONS {
        let (app, server) = (app(), RedisServer::start().await);
        let running = start(app.host(), &server).await;
        let all = format!("address={}&do=all", server.url());
        assert_eq!(
            redis(&running, generation, &all).await,
            "1 2 2 1 [\"y\"] [OK] [\"7\", nil, nil] [100]",
            "{generation}"
        );
        // Of the same server, in another database.
        let set = format!("address={}/1&do=set&key=a&value=1", server.url());
        assert_eq!(redis(&running, generation, &set).await, "Ok(())");
        let get = format!("address={}/1&do=get&key=a", server.url());
        assert_eq!(redis(&running, generation, &get).await, "Ok(Some(\"1\"))");
        let get = format!("address={}&do=get&key=a", server.url());
        assert_eq!(redis(&running, generation, &get).await, "Ok(None)");
        let publish = format!("address={}&do=publish&key=c", server.url());
        assert_eq!(redis(&running, generation, &publish).await, "Ok(())");
        let text = format!("address={}&do=set&key=t&value=text", server.url());
        redis(&running, generation, &text).await;
        let incr = format!("address={}&do=incr&key=t", server.url());
        let answer = redis(&running, generation, &incr).await;
        assert!(answer.starts_with("Err(Error::Other("), "{answer}");
        running.shutdown().await;
    }
}

#[tokio::test]
async fn of_concurrent_increments_every_one_sees_its_own_number() {
    let (app, server) = (app(), RedisServer::start().await);
    let running = start(app.host(), &server).await;
    let incr = format!("address={}&do=incr&key=n", server.url());
    let all = (0..60).map(|index| redis(&running, GENERATIONS[index % 2], &incr));
    let seen = futures::future::join_all(all).await;
    for number in 1..=60 {
        assert!(seen.contains(&format!("Ok({number})")), "{seen:?}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_server_that_is_not_listed_is_refused_and_named_in_the_log() {
    let (app, server) = (app(), RedisServer::start().await);
    let running = start(app.host(), &server).await;
    for generation in GENERATIONS {
        for address in [
            "redis://127.0.0.1:1",
            "redis://user:sesame@127.0.0.1:1/2",
            &format!("rediss://127.0.0.1:{}", server.port),
            &format!("http://127.0.0.1:{}", server.port),
            &format!("127.0.0.1:{}", server.port),
            "redis+unix:///run/redis.sock",
            "unix:///run/redis.sock",
            "",
        ] {
            let get = format!("address={address}&do=get&key=a");
            assert_eq!(
                redis(&running, generation, &get).await,
                "Error::InvalidAddress",
                "{address}"
            );
        }
    }
    let logs = running.logs();
    let is_it = |line: &&String| line.contains("add \"redis://127.0.0.1:1\" to allowed_outbound");
    assert_eq!(logs.iter().filter(is_it).count(), 4, "{logs:?}");
    assert!(!logs.iter().any(|line| line.contains("sesame")), "{logs:?}");
    assert_eq!(running.counters().redis, 0);
    running.shutdown().await;
}

#[tokio::test]
async fn any_host_is_no_socket_of_the_file_system() {
    let app = App::with(&MANIFEST_WASIP2.replace("\"{{ address }}\"", "\"*://*:*\""));
    let running = app.serve().await;
    for address in ["redis+unix:///run/redis.sock", "unix:///run/redis.sock"] {
        let get = format!("address={address}&do=get&key=a");
        assert_eq!(
            redis(&running, GENERATIONS[0], &get).await,
            "Error::InvalidAddress"
        );
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_blocked_network_is_refused_after_name_resolution() {
    let (app, server) = (app(), RedisServer::start().await);
    let config = app.directory().join("runtime-config.toml");
    let blocks = "[outbound_networking]\nblock_networks = [\"private\"]\n";
    std::fs::write(&config, blocks).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let address = format!("redis://{host}:{}", server.port);
        let running = app.host().variable("address", address.clone());
        let running = running
            .runtime_config(config.clone())
            .start()
            .await
            .unwrap();
        for generation in GENERATIONS {
            let get = format!("address={address}&do=get&key=a");
            let refused = redis(&running, generation, &get).await;
            assert!(refused.contains("no permitted address"), "{refused}");
        }
        running.shutdown().await;
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error() {
    let (app, server) = (app(), RedisServer::start().await);
    let running = start(app.host(), &server).await;
    let url = server.url();
    drop(server);
    for generation in GENERATIONS {
        let get = format!("address={url}&do=get&key=a");
        let failed = redis(&running, generation, &get).await;
        assert!(failed.starts_with("Error::Other("), "{failed}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_server_without_tls_is_an_error_where_tls_is_asked_for() {
    let (app, server) = (app(), RedisServer::start().await);
    let address = server.url().replace("redis:", "rediss:");
    let running = app.host().variable("address", address.clone());
    let running = running.start().await.unwrap();
    for generation in GENERATIONS {
        let get = format!("address={address}&do=get&key=a");
        let failed = redis(&running, generation, &get).await;
        assert!(failed.starts_with("Error::Other("), "{failed}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn an_instance_has_so_many_connections_and_no_more() {
    let (app, server) = (app(), RedisServer::start().await);
    let running = start(app.host(), &server).await;
    let url = format!("{}{}/connections", running.url(), GENERATIONS[0]);
    for (number, expected) in [
        (1024, "Ok(1024)"),
        (1025, "Err(Error::TooManyConnections)"),
        (1024, "Ok(1024)"),
    ] {
        let url = format!("{url}?address={}&number={number}", server.url());
        assert_eq!(get(&url).await.text, expected, "{number}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn hooks_fail_commands_and_counters_count_them() {
    let (app, server) = (app(), RedisServer::start().await);
    let broken = Arc::new(AtomicBool::new(false));
    let fails = broken.clone();
    let hooks = Hooks::new().on_redis(move |call| {
        let fails = fails.load(Ordering::Relaxed) && call.command != "OPEN";
        async move {
            match fails {
                true => Err(format!("{} {} fails", call.command, call.key)),
                false => Ok(()),
            }
        }
    });
    let running = start(app.host().hooks(hooks), &server).await;
    for generation in GENERATIONS {
        broken.store(false, Ordering::Relaxed);
        let set = format!("address={}&do=set&key=a&value=1", server.url());
        assert_eq!(redis(&running, generation, &set).await, "Ok(())");
        broken.store(true, Ordering::Relaxed);
        let before = running.counters();
        let failed = redis(&running, generation, &set).await;
        assert!(failed.contains("SET a fails"), "{failed}");
        assert_eq!(running.counters().since(&before).redis, 1);
    }
    running.shutdown().await;
}

/// A server that accepts and says nothing is waited for as long as a connection may take, and no longer.
#[tokio::test]
async fn a_server_that_hangs_is_an_error_after_a_time() {
    let app = app();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://:sesame@{}", silent.local_addr().unwrap());
    let allowed = format!("redis://{}", silent.local_addr().unwrap());
    let running = app.host().variable("address", allowed);
    let running = running.start().await.unwrap();
    let get = format!("address={address}&do=get&key=a");
    let failed = redis(&running, GENERATIONS[0], &get).await;
    assert!(failed.starts_with("Error::Other("), "{failed}");
    running.shutdown().await;
}
