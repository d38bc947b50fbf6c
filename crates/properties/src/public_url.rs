//! The URL that a request came to (RFC 9110 section 7.1).

use config::{BaseUrl, PublicUrl};
use http::HeaderMap;
use http::header::HeaderValue;
use url::{Host, Url};

/// The URL that a request came to: where none is configured, nothing but this machine itself is
/// believed, and what is believed is a base without anything behind it.
pub fn public_url(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert("spin-full-url", value);
    let public_url = PublicUrl::read(|_| None).expect("no public_url is a good one");
    if let Ok(base) = public_url.base(&headers) {
        let url = check(&base);
        assert!(match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        });
        assert_eq!(base.path(), "");
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(public_url) = PublicUrl::read(|name| (name == "public_url").then_some(text))
        && let Some(base) = public_url.configured()
    {
        check(base);
        // Once configured, no request changes who we are.
        assert_eq!(
            public_url.base(&headers).as_ref().map(BaseUrl::as_str).ok(),
            Some(base.as_str())
        );
    }
}

fn check(base: &BaseUrl) -> Url {
    let url = Url::parse(base.as_str()).expect("a base is a URL");
    assert!(matches!(url.scheme(), "http" | "https"));
    assert!(url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
    assert!(!base.as_str().ends_with('/'));
    assert_eq!(base.is_https(), url.scheme() == "https");
    assert_eq!(base.origin(), url.origin().ascii_serialization());
    assert_eq!(format!("{}{}", base.origin(), base.path()), base.as_str());
    url
}
