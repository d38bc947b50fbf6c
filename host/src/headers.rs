//! Request headers that Spin adds for a component.

use std::net::SocketAddr;

use anyhow::Context;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri, Version,
    header::{CONNECTION, HOST},
    uri::{Authority, Scheme},
};

use crate::{allowed_hosts::is_chaining_host, routes::RouteMatch};

/// Why it cannot be said which host a request from outside is for (RFC 9112 section 3.2, RFC 9113 section 8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostError {
    #[error("The request has no Host header.")]
    Missing,
    #[error("The request has more than one Host header.")]
    Several,
    #[error("The Host header is not a host name or an address, with or without a port.")]
    Invalid,
    #[error("The Host header is not that of the URL.")]
    Different,
    #[error(
        "The Host header names a component, which is reached from within the application alone."
    )]
    Inside,
    #[error("The request is not for a path.")]
    NoPath,
}

/// Makes the URL of a request from outside absolute, gives it the one `Host` header of that URL, and takes `Connection` away,
/// which is about this connection.
///
/// The host is that of the URL, as HTTP/2's `:authority` is, or of the header. HTTP/1.0 may leave out both: then it is
/// `address`, which the host listens on.
pub(crate) fn resolve_host<B>(
    request: &mut Request<B>,
    address: SocketAddr,
) -> Result<(), HostError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let header = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return Err(HostError::Several),
        (Some(host), None) => Some(authority(host)?),
        (None, None) if request.version() == Version::HTTP_11 => return Err(HostError::Missing),
        (None, None) => None,
    };
    let authority = match (header, request.uri().authority().cloned()) {
        (Some(header), Some(url)) if header != url => return Err(HostError::Different),
        (Some(authority), _) => authority,
        (None, Some(url)) => {
            let host = HeaderValue::from_str(url.as_str()).map_err(|_| HostError::Invalid)?;
            authority(&host)?
        }
        (None, None) if request.version() < Version::HTTP_11 => {
            Authority::try_from(address.to_string()).map_err(|_| HostError::Invalid)?
        }
        (None, None) => return Err(HostError::Missing),
    };
    if is_chaining_host(authority.as_str()) {
        return Err(HostError::Inside);
    }
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| HostError::Invalid)?;
    make_absolute(request, authority)?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().remove(CONNECTION);
    Ok(())
}

/// `uri-host [ ":" port ]` (RFC 9110 section 7.2), which has no user information, as an authority may.
fn authority(host: &HeaderValue) -> Result<Authority, HostError> {
    let authority = Authority::try_from(host.as_bytes()).map_err(|_| HostError::Invalid)?;
    let rest = authority.as_str().strip_prefix(authority.host());
    let is_valid = !authority.host().is_empty()
        && rest.is_some_and(|rest| match rest.strip_prefix(':') {
            Some(port) => port.is_empty() || authority.port_u16().is_some(),
            None => rest.is_empty(),
        });
    is_valid.then_some(authority).ok_or(HostError::Invalid)
}

/// Makes the URL of a request of another component absolute, if it is not.
pub(crate) fn make_chained_absolute<B>(request: &mut Request<B>) -> anyhow::Result<()> {
    let authority = request.uri().authority().cloned();
    let authority = authority.context("the request names no host")?;
    Ok(make_absolute(request, authority)?)
}

fn make_absolute<B>(request: &mut Request<B>, authority: Authority) -> Result<(), HostError> {
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| HostError::NoPath)?;
    Ok(())
}

/// Adds what the host knows of a request, after whatever the client sent under the same names.
pub(crate) fn add<B>(
    request: &mut Request<B>,
    route: &RouteMatch<'_>,
    client: SocketAddr,
) -> anyhow::Result<()> {
    let uri = request.uri();
    let path = uri
        .path_and_query()
        .context("the URL has no path")?
        .as_str();
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = match request.headers().get(HOST) {
        Some(host) => std::str::from_utf8(host.as_bytes())?,
        None => "localhost",
    };
    let full_url = format!("{scheme}://{host}{path}");
    let headers = request.headers_mut();
    append(headers, "spin-path-info", &route.trailing);
    append(headers, "spin-full-url", &full_url);
    append(headers, "spin-matched-route", route.based);
    append(headers, "spin-base-path", "/");
    append(headers, "spin-raw-component-route", route.raw);
    append(headers, "spin-component-route", route.raw_prefix());
    append(headers, "spin-client-addr", &client.to_string());
    for (name, value) in &route.named {
        append(
            headers,
            &format!("spin-path-match-{}", name.replace('_', "-")),
            value,
        );
    }
    Ok(())
}

