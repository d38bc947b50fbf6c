//! Does what its request asks for, as a component of WASI 0.2, so that a test can look at what the host makes of it.
#![cfg(target_family = "wasm")]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "printing is one of the things to look at"
)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]
    use super::Guest;

    wit_bindgen::generate!({
        world: "test:guest/guest",
        path: [
            "../../../wit/platform/deps/io",
            "../../../wit/platform/deps/clocks",
            "../../../wit/platform/deps/http",
            "../../wit/deps/fermyon-spin",
            "../../wit/deps/wasi-keyvalue",
            "wit",
        ],
        generate_all,
    });

    export!(Guest);
}

use bindings::{
    exports::wasi::http::incoming_handler,
    fermyon::spin::{
        key_value::Store,
        redis::{Connection, Error as RedisError, RedisParameter, RedisResult},
        variables,
    },
    wasi::{
        clocks::monotonic_clock,
        http::{
            outgoing_handler,
            types::{
                ErrorCode, Fields, IncomingBody, IncomingRequest, IncomingResponse, Method,
                OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme,
            },
        },
        io::streams::{InputStream, OutputStream, StreamError},
        keyvalue::{batch, store as buckets},
    },
};

/// What a stream takes in one call (`wasi:io/streams`).
const MAX_WRITE_BYTES: usize = 4096;

/// Requests that this instance has had.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

struct Guest;

impl incoming_handler::Guest for Guest {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let requests = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
        let path = request.path_with_query().unwrap_or_default();
        let Ok(url) = url::Url::parse(&format!("http://guest{path}")) else {
            return text(response, 400, "no URL");
        };
        let parameter = |name: &str| {
            let mut pairs = url.query_pairs().filter(|(key, _)| key == name);
            pairs
                .next()
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let what = url.path().rsplit('/').next().unwrap_or_default().to_owned();
        let answer = match what.as_str() {
            "headers" => headers(&request),
            "url" => format!("{}{path}", request.authority().unwrap_or_default()),
            "requests" => requests.to_string(),
            "variable" => format!("{:?}", variables::get(&parameter("name"))),
            "environment" => format!("{:?}", std::env::var(parameter("name"))),
            "time" => match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
                Ok(now) => now.as_secs().to_string(),
                Err(_) => "before 1970".to_owned(),
            },
            "print" => {
                println!("out {}", parameter("text"));
                eprintln!("err {}", parameter("text"));
                String::new()
            }
            "panic" => panic!("as asked"),
            "nothing" => return,
            "wait" => {
                wait(&parameter("milliseconds"));
                "waited".to_owned()
            }
            "memory" => {
                let bytes = parameter("bytes").parse().unwrap_or(0);
                let sum: usize = vec![1_u8; bytes]
                    .iter()
                    .map(|byte| usize::from(*byte))
                    .sum();
                sum.to_string()
            }
            "fetch" => match fetch(&parameter("url")) {
                Ok(response) => {
                    let status = response.status();
                    let body = response.consume().map(|body| read(&body));
                    let body = body.unwrap_or_default();
                    format!("{status} {}", String::from_utf8_lossy(&body))
                }
                Err(error) => format!("{error:?}"),
            },
            "kv" => key_value(&parameter),
            "bucket" => bucket(&parameter),
            "redis" => redis(&parameter).unwrap_or_else(|error| format!("{error:?}")),
            "connections" => connections(&parameter),
            "count" => return count(response, &parameter),
            "echo" => return echo(&request, response),
            "length" => match request.consume() {
                Ok(body) => read(&body).len().to_string(),
                Err(()) => "no body".to_owned(),
            },
            _ => return text(response, 404, "no such thing"),
        };
        text(response, 200, &answer);
    }
}

fn headers(request: &IncomingRequest) -> String {
    let entries = request.headers().entries();
    let lines = entries
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
    lines.collect::<Vec<_>>().join("\n")
}

fn wait(milliseconds: &str) {
    let milliseconds = milliseconds.parse().unwrap_or(10);
    let nanoseconds = Duration::from_millis(milliseconds).as_nanos();
    monotonic_clock::subscribe_duration(u64::try_from(nanoseconds).unwrap_or(u64::MAX)).block();
}

