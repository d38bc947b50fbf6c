//! The Authorization header field (RFC 9110 section 11.6.2) of requests with an access token.

use crate::http::rejection::Rejection;
use crate::http::scheme::Scheme;
use http::HeaderMap;
use jwt::MAX_TOKEN_BYTES;
use sha2::{Digest, Sha256};

/// An Authorization header with a token.
pub(crate) struct Authorization<'h> {
    pub(crate) scheme: Scheme,
    pub(crate) value: &'h str,
    pub(crate) token: &'h str,
}

/// Returns the token of a request; `None` without one, or with credentials of another scheme.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<Authorization<'_>>, Rejection> {
    const MALFORMED: Rejection = Rejection::InvalidToken("The Authorization header is malformed.");
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(MALFORMED);
    }
    let value = value.to_str().map_err(|_| MALFORMED)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let Some(scheme) = Scheme::parse(scheme) else {
        return Ok(None);
    };
    let token = token.trim();
    let is_token = (1..=MAX_TOKEN_BYTES).contains(&token.len())
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
        });
    if is_token {
        Ok(Some(Authorization {
            scheme,
            value,
            token,
        }))
    } else {
        Err(MALFORMED)
    }
}

/// Returns the SHA-256 of a request's token, the key of caches; `None` without a well-formed token.
pub(crate) fn token_hash(headers: &HeaderMap) -> Option<[u8; 32]> {
    let authorization = authorization(headers).ok()??;
    Some(Sha256::digest(authorization.token).into())
}
