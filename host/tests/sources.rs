//! Wasm that other machines have: what is fetched, what is kept, and why it is refused.

use std::{
    borrow::Borrow,
    collections::HashMap,
    fs,
    hash::Hash,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use gatehouse_host::{
    Sources,
    manifest::{Package, Remote, Sha256, Source},
};

/// A server that answers each path with what is here for it, or for it and, after a space, the credentials, for as long
/// as the process runs.
fn server<A: Answers>(answers: impl FnOnce(SocketAddr) -> A) -> SocketAddr {
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
            let credentials = head
                .lines()
                .find_map(|line| line.strip_prefix("authorization: "));
            let with = credentials.and_then(|value| answers.get(&format!("{path} {value}")));
            let answer = with.or_else(|| answers.get(path));
            let answer = answer.unwrap_or_else(|| {
                b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec()
            });
            // A client that has gone needs no answer.
            let _ = stream.write_all(&answer);
        }
    });
    address
}

/// What a server answers.
trait Answers: Send + 'static {
    fn get(&self, path: &str) -> Option<Vec<u8>>;
}

impl<K: Borrow<str> + Eq + Hash + Send + 'static> Answers for HashMap<K, Vec<u8>> {
    fn get(&self, path: &str) -> Option<Vec<u8>> {
        Self::get(self, path).cloned()
    }
}

/// They may change meanwhile.
impl<A: Answers> Answers for Arc<Mutex<A>> {
    fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.lock().unwrap().get(path)
    }
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
    sources
        .fetch(&[wasm.clone().into(), other.clone().into()])
        .await
        .unwrap();
    assert_eq!(kept(&directory).len(), 2);
    let gone = remote(([127, 0, 0, 1], 1).into(), "/a", b"wasm");
    assert_eq!(sources.read(&gone).await.unwrap(), b"wasm");
}

#[tokio::test]
async fn other_content_than_the_digest_says_is_refused_and_not_kept() {
    let (directory, sources) = sources();
    let address = server(|_| HashMap::from([("/a?token=hidden", ok(b"other"))]));
    let wasm = remote(address, "/a?token=hidden", b"wasm");
    let message = sources
        .fetch(&[wasm.clone().into()])
        .await
        .unwrap_err()
        .to_string();
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
    sources.fetch(&[wasm.clone().into()]).await.unwrap();
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
    sources.fetch(&[wasm.clone().into()]).await.unwrap();
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
        .fetch(&[remote(address, "/a", b"wasm").into()])
        .await
        .unwrap();
    for (path, words) in [
        ("/loop", "too often"),
        ("/away", "http://a.test/b"),
        ("/file", "file:///etc/hostname"),
    ] {
        let other = remote(address, path, b"other");
        let message = sources
            .fetch(&[other.clone().into()])
            .await
            .unwrap_err()
            .to_string();
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
        let message = sources
            .fetch(&[wasm.clone().into()])
            .await
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(words) && message.contains(path),
            "{message}"
        );
    }
    let refused = remote(([127, 0, 0, 1], 1).into(), "/a", b"wasm");
    let message = sources
        .fetch(&[refused.clone().into()])
        .await
        .unwrap_err()
        .to_string();
    assert!(message.contains("refused"), "{message}");
    assert!(kept(&directory).is_empty());
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let message = Sources::new(&file)
        .fetch(&[refused.clone().into()])
        .await
        .unwrap_err();
    assert!(message.to_string().contains("XDG_CACHE_HOME"), "{message}");
}

/// A registry with these versions of `example:weather`, whose tags come in pages of one.
fn registry(versions: &[(&str, &[u8])]) -> HashMap<String, Vec<u8>> {
    let mut answers = HashMap::new();
    let metadata = r#"{ "preferredProtocol": "oci", "oci": { "namespacePrefix": "tools/" } }"#;
    answers.insert(
        "/.well-known/wasm-pkg/registry.json".to_owned(),
        ok(metadata.as_bytes()),
    );
    let repository = "/v2/tools/example/weather";
    let mut tags = format!("{repository}/tags/list");
    for (version, wasm) in versions {
        let page = format!(r#"{{ "name": "tools/example/weather", "tags": ["{version}"] }}"#);
        answers.insert(tags, ok(page.as_bytes()));
        tags = format!("{repository}/tags/list?last={version}");
        let (digest, size) = (Sha256::of(wasm), wasm.len());
        let manifest = format!(
            r#"{{ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {{ "mediaType": "application/vnd.wasm.config.v0+json", "digest": "{digest}", "size": 2 }},
                "layers": [{{ "mediaType": "application/wasm", "digest": "{digest}", "size": {size} }}] }}"#
        );
        let path = format!("{repository}/manifests/{version}");
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\n";
        let length = manifest.len();
        answers.insert(
            path,
            format!("{head}content-length: {length}\r\n\r\n{manifest}").into_bytes(),
        );
        answers.insert(format!("{repository}/blobs/{digest}"), ok(wasm));
    }
    answers.insert(
        tags,
        ok(br#"{ "name": "tools/example/weather", "tags": [] }"#),
    );
    answers.insert("/v2/".to_owned(), ok(b""));
    answers
}

