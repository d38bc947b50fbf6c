//! The claims of tokens, and the rules that every provider's tokens are under. The signature is
//! checked elsewhere: a token is good if both agree.

use serde_json::{Map, Value};
use url::Url;

/// Which rule a token breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenRule {
    /// `iss` is not the provider's.
    #[error("another issuer issued it")]
    Issuer,
    /// `aud` or `azp` does not name us.
    #[error("it was issued for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("it has ended")]
    Expired,
    /// There is no `exp` that can be read.
    #[error("it does not say when it ends")]
    NoEnd,
    /// `nbf` or `iat` is in the future.
    #[error("its time has not come yet")]
    NotYet,
    /// There is no usable `sub`.
    #[error("it names no person")]
    NoSubject,
    /// `nonce` is not the login's.
    #[error("it belongs to another login")]
    Nonce,
    /// `at_hash` is not the access token's.
    #[error("it belongs to another access token")]
    AccessTokenHash,
    /// It is no token for presenting.
    #[error("it is an ID token or a refresh token, not an access token")]
    NotForAccess,
}

/// The rules of OpenID Connect Core section 3.1.3.7 for an ID token of the login with `nonce`,
/// but for the issuer's. `is_us` says which names of an audience are ours. One that comes with a
/// refresh has no nonce of a login (section 12.2): `None`.
///
/// # Errors
///
/// [`BrokenRule`].
pub fn check_id_token(
    claims: &Map<String, Value>,
    is_us: impl Fn(&str) -> bool,
    nonce: Option<&str>,
    now: u64,
) -> Result<(), BrokenRule> {
    let audience = audience(claims);
    if !audience.iter().any(|name| is_us(name)) {
        return Err(BrokenRule::Audience);
    }
    let is_for_others_too = !audience.iter().all(|name| is_us(name));
    let party = claims.get("azp").filter(|party| !party.is_null());
    let is_our_party = party.map(|party| party.as_str().is_some_and(&is_us));
    match is_our_party {
        Some(false) => return Err(BrokenRule::Audience),
        None if is_for_others_too => return Err(BrokenRule::Audience),
        _ => {}
    }
    check_times(claims, now)?;
    if nonce.is_some() && claims.get("nonce").and_then(Value::as_str) != nonce {
        return Err(BrokenRule::Nonce);
    }
    subject(claims).map(drop).ok_or(BrokenRule::NoSubject)
}

/// Puts the claims of `over` over those of `claims`, from another source about the same person.
///
/// An email address keeps the word of its own source on whether it is verified: the source that says
/// another address, and nothing of that, has not verified it.
pub fn merge(claims: &mut Map<String, Value>, mut over: Map<String, Value>) {
    let has = |claims: &Map<String, Value>, name: &str| {
        claims.get(name).is_some_and(|value| !value.is_null())
    };
    if !has(&over, "email") {
        over.remove("email_verified");
    } else if over.get("email") != claims.get("email") {
        claims.remove("email_verified");
    }
    over.retain(|_, value| !value.is_null());
    claims.extend(over);
}

/// `exp` (which has to be there) and `nbf` (RFC 7519 sections 4.1.4 and 4.1.5), with a minute
/// between the provider's clock and ours. Gives the end, in seconds since the Unix epoch.
///
/// # Errors
///
/// [`BrokenRule::NoEnd`], [`BrokenRule::Expired`] and [`BrokenRule::NotYet`].
pub fn check_times(claims: &Map<String, Value>, now: u64) -> Result<u64, BrokenRule> {
    let end = seconds(claims.get("exp")).ok_or(BrokenRule::NoEnd)?;
    if end.saturating_add(LEEWAY) <= now {
        return Err(BrokenRule::Expired);
    }
    check_begun(claims.get("nbf"), now)?;
    Ok(end)
}

/// That a time is absent or not in the future, with a minute of leeway.
///
/// # Errors
///
/// [`BrokenRule::NotYet`], for what is no time too.
pub fn check_begun(begin: Option<&Value>, now: u64) -> Result<(), BrokenRule> {
    match begin {
        None | Some(Value::Null) => Ok(()),
        begin => seconds(begin)
            .filter(|begin| *begin <= now.saturating_add(LEEWAY))
            .map(drop)
            .ok_or(BrokenRule::NotYet),
    }
}

/// Returns the subject (OpenID Connect Core section 2: at most 255 ASCII characters).
pub fn subject(claims: &Map<String, Value>) -> Option<&str> {
    claims
        .get("sub")
        .and_then(Value::as_str)
        .filter(|subject| (1..=255).contains(&subject.len()) && !subject.contains(char::is_control))
}

/// One name or several (RFC 7519 section 4.1.3).
pub fn audience(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns the client that a token was issued to: `azp` (OpenID Connect Core section 2) or `client_id` (RFC
/// 9068 section 2.2). `None` if it has neither, or two that differ.
pub fn client(claims: &Map<String, Value>) -> Option<&str> {
    let mut names = ["azp", "client_id"]
        .into_iter()
        .filter_map(|name| claims.get(name).filter(|client| !client.is_null()));
    let first = names.next()?;
    let agrees = names.all(|other| other == first);
    first.as_str().filter(|_| agrees)
}

/// Returns the scopes of a token, wherever it has them: at most a hundred. `None` if it says nothing of
/// scopes, as a session token does: nothing of the person's was handed on with it, it is the
/// person's own.
pub fn scopes(claims: &Map<String, Value>) -> Option<Vec<String>> {
    if !has_scopes(claims) {
        return None;
    }
    let mut scopes = Vec::new();
    for name in SCOPE_CLAIMS {
        match claims.get(name) {
            Some(Value::String(text)) => {
                scopes.extend(text.split_whitespace().map(ToOwned::to_owned))
            }
            Some(Value::Array(items)) => {
                scopes.extend(
                    items
                        .iter()
                        .filter_map(Value::as_str)
                        .map(ToOwned::to_owned),
                );
            }
            _ => {}
        }
    }
    scopes.truncate(MAX_SCOPES);
    Some(scopes)
}

/// Whether a token says anything of scopes, if only that it has none.
pub fn has_scopes(claims: &Map<String, Value>) -> bool {
    SCOPE_CLAIMS
        .iter()
        .any(|name| matches!(claims.get(*name), Some(Value::String(_) | Value::Array(_))))
}

/// Whether `url` is this server or one of its MCP endpoints. Without a `public_url` we are on a
/// loopback address.
pub fn is_our_url(url: &str, public_url: Option<&str>) -> bool {
    let url = url.trim_end_matches('/');
    match public_url {
        Some(base) => url
            .strip_prefix(base)
            .is_some_and(|path| RESOURCES.contains(&path)),
        None => Url::parse(url).is_ok_and(|url| config::is_loopback(&url)),
    }
}

/// Returns a NumericDate, which may have a fraction (RFC 7519 section 2).
fn seconds(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|seconds| *seconds >= 0.0)
            .map(|seconds| seconds as u64)
    })
}

const SCOPE_CLAIMS: [&str; 3] = ["scope", "scopes", "scp"];
const MAX_SCOPES: usize = 100;
/// What a token may be bound to: the base URL itself and both MCP endpoints.
const RESOURCES: [&str; 3] = ["", "/mcp", "/sse"];
/// Between the provider's clock and ours, in seconds.
const LEEWAY: u64 = 60;
