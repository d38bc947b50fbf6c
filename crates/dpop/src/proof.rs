//! Checking a proof.

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

/// Seconds by which `iat` may lie before or after now.
pub const WINDOW: u64 = 60;

/// Seconds for which a nonce is good.
pub const NONCE_LIFETIME: u64 = 300;

/// Seconds for which the same nonce is given to everybody.
const NONCE_STEP: u64 = 30;

const NONCES: Purpose = Purpose("dpop nonce");

/// The kind of the claims in the store.
const CLAIM: &str = "dpop";

/// The `typ` of a proof.
const TYP: &str = "dpop+jwt";

/// Whoever checks proofs.
#[derive(Clone, Copy)]
pub struct Prover<'a> {
    keys: &'a KeyRing,
    asks_for_nonces: bool,
}

/// The request that a proof came with.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its URL, as the public knows it. Query and fragment are left aside.
    pub url: &'a str,
    /// The access token that it shows, where that is what the key is proved for.
    pub access_token: Option<&'a str>,
}

/// A proof that is good, unless it was shown before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    thumbprint: String,
    /// Tells it from every other proof of every key.
    id: String,
    /// The second from which nobody would take it any more.
    until: u64,
}

impl<'a> Prover<'a> {
    /// One whose nonces, if it asks for them, are made with `keys`.
    pub fn new(keys: &'a KeyRing, asks_for_nonces: bool) -> Self {
        Self {
            keys,
            asks_for_nonces,
        }
    }

    /// The nonce to use from `now` on (seconds since the Unix epoch), for the `DPoP-Nonce` header
    /// of every answer to a request with a proof; `None` where nonces are not asked for.
    pub fn nonce(&self, now: u64) -> Option<HeaderValue> {
        let time = now - now % NONCE_STEP;
        self.asks_for_nonces
            .then(|| HeaderValue::from_str(&self.keys.signed_timestamp(NONCES, time)).ok())
            .flatten()
    }

    /// Checks the proof that came with a request at `now` (seconds since the Unix epoch); `None` if
    /// none came.
    ///
    /// # Errors
    ///
    /// [`Error`].
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

    /// RFC 9449 section 4.3, in its order.
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
        // Every proof has one (RFC 9449 section 4.2); with a nonce its value is not looked at.
        let issued_at = issued_at(&claims)?;
        let until = if self.asks_for_nonces {
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
        // Another machine's clock may be ahead.
        let is_good = made_at + NONCE_LIFETIME > now && made_at <= now + WINDOW;
        is_good
            .then_some(made_at + NONCE_LIFETIME)
            .ok_or(Error::Nonce)
    }
}

impl Proof {
    /// The thumbprint (RFC 7638) of the key that was proved, in URL-safe Base64: `jkt`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Claims the proof: `true` for the first to show it, whatever machine is asked. Two writes of
    /// the store and a counter's, so everything else about the request has to be good.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn claim<K: KeyValue>(&self, store: &Store<K>) -> Result<bool, store::Error> {
        store.claim_once(CLAIM, &self.id, self.until).await
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Error> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or(Error::Claim(name))
}

/// `iat` (RFC 7519 section 4.1.6), which may have a fraction.
fn issued_at(claims: &Map<String, Value>) -> Result<u64, Error> {
    let iat = claims.get("iat").and_then(Value::as_f64);
    iat.filter(|iat| (0.0..MAX_SECONDS).contains(iat))
        .map(|iat| iat as u64)
        .ok_or(Error::Claim("iat"))
}

/// Beyond every second that matters, and far from where numbers end.
const MAX_SECONDS: f64 = 1e15;

fn until(issued_at: u64, now: u64) -> Result<u64, Error> {
    if issued_at.abs_diff(now) < WINDOW {
        Ok(issued_at + WINDOW)
    } else {
        Err(Error::Stale)
    }
}

/// Compared after normalization, without query and fragment (RFC 9449 section 4.3).
fn is_same_url(one: &str, other: &str) -> bool {
    let normal = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    normal(one).is_some_and(|one| normal(other) == Some(one))
}

/// The SHA-256 in URL-safe Base64: `ath` of an access token (RFC 9449 section 4.2).
fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
