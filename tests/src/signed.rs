//! JWTs that a client signs with a key of its own: client assertions (RFC 7523) and DPoP proofs (RFC 9449).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// The one `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds since the Unix epoch.
pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

/// Returns a key for each algorithm that there is.
///
/// # Panics
///
/// If there is no randomness.
pub fn keys() -> [SigningKey; 3] {
    let rsa = SigningKey::generate_rs256(&mut rand::rng()).expect("a new key");
    [
        SigningKey::ed25519(&[1; 32]),
        SigningKey::es256(&[2; 32]).expect("a scalar"),
        SigningKey::rs256(&rsa).expect("a key"),
    ]
}

/// Returns an assertion of the client `client_id` for the server `audience`, good now and once.
pub fn assertion(key: &SigningKey, client_id: &str, audience: &str) -> String {
    assertion_with(key, client_id, audience, |_| {})
}

/// Returns the same with its claims changed.
///
/// # Panics
///
/// If they cannot be signed.
pub fn assertion_with(
    key: &SigningKey,
    client_id: &str,
    audience: &str,
    change: impl FnOnce(&mut Value),
) -> String {
    let mut claims = json!({
        "iss": client_id, "sub": client_id, "aud": audience,
        "jti": unique(), "iat": now(), "exp": now() + 60,
    });
    change(&mut claims);
    key.sign("JWT", &claims).expect("a JWT")
}

/// Returns a proof of the key for a request with this method to this URL, good now and once.
pub fn proof(key: &SigningKey, method: &str, url: &str) -> String {
    proof_with(key, method, url, |_| {})
}

/// Returns the same for a request that shows this access token.
pub fn proof_for(key: &SigningKey, method: &str, url: &str, access_token: &str) -> String {
    proof_with(key, method, url, |claims| {
        claims["ath"] = json!(ath(access_token));
    })
}

/// Returns a proof with its claims changed.
///
/// # Panics
///
/// If they cannot be signed.
pub fn proof_with(
    key: &SigningKey,
    method: &str,
    url: &str,
    change: impl FnOnce(&mut Value),
) -> String {
    let mut claims = json!({ "jti": unique(), "htm": method, "htu": url, "iat": now() });
    change(&mut claims);
    let header = json!({ "typ": "dpop+jwt", "jwk": key.public().to_jwk() });
    let header = header.as_object().cloned().unwrap_or_default();
    key.sign_under(header, &claims).expect("a JWT")
}

/// Returns what a proof says of the access token that it comes with (RFC 9449 section 4.2).
pub fn ath(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(access_token))
}

fn unique() -> String {
    format!("{:032x}", rand::random::<u128>())
}
