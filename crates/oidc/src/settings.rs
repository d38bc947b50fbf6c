//! The configuration of the provider, validated.

use config::{Problem, is_loopback};
use url::Url;

/// What the variables say.
#[derive(Clone)]
pub struct Settings {
    /// The issuer identifier, exactly as it is configured.
    pub issuer: String,
    /// As whom we are registered.
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<String>,
    /// The scopes to ask for, with spaces between them; `openid` is among them.
    pub scopes: String,
    /// Our own base URL without a trailing slash, if it is configured.
    pub public_url: Option<String>,
}

impl Settings {
    /// The variables that [`Settings::read`] asks for.
    pub const VARIABLES: &[&'static str] = &[
        "oidc_issuer",
        "oidc_host",
        "oidc_other_host",
        "oidc_client_id",
        "oidc_client_secret",
        "oidc_scopes",
        "public_url",
    ];

    /// Reads and checks every variable. A blank one counts as not set.
    ///
    /// `oidc_host` and `oidc_other_host` are the platform's, which lets requests to them through; they are checked here
    /// because the platform says nothing of a wrong one but that no request may be sent.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is.
    pub fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let given = |name: &str| {
            values(name)
                .map(str::trim)
                .filter(|value| !value.is_empty())
        };
        let issuer = read_issuer(given("oidc_issuer"));
        let url = issuer.as_ref().ok().map(|(_, url)| url);
        let host = read_host(given("oidc_host"), url);
        let other_host = read_other_host(given("oidc_other_host"));
        let client_id = read_credential("oidc_client_id", given("oidc_client_id")).and_then(|id| {
            id.ok_or_else(|| Problem::new("oidc_client_id", "it is not set", REGISTER))
        });
        let client_secret = read_credential("oidc_client_secret", given("oidc_client_secret"));
        let scopes = read_scopes(given("oidc_scopes").unwrap_or(DEFAULT_SCOPES));
        match (issuer, host, other_host, client_id, client_secret, scopes) {
            (Ok((issuer, _)), Ok(()), Ok(()), Ok(client_id), Ok(client_secret), Ok(scopes)) => {
                Ok(Self {
                    issuer,
                    client_id,
                    client_secret,
                    scopes,
                    public_url: given("public_url").map(|url| url.trim_end_matches('/').to_owned()),
                })
            }
            (issuer, host, other_host, client_id, client_secret, scopes) => Err([
                issuer.err(),
                host.err(),
                other_host.err(),
                client_id.err(),
                client_secret.err(),
                scopes.err(),
            ]
            .into_iter()
            .flatten()
            .collect()),
        }
    }
}

/// Returns an https URL, or an http one on a loopback address, without query and fragment (OpenID Connect
/// Discovery section 3).
///
/// Gives it as it is written, and what that means.
fn read_issuer(value: Option<&str>) -> Result<(String, Url), Problem> {
    let problem = |problem| {
        Problem::new(
            "oidc_issuer",
            problem,
            "Set it to the issuer of your OpenID Connect provider, exactly as `issuer` in its /.well-known/openid-configuration has it",
        )
    };
    let value = value.ok_or_else(|| problem("it is not set"))?;
    let url = Url::parse(value).map_err(|_| problem("it is not a URL"))?;
    if !is_safe(&url) {
        return Err(problem(
            "it does not start with https://, or has credentials in it",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("there is a query or a fragment in it"));
    }
    Ok((value.to_owned(), url))
}

/// The origin of the issuer: it may have a path, and what the platform lets through may not.
fn read_host(value: Option<&str>, issuer: Option<&Url>) -> Result<(), Problem> {
    let problem = |problem| {
        Problem::new(
            "oidc_host",
            problem,
            "Set it to oidc_issuer without its path: scheme, host and, if there is one, port",
        )
    };
    let value = value.ok_or_else(|| problem("it is not set"))?;
    let host = Url::parse(value).map_err(|_| problem("it is not a URL"))?;
    if !is_origin(&host) {
        return Err(problem("there is more in it than scheme, host and port"));
    }
    match issuer {
        Some(issuer) if issuer.origin() != host.origin() => {
            Err(problem("it is not where oidc_issuer is"))
        }
        _ => Ok(()),
    }
}

/// An origin whose host may start with `*.`.
fn read_other_host(value: Option<&str>) -> Result<(), Problem> {
    let Some(value) = value else { return Ok(()) };
    let is_good = Url::parse(&value.replacen("://*.", "://any.", 1)).is_ok_and(|url| {
        is_safe(&url) && is_origin(&url) && url.host_str().is_some_and(|host| !host.contains('*'))
    });
    if is_good {
        return Ok(());
    }
    Err(Problem::new(
        "oidc_other_host",
        "it is not an https origin",
        "Set it to scheme, host and, if there is one, port, such as https://oauth.example.com or https://*.example.com",
    ))
}

fn is_origin(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none() && url.fragment().is_none()
}

/// Whether a URL may be called or sent a browser to: nothing on the way can read or change it.
pub(crate) fn is_safe(url: &Url) -> bool {
    (url.scheme() == "https" || url.scheme() == "http" && is_loopback(url))
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
}

fn read_credential(name: &'static str, value: Option<&str>) -> Result<Option<String>, Problem> {
    // RFC 6749 appendix A.1 and A.2 allow a space; no provider makes one, and copying does.
    if value.is_some_and(|value| {
        value.len() > 1024 || !value.bytes().all(|byte| byte.is_ascii_graphic())
    }) {
        return Err(Problem::new(
            name,
            "it is too long, or has a character that credentials do not have",
            REGISTER,
        ));
    }
    Ok(value.map(ToOwned::to_owned))
}

fn read_scopes(value: &str) -> Result<String, Problem> {
    let problem = |problem| {
        Problem::new(
            "oidc_scopes",
            problem,
            "List scopes with spaces between them, such as openid profile email",
        )
    };
    let scopes: Vec<&str> = value.split_whitespace().collect();
    // RFC 6749 section 3.3; a comma in a scope is a wrong separator.
    let fits = scopes.iter().all(|scope| {
        scope
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b','))
    });
    if !fits {
        return Err(problem(
            "a scope in it has a character that scopes cannot have",
        ));
    }
    // OpenID Connect Core section 3.1.2.1: without it there is no ID token.
    if !scopes.contains(&"openid") {
        return Err(problem("openid is not among them"));
    }
    Ok(scopes.join(" "))
}

const REGISTER: &str =
    "Register Gatehouse as a web application at the provider, and copy its client id and secret";
/// The scopes of a sign-in where the operator chooses none: those that every provider has.
pub const DEFAULT_SCOPES: &str = "openid profile email";
