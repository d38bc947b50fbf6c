//! Redirect URIs: which may be registered, and which registered one a request means.

use url::Url;

/// Bytes that a redirect URI may have.
pub const MAX_BYTES: usize = 2048;

/// Why a redirect URI is refused.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RedirectUriError {
    /// It is empty or too long.
    #[error("it is empty or longer than {MAX_BYTES} bytes")]
    Length,
    /// It has a character that no URI has (RFC 3986 section 2), or a wildcard.
    #[error("it has a character that a redirect URI cannot have")]
    Character,
    /// It is no absolute URI (RFC 6749 section 3.1.2).
    #[error("it is not an absolute URI")]
    NotAbsolute,
    /// It has a fragment (RFC 6749 section 3.1.2).
    #[error("it has a fragment")]
    Fragment,
    /// It has a user name or a password in it.
    #[error("it has a user name or a password in it")]
    Credentials,
    /// It is an http URL, and not to this machine (RFC 8252 section 7.3).
    #[error("http is for 127.0.0.1, [::1] and localhost alone; use https")]
    PlainHttp,
    /// Its scheme is one that does more, or less, than open an app.
    #[error("its scheme cannot be used for redirects")]
    Scheme,
}

/// Where a redirect URI leads, as a consent page names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A web server with this host, and port if it is not the usual one.
    Host(String),
    /// A program on the person's own machine, listening at this host.
    Loopback(String),
    /// An app that has claimed this scheme on the person's device.
    App(String),
}

/// In words that a person understands.
impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Loopback(host) => write!(f, "a program on this computer ({host})"),
            Self::App(scheme) => write!(f, "an app on this device ({scheme}:)"),
        }
    }
}

/// Checks a redirect URI that a client wants to register.
///
/// Good are: https; http to this machine (RFC 8252 section 7.3); private-use schemes (RFC 8252
/// section 7.1, without its wish for a dot: the schemes of real apps have none).
///
/// # Errors
///
/// [`RedirectUriError`].
pub fn check(uri: &str) -> Result<(), RedirectUriError> {
    if uri.is_empty() || uri.len() > MAX_BYTES {
        return Err(RedirectUriError::Length);
    }
    if uri.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    let is_uri_byte = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'*'
            )
    };
    if !uri.bytes().all(is_uri_byte) {
        return Err(RedirectUriError::Character);
    }
    let url = Url::parse(uri).map_err(|_| RedirectUriError::NotAbsolute)?;
    if !url.username().is_empty() || url.password().is_some() || authority(uri).contains('@') {
        return Err(RedirectUriError::Credentials);
    }
    match url.scheme() {
        "https" if uri.starts_with("https://") && url.host_str().is_some() => Ok(()),
        "http" if Loopback::parse(uri).is_some() => Ok(()),
        "http" => Err(RedirectUriError::PlainHttp),
        "https" => Err(RedirectUriError::NotAbsolute),
        scheme if is_private_use(scheme) => Ok(()),
        _ => Err(RedirectUriError::Scheme),
    }
}

/// Whether `requested` is the `registered` redirect URI: character by character (RFC 9700 section
/// 2.1), except that the port of one to this machine is free (RFC 8252 section 7.3).
pub fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    match (Loopback::parse(registered), Loopback::parse(requested)) {
        (Some(registered), Some(requested)) => registered == requested,
        _ => false,
    }
}

/// Where a redirect URI that [`check`] passed leads.
pub fn destination(uri: &str) -> Destination {
    if let Some(loopback) = Loopback::parse(uri) {
        return Destination::Loopback(loopback.host.to_owned());
    }
    match Url::parse(uri) {
        Ok(url) if url.scheme() == "https" => {
            let host = url.host_str().unwrap_or_default();
            Destination::Host(
                url.port()
                    .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            )
        }
        Ok(url) => Destination::App(url.scheme().to_owned()),
        Err(_) => Destination::App(String::new()),
    }
}

