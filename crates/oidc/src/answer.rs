//! Responses of a provider: tokens, claims about a person, and errors. `who` is the name of the provider in messages.

use crate::claims::subject;
use http::StatusCode;
use identity::{Error, UpstreamTokens};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The answer of the token endpoint (RFC 6749 section 5.1).
pub struct TokenAnswer {
    /// The tokens for the provider's API.
    pub tokens: UpstreamTokens,
    /// The ID token, if there is one.
    pub id_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenFields {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    id_token: Option<String>,
    /// Seconds, as a number; some servers write it as a string.
    #[serde(default)]
    expires_in: Option<Value>,
}

/// Reads the body of a successful answer to a token request that was sent at `now`.
///
/// # Errors
///
/// [`Error::Unavailable`].
pub fn tokens(body: &[u8], who: &str, now: u64) -> Result<TokenAnswer, Error> {
    let nonsense = |what| Error::Unavailable(format!("{who}'s token answer {what}"));
    let fields: TokenFields = serde_json::from_slice(body)
        .map_err(|_| nonsense("is not the JSON of RFC 6749 section 5.1"))?;
    let is_bearer = fields
        .token_type
        .as_deref()
        .is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    if !is_bearer {
        return Err(nonsense("has a token that is no bearer token"));
    }
    if !is_token(&fields.access_token) {
        return Err(nonsense("has no usable access token"));
    }
    let refresh_token = fields.refresh_token.filter(|token| !token.is_empty());
    if refresh_token
        .as_deref()
        .is_some_and(|token| !is_token(token))
    {
        return Err(nonsense("has no usable refresh token"));
    }
    let lifetime = match fields.expires_in {
        Some(Value::Number(seconds)) => seconds.as_u64().or_else(|| {
            // A fraction or an exponent; the cast saturates.
            seconds.as_f64().map(|seconds| seconds as u64)
        }),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        _ => None,
    };
    Ok(TokenAnswer {
        tokens: UpstreamTokens {
            access_token: fields.access_token,
            refresh_token,
            expires_at: lifetime
                .filter(|seconds| *seconds > 0)
                .map(|seconds| now.saturating_add(seconds)),
        },
        id_token: fields.id_token.filter(|token| !token.is_empty()),
    })
}

/// Reads the body of a successful answer of the userinfo endpoint (OpenID Connect Core
/// section 5.3.2).
///
/// # Errors
///
/// [`Error::Unavailable`] if it names no person.
pub fn userinfo(body: &[u8], who: &str) -> Result<Map<String, Value>, Error> {
    let mut claims: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|_| Error::Unavailable(format!("{who}'s userinfo answer is not a JSON object")))?;
    // Descope's API reference wraps the claims.
    if let Some(Value::Object(inner)) = claims.remove("userInfoClaims")
        && !claims.contains_key("sub")
    {
        claims = inner;
    }
    if subject(&claims).is_none() {
        return Err(Error::Unavailable(format!(
            "{who}'s userinfo answer names no person"
        )));
    }
    Ok(claims)
}

/// Whether a status is about the provider's own trouble: a redirect counts, as none is followed.
pub fn is_trouble(status: StatusCode) -> bool {
    status.is_server_error()
        || status.is_redirection()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
}

/// At most twenty words of `text`; a word that is long or has other characters than words have is
/// left out, since it might be a token, a code or an address.
pub fn redacted(text: &str) -> String {
    let is_plain = |word: &&str| {
        word.len() <= 20
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.,;:'()".contains(&byte))
    };
    text.split_whitespace()
        .map(|word| if is_plain(&word) { word } else { "[...]" })
        .take(20)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a header can carry it and a record can hold it.
fn is_token(token: &str) -> bool {
    (1..=jwt::MAX_TOKEN_BYTES).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic())
}
