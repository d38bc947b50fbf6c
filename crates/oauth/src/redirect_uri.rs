//! Redirect URIs: which may be registered, and which registered one a request means.

use std::net::Ipv4Addr;
use url::{Host, Url};

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
    /// Its scheme is not one that an app is known to have claimed.
    #[error(
        "its scheme cannot be used for redirects; use https, http to this machine, or a reversed domain name such as com.example.app"
    )]
    Scheme,
    /// It has a private-use scheme, and the operator has switched these off.
    #[error("private-use schemes are switched off on this server; use https, or http to 127.0.0.1")]
    PrivateUseOff,
}

/// Which private-use schemes (RFC 8252 section 7.1) a redirect URI may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrivateUse {
    /// None.
    Off,
    /// Reversed domain names, and the schemes of [known apps](KNOWN_SCHEMES).
    #[default]
    Listed,
    /// Any that no browser and no operating system gives a meaning of its own: for clients that the
    /// operator has configured.
    Any,
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
/// section 7.1) as far as `private_use` lets them. Whether the host of an https URL belongs to the
/// client is not checked.
///
/// # Errors
///
/// [`RedirectUriError`].
pub fn check(uri: &str, private_use: PrivateUse) -> Result<(), RedirectUriError> {
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
        scheme => check_scheme(scheme, private_use),
    }
}

fn check_scheme(scheme: &str, private_use: PrivateUse) -> Result<(), RedirectUriError> {
    let is_listed = is_reversed_domain(scheme) || KNOWN_SCHEMES.contains(&scheme);
    match private_use {
        PrivateUse::Any if is_listed || !is_reserved(scheme) => Ok(()),
        PrivateUse::Listed if is_listed => Ok(()),
        PrivateUse::Off if is_listed => Err(RedirectUriError::PrivateUseOff),
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

/// Returns where a redirect URI that [`check`] passed leads. Whether it is this machine is decided by the
/// host as a browser reads it, whatever the scheme: `https://2130706433/` is `127.0.0.1`.
pub fn destination(uri: &str) -> Destination {
    match Url::parse(uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            let host = url.host_str().unwrap_or_default();
            if is_this_machine(&url) {
                return Destination::Loopback(host.to_owned());
            }
            Destination::Host(
                url.port()
                    .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            )
        }
        Ok(url) => Destination::App(url.scheme().to_owned()),
        Err(_) => Destination::App(String::new()),
    }
}

/// Whether the host of an http or https URL is the machine of the browser. The unspecified address
/// counts: connecting to it reaches the same machine.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_this_machine_v4(address),
        Some(Host::Ipv6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.to_ipv4_mapped().is_some_and(is_this_machine_v4)
        }
        // RFC 6761 section 6.3; the third is in many hosts files.
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost") || name == "localhost.localdomain"
        }
        None => false,
    }
}

fn is_this_machine_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.octets()[0] == 0
}

/// Returns the redirect URI with response parameters added to its query (RFC 6749 section 4.1.2).
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
    /// The host is compared as it is written: `127.1` and the like are not parsed.
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

/// Returns what stands between `://` and the path, query or fragment.
fn authority(uri: &str) -> &str {
    let after = uri.split_once("://").map_or("", |(_, after)| after);
    after
        .find(['/', '?', '#', '\\'])
        .map_or(after, |end| &after[..end])
}

/// The schemes without a dot that MCP clients are known to have claimed for themselves. Not those
/// that hand a URL to a browser (`microsoft-edge:`, `googlechrome:`, `x-safari-https:`): behind
/// these, the answer goes to whatever host the URL names.
const KNOWN_SCHEMES: &[&str] = &[
    "claude",
    "cursor",
    "kiro",
    "trae",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "warp",
    "windsurf",
    "windsurf-next",
];

/// Whether a scheme is a domain name in reverse order (RFC 8252 section 7.1), which only the
/// domain's owner should claim.
fn is_reversed_domain(scheme: &str) -> bool {
    let top_level = scheme.split('.').next().unwrap_or_default();
    scheme.contains('.')
        && top_level.len() > 1
        && top_level.bytes().all(|byte| byte.is_ascii_lowercase())
        && scheme.split('.').all(|label| !label.is_empty())
}