/// The redirect URI with response parameters added to its query (RFC 6749 section 4.1.2).
pub fn with_parameters<'a>(
    uri: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{}", query.finish())
}

/// An http URL to this machine, its port left out.
#[derive(PartialEq, Eq)]
struct Loopback<'a> {
    host: &'a str,
    /// From the path on.
    rest: &'a str,
}

impl<'a> Loopback<'a> {
    /// The host is compared as it is written: `127.1` and the like are left to nobody's parser.
    fn parse(uri: &'a str) -> Option<Self> {
        let authority = authority(uri);
        let rest = uri.strip_prefix("http://")?.strip_prefix(authority)?;
        let (host, port) = ["127.0.0.1", "[::1]", "localhost"]
            .into_iter()
            .find_map(|host| {
                let port = authority.strip_prefix(host)?;
                Some((&authority[..host.len()], port))
            })?;
        let port_fits = match port.strip_prefix(':') {
            Some(digits) => {
                digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
            }
            None => port.is_empty(),
        };
        port_fits.then_some(Self { host, rest })
    }
}

/// What stands between `://` and the path, query or fragment.
fn authority(uri: &str) -> &str {
    let after = uri.split_once("://").map_or("", |(_, after)| after);
    after
        .find(['/', '?', '#', '\\'])
        .map_or(after, |end| &after[..end])
}

