//! Errors that stop the start, in their words, and a second start.

mod common;

use std::io::{BufRead, BufReader, Write};

use common::{App, MANIFEST, ask};
use gatehouse_host::{Sources, StartError, manifest};

async fn refused(manifest: &str) -> String {
    match App::with(manifest).host().start().await {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    }
}

async fn refused_with(from: &str, to: &str) -> String {
    assert!(MANIFEST.contains(from), "{from}");
    refused(&MANIFEST.replacen(from, to, 1)).await
}

#[tokio::test]
async fn what_is_not_supported_is_named_with_its_component() {
    for (field, value) in [
        ("files", "[\"a\"]"),
        ("sqlite_databases", "[\"default\"]"),
        ("ai_models", "[\"a\"]"),
    ] {
        let message = refused_with(
            "environment =",
            &format!("{field} = {value}\nenvironment ="),
        )
        .await;
        assert!(
            message.contains("\"guest\"") && message.contains(field),
            "{message}"
        );
    }
    let message = refused_with("[[trigger.http]]", "[[trigger.redis]]").await;
    assert!(message.contains("redis"), "{message}");
    let message = refused_with(
        "source = \"GUEST\"",
        "source = { package = \"b:c\", version = \"1.0.0\" }",
    )
    .await;
    assert!(
        message.contains("\"guest\"") && message.contains("`registry`"),
        "{message}"
    );
    let message = refused_with("\"http://self\"", "\"mysql://a.test\"").await;
    assert!(
        message.contains("\"guest\"") && message.contains("mysql://a.test"),
        "{message}"
    );
    let message = refused_with(
        "component = \"guest\"",
        "component = \"guest\"\nexecutor = { type = \"wagi\" }",
    )
    .await;
    assert!(message.contains("executor"), "{message}");
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place() {
    let message = refused_with("environment =", "enviroment =").await;
    assert!(
        message.contains("\"guest\"") && message.contains("enviroment"),
        "{message}"
    );
    let message = refused_with("component = \"guest\"", "component = \"quest\"").await;
    assert!(message.contains("quest"), "{message}");
    let message = refused_with("[\"default\"]", "[\"default\", \"other\"]").await;
    assert!(
        message.contains("\"guest\"") && message.contains("\"other\""),
        "{message}"
    );
    let message = refused_with("\"test:probe/probe@1.0.0\"", "\"test:other/probe@1.0.0\"").await;
    assert!(
        message.contains("\"guest\"") && message.contains("test:other/probe@1.0.0"),
        "{message}"
    );
    let message = refused_with("{{ greeting }}, world", "{{ absent }}").await;
    assert!(
        message.contains("\"guest\"") && message.contains("absent"),
        "{message}"
    );
    let message = refused_with("source = \"GUEST\"", "source = \"missing.wasm\"").await;
    assert!(
        message.contains("\"guest\"") && message.contains("missing.wasm"),
        "{message}"
    );
}

#[tokio::test]
async fn a_component_that_handles_no_requests_is_named() {
    let message = refused_with("source = \"GUEST\"", "source = \"DEPENDENCY\"").await;
    assert!(message.contains("\"guest\""), "{message}");
    let manifest = MANIFEST.replacen("source = \"GUEST\"", "source = \"DEPENDENCY\"", 1).replacen(
        "[component.guest.dependencies]\n\"test:probe/probe@1.0.0\" = { path = \"DEPENDENCY\" }",
        "",
        1,
    );
    let message = refused(&manifest).await;
    assert!(
        message.contains("\"guest\"") && message.contains("wasi:http/handler@0.3"),
        "{message}"
    );
}

#[tokio::test]
async fn a_required_variable_without_a_value_stops_the_start() {
    let manifest = MANIFEST.replacen(
        "greeting = { default = \"hello\" }",
        "greeting = { required = true, secret = true }",
        1,
    );
    let app = App::with(&manifest);
    let Err(error) = app.host().start().await else {
        panic!("it starts")
    };
    assert!(matches!(error, StartError::Variables(_)), "{error}");
    assert!(
        error.to_string().contains("SPIN_VARIABLE_GREETING"),
        "{error}"
    );
    std::fs::write(
        app.directory().join(".env"),
        "SPIN_VARIABLE_GREETING='from a file'\n",
    )
    .unwrap();
    let running = app
        .host()
        .environment(app.directory())
        .start()
        .await
        .unwrap();
    assert_eq!(
        ask(&running, "variable?name=greeting").await,
        "Ok(\"from a file, world\")"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn an_unknown_variable_and_a_used_port_stop_the_start() {
    let app = App::new();
    let Err(error) = app.host().variable("grating", "x").start().await else {
        panic!("it starts")
    };
    assert!(error.to_string().contains("grating"), "{error}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let Err(error) = app.host().listen(address.clone()).start().await else {
        panic!("it starts")
    };
    assert!(error.to_string().contains(&address), "{error}");
    drop(taken);
}

#[tokio::test]
async fn a_source_and_a_dependency_can_be_replaced() {
    let manifest = MANIFEST
        .replace("\"GUEST\"", "\"a.wasm\"")
        .replace("\"DEPENDENCY\"", "\"b.wasm\"");
    let app = App::with(&format!("{manifest}\n# GUEST DEPENDENCY"));
    let text = std::fs::read_to_string(app.directory().join("spin.toml")).unwrap();
    let paths = text
        .lines()
        .last()
        .unwrap()
        .split_whitespace()
        .skip(1)
        .collect::<Vec<_>>();
    let name = "test:probe/probe@1.0.0";
    let host = app
        .host()
        .source("guest", paths[0])
        .source("hidden", paths[0]);
    let running = host
        .dependency("guest", name, paths[1])
        .dependency("hidden", name, paths[1])
        .start()
        .await
        .unwrap();
    assert_eq!(ask(&running, "count?to=1").await, "1\n");
    running.shutdown().await;
}

#[tokio::test]
async fn wasm_of_another_machine_is_fetched_once() {
    let app = App::new();
    let manifest = app.directory().join("spin.toml");
    let local = std::fs::read_to_string(&manifest).unwrap();
    let mut files = Vec::new();
    let mut remote = local.clone();
    for before in ["source = ", "{ path = "] {
        let (_, rest) = local.split_once(&format!("{before}\"")).unwrap();
        let (path, _) = rest.split_once('"').unwrap();
        let wasm = std::fs::read(path).unwrap();
        let digest = manifest::Sha256::of(&wasm);
        let url = format!("http://127.0.0.1:PORT/{}", files.len());
        let inside = format!("url = \"{url}\", digest = \"{digest}\"");
        let after = match before {
            "source = " => format!("source = {{ {inside} }}"),
            _ => format!("{{ {inside}"),
        };
        remote = remote.replace(&format!("{before}\"{path}\""), &after);
        files.push(wasm);
    }
    let serve = async |port: u16| {
        std::fs::write(&manifest, remote.replace("PORT", &port.to_string())).unwrap();
        let sources = Sources::new(app.directory().join("sources"));
        let running = app.host().sources(sources).start().await?;
        assert_eq!(ask(&running, "count?to=1").await, "1\n");
        running.shutdown().await;
        Ok::<_, StartError>(())
    };
    assert!(
        serve(1)
            .await
            .unwrap_err()
            .to_string()
            .contains("http://127.0.0.1:1/")
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let other_machine = std::thread::spawn(move || {
        for _ in 0..files.len() {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
            let line = head.next().unwrap().unwrap();
            assert!(head.any(|line| line.unwrap().is_empty()));
            let wasm = &files[line["GET /".len()..][..1].parse::<usize>().unwrap()];
            let length = wasm.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(&[head.as_bytes(), wasm].concat()).unwrap();
        }
    });
    serve(port).await.unwrap();
    // Each was asked for once, and now nothing listens there.
    other_machine.join().unwrap();
    serve(port).await.unwrap();
}

#[tokio::test]
async fn a_second_start_compiles_nothing_again() {
    let app = App::new();
    let cache = app.directory().join("cache");
    let files = || {
        let entries = std::fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap());
        let mut files = entries
            .map(|entry| (entry.path(), std::fs::read(entry.path()).unwrap().len()))
            .collect::<Vec<_>>();
        files.sort();
        files
    };
    app.host()
        .cache(Some(cache.clone()))
        .start()
        .await
        .unwrap()
        .shutdown()
        .await;
    let first = files();
    assert_eq!(first.len(), 1, "both components are the same");
    let inode = |path: &std::path::Path| {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).unwrap().ino()
    };
    let before = inode(&first[0].0);
    app.host()
        .cache(Some(cache.clone()))
        .start()
        .await
        .unwrap()
        .shutdown()
        .await;
    assert_eq!(files(), first);
    assert_eq!(
        inode(&first[0].0),
        before,
        "a new file would have been renamed into its place"
    );
}