/// Answers with the status and text.
fn text(response: ResponseOutparam, status: u16, text: &str) {
    let answer = OutgoingResponse::new(Fields::new());
    answer.set_status_code(status).expect("a status");
    respond(response, answer, |stream| write(stream, text.as_bytes()));
}

/// Sends a response whose body is what the function writes. If it fails, so does the body.
fn respond(
    response: ResponseOutparam,
    answer: OutgoingResponse,
    body: impl FnOnce(&OutputStream) -> Result<(), StreamError>,
) {
    let sent = answer.body().expect("taken once");
    ResponseOutparam::set(response, Ok(answer));
    let stream = sent.write().expect("taken once");
    let written = body(&stream);
    drop(stream);
    if written.is_ok() {
        // An error is the client's end of the connection.
        let _ = OutgoingBody::finish(sent, None);
    }
}

fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    for chunk in bytes.chunks(MAX_WRITE_BYTES) {
        stream.blocking_write_and_flush(chunk)?;
    }
    Ok(())
}

/// Writes so many lines, with a wait before each, and then panics or drops the body if that is asked for. Keeps `gone` under
/// the key of that name if the client goes away before.
fn count(response: ResponseOutparam, parameter: &impl Fn(&str) -> String) {
    let (to, gone) = (
        parameter("to").parse().unwrap_or(u64::MAX),
        parameter("gone"),
    );
    respond(response, OutgoingResponse::new(Fields::new()), |stream| {
        for number in 1..=to {
            wait(&parameter("milliseconds"));
            if let Err(error) = write(stream, format!("{number}\n").as_bytes()) {
                if let (false, Ok(store)) = (gone.is_empty(), Store::open("default")) {
                    let _ = store.set(&gone, b"gone");
                }
                return Err(error);
            }
        }
        match parameter("then").as_str() {
            "panic" => panic!("as asked"),
            "drop" => Err(StreamError::Closed),
            _ => Ok(()),
        }
    });
    if let ("set", Ok(store)) = (parameter("then").as_str(), Store::open("default")) {
        let _ = store.set("after", b"the response");
    }
}

/// Sends the request's body back as it comes.
fn echo(request: &IncomingRequest, response: ResponseOutparam) {
    let Ok(body) = request.consume() else {
        return text(response, 500, "no body");
    };
    let stream = body.stream().expect("taken once");
    respond(response, OutgoingResponse::new(Fields::new()), |answer| {
        while let Some(chunk) = next(&stream) {
            write(answer, &chunk)?;
        }
        Ok(())
    });
}

/// Returns the next chunk of a stream, or nothing at its end or if it fails.
fn next(stream: &InputStream) -> Option<Vec<u8>> {
    stream.blocking_read(64 << 10).ok()
}

fn read(body: &IncomingBody) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(stream) = body.stream() {
        while let Some(chunk) = next(&stream) {
            bytes.extend(chunk);
        }
    }
    bytes
}

fn fetch(url: &str) -> Result<IncomingResponse, ErrorCode> {
    let invalid = || ErrorCode::HttpRequestUriInvalid;
    let url = url::Url::parse(url).map_err(|_| invalid())?;
    let request = OutgoingRequest::new(Fields::new());
    let scheme = match url.scheme() {
        "https" => Scheme::Https,
        _ => Scheme::Http,
    };
    let query = url.query().map(|query| format!("?{query}"));
    let path = format!("{}{}", url.path(), query.unwrap_or_default());
    request.set_method(&Method::Get).map_err(|()| invalid())?;
    request.set_scheme(Some(&scheme)).map_err(|()| invalid())?;
    request
        .set_authority(Some(url.authority()))
        .map_err(|()| invalid())?;
    request
        .set_path_with_query(Some(&path))
        .map_err(|()| invalid())?;
    let response = outgoing_handler::handle(request, None)?;
    response.subscribe().block();
    match response.get() {
        Some(Ok(response)) => response,
        _ => Err(ErrorCode::InternalError(None)),
    }
}

