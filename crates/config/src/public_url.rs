//! The public URL of the server, from which the issuer (RFC 8414) and every endpoint follow.

use crate::{Problem, non_empty};
use http::HeaderMap;
use url::{Host, Url};

/// The configured place, or the permission to take it from the request on a loopback address.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    configured: Option<BaseUrl>,
}

/// The public base URL: the issuer, and what every other URL starts with. No trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl PublicUrl {
    /// The variables that [`PublicUrl::read`] asks for.
    pub const VARIABLES: &[&'static str] = &["public_url"];

    /// Reads `public_url`.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it is no https URL (http is enough on a loopback address), or has a query,
    /// a fragment or credentials (RFC 8414 section 2).
    pub fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Problem> {
        let configured = non_empty(&values, "public_url")
            .map(BaseUrl::parse)
            .transpose()?;
        Ok(Self { configured })
    }

    /// Whether browsers are told to come back by https alone (RFC 6797): where `public_url` is https. Not on
    /// a loopback host: the rule would count for every port of the host, and so for other servers on it.
    pub fn requires_https(&self) -> bool {
        let public = self.configured.as_ref().filter(|base| base.is_https());
        let url = public.and_then(|base| Url::parse(base.as_str()).ok());
        url.is_some_and(|url| !is_loopback(&url))
    }

    /// Returns the base URL for a request with these headers, of which `spin-full-url` has to be the
    /// platform's own and not the client's: `crates/platform` sees to that.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if `public_url` is not set and the request did not come to a loopback
    /// address: who we are is configured, not guessed.
    pub fn base(&self, headers: &HeaderMap) -> Result<BaseUrl, Problem> {
        let full_url = headers.get("spin-full-url");
        self.base_at(full_url.and_then(|value| value.to_str().ok()))
    }

    fn base_at(&self, full_url: Option<&str>) -> Result<BaseUrl, Problem> {
        if let Some(base) = &self.configured {
            return Ok(base.clone());
        }
        full_url
            .and_then(|url| Url::parse(url).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https") && is_loopback(url))
            .map(|url| BaseUrl(url.origin().ascii_serialization()))
            .ok_or_else(Self::unknown)
    }

    /// Returns the problem of a request that came to another host than this machine, where `public_url` is
    /// not set.
    pub fn unknown() -> Problem {
        Problem::new(
            "public_url",
            "it is not set, and this request did not come to a loopback address",
            "Set it to the https URL under which people reach this server",
        )
    }

    /// Returns the configured base URL, if one is configured.
    pub fn configured(&self) -> Option<&BaseUrl> {
        self.configured.as_ref()
    }
}

impl BaseUrl {
    fn parse(value: &str) -> Result<Self, Problem> {
        let problem = |problem| {
            Problem::new(
                "public_url",
                problem,
                "Set it to a URL such as https://mcp.example.com",
            )
        };
        let url = Url::parse(value).map_err(|_| problem("it is not a URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(problem("it does not start with https://")),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(problem("it has a query or a fragment"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(problem("it has a user name or a password in it"));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Returns the base itself: the issuer identifier (RFC 8414 section 2).
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL of `path`, which starts with a slash, below the base.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether the base is an https URL.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Scheme, host and port (RFC 6454 section 6.2).
    pub fn origin(&self) -> String {
        Url::parse(&self.0)
            .map_or_else(|_| self.0.clone(), |url| url.origin().ascii_serialization())
    }

    /// Returns the path of the base, empty for a host of our own.
    pub fn path(&self) -> &str {
        self.0
            .find("://")
            .and_then(|scheme| self.0[scheme + 3..].find('/').map(|path| scheme + 3 + path))
            .map_or("", |path| &self.0[path..])
    }
}

/// Whether the URL's host is this machine itself (RFC 8252 section 7.3, with `localhost`).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<PublicUrl, Problem> {
        PublicUrl::read(|name| (name == "public_url").then_some(value))
    }

    #[test]
    fn without_public_url_only_a_loopback_request_tells_who_we_are() {
        let public_url = read("").unwrap();
        for (full_url, base) in [
            ("http://127.0.0.1:3000/mcp?x=1", "http://127.0.0.1:3000"),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("http://[::1]:3000/", "http://[::1]:3000"),
        ] {
            assert_eq!(public_url.base_at(Some(full_url)).unwrap().as_str(), base);
        }
        for full_url in [
            "https://mcp.example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://user@evil.example/",
            "ws://127.0.0.1/",
            "app://localhost/",
            "nonsense",
        ] {
            assert_eq!(
                public_url.base_at(Some(full_url)).unwrap_err().variable,
                "public_url"
            );
        }
        assert!(public_url.base_at(None).is_err());
    }

    #[test]
    fn public_url_wins_over_whatever_the_request_says() {
        let public_url = read("https://mcp.example.com/").unwrap();
        let base = public_url.base_at(Some("http://127.0.0.1/")).unwrap();
        assert_eq!(base.as_str(), "https://mcp.example.com");
        assert_eq!(base.join("/mcp"), "https://mcp.example.com/mcp");
    }

    #[test]
    fn https_is_required_where_public_url_is_https_and_not_loopback() {
        let requires = |public_url| read(public_url).unwrap().requires_https();
        assert!(requires("https://mcp.example.com/tools"));
        for other in [
            "",
            "http://127.0.0.1:3000",
            "https://localhost:3000",
            "https://127.0.0.1",
        ] {
            assert!(!requires(other), "{other}");
        }
    }

    #[test]
    fn a_public_url_may_have_a_path() {
        let public_url = read("https://example.com/tools/").unwrap();
        let base = public_url.configured().unwrap();
        assert_eq!(base.path(), "/tools");
        assert_eq!(base.origin(), "https://example.com");
        assert_eq!(base.join("/mcp"), "https://example.com/tools/mcp");
    }

    #[test]
    fn a_bad_public_url_is_refused_with_words_and_without_its_value() {
        for value in [
            "mcp.example.com",
            "http://mcp.example.com",
            "ftp://mcp.example.com",
            "https://mcp.example.com/?a=b",
            "https://mcp.example.com/#a",
            "https://me:secret@mcp.example.com/",
        ] {
            let problem = read(value).unwrap_err();
            assert_eq!(problem.variable, "public_url");
            assert!(!problem.to_string().contains("secret"));
        }
        assert!(read("http://127.0.0.1:3000").is_ok());
    }
}