/// Whether a browser or an operating system gives a scheme a meaning of its own, or hands what it
/// leads to on to a browser.
fn is_reserved(scheme: &str) -> bool {
    const TAKEN: &[&str] = &[
        "about",
        "android-app",
        "blob",
        "content",
        "data",
        "dav",
        "file",
        "filesystem",
        "firefox",
        "ftp",
        "ftps",
        "git",
        "gopher",
        "http",
        "https",
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
        "steam",
        "tel",
        "telnet",
        "urn",
        "vbscript",
        "view-source",
        "ws",
        "wss",
        "wyciwyg",
    ];
    const TAKEN_PREFIXES: &[&str] = &[
        "brave",
        "chrome",
        "edge",
        "firefox-",
        "googlechrome",
        "microsoft-edge",
        "moz-",
        "ms-",
        "opera",
        "search",
        "x-apple",
        "x-safari",
    ];
    TAKEN.contains(&scheme)
        || TAKEN_PREFIXES
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
            "claude://oauth/callback",
        ] {
            assert_eq!(check(uri, PrivateUse::Listed), Ok(()), "{uri}");
            assert_eq!(check(uri, PrivateUse::Any), Ok(()), "{uri}");
        }
    }

    #[test]
    fn a_scheme_that_no_known_app_has_claimed_is_refused() {
        for scheme in [
            "microsoft-edge",
            "microsoft-edge-holographic",
            "googlechrome",
            "googlechromes",
            "googlechrome-x-callback",
            "x-safari-https",
            "firefox",
            "firefox-focus",
            "brave",
            "opera-http",
            "steam",
            "android-app",
            "intent",
            "myapp",
            "app.",
            ".app",
            "z39.50r",
        ] {
            let uri = format!("{scheme}:https://evil.example/");
            assert!(check(&uri, PrivateUse::Listed).is_err(), "{scheme}");
        }
        let own = "myapp://callback";
        assert_eq!(check(own, PrivateUse::Any), Ok(()));
        for scheme in ["javascript", "microsoft-edge", "x-safari-https", "steam"] {
            let uri = format!("{scheme}:https://evil.example/");
            let refused = check(&uri, PrivateUse::Any);
            assert_eq!(refused, Err(RedirectUriError::Scheme), "{scheme}");
        }
    }

    #[test]
    fn private_use_schemes_can_be_switched_off() {
        for uri in ["cursor://a/cb", "com.example.app:/cb"] {
            let refused = check(uri, PrivateUse::Off);
            assert_eq!(refused, Err(RedirectUriError::PrivateUseOff), "{uri}");
        }
        for uri in ["https://a.example/cb", "http://127.0.0.1/cb"] {
            assert_eq!(check(uri, PrivateUse::Off), Ok(()), "{uri}");
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
            assert_eq!(check(uri, PrivateUse::Listed), Err(error), "{uri}");
        }
        let long = format!("https://a.example/{}", "a".repeat(MAX_BYTES));
        assert_eq!(check(&long, PrivateUse::Listed), Err(Length));
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
    fn loopback_is_decided_by_the_host_whatever_the_scheme() {
        for (uri, host) in [
            ("https://127.0.0.1/cb", "127.0.0.1"),
            ("https://127.1.2.3:8443/cb", "127.1.2.3"),
            ("https://[::1]/cb", "[::1]"),
            ("https://[::ffff:127.0.0.1]/cb", "[::ffff:7f00:1]"),
            ("https://2130706433/cb", "127.0.0.1"),
            ("https://0x7f.1/cb", "127.0.0.1"),
            ("https://0.0.0.0/cb", "0.0.0.0"),
            ("https://[::]/cb", "[::]"),
            ("https://localhost/cb", "localhost"),
            ("https://LOCALHOST./cb", "localhost."),
            ("https://app.localhost/cb", "app.localhost"),
            ("http://localhost:1/cb", "localhost"),
        ] {
            assert_eq!(
                destination(uri),
                Destination::Loopback(host.into()),
                "{uri}"
            );
        }
        for uri in [
            "https://127.0.0.1.evil.example/",
            "https://localhost.evil.example/",
            "https://notlocalhost/",
        ] {
            assert!(matches!(destination(uri), Destination::Host(_)), "{uri}");
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
