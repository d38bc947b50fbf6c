//! The headers that a component's request comes with.

use std::net::SocketAddr;

use anyhow::{Context, anyhow, bail};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{CONNECTION, HOST},
    uri::{Authority, Scheme},
};

use crate::{allowed_hosts::is_chaining_host, routes::RouteMatch};

/// Takes away what an outside request may not say: that it comes from within the application, and how its connection is.
pub(crate) fn strip<B>(request: &mut Request<B>) {
    let headers = request.headers_mut();
    if headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(is_chaining_host)
    {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

/// Makes the URL absolute, with the authority of the URL or of the `Host` header.
pub(crate) fn make_absolute<B>(request: &mut Request<B>) -> anyhow::Result<()> {
    let header = match request.headers().get(HOST) {
        Some(host) => Some(
            host.to_str()
                .context("the Host header is not text")?
                .parse::<Authority>()
                .context("the Host header is malformed")?,
        ),
        None => None,
    };
    let mut parts = request.uri().clone().into_parts();
    let authority = match (header, parts.authority.take()) {
        (None, None) => bail!("the request has no Host header"),
        (Some(header), Some(url)) if header != url => {
            bail!("the Host header is not that of the URL")
        }
        (Some(authority), _) | (None, Some(authority)) => authority,
    };
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    *request.uri_mut() = Uri::from_parts(parts).context("the URL has no path")?;
    Ok(())
}

/// Adds what the host knows of a request, after whatever the client sent under the same names.
pub(crate) fn add<B>(
    request: &mut Request<B>,
    route: &RouteMatch<'_>,
    client: SocketAddr,
) -> anyhow::Result<()> {
    for (name, value) in request.headers() {
        std::str::from_utf8(value.as_bytes())
            .map_err(|_| anyhow!("the header {name} is not UTF-8"))?;
    }
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
        make_absolute(&mut request).unwrap();
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

    #[test]
    fn a_request_from_outside_cannot_claim_to_come_from_within() {
        let mut inside = request(
            "/",
            &[
                ("host", "secret.spin.internal:3000"),
                ("connection", "close"),
                ("accept", "*/*"),
            ],
        );
        strip(&mut inside);
        assert_eq!(inside.headers().len(), 1);
        let mut outside = request("/", &[("host", "example.test")]);
        strip(&mut outside);
        assert_eq!(values(&outside, "host"), ["example.test"]);
    }

    #[test]
    fn a_request_needs_one_authority() {
        assert!(make_absolute(&mut request("/", &[])).is_err());
        assert!(make_absolute(&mut request("http://a.test/", &[("host", "b.test")])).is_err());
        assert!(make_absolute(&mut request("/", &[("host", "not a host")])).is_err());
        make_absolute(&mut request("http://a.test/", &[("host", "a.test")])).unwrap();
    }
}