/// Whether a scheme may be one that an app has claimed: not one that a browser or an operating
/// system gives a meaning of its own.
fn is_private_use(scheme: &str) -> bool {
    const TAKEN: &[&str] = &[
        "about",
        "blob",
        "content",
        "data",
        "dav",
        "file",
        "filesystem",
        "ftp",
        "ftps",
        "git",
        "gopher",
        "imap",
        "intent",
        "jar",
        "javascript",
        "ldap",
        "ldaps",
        "livescript",
        "mailto",
        "mhtml",
        "mocha",
        "news",
        "nfs",
        "nntp",
        "opener",
        "pop",
        "res",
        "resource",
        "rtsp",
        "sftp",
        "shell",
        "sip",
        "sips",
        "sms",
        "smb",
        "ssh",
        "tel",
        "telnet",
        "urn",
        "vbscript",
        "view-source",
        "ws",
        "wss",
        "wyciwyg",
    ];
    const TAKEN_PREFIXES: &[&str] = &["chrome", "edge", "ms-", "moz-", "search", "x-apple"];
    !TAKEN.contains(&scheme)
        && !TAKEN_PREFIXES
            .iter()
            .any(|prefix| scheme.starts_with(prefix))
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_loopback_and_private_use_schemes_may_be_registered() {
        for uri in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://app.example:8443/cb?tenant=1",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:33418/",
            "http://[::1]:8080/cb",
            "http://localhost:6274/oauth/callback",
            "cursor://anysphere.cursor-retrieval/oauth/user-mcp/callback",
            "com.example.app:/callback",
            "vscode://vscode.github-authentication/did-authenticate",
        ] {
            assert_eq!(check(uri), Ok(()), "{uri}");
        }
    }

    #[test]
    fn everything_else_is_refused_for_its_reason() {
        use RedirectUriError::*;
        for (uri, error) in [
            ("", Length),
            ("/callback", NotAbsolute),
            ("https:example.com", NotAbsolute),
            ("https://", NotAbsolute),
            ("https://a.example/#x", Fragment),
            ("https://a.example/#", Fragment),
            ("https://*.example/", Character),
            ("https://a.example/a b", Character),
            ("https://a.example\\@b.example/", Character),
            ("https://a.example/\u{e9}", Character),
            ("https://a.example/\r\n", Character),
            ("https://me@a.example/", Credentials),
            ("https://@a.example/", Credentials),
            ("https://me:pw@a.example/", Credentials),
            ("http://127.0.0.1@evil.example/", Credentials),
            ("http://a.example/", PlainHttp),
            ("http://127.0.0.1.evil.example/", PlainHttp),
            ("http://localhost.evil.example/", PlainHttp),
            ("http://127.1/", PlainHttp),
            ("http://2130706433/", PlainHttp),
            ("http://0.0.0.0/", PlainHttp),
            ("http://192.168.0.1/", PlainHttp),
            ("HTTP://127.0.0.1/", PlainHttp),
            ("javascript:alert(1)", Scheme),
            ("JavaScript://a.example/%0Aalert(1)", Scheme),
            ("data:text/html,x", Scheme),
            ("file:///etc/passwd", Scheme),
            ("vbscript:x", Scheme),
            ("ms-msdt:/id", Scheme),
            ("ws://a.example/", Scheme),
        ] {
            assert_eq!(check(uri), Err(error), "{uri}");
        }
        let long = format!("https://a.example/{}", "a".repeat(MAX_BYTES));
        assert_eq!(check(&long), Err(Length));
    }

    #[test]
    fn the_port_of_a_loopback_redirect_uri_is_free_and_nothing_else_is() {
        let registered = "http://127.0.0.1:3334/cb?a=b";
        for requested in [
            "http://127.0.0.1:3334/cb?a=b",
            "http://127.0.0.1:50000/cb?a=b",
            "http://127.0.0.1/cb?a=b",
        ] {
            assert!(matches(registered, requested), "{requested}");
        }
        for requested in [
            "http://localhost:3334/cb?a=b",
            "http://[::1]:3334/cb?a=b",
            "https://127.0.0.1:3334/cb?a=b",
            "http://127.0.0.1:3334/cb",
            "http://127.0.0.1:3334/cb/?a=b",
            "http://127.0.0.1:99999/cb?a=b",
            "http://127.0.0.1:/cb?a=b",
            "http://127.0.0.1:+80/cb?a=b",
            "http://127.0.0.1:80@evil.example/cb?a=b",
            "http://127.0.0.1.evil.example/cb?a=b",
            "http://127.0.0.1\\@evil.example/cb?a=b",
        ] {
            assert!(!matches(registered, requested), "{requested}");
        }
    }

    #[test]
    fn any_other_redirect_uri_matches_itself_alone() {
        let registered = "https://a.example:8443/cb";
        assert!(matches(registered, registered));
        for requested in [
            "https://a.example/cb",
            "https://a.example:8444/cb",
            "https://a.example:8443/cb/",
            "https://a.example:8443/cb?x=1",
            "https://A.example:8443/cb",
            "https://a.example:8443/cb/../cb",
        ] {
            assert!(!matches(registered, requested), "{requested}");
        }
        assert!(!matches("cursor://a/cb", "cursor://b/cb"));
    }

    #[test]
    fn a_destination_is_named_by_what_a_person_can_judge() {
        for (uri, expected) in [
            (
                "https://claude.ai/cb",
                Destination::Host("claude.ai".into()),
            ),
            (
                "https://a.example:8443/cb",
                Destination::Host("a.example:8443".into()),
            ),
            (
                "http://localhost:1/cb",
                Destination::Loopback("localhost".into()),
            ),
            ("cursor://x/cb", Destination::App("cursor".into())),
        ] {
            assert_eq!(destination(uri), expected);
        }
    }

    #[test]
    fn response_parameters_are_encoded_and_added_to_a_query_that_is_there() {
        let parameters = [("code", "a b&c"), ("iss", "https://a.example")];
        let encoded = "code=a+b%26c&iss=https%3A%2F%2Fa.example";
        for (uri, expected) in [
            (
                "https://a.example/cb",
                format!("https://a.example/cb?{encoded}"),
            ),
            (
                "https://a.example/cb?x=1",
                format!("https://a.example/cb?x=1&{encoded}"),
            ),
            ("app:/cb?", format!("app:/cb?{encoded}")),
        ] {
            assert_eq!(with_parameters(uri, parameters), expected);
        }
    }
}
