//! Requests: routes, headers, bodies, instances.

mod common;

use bytes::Bytes;
use common::{App, ask, get, get_with, listener_to_return_to, send, text};
use futures::{StreamExt, channel::mpsc};
use gatehouse_host::{Hooks, HttpTap, Limits};
use http::{Request, response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn a_component_is_told_of_url_route_and_client_after_what_the_client_said() {
    let running = App::new().serve().await;
    let url = format!("{}/guest/ada/x/headers?a=b", running.url());
    let answer = get_with(
        &url,
        &[
            ("spin-full-url", "https://forged.test/"),
            ("connection", "close"),
        ],
    )
    .await;
    let values = |name: &str| {
        let prefix = format!("{name}: ");
        answer
            .text
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        values("spin-full-url"),
        ["https://forged.test/", url.as_str()]
    );
    assert_eq!(values("spin-path-info"), ["/x/headers"]);
    assert_eq!(values("spin-matched-route"), ["/guest/:name/..."]);
    assert_eq!(values("spin-component-route"), ["/guest/:name"]);
    assert_eq!(values("spin-path-match-name"), ["ada"]);
    assert_eq!(values("host"), [running.address().to_string()]);
    assert!(values("connection").is_empty());
    let [client] = values("spin-client-addr")[..] else {
        panic!("one address")
    };
    assert!(client.starts_with("127.0.0.1:"));
    running.shutdown().await;
}

#[tokio::test]
async fn a_request_without_a_route_gets_an_empty_404() {
    let running = App::new().serve().await;
    for path in ["/", "/guest", "/nothing/here", "/.well-known/spin/other"] {
        let answer = get(&format!("{}{path}", running.url())).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, ""), "{path}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn the_host_answers_for_itself() {
    let running = App::new().serve().await;
    assert_eq!(
        get(&format!("{}/.well-known/spin/health", running.url()))
            .await
            .text,
        "OK"
    );
    let info = get(&format!("{}/.well-known/spin/info", running.url())).await;
    assert_eq!(info.headers["content-type"], "application/json");
    assert!(
        info.text.contains("\"name\": \"probe\"") && info.text.contains("\"version\": \"1.2.3\"")
    );
    running.shutdown().await;
}

#[tokio::test]
async fn a_static_response_needs_no_component() {
    let running = App::new().serve().await;
    let answer = get(&format!("{}/fixed", running.url())).await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (418, "short and stout")
    );
    assert_eq!(answer.headers["x-kind"], "fixed");
    running.shutdown().await;
}

#[tokio::test]
async fn a_body_streams_in_and_out_at_the_same_time() {
    let running = App::new().serve().await;
    let (sender, receiver) = mpsc::unbounded::<&'static str>();
    let chunks = receiver.map(|chunk| Ok(Frame::data(Bytes::from(chunk))));
    let body = BodyExt::boxed(StreamBody::new(chunks));
    let request = Request::post(format!("{}/guest/test/echo", running.url()))
        .body(body)
        .unwrap();
    let mut answer = send(request).await.into_body();
    for chunk in ["one", "two", "three"] {
        sender.unbounded_send(chunk).unwrap();
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
    let running = App::new().serve().await;
    let large = (0_u32..1 << 20)
        .flat_map(u32::to_le_bytes)
        .collect::<Bytes>();
    let request = Request::post(format!("{}/guest/test/echo", running.url()))
        .body(text(large.clone()))
        .unwrap();
    let answer = send(request)
        .await
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    assert!(answer == large);
    running.shutdown().await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed_at_the_next_write() {
    let app = App::new();
    let store = gatehouse_host::KeyValue::memory();
    let running = app.host().key_value(store.clone()).start().await.unwrap();
    let request = Request::get(format!("{}/guest/test/events?gone=left", running.url()))
        .body(text(""))
        .unwrap();
    let mut events = send(request).await.into_body();
    let first = events.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"data: 0\n\n"));
    drop(events);
    let store = store.open("default").await.unwrap();
    while !store.exists("left").await.unwrap() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.shutdown().await;
}

