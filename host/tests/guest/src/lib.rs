//! Does what its request asks for, so that a test can look at what the host makes of it.
#![cfg(target_family = "wasm")]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "printing is one of the things to look at"
)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use spin_sdk::{
    http::{BoxBody, FullBody, Request, Response, body, box_body},
    http_service,
    key_value::Store,
    variables,
};

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]
    use spin_sdk::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "spin_sdk::wit_bindgen::rt",
        world: "test:probe/guest",
        path: ["../../wit/deps/spin-redis", "../../wit/deps/wasi-keyvalue", "wit"],
        generate_all,
    });
}

use bindings::{
    spin::redis::redis::{Connection, Error as RedisError, RedisParameter, RedisResult},
    test::probe::probe,
    wasi::keyvalue::{atomics, batch, store as buckets},
};

/// Requests that this instance has had.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn handle(request: Request) -> anyhow::Result<Response<BoxBody>> {
    let requests = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    let url = url::Url::parse(&request.uri().to_string())?;
    let parameter = |name: &str| {
        let mut pairs = url.query_pairs().filter(|(key, _)| key == name);
        pairs
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let what = url.path().rsplit('/').next().unwrap_or_default().to_owned();
    let text = match what.as_str() {
        "headers" => {
            let line = |(name, value): (&_, &spin_sdk::http::HeaderValue)| {
                format!("{name}: {}", value.to_str().unwrap_or("?"))
            };
            request
                .headers()
                .iter()
                .map(line)
                .collect::<Vec<_>>()
                .join("\n")
        }
        "url" => request.uri().to_string(),
        "requests" => requests.to_string(),
        "variable" => format!("{:?}", variables::get(parameter("name")).await),
        "environment" => format!("{:?}", std::env::var(parameter("name"))),
        "print" => {
            println!("out {}", parameter("text"));
            eprintln!("err {}", parameter("text"));
            String::new()
        }
        "panic" => panic!("as asked"),
        "fetch" => match spin_sdk::http::get(parameter("url")).await {
            Ok(response) => {
                let status = response.status().as_u16();
                let text = body::IncomingBodyExt::bytes(response.into_body()).await?;
                format!("{status} {}", String::from_utf8_lossy(&text))
            }
            Err(error) => format!("{error:?}"),
        },
        "relay" => {
            let response = spin_sdk::http::get(parameter("url")).await?;
            return Ok(response.map(box_body));
        }
        "attempt" => probe::attempt(parameter("grant")).await,
        "count" => {
            let mut numbers = probe::count(parameter("to").parse()?).await;
            let (mut sender, body) = body::stream::<String>();
            spin_sdk::wasip3::spawn(async move {
                while let Some(number) = numbers.next().await {
                    if sender.send(format!("{number}\n")).await.is_err() {
                        return;
                    }
                }
            });
            return Ok(Response::new(box_body(body)));
        }
        "echo" => {
            let mut input = body::IncomingBodyExt::stream(request.into_body());
            let (mut sender, body) = body::stream::<bytes::Bytes>();
            spin_sdk::wasip3::spawn(async move {
                while let Some(Ok(chunk)) = input.next().await {
                    if sender.send(chunk).await.is_err() {
                        return;
                    }
                }
            });
            return Ok(Response::new(box_body(body)));
        }
        "events" => {
            let key = parameter("gone");
            let pause = Duration::from_millis(parameter("milliseconds").parse().unwrap_or(20));
            let (mut sender, body) = body::stream::<String>();
            spin_sdk::wasip3::spawn(async move {
                for event in 0_u64.. {
                    if sender.send(format!("data: {event}\n\n")).await.is_err() {
                        if let (false, Ok(store)) = (key.is_empty(), Store::open_default().await) {
                            let _ = store.set(&key, b"gone").await;
                        }
                        return;
                    }
                    spin_sdk::time::sleep(pause).await;
                }
            });
            return Ok(Response::builder()
                .header("content-type", "text/event-stream")
                .body(box_body(body))?);
        }
        "kv" => key_value(&parameter).await,
        "redis" => match redis(&parameter).await {
            Ok(text) => text,
            Err(error) => format!("{error:?}"),
        },
        _ => {
            return Ok(Response::builder()
                .status(404)
                .body(box_body(FullBody::new("no such thing".into())))?);
        }
    };
    Ok(Response::new(box_body(FullBody::new(text.into()))))
}

