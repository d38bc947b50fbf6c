//! Redirect URIs (RFC 6749 section 3.1.2).

use crate::first_line;
use oauth::redirect_uri::{
    self, Destination, MAX_BYTES, PrivateUse, destination, matches, with_parameters,
};
use url::{Host, Url};

/// As it is for clients that the operator has configured, which may have the most.
fn check(uri: &str) -> Result<(), redirect_uri::RedirectUriError> {
    redirect_uri::check(uri, PrivateUse::Any)
}

/// A redirect URI that is registered, and in the second line one that a request brings: what is
/// accepted can carry a code nowhere but where a person would think it goes.
pub fn redirect_uri(data: &[u8]) {
    let Some((registered, requested)) = first_line(data) else {
        return;
    };
    if check(registered).is_err() {
        assert!(redirect_uri::check(registered, PrivateUse::Listed).is_err());
        return;
    }
    let url = Url::parse(registered).expect("an accepted redirect URI is a URL");
    assert!(
        registered.len() <= MAX_BYTES && registered.bytes().all(|byte| byte.is_ascii_graphic())
    );
    assert!(url.fragment().is_none() && !registered.contains(['#', '*', '\\']));
    assert!(url.username().is_empty() && url.password().is_none());
    assert!(!matches!(
        url.scheme(),
        "javascript" | "data" | "vbscript" | "file" | "blob" | "about" | "ws" | "wss" | "ftp"
    ));
    if url.scheme() == "http" {
        assert!(is_here(&url), "{registered}");
    }
    match destination(registered) {
        Destination::Host(host) => {
            assert_eq!(url.scheme(), "https");
            assert!(!is_here(&url), "{registered}");
            let named = url.host_str().expect("an https URL has a host");
            let port = url
                .port()
                .map(|port| format!(":{port}"))
                .unwrap_or_default();
            assert_eq!(host, format!("{named}{port}"));
        }
        Destination::Loopback(host) => {
            assert!(matches!(url.scheme(), "http" | "https"));
            assert_eq!(url.host_str(), Some(&*host));
        }
        Destination::App(scheme) => {
            assert!(scheme == url.scheme() && !matches!(&*scheme, "http" | "https"));
        }
    }
    assert!(matches(registered, registered));
    check_answer(registered, &url);
    if registered != requested && matches(registered, requested) {
        assert_eq!(check(requested), Ok(()));
        assert!(matches(requested, registered));
        let requested = Url::parse(requested).expect("it was checked");
        assert!(is_here(&url) && is_here(&requested));
        let but_for_port = |url: &Url| {
            let mut url = url.clone();
            url.set_port(None).expect("an http URL may have a port");
            url
        };
        assert_eq!(but_for_port(&url), but_for_port(&requested));
    }
}

/// The URL that the browser is sent to has what the client registered, then our parameters.
fn check_answer(registered: &str, url: &Url) {
    let ours = [
        ("code", "ghc_a-b"),
        ("state", "a b&c=d#e\r\n\u{e9}"),
        ("iss", "https://a.example"),
    ];
    let answer = with_parameters(registered, ours);
    assert!(answer.starts_with(registered) && answer.bytes().all(|byte| byte.is_ascii_graphic()));
    let answer = Url::parse(&answer).expect("a redirect is a URL");
    assert_eq!(
        (answer.scheme(), answer.host(), answer.port(), answer.path()),
        (url.scheme(), url.host(), url.port(), url.path())
    );
    assert!(answer.fragment().is_none());
    let pairs: Vec<_> = answer.query_pairs().collect();
    let expected: Vec<_> = url
        .query_pairs()
        .chain(ours.map(|(name, value)| (name.into(), value.into())))
        .collect();
    assert_eq!(pairs, expected);
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