/// `fermyon:spin/key-value`.
fn key_value(parameter: &impl Fn(&str) -> String) -> String {
    let (label, key, value) = (parameter("store"), parameter("key"), parameter("value"));
    let store = match Store::open(&label) {
        Ok(store) => store,
        Err(error) => return format!("{error:?}"),
    };
    match parameter("do").as_str() {
        "get" => format!("{:?}", store.get(&key).map(shown)),
        "set" => format!("{:?}", store.set(&key, value.as_bytes())),
        "delete" => format!("{:?}", store.delete(&key)),
        "exists" => format!("{:?}", store.exists(&key)),
        "keys" => format!("{:?}", store.get_keys()),
        other => format!("cannot {other:?}"),
    }
}

/// `wasi:keyvalue/store` and `batch`.
fn bucket(parameter: &impl Fn(&str) -> String) -> String {
    let (label, key, value) = (parameter("store"), parameter("key"), parameter("value"));
    let bucket = match buckets::open(&label) {
        Ok(bucket) => bucket,
        Err(error) => return format!("{error:?}"),
    };
    match parameter("do").as_str() {
        "get" => format!("{:?}", bucket.get(&key).map(shown)),
        "set" => format!("{:?}", bucket.set(&key, value.as_bytes())),
        "delete" => format!("{:?}", bucket.delete(&key)),
        "exists" => format!("{:?}", bucket.exists(&key)),
        "keys" => format!("{:?}", bucket.list_keys(None).map(|listed| listed.keys)),
        "many" => {
            let pairs = [("m1".to_owned(), vec![1]), ("m2".to_owned(), vec![2])];
            format!(
                "{:?} {:?}",
                batch::set_many(&bucket, &pairs),
                batch::get_many(&bucket, &["m2".to_owned()])
            )
        }
        other => format!("cannot {other:?}"),
    }
}

fn shown(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}

/// `fermyon:spin/redis`.
fn redis(parameter: &impl Fn(&str) -> String) -> Result<String, RedisError> {
    let connection = Connection::open(&parameter("address"))?;
    let key = parameter("key");
    Ok(match parameter("do").as_str() {
        "set" => format!("{:?}", connection.set(&key, parameter("value").as_bytes())),
        "get" => format!("{:?}", connection.get(&key).map(shown)),
        "incr" => format!("{:?}", connection.incr(&key)),
        "publish" => format!("{:?}", connection.publish(&key, b"news")),
        "all" => {
            let keys = ["a".to_owned(), "b".to_owned(), "none".to_owned()];
            let members = ["x".to_owned(), "y".to_owned()];
            connection.set("a", b"1")?;
            let mut seen = vec![
                format!("{:?}", connection.incr("b")?),
                format!("{:?}", connection.del(&keys)?),
                format!("{:?}", connection.sadd("s", &members)?),
                format!("{:?}", connection.srem("s", &members[..1])?),
                format!("{:?}", connection.smembers("s")?),
            ];
            let arguments = [
                RedisParameter::Binary(b"e".to_vec()),
                RedisParameter::Int64(7),
                RedisParameter::Binary(b"EX".to_vec()),
                RedisParameter::Int64(100),
            ];
            seen.push(parts(connection.execute("set", &arguments)?));
            let arguments = ["e", "s", "none"].map(|key| RedisParameter::Binary(key.into()));
            seen.push(parts(connection.execute("MGET", &arguments)?));
            seen.push(parts(connection.execute("TTL", &arguments[..1])?));
            seen.join(" ")
        }
        other => format!("cannot {other:?}"),
    })
}

fn parts(parts: Vec<RedisResult>) -> String {
    let shown = parts.into_iter().map(|part| match part {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Status(text) => text,
        RedisResult::Int64(number) => number.to_string(),
        RedisResult::Binary(bytes) => format!("{:?}", String::from_utf8_lossy(&bytes)),
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

/// Opens so many connections at once.
fn connections(parameter: &impl Fn(&str) -> String) -> String {
    let address = parameter("address");
    let number = parameter("number").parse().unwrap_or(1);
    let opened: Result<Vec<_>, _> = (0..number).map(|_| Connection::open(&address)).collect();
    format!("{:?}", opened.map(|opened| opened.len()))
}