async fn key_value(parameter: &impl Fn(&str) -> String) -> String {
    let (label, key, value) = (parameter("store"), parameter("key"), parameter("value"));
    match parameter("do").as_str() {
        "increment" => match buckets::open(&label) {
            Ok(bucket) => format!(
                "{:?}",
                atomics::increment(&bucket, &key, value.parse().unwrap_or(1))
            ),
            Err(error) => format!("{error:?}"),
        },
        "list" => match buckets::open(&label) {
            Ok(bucket) => format!("{:?}", bucket.list_keys(None).map(|listed| listed.keys)),
            Err(error) => format!("{error:?}"),
        },
        "many" => match buckets::open(&label) {
            Ok(bucket) => {
                let pairs = [("m1".to_owned(), vec![1]), ("m2".to_owned(), vec![2])];
                format!(
                    "{:?} {:?}",
                    batch::set_many(&bucket, &pairs),
                    batch::get_many(&bucket, &["m2".to_owned()])
                )
            }
            Err(error) => format!("{error:?}"),
        },
        "swap" => match buckets::open(&label) {
            Ok(bucket) => swap(&bucket, &key),
            Err(error) => format!("{error:?}"),
        },
        action => match Store::open(&label).await {
            Err(error) => format!("{error:?}"),
            Ok(store) => match action {
                "get" => format!(
                    "{:?}",
                    store.get(&key).await.map(
                        |value| value.map(|value| String::from_utf8_lossy(&value).into_owned())
                    )
                ),
                "set" => format!("{:?}", store.set(&key, value).await),
                "delete" => format!("{:?}", store.delete(&key).await),
                "exists" => format!("{:?}", store.exists(&key).await),
                "keys" => format!("{:?}", store.get_keys().await.collect().await),
                other => format!("cannot {other:?}"),
            },
        },
    }
}

/// `spin:redis`.
async fn redis(parameter: &impl Fn(&str) -> String) -> Result<String, RedisError> {
    let connection = Connection::open(parameter("address")).await?;
    let key = parameter("key");
    Ok(match parameter("do").as_str() {
        "set" => format!(
            "{:?}",
            connection.set(key, parameter("value").into_bytes()).await
        ),
        "get" => format!(
            "{:?}",
            connection
                .get(key)
                .await
                .map(|value| value.map(|value| String::from_utf8_lossy(&value).into_owned()))
        ),
        "incr" => format!("{:?}", connection.incr(key).await),
        "publish" => format!("{:?}", connection.publish(key, b"news".to_vec()).await),
        "all" => {
            let keys = ["a", "b", "none"].map(ToOwned::to_owned).to_vec();
            let members = ["x", "y"].map(ToOwned::to_owned).to_vec();
            connection.set("a".to_owned(), b"1".to_vec()).await?;
            let set = || "s".to_owned();
            let mut seen = vec![
                format!("{:?}", connection.incr("b".to_owned()).await?),
                format!("{:?}", connection.del(keys).await?),
                format!("{:?}", connection.sadd(set(), members.clone()).await?),
                format!("{:?}", connection.srem(set(), members[..1].to_vec()).await?),
                format!("{:?}", connection.smembers(set()).await?),
            ];
            let binary = |text: &str| RedisParameter::Binary(text.into());
            let expiring = vec![
                binary("e"),
                RedisParameter::Int64(7),
                binary("EX"),
                RedisParameter::Int64(100),
            ];
            for (command, arguments) in [
                ("set", expiring),
                ("MGET", vec![binary("e"), binary("s"), binary("none")]),
                ("TTL", vec![binary("e")]),
            ] {
                let parts = connection.execute(command.to_owned(), arguments).await?;
                let shown = parts.into_iter().map(|part| match part {
                    RedisResult::Nil => "nil".to_owned(),
                    RedisResult::Status(text) => text,
                    RedisResult::Int64(number) => number.to_string(),
                    RedisResult::Binary(bytes) => format!("{:?}", String::from_utf8_lossy(&bytes)),
                });
                seen.push(format!("[{}]", shown.collect::<Vec<_>>().join(", ")));
            }
            seen.join(" ")
        }
        other => format!("cannot {other:?}"),
    })
}

/// Two swaps after the same look: the second one must lose, and win after another look.
fn swap(bucket: &buckets::Bucket, key: &str) -> String {
    let first = match atomics::Cas::new(bucket, key) {
        Ok(cas) => cas,
        Err(error) => return format!("{error:?}"),
    };
    let second = match atomics::Cas::new(bucket, key) {
        Ok(cas) => cas,
        Err(error) => return format!("{error:?}"),
    };
    let seen = format!("{:?} {:?}", first.current(), second.current());
    let won = atomics::swap(first, b"first").is_ok();
    match atomics::swap(second, b"second") {
        Ok(()) => format!("{seen} {won} won"),
        Err(atomics::CasError::StoreError(error)) => format!("{seen} {won} {error:?}"),
        Err(atomics::CasError::CasFailed(again)) => format!(
            "{seen} {won} lost {:?}",
            atomics::swap(again, b"third").is_ok()
        ),
    }
}