fn package(address: SocketAddr, version: &str, is_exact: bool) -> Source {
    let package = Package::new(&address.to_string(), "example:weather", version, is_exact);
    Source::Package(package.unwrap())
}

#[tokio::test]
async fn the_newest_version_of_a_package_that_matches_comes_from_its_registry() {
    let (_directory, sources) = sources();
    let versions: [(&str, &[u8]); 4] = [
        ("1.2.0", b"a"),
        ("1.10.0", b"b"),
        ("latest", b"c"),
        ("2.0.0", b"d"),
    ];
    let address = server(|_| registry(&versions));
    for (version, is_exact, wasm) in [
        ("1.2", false, b"b"),
        ("1.2.0", true, b"a"),
        (">=1", false, b"d"),
    ] {
        let source = package(address, version, is_exact);
        sources.fetch([&source]).await.unwrap();
        assert_eq!(fs::read(sources.file(&source)).unwrap(), wasm, "{version}");
    }
    let none = package(address, "3", false);
    let message = sources.fetch([&none]).await.unwrap_err().to_string();
    for words in ["example:weather", "no version", "1.10.0, 1.2.0, 2.0.0"] {
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn a_package_that_was_found_is_used_where_the_registry_has_it_no_longer() {
    let (directory, sources) = sources();
    let answers = Arc::new(Mutex::new(registry(&[("1.2.0", b"a")])));
    let address = server(|_| Arc::clone(&answers));
    let (exact, some) = (
        package(address, "1.2.0", true),
        package(address, "1", false),
    );
    sources.fetch([&exact, &some]).await.unwrap();
    assert_eq!(kept(&directory).len(), 3, "the Wasm, and a name for each");
    answers.lock().unwrap().clear();
    sources.fetch([&exact, &some]).await.unwrap();
    for source in [&exact, &some] {
        assert_eq!(fs::read(sources.file(source)).unwrap(), b"a");
    }
    let other = package(address, "1.2", false);
    let message = sources.fetch([&other]).await.unwrap_err().to_string();
    assert!(message.contains("404"), "{message}");

    // A newer version takes the place of one that satisfies a requirement, and of no exact one.
    *answers.lock().unwrap() = registry(&[("1.2.0", b"other"), ("1.3.0", b"b")]);
    sources.fetch([&exact, &some]).await.unwrap();
    assert_eq!(fs::read(sources.file(&exact)).unwrap(), b"a");
    assert_eq!(fs::read(sources.file(&some)).unwrap(), b"b");
}

#[tokio::test]
async fn what_a_registry_gives_has_to_have_the_digest_that_it_says() {
    let (directory, sources) = sources();
    let mut answers = registry(&[("1.2.0", b"good")]);
    let blob = format!("/v2/tools/example/weather/blobs/{}", Sha256::of(b"good"));
    answers.insert(blob, ok(b"evil"));
    let address = server(|_| answers);
    let source = package(address, "1.2.0", true);
    let message = sources.fetch([&source]).await.unwrap_err().to_string();
    assert!(
        message.contains(&Sha256::of(b"evil").to_string()),
        "{message}"
    );
    assert!(kept(&directory).is_empty());
}

#[tokio::test]
async fn a_token_that_everyone_gets_is_asked_for_and_goes_to_the_registry_alone() {
    let (_directory, sources) = sources();
    // With the token, there is something else.
    let elsewhere = server(|_| HashMap::from([("/blob", ok(b"a")), ("/blob Bearer t", ok(b"b"))]));
    let address = server(|address| {
        let mut answers = registry(&[("1.2.0", b"a")]);
        let realm = format!("http://{address}/token");
        let challenge = format!(
            "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\nwww-authenticate: Bearer realm=\"{realm}\",service=\"s\"\r\n\r\n"
        )
        .into_bytes();
        let repository = "/v2/tools/example/weather";
        let manifest = format!("{repository}/manifests/1.2.0");
        let blob = format!("{repository}/blobs/{}", Sha256::of(b"a"));
        let with_token = [
            (manifest.clone(), answers[&manifest].clone()),
            (blob, redirect(&format!("http://{elsewhere}/blob"))),
        ];
        for (path, answer) in with_token {
            answers.insert(path.clone(), challenge.clone());
            answers.insert(format!("{path} Bearer t"), answer);
        }
        answers.insert("/token?service=s".to_owned(), ok(br#"{ "token": "t" }"#));
        answers
    });
    let source = package(address, "1.2.0", true);
    sources.fetch([&source]).await.unwrap();
    assert_eq!(fs::read(sources.file(&source)).unwrap(), b"a");
}