/// A name or value that no header can have is left out.
fn append(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (
        HeaderName::from_bytes(name.as_bytes()),
        HeaderValue::from_bytes(value.as_bytes()),
    ) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        manifest::{Route, Target, Trigger},
        routes::Router,
    };

    fn request(url: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn values(request: &Request<()>, name: &str) -> Vec<String> {
        request
            .headers()
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    fn prepared(route: &str, path: &str, headers: &[(&str, &str)]) -> Request<()> {
        let trigger = Trigger {
            id: "t".to_owned(),
            route: Route::Pattern(route.to_owned()),
            target: Target::Component("c".to_owned()),
        };
        let router = Router::new(&[trigger]).unwrap();
        let mut request = request(path, headers);
        resolve_host(&mut request, ADDRESS).unwrap();
        let path = request.uri().path().to_owned();
        add(
            &mut request,
            &router.find(&path).unwrap(),
            "192.0.2.1:1234".parse().unwrap(),
        )
        .unwrap();
        request
    }

    #[test]
    fn the_component_is_told_of_url_route_and_client() {
        let request = prepared(
            "/a/:user_name/...",
            "/a/ada/b/c?d=e",
            &[("host", "example.test:8080")],
        );
        for (name, value) in [
            ("spin-full-url", "http://example.test:8080/a/ada/b/c?d=e"),
            ("spin-path-info", "/b/c"),
            ("spin-matched-route", "/a/:user_name/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/a/:user_name/..."),
            ("spin-component-route", "/a/:user_name"),
            ("spin-client-addr", "192.0.2.1:1234"),
            ("spin-path-match-user-name", "ada"),
        ] {
            assert_eq!(values(&request, name), [value], "{name}");
        }
    }

    #[test]
    fn a_header_forged_by_the_client_comes_before_the_host_s_own() {
        let request = prepared(
            "/...",
            "/a",
            &[
                ("host", "real.test"),
                ("spin-full-url", "https://forged.test/"),
            ],
        );
        assert_eq!(
            values(&request, "spin-full-url"),
            ["https://forged.test/", "http://real.test/a"]
        );
    }

    const ADDRESS: SocketAddr = SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9)),
        3000,
    );

    /// The host of a request as the component sees it.
    fn host(version: Version, url: &str, hosts: &[&str]) -> Result<String, HostError> {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        let mut request = request(url, &headers);
        *request.version_mut() = version;
        resolve_host(&mut request, ADDRESS)?;
        let [host] = &values(&request, "host")[..] else {
            panic!("one Host header")
        };
        assert_eq!(request.uri().authority().unwrap().as_str(), host);
        Ok(host.clone())
    }

    #[test]
    fn a_request_of_http_1_1_has_one_host_header() {
        use HostError::{Different, Invalid, Missing, Several};
        for (url, hosts, expected) in [
            ("/", &["a.test"][..], Ok("a.test")),
            ("/", &["a.test:80"], Ok("a.test:80")),
            ("/", &["[::1]:80"], Ok("[::1]:80")),
            ("http://a.test/", &["A.test"], Ok("A.test")),
            ("/", &[], Err(Missing)),
            ("http://a.test/", &[], Err(Missing)),
            ("/", &["a.test", "a.test"], Err(Several)),
            ("/", &["a.test", "b.test"], Err(Several)),
            ("/", &[""], Err(Invalid)),
            ("/", &["not a host"], Err(Invalid)),
            ("/", &["a.test/path"], Err(Invalid)),
            ("/", &["ada@a.test"], Err(Invalid)),
            ("/", &[":80"], Err(Invalid)),
            ("/", &["a.test:port"], Err(Invalid)),
            ("/", &["a.test:65536"], Err(Invalid)),
            ("/", &["a.test, b.test"], Err(Invalid)),
            ("http://a.test/", &["b.test"], Err(Different)),
        ] {
            let host = host(Version::HTTP_11, url, hosts);
            assert_eq!(
                host.as_deref(),
                expected.as_ref().copied(),
                "{url} {hosts:?}"
            );
        }
    }

    #[test]
    fn a_request_from_outside_cannot_be_for_a_component() {
        for (version, url, hosts) in [
            (Version::HTTP_11, "/", &["secret.spin.internal:3000"][..]),
            (Version::HTTP_10, "/", &["secret.spin.internal"]),
            (Version::HTTP_2, "http://secret.spin.internal/", &[]),
        ] {
            assert_eq!(host(version, url, hosts), Err(HostError::Inside));
        }
    }

    #[test]
    fn the_component_is_not_told_of_the_connection() {
        let request = prepared("/a", "/a", &[("host", "a.test"), ("connection", "close")]);
        assert_eq!(values(&request, "connection"), [""; 0]);
    }

    #[test]
    fn http_1_0_may_leave_the_host_out_but_not_send_a_wrong_one() {
        let host = |hosts: &[&str]| host(Version::HTTP_10, "/", hosts);
        assert_eq!(host(&[]).as_deref(), Ok("192.0.2.9:3000"));
        assert_eq!(host(&["a.test"]).as_deref(), Ok("a.test"));
        assert_eq!(host(&[""]), Err(HostError::Invalid));
        assert_eq!(host(&["a.test", "a.test"]), Err(HostError::Several));
    }

    #[test]
    fn the_authority_of_http_2_is_the_host() {
        let host = |url: &str, hosts: &[&str]| host(Version::HTTP_2, url, hosts);
        assert_eq!(host("http://a.test:80/", &[]).as_deref(), Ok("a.test:80"));
        assert_eq!(host("http://a.test/", &["a.test"]).as_deref(), Ok("a.test"));
        assert_eq!(host("/", &["a.test"]).as_deref(), Ok("a.test"));
        assert_eq!(
            host("http://a.test/", &["b.test"]),
            Err(HostError::Different)
        );
        assert_eq!(host("http://ada@a.test/", &[]), Err(HostError::Invalid));
        assert_eq!(host("/", &[]), Err(HostError::Missing));
    }
}
