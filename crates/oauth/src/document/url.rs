//! URLs that may be fetched: those of clients' documents and of their keys.

use url::{Host, Url};

/// Bytes that such a URL may have.
const MAX_BYTES: usize = 1024;

/// Why a URL is not fetched from.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum UrlError {
    /// It is too long.
    #[error("the URL is longer than {MAX_BYTES} bytes")]
    Length,
    /// It is not an https URL.
    #[error("it is not an https URL")]
    Scheme,
    /// It is not written the way it would be requested: it has dot segments, capitals in the host,
    /// the usual port or characters to be encoded.
    #[error("the URL is not in its normal form: no dot segments, no capitals in the host, no :443")]
    NotNormal,
    /// It has no path.
    #[error("the URL has no path")]
    NoPath,
    /// It has a fragment.
    #[error("the URL has a fragment")]
    Fragment,
    /// It has a user name or a password in it.
    #[error("the URL has a user name or a password in it")]
    Credentials,
    /// Its host is an IP address, or a name that is not of the public Internet.
    #[error("the URL's host is not a public name")]
    Host,
}

/// Whether a client identifier is a URL, so that a document says who the client is. None that is
/// registered here or configured looks like this.
pub fn is_url(client_id: &str) -> bool {
    client_id.starts_with("https://") || client_id.starts_with("http://")
}

/// Checks a URL that a client asks this server to fetch (section 3 of the draft, and
/// section 8.6 about requests to places that are not theirs).
///
/// A URL below `extra_origin` (scheme, host and port) is taken though it is http or to an IP
/// address: the operator of a server for development has said so.
///
/// # Errors
///
/// [`UrlError`].
pub fn check_url(text: &str, extra_origin: Option<&str>) -> Result<(), UrlError> {
    if text.len() > MAX_BYTES {
        return Err(UrlError::Length);
    }
    let url = Url::parse(text).map_err(|_| UrlError::Scheme)?;
    let is_extra = extra_origin == Some(url.origin().ascii_serialization().as_str());
    if url.scheme() != "https" && !is_extra {
        return Err(UrlError::Scheme);
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err(UrlError::Credentials);
    }
    // A parser adds the slash that a bare host has not.
    if text == url.as_str().trim_end_matches('/') && url.path() == "/" {
        return Err(UrlError::NoPath);
    }
    // What is compared character by character has to be what is requested.
    if text != url.as_str() {
        return Err(UrlError::NotNormal);
    }
    if is_extra || is_public(&url) {
        Ok(())
    } else {
        Err(UrlError::Host)
    }
}

/// Whether the host is a name of the public Internet, by its looks. What it resolves to is for the
/// platform to check (`block_networks`).
fn is_public(url: &Url) -> bool {
    let Some(Host::Domain(name)) = url.host() else {
        return false;
    };
    // RFC 6761, RFC 6762, RFC 8375, RFC 9476, and what networks call their inside.
    const INSIDE: &[&str] = &[
        "alt",
        "arpa",
        "corp",
        "home",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "onion",
        "private",
        "svc",
        "test",
    ];
    match name.rsplit_once('.') {
        // `svc.cluster.local` and the like end in one of these; a name without a dot is looked for
        // in the local network.
        Some((rest, last)) => !rest.is_empty() && !last.is_empty() && !INSIDE.contains(&last),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UrlError::*;

    #[test]
    fn a_public_https_url_with_a_path_is_fetched() {
        for url in [
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "https://vscode.dev/oauth/client-metadata.json",
            "https://app.example:8443/client.json",
            "https://app.example/client.json?tenant=1",
            "https://app.example/a%20b",
        ] {
            assert_eq!(check_url(url, None), Ok(()), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused_for_its_reason() {
        for (url, error) in [
            ("", Scheme),
            ("nonsense", Scheme),
            ("http://app.example/client.json", Scheme),
            ("ftp://app.example/client.json", Scheme),
            ("file:///etc/passwd", Scheme),
            ("https://app.example", NoPath),
            ("https://app.example/a#b", Fragment),
            ("https://app.example/a#", Fragment),
            ("https://me@app.example/a", Credentials),
            ("https://me:pw@app.example/a", Credentials),
            ("https://@app.example/a", Credentials),
            ("https://app.example/../a", NotNormal),
            ("https://app.example/./a", NotNormal),
            ("https://app.example/%2e%2e/a", NotNormal),
            ("https://app.example/a/..", NotNormal),
            ("https://App.example/a", NotNormal),
            ("https://app.example:443/a", NotNormal),
            ("https:app.example/a", NotNormal),
            ("https:\\\\app.example\\a", NotNormal),
            (" https://app.example/a", NotNormal),
            ("https://app.example/a\n", NotNormal),
            ("https://127.0.0.1/a", Host),
            ("https://10.0.0.1/a", Host),
            ("https://169.254.169.254/latest", Host),
            ("https://8.8.8.8/a", Host),
            ("https://[::1]/a", Host),
            ("https://[fd00::1]/a", Host),
            ("https://localhost/a", Host),
            ("https://metadata/a", Host),
            ("https://a.localhost/a", Host),
            ("https://printer.local/a", Host),
            ("https://metadata.google.internal/a", Host),
            ("https://client-metadata.spin.internal/a", Host),
            ("https://kubernetes.default.svc/a", Host),
            ("https://app.example./a", Host),
        ] {
            assert_eq!(check_url(url, None), Err(error), "{url}");
        }
        // Parsers read these as addresses, and so are they refused.
        for url in [
            "https://2130706433/a",
            "https://0x7f.1/a",
            "https://127.1/a",
        ] {
            assert!(check_url(url, None).is_err(), "{url}");
        }
        let long = format!("https://app.example/{}", "a".repeat(MAX_BYTES));
        assert_eq!(check_url(&long, None), Err(Length));
    }

    #[test]
    fn an_extra_origin_opens_that_origin_and_nothing_else() {
        let extra = Some("http://127.0.0.1:4000");
        assert_eq!(
            check_url("http://127.0.0.1:4000/client.json", extra),
            Ok(())
        );
        for (url, error) in [
            ("http://127.0.0.1:4001/client.json", Scheme),
            ("http://localhost:4000/client.json", Scheme),
            ("https://127.0.0.1:4000/client.json", Host),
            ("http://127.0.0.1:4000", NoPath),
            ("http://127.0.0.1:4000/../a", NotNormal),
            ("http://me@127.0.0.1:4000/a", Credentials),
        ] {
            assert_eq!(check_url(url, extra), Err(error), "{url}");
        }
    }
}