#[tokio::test]
async fn an_instance_serves_many_requests_and_no_more_than_its_share() {
    let running = App::new().serve().await;
    let mut seen = Vec::new();
    for _ in 0..130 {
        seen.push(ask(&running, "requests").await.parse::<u32>().unwrap());
    }
    assert_eq!(seen[..2], [1, 2]);
    assert_eq!(seen.iter().max(), Some(&128));
    assert!(running.counters_by_component()["guest"].instances >= 2);
    running.shutdown().await;
}

#[tokio::test]
async fn a_panic_is_an_empty_500_and_the_next_request_is_served() {
    let running = App::new().serve().await;
    let answer = get(&format!("{}/guest/test/panic", running.url())).await;
    assert_eq!((answer.status, answer.text.as_str()), (500, ""));
    assert_eq!(ask(&running, "requests").await, "1");
    assert!(
        running
            .logs()
            .iter()
            .any(|line| line.starts_with("[guest]") && line.contains("as asked"))
    );
    running.shutdown().await;
}

#[tokio::test]
async fn what_a_component_prints_is_kept_with_its_name() {
    let running = App::new().serve().await;
    ask(&running, "print?text=ink").await;
    let logs = running.logs();
    assert!(
        logs.contains(&"[guest] out ink".to_owned())
            && logs.contains(&"[guest] err ink".to_owned()),
        "{logs:?}"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn stopping_cuts_open_responses_and_frees_the_port() {
    let app = App::new();
    let listener = listener_to_return_to();
    let address = listener.local_addr().unwrap();
    let running = app.host().listener(listener).start().await.unwrap();
    let request = Request::get(format!("{}/guest/test/events", running.url()))
        .body(text(""))
        .unwrap();
    let mut events = send(request).await.into_body();
    events.frame().await.unwrap().unwrap();
    running.shutdown().await;
    while let Some(Ok(_)) = events.frame().await {}
    let again = app
        .host()
        .listen(address.to_string())
        .start()
        .await
        .unwrap();
    assert_eq!(again.address(), address);
    again.shutdown().await;
}

#[tokio::test]
async fn stopping_says_nothing_of_the_instances_that_it_cuts_off() {
    let running = App::new().serve().await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let request = Request::get(format!("{}/guest/test/events", running.url()))
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

/// As in Spin: the instance is gone with all that it served, and says so once in the log.
#[tokio::test]
async fn a_panic_ends_the_streams_beside_it_as_if_they_were_complete_and_is_logged_once() {
    let running = App::new().serve().await;
    let request = Request::get(format!("{}/guest/test/events", running.url()))
        .body(text(""))
        .unwrap();
    let mut events = send(request).await.into_body();
    events.frame().await.unwrap().unwrap();
    let answer = get(&format!("{}/guest/test/panic", running.url())).await;
    assert_eq!((answer.status, answer.text.as_str()), (500, ""));
    while let Some(frame) = events.frame().await {
        frame.expect("an end and no error");
    }
    assert_eq!(running.counters_by_component()["guest"].instances, 1);
    let logs = running.logs();
    let failures = logs
        .iter()
        .filter(|line| line.contains("an instance failed"));
    assert_eq!(failures.count(), 1, "{logs:?}");
    running.shutdown().await;
}

#[tokio::test]
async fn five_hundred_open_streams_are_served_at_once() {
    let running = App::new().serve().await;
    let open = (0..500).map(|_| async {
        let request = Request::get(format!("{}/guest/test/events", running.url()))
            .body(text(""))
            .unwrap();
        let mut events = send(request).await.into_body();
        events.frame().await.unwrap().unwrap();
        events
    });
    let mut open = futures::future::join_all(open).await;
    for events in &mut open {
        events.frame().await.unwrap().unwrap();
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_hook_sees_requests_and_their_answers_as_they_pass() {
    struct Seen(Arc<Mutex<Vec<String>>>);

    impl Seen {
        fn note(&self, text: String) {
            self.0.lock().unwrap().push(text);
        }
    }

    impl HttpTap for Seen {
        fn sent(&mut self, data: &Bytes) {
            self.note(format!("sent {}", String::from_utf8_lossy(data)));
        }

        fn answered(&mut self, head: &response::Parts) {
            self.note(format!("answered {}", head.status));
        }

        fn received(&mut self, data: &Bytes) {
            self.note(format!("received {}", String::from_utf8_lossy(data)));
        }
    }

    let seen = Arc::new(Mutex::new(Vec::new()));
    let all = seen.clone();
    let hooks = Hooks::new().on_http_exchange(move |head| {
        let is_watched = head.uri.path().ends_with("/echo");
        is_watched.then(|| -> Box<dyn HttpTap> { Box::new(Seen(all.clone())) })
    });
    let app = App::new();
    let running = app.host().hooks(hooks).start().await.unwrap();
    get(&format!("{}/fixed", running.url())).await;
    let request = Request::post(format!("{}/guest/test/echo", running.url()))
        .body(text("hello"))
        .unwrap();
    send(request).await.collect().await.unwrap();
    let mut seen = seen.lock().unwrap().clone();
    // The guest may begin to answer before it reads.
    seen.sort();
    assert_eq!(seen, ["answered 200 OK", "received hello", "sent hello"]);
    running.shutdown().await;
}

/// Deadlines that a test can wait for.
fn short() -> Limits {
    Limits {
        head_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(300),
        body_idle_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// Reads a connection to its end, which is the host's to make.
async fn ended(mut connection: TcpStream) -> String {
    let mut seen = Vec::new();
    // A connection that is cut with something unread is reset.
    let _ = connection.read_to_end(&mut seen).await;
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn a_connection_without_a_whole_head_is_ended_and_others_are_served_meanwhile() {
    let running = App::new().host().limits(short()).start().await.unwrap();
    for start in [
        "",
        "P",
        "GET /fixed HT",
        "GET /fixed HTTP/1.1\r\nhost: a\r\nx-a: b\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut connection = TcpStream::connect(running.address()).await.unwrap();
        connection.write_all(start.as_bytes()).await.unwrap();
        let connection = tokio::spawn(ended(connection));
        assert_eq!(get(&format!("{}/fixed", running.url())).await.status, 418);
        connection.await.unwrap();
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_connection_that_is_kept_without_a_request_is_ended_after_its_response() {
    let running = App::new().host().limits(short()).start().await.unwrap();
    let mut connection = TcpStream::connect(running.address()).await.unwrap();
    connection
        .write_all(b"GET /fixed HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let seen = ended(connection).await;
    assert!(seen.starts_with("HTTP/1.1 418"), "{seen}");
    running.shutdown().await;
}

#[tokio::test]
async fn a_body_that_stops_or_dribbles_is_ended_and_others_are_served_meanwhile() {
    let running = App::new().host().limits(short()).start().await.unwrap();
    for dribbles in [false, true] {
        let mut connection = TcpStream::connect(running.address()).await.unwrap();
        let head = "POST /guest/test/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\na";
        connection.write_all(head.as_bytes()).await.unwrap();
        let (reader, mut writer) = connection.into_split();
        let slow = tokio::spawn(async move {
            while dribbles && writer.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Open until the host has ended it.
            std::future::pending::<()>().await;
        });
        let ended = tokio::spawn(async move {
            let mut reader = reader;
            let mut seen = Vec::new();
            let _ = reader.read_to_end(&mut seen).await;
        });
        assert!(ask(&running, "url").await.contains("/guest/test/url"));
        ended.await.unwrap();
        slow.abort();
    }
    running.shutdown().await;
}

#[tokio::test]
async fn a_stream_outlives_every_deadline_of_its_request() {
    let running = App::new().host().limits(short()).start().await.unwrap();
    let request = Request::get(format!("{}/guest/test/events", running.url()))
        .body(text(""))
        .unwrap();
    let mut events = send(request).await.into_body();
    let mut seen = String::new();
    // An event every 20 ms.
    while !seen.contains("data: 50\n\n") {
        let frame = events.frame().await.unwrap().unwrap();
        seen.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap()));
    }
    running.shutdown().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_until_one_of_the_others_ends() {
    let limits = Limits {
        max_connections: 2,
        ..Limits::default()
    };
    let running = App::new().host().limits(limits).start().await.unwrap();
    let mut open = Vec::new();
    for _ in 0..2 {
        let request = Request::get(format!("{}/guest/test/events", running.url()))
            .body(text(""))
            .unwrap();
        let mut events = send(request).await.into_body();
        events.frame().await.unwrap().unwrap();
        open.push(events);
    }
    let url = format!("{}/fixed", running.url());
    let third = tokio::spawn(async move { get(&url).await.status });
    for events in &mut open {
        for _ in 0..10 {
            events.frame().await.unwrap().unwrap();
        }
    }
    assert!(!third.is_finished());
    open.pop();
    assert_eq!(third.await.unwrap(), 418);
    assert_eq!(get(&format!("{}/fixed", running.url())).await.status, 418);
    running.shutdown().await;
}

/// The status and the body of the answer to a request that is sent as it stands.
async fn raw(address: SocketAddr, request: &[u8]) -> (u16, String) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request).await.unwrap();
    let answer = ended(connection).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

#[tokio::test]
async fn a_request_without_one_valid_host_header_is_answered_400() {
    let running = App::new().serve().await;
    let address = running.address();
    for (hosts, expected) in [
        ("", "no Host header"),
        ("Host: \r\n", "not a host name"),
        ("Host: not a host\r\n", "not a host name"),
        ("Host: ada@a.test\r\n", "not a host name"),
        ("Host: a.test\u{ff}\r\n", "not a host name"),
        (
            "Host: a.test\r\nHost: a.test\r\n",
            "more than one Host header",
        ),
        ("Host: hidden.spin.internal\r\n", "from within"),
    ] {
        for path in ["/guest/ada/url", "/nothing", "/.well-known/spin/health"] {
            let request = format!("GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            // One byte for each character.
            let request: Vec<u8> = request.chars().map(|c| c as u8).collect();
            let (status, body) = raw(address, &request).await;
            assert_eq!(status, 400, "{path} {hosts:?}");
            assert!(body.contains(expected), "{hosts:?}: {body}");
        }
    }
    let request =
        b"GET http://b.test/guest/ada/url HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    let (status, body) = raw(address, request).await;
    assert!(
        status == 400 && body.contains("not that of the URL"),
        "{status} {body}"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn http_1_0_without_a_host_is_served() {
    let running = App::new().serve().await;
    let request = b"GET /guest/ada/url HTTP/1.0\r\n\r\n";
    let expected = format!("{}/guest/ada/url", running.url());
    assert_eq!(raw(running.address(), request).await, (200, expected));
    running.shutdown().await;
}

#[tokio::test]
async fn a_header_beyond_utf_8_reaches_the_component() {
    let running = App::new().serve().await;
    let request = b"GET /guest/ada/headers HTTP/1.1\r\nHost: a.test\r\nX-Note: caf\xe9\r\nConnection: close\r\n\r\n";
    let (status, body) = raw(running.address(), request).await;
    assert_eq!(status, 200, "{body}");
    // The component shows what is not ASCII like this.
    assert!(body.contains("x-note: ?"), "{body}");
    assert!(
        body.contains("spin-full-url: http://a.test/guest/ada/headers"),
        "{body}"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn the_authority_of_http_2_is_the_host() {
    let running = App::new().serve().await;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let url = format!("{}/guest/ada/headers", running.url());
    let request = Request::get(&url).body(text("")).unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains(&format!("spin-full-url: {url}")), "{body}");
    assert!(
        body.contains(&format!("host: {}", running.address())),
        "{body}"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn several_slashes_are_not_one() {
    let running = App::new().serve().await;
    for path in ["//fixed", "/fixed//", "//guest/ada/url", "/guest//ada/url"] {
        let answer = get(&format!("{}{path}", running.url())).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let answer = get(&format!("{}/guest/ada//url", running.url())).await;
    assert_eq!(answer.text, format!("{}/guest/ada//url", running.url()));
    running.shutdown().await;
}
