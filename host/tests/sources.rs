//! Wasm that other machines have: what is fetched, what is kept, and why it is refused.

use std::{
    collections::HashMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
};

use gatehouse_host::{
    Sources,
    manifest::{Remote, Sha256},
};

/// A server that answers each path with what is here for it, for as long as the process runs.
fn server(answers: impl FnOnce(SocketAddr) -> HashMap<&'static str, Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = answers(address);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap() == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let path = head.split(' ').nth(1).unwrap_or_default();
            stream.write_all(&answers[path]).unwrap();
        }
    });
    address
}

fn ok(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn redirect(location: &str) -> Vec<u8> {
    let head = "HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\n";
    format!("{head}location: {location}\r\n\r\n").into_bytes()
}

fn remote(address: SocketAddr, path: &str, body: &[u8]) -> Remote {
    let url = format!("http://{address}{path}");
    Remote::new(&url, &Sha256::of(body).to_string()).unwrap()
}

fn sources() -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().unwrap();
    let sources = Sources::new(directory.path().join("a/sources"));
    (directory, sources)
}

/// The files that are kept.
fn kept(directory: &tempfile::TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.path().join("a/sources")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn what_was_fetched_is_used_without_a_network() {
    let (directory, sources) = sources();
    let address = server(|_| HashMap::from([("/a", ok(b"wasm")), ("/b", ok(b"other"))]));
    let wasm = remote(address, "/a", b"wasm");
    let other = remote(address, "/b", b"other");
    sources.fetch([&wasm, &other]).await.unwrap();
    assert_eq!(kept(&directory).len(), 2);
    let gone = remote(([127, 0, 0, 1], 1).into(), "/a", b"wasm");
    assert_eq!(sources.read(&gone).await.unwrap(), b"wasm");
}

#[tokio::test]
async fn other_content_than_the_digest_says_is_refused_and_not_kept() {
    let (directory, sources) = sources();
    let address = server(|_| HashMap::from([("/a?token=hidden", ok(b"other"))]));
    let wasm = remote(address, "/a?token=hidden", b"wasm");
    let message = sources.fetch([&wasm]).await.unwrap_err().to_string();
    for words in [
        &format!("http://{address}/a"),
        &Sha256::of(b"wasm").to_string(),
        &Sha256::of(b"other").to_string(),
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert!(!message.contains("hidden"), "{message}");
    assert!(kept(&directory).is_empty());
}

#[tokio::test]
async fn a_damaged_file_is_fetched_again() {
    let (directory, sources) = sources();
    let address = server(|_| HashMap::from([("/a", ok(b"wasm"))]));
    let wasm = remote(address, "/a", b"wasm");
    sources.fetch([&wasm]).await.unwrap();
    for damaged in [&b"was"[..], b"", b"wasn"] {
        fs::write(&kept(&directory)[0], damaged).unwrap();
        assert_eq!(sources.read(&wasm).await.unwrap(), b"wasm");
    }
}

/// In a container the next process has the number of the one that was killed.
#[tokio::test]
async fn what_a_killed_host_left_behind_keeps_no_one_from_fetching() {
    let (directory, sources) = sources();
    let address = server(|_| HashMap::from([("/a", ok(b"wasm"))]));
    let wasm = remote(address, "/a", b"wasm");
    let folder = directory.path().join("a/sources");
    fs::create_dir_all(&folder).unwrap();
    for begun in 0..9 {
        let name = format!(
            "{}.{}-{begun}.partial",
            wasm.digest().hex(),
            std::process::id()
        );
        fs::write(folder.join(name), b"wa").unwrap();
    }
    assert_eq!(sources.read(&wasm).await.unwrap(), b"wasm");
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_where_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, sources) = sources();
    let address = server(|_| HashMap::from([("/a", ok(b"wasm"))]));
    let wasm = remote(address, "/a", b"wasm");
    sources.fetch([&wasm]).await.unwrap();
    let folder = directory.path().join("a/sources");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let message = sources.read(&wasm).await.unwrap_err().to_string();
    assert!(message.contains("other users can write there"), "{message}");
    fs::remove_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(directory.path(), &folder).unwrap();
    assert!(sources.read(&wasm).await.is_err());
}

#[tokio::test]
async fn a_server_may_send_on_to_this_machine_or_to_a_tls_server() {
    let (_directory, sources) = sources();
    let address = server(|address| {
        HashMap::from([
            ("/a", redirect("/b")),
            ("/b", redirect(&format!("http://{address}/c?d"))),
            ("/c?d", ok(b"wasm")),
            ("/loop", redirect("/loop")),
            ("/away", redirect("http://a.test/b?token=hidden")),
            ("/file", redirect("file:///etc/hostname")),
        ])
    });
    sources
        .fetch([&remote(address, "/a", b"wasm")])
        .await
        .unwrap();
    for (path, words) in [
        ("/loop", "too often"),
        ("/away", "http://a.test/b"),
        ("/file", "file:///etc/hostname"),
    ] {
        let other = remote(address, path, b"other");
        let message = sources.fetch([&other]).await.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("hidden"), "{message}");
    }
}

#[tokio::test]
async fn why_nothing_came_is_said() {
    let (directory, sources) = sources();
    let address = server(|_| {
        let answer = |text: &str| text.as_bytes().to_vec();
        HashMap::from([
            (
                "/none",
                answer("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
            ),
            (
                "/cut",
                answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwasm"),
            ),
            ("/other", answer("SSH-2.0-OpenSSH\r\n\r\n")),
        ])
    });
    for (path, words) in [
        ("/none", "404"),
        ("/cut", "broke off"),
        ("/other", "broke off"),
    ] {
        let wasm = remote(address, path, b"wasm");
        let message = sources.fetch([&wasm]).await.unwrap_err().to_string();
        assert!(
            message.contains(words) && message.contains(path),
            "{message}"
        );
    }
    let refused = remote(([127, 0, 0, 1], 1).into(), "/a", b"wasm");
    let message = sources.fetch([&refused]).await.unwrap_err().to_string();
    assert!(message.contains("refused"), "{message}");
    assert!(kept(&directory).is_empty());
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let message = Sources::new(&file).fetch([&refused]).await.unwrap_err();
    assert!(message.to_string().contains("XDG_CACHE_HOME"), "{message}");
}
