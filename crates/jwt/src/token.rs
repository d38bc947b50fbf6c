//! JWTs in the compact form (RFC 7515 section 7.1): parser and verification.

use crate::json;
use crate::{Algorithm, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The longest token that is read, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A JWT that has been read and not verified.
#[derive(Debug)]
pub struct Unverified<'a> {
    header: Header,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: &'a str,
}

/// What a token says of itself (RFC 7515 section 4.1). Other members than these change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`. Which one is good is for the key to say.
    pub algorithm: Algorithm,
    /// `typ`, as it is spelt; see [`is_type`](Self::is_type).
    pub typ: Option<String>,
    /// `kid`.
    pub key_id: Option<String>,
    /// `jwk`: a key that the token brings along, as DPoP proofs do. It is no reason for trust.
    pub jwk: Option<Value>,
}

/// Why a token is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not three parts of URL-safe Base64 whose first two are JSON objects, or a member of
    /// the header is of the wrong kind, or something is said twice.
    #[error("it is not a signed JWT")]
    Malformed,
    /// It is longer than [`MAX_TOKEN_BYTES`].
    #[error("it is too long")]
    TooLong,
    /// It names no algorithm, one that does not exist here, or another than its key's.
    #[error("it is not signed with the algorithm of its key")]
    Algorithm,
    /// Its header has extensions that must be understood (RFC 7515 section 4.1.11): there is none
    /// that would be.
    #[error("its header has extensions that must be understood")]
    Critical,
    /// The key did not sign it.
    #[error("its signature is wrong")]
    Signature,
}

impl<'a> Unverified<'a> {
    /// Reads `token`.
    ///
    /// # Errors
    ///
    /// Each [`Error`] but the last.
    pub fn parse(token: &'a str) -> Result<Self, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Error::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Error::Malformed)?;
        Ok(Self {
            header: Header::read(object(header)?)?,
            claims: object(claims)?,
            signed,
            signature,
        })
    }

    /// Returns what the token says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the claims, which are not verified. Good to find its key by, and to turn the
    /// token down early.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Returns the claims, if `key` signed them with its algorithm. Issuer, audience and times are the
    /// caller's to check.
    ///
    /// # Errors
    ///
    /// [`Error::Algorithm`] and [`Error::Signature`].
    pub fn verify(self, key: &PublicKey) -> Result<Map<String, Value>, Error> {
        // RFC 8725 section 3.1.
        if self.header.algorithm != key.algorithm() {
            return Err(Error::Algorithm);
        }
        if key.is_signature(self.signature, self.signed.as_bytes()) {
            Ok(self.claims)
        } else {
            Err(Error::Signature)
        }
    }
}

impl Header {
    /// Whether the token is of this type (`at+jwt`, for example): `application/` in front and case
    /// make no difference (RFC 7515 section 4.1.9).
    pub fn is_type(&self, typ: &str) -> bool {
        self.typ.as_deref().is_some_and(|own| {
            let own = match own.split_at_checked(PREFIX.len()) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
                _ => own,
            };
            own.eq_ignore_ascii_case(typ)
        })
    }

    fn read(mut header: Map<String, Value>) -> Result<Self, Error> {
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(Algorithm::parse)
            .ok_or(Error::Algorithm)?;
        if header.contains_key("crit") {
            return Err(Error::Critical);
        }
        let mut text = |name: &str| match header.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::Malformed),
        };
        let (typ, key_id) = (text("typ")?, text("kid")?);
        let jwk = match header.remove("jwk") {
            None => None,
            Some(jwk @ Value::Object(_)) => Some(jwk),
            Some(_) => return Err(Error::Malformed),
        };
        Ok(Self {
            algorithm,
            typ,
            key_id,
            jwk,
        })
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok();
    bytes
        .and_then(|bytes| json::object(&bytes))
        .ok_or(Error::Malformed)
}

/// In front of a media type (RFC 7515 section 4.1.9).
const PREFIX: &str = "application/";
