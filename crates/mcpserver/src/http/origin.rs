//! Validation of the `Origin` header field against DNS rebinding (2025-11-25, Transports, Security
//! Warning).

use crate::http::endpoints::EndpointUrls;
use http::{HeaderMap, HeaderValue, Uri};

/// Returns the request's `Origin`, if it has one.
///
/// # Errors
///
/// [`ForeignOrigin`] if pages of that origin may not call a server at `endpoints` (`None` if its base URL is
/// unknown).
pub(crate) fn check<'h>(
    headers: &'h HeaderMap,
    endpoints: Option<&EndpointUrls>,
    allowed: &[String],
) -> Result<Option<&'h HeaderValue>, ForeignOrigin> {
    let mut origins = headers.get_all(http::header::ORIGIN).iter();
    let Some(value) = origins.next() else {
        return Ok(None);
    };
    let origin = value.to_str().map_err(|_| ForeignOrigin)?;
    let is_allowed = origins.next().is_none()
        && (allowed.iter().any(|allowed| allowed == origin)
            || endpoints.is_some_and(|endpoints| {
                endpoints.origin == origin
                    || (is_loopback(&endpoints.origin) && is_loopback(origin))
            }));
    if is_allowed {
        Ok(Some(value))
    } else {
        Err(ForeignOrigin)
    }
}

/// Returns whether the `Host` of a request, if it has one, is this machine. A page whose own host name
/// resolves to this machine (DNS rebinding) sends that name.
pub(crate) fn is_loopback_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(http::header::HOST).iter();
    let Some(host) = hosts.next() else {
        return true;
    };
    let host = host.to_str().unwrap_or_default();
    hosts.next().is_none() && is_loopback(&format!("http://{host}"))
}

/// Returns the cache key of a request's base URL: the platform's URL up to its path, and the `Host`, which
/// are all that [`is_loopback_host`] and [`config::PublicUrl::base`] read. `None` if there is no one base
/// URL.
pub(crate) fn base_url_key(headers: &HeaderMap) -> Option<String> {
    let url = headers.get("spin-full-url")?.to_str().ok()?;
    let authority = url.find("://")? + "://".len();
    let path = url[authority..].find(['/', '?', '#']);
    let end = path.map_or(url.len(), |path| authority + path);
    let mut hosts = headers.get_all(http::header::HOST).iter();
    let host = hosts.next().map_or(Some(""), |host| host.to_str().ok())?;
    hosts
        .next()
        .is_none()
        .then(|| format!("{} {host}", &url[..end]))
}

/// Pages of the origin may not call this server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ForeignOrigin;

fn is_loopback(origin: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else {
        return false;
    };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let Some(host) = uri.host() else {
        return false;
    };
    let is_loopback = host == "localhost"
        || host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    let is_bare = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.path() == "/";
    is_web && is_loopback && is_bare
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::PublicUrl;

    fn endpoints(public_url: &'static str) -> EndpointUrls {
        let public_url = PublicUrl::read(|_| Some(public_url)).unwrap();
        EndpointUrls::new(public_url.configured().unwrap())
    }

    fn is_allowed(
        endpoints: Option<&EndpointUrls>,
        allowed: &[String],
        origin: &'static str,
    ) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("origin", HeaderValue::from_static(origin));
        check(&headers, endpoints, allowed).is_ok()
    }

    #[test]
    fn a_public_server_is_called_from_its_own_pages_and_the_allowed_ones() {
        let endpoints = endpoints("https://mcp.example.com/path");
        let allowed = ["https://app.example.com".to_owned()];
        let is_allowed = |origin| is_allowed(Some(&endpoints), &allowed, origin);
        assert!(is_allowed("https://mcp.example.com"));
        assert!(is_allowed("https://app.example.com"));
        for origin in [
            "https://evil.example",
            "http://mcp.example.com",
            "https://mcp.example.com.evil.example",
            "http://localhost:6274",
            "null",
            "",
        ] {
            assert!(!is_allowed(origin), "{origin}");
        }
    }

    #[test]
    fn a_local_server_is_called_from_local_pages() {
        let endpoints = endpoints("http://127.0.0.1:3000");
        let is_allowed = |origin| is_allowed(Some(&endpoints), &[], origin);
        for origin in [
            "http://127.0.0.1:3000",
            "http://localhost:6274",
            "https://[::1]:1",
            "http://127.9.9.9",
        ] {
            assert!(is_allowed(origin), "{origin}");
        }
        for origin in [
            "http://evil.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://evil@localhost",
            "file://localhost",
            "null",
        ] {
            assert!(!is_allowed(origin), "{origin}");
        }
    }

    #[test]
    fn a_foreign_host_name_is_not_this_machine() {
        let is_local = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static(host));
            is_loopback_host(&headers)
        };
        for host in ["localhost", "localhost:3000", "127.0.0.1:3000", "[::1]:1"] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:3000",
            "a@localhost",
            "localhost/x",
            "",
        ] {
            assert!(!is_local(host), "{host}");
        }
        let mut twice = HeaderMap::new();
        twice.append("host", HeaderValue::from_static("localhost"));
        twice.append("host", HeaderValue::from_static("evil.example"));
        assert!(!is_loopback_host(&twice));
        assert!(is_loopback_host(&HeaderMap::new()));
    }

    #[test]
    fn the_key_of_a_base_url_has_what_decides_about_it() {
        let base_url_key = |lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            base_url_key(&headers)
        };
        let url = ("spin-full-url", "http://127.0.0.1:3000/mcp?a=http://b");
        let here = base_url_key(&[url, ("host", "127.0.0.1:3000")]);
        assert_eq!(
            here.as_deref(),
            Some("http://127.0.0.1:3000 127.0.0.1:3000")
        );
        let elsewhere = ("spin-full-url", "http://127.0.0.1:3000?/mcp");
        assert_eq!(base_url_key(&[elsewhere, ("host", "127.0.0.1:3000")]), here);
        assert_ne!(base_url_key(&[url, ("host", "evil.example")]), here);
        assert_ne!(base_url_key(&[url]), here);
        assert_eq!(base_url_key(&[url, ("host", "a"), ("host", "b")]), None);
        assert_eq!(base_url_key(&[("host", "127.0.0.1:3000")]), None);
    }

    #[test]
    fn a_server_with_an_unknown_base_url_is_called_from_no_page() {
        assert!(!is_allowed(None, &[], "http://evil.example"));
        assert_eq!(check(&HeaderMap::new(), None, &[]), Ok(None));
    }
}
