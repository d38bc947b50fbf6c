//! Verification of a DPoP proof (RFC 9449 section 4.3).

use crate::{Error, PROOF};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use jwt::{PublicKey, Unverified};
use keys::{KeyRing, Purpose};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use store::{KeyValue, Store};
use url::Url;

/// Seconds by which `iat` may be before or after now.
pub const MAX_CLOCK_SKEW: u64 = 60;

/// Seconds for which a nonce is valid.
pub const NONCE_TTL: u64 = 300;

/// Seconds for which every response has the same nonce.
const NONCE_INTERVAL: u64 = 30;

const NONCES: Purpose = Purpose("dpop nonce");

/// The kind of the claims of proofs in the store.
const CLAIM: &str = "dpop";

/// The `typ` of a proof.
const TYP: &str = "dpop+jwt";

/// The verifier of proofs.
#[derive(Clone, Copy)]
pub struct ProofVerifier<'a> {
    keys: &'a KeyRing,
    requires_nonces: bool,
}

/// The request that a proof came with.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The HTTP method, which `htm` has to equal.
    pub method: &'a str,
    /// The public URL. Query and fragment are ignored.
    pub url: &'a str,
    /// The access token in the request, to a protected resource (section 7).
    pub access_token: Option<&'a str>,
}

/// A valid proof, which is not known to be new: see [`claim`](Self::claim).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    thumbprint: String,
    /// A hash of the key and `jti`.
    id: String,
    /// The second from which the proof is too old for every server.
    until: u64,
}

impl<'a> ProofVerifier<'a> {
    /// `keys` make and verify the nonces.
    pub fn new(keys: &'a KeyRing, requires_nonces: bool) -> Self {
        Self {
            keys,
            requires_nonces,
        }
    }

    /// Returns the nonce to use from `now` on (seconds since the Unix epoch), for the `DPoP-Nonce` header of
    /// every response to a request with a proof; `None` if nonces are not required.
    pub fn nonce(&self, now: u64) -> Option<HeaderValue> {
        let time = now - now % NONCE_INTERVAL;
        self.requires_nonces
            .then(|| HeaderValue::from_str(&self.keys.signed_timestamp(NONCES, time)).ok())
            .flatten()
    }

    /// Verifies the proof of a request at `now` (seconds since the Unix epoch); `None` if it has no proof.
    ///
    /// Does **not** detect replays: [`Proof::claim`] does.
    ///
    /// # Errors
    ///
    /// Fails if the proof is invalid, or there are several.
    pub fn check(
        &self,
        headers: &HeaderMap,
        request: Request<'_>,
        now: u64,
    ) -> Result<Option<Proof>, Error> {
        let mut proofs = headers.get_all(PROOF).iter();
        let Some(proof) = proofs.next() else {
            return Ok(None);
        };
        if proofs.next().is_some() {
            return Err(Error::Header);
        }
        let proof = proof.to_str().map_err(|_| Error::Header)?;
        self.check_text(proof, request, now).map(Some)
    }

    /// Makes the checks of RFC 9449 section 4.3 in its order.
    fn check_text(&self, proof: &str, request: Request<'_>, now: u64) -> Result<Proof, Error> {
        let unverified = Unverified::parse(proof)?;
        if !unverified.header().is_type(TYP) {
            return Err(Error::Type);
        }
        let jwk = unverified.header().jwk.as_ref().ok_or(Error::NoKey)?;
        let key = PublicKey::from_jwk(jwk)?;
        let claims = unverified.verify(&key)?;
        if text(&claims, "htm")? != request.method {
            return Err(Error::Method);
        }
        if !is_same_url(text(&claims, "htu")?, request.url) {
            return Err(Error::Url);
        }
        let jti = text(&claims, "jti")?;
        // `iat` is required (RFC 9449 section 4.2) and, beside a nonce, not used.
        let issued_at = issued_at(&claims)?;
        let until = if self.requires_nonces {
            let nonce = claims.get("nonce").and_then(Value::as_str);
            self.until_by_nonce(nonce, now)?
        } else {
            until(issued_at, now)?
        };
        if let Some(access_token) = request.access_token
            && text(&claims, "ath")? != sha256(access_token)
        {
            return Err(Error::AccessToken);
        }
        let thumbprint = key.thumbprint();
        Ok(Proof {
            id: sha256(&format!("{thumbprint} {jti}")),
            thumbprint,
            until,
        })
    }

    fn until_by_nonce(&self, nonce: Option<&str>, now: u64) -> Result<u64, Error> {
        let made_at = nonce.and_then(|nonce| self.keys.verify_timestamp(NONCES, nonce));
        let made_at = made_at.ok_or(Error::Nonce)?;
        // Another server's clock may be ahead.
        let is_good = made_at + NONCE_TTL > now && made_at <= now + MAX_CLOCK_SKEW;
        is_good.then_some(made_at + NONCE_TTL).ok_or(Error::Nonce)
    }
}

impl Proof {
    /// Returns the thumbprint (RFC 7638) of the key, in URL-safe Base64: `jkt`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Claims the proof. Returns `true` for its first use on any server. Costs two writes and one of a
    /// counter, so the caller checks everything else about the request first.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub async fn claim<K: KeyValue>(&self, store: &Store<K>) -> Result<bool, store::Error> {
        store.note_once(CLAIM, &self.id, self.until).await
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Error> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or(Error::Claim(name))
}

/// Returns `iat` (RFC 7519 section 4.1.6), which may have a fraction.
fn issued_at(claims: &Map<String, Value>) -> Result<u64, Error> {
    let iat = claims.get("iat").and_then(Value::as_f64);
    iat.filter(|iat| (0.0..MAX_SECONDS).contains(iat))
        .map(|iat| iat as u64)
        .ok_or(Error::Claim("iat"))
}

/// A time beyond every calendar, and far from the end of integers.
const MAX_SECONDS: f64 = 1e15;

fn until(issued_at: u64, now: u64) -> Result<u64, Error> {
    if issued_at.abs_diff(now) < MAX_CLOCK_SKEW {
        Ok(issued_at + MAX_CLOCK_SKEW)
    } else {
        Err(Error::Stale)
    }
}

/// Compares two URLs after normalization, without query and fragment (RFC 9449 section 4.3).
fn is_same_url(one: &str, other: &str) -> bool {
    let normal = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    normal(one).is_some_and(|one| normal(other) == Some(one))
}

/// Returns the SHA-256 in URL-safe Base64, as `ath` has it (RFC 9449 section 4.2).
fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
