//! Signing keys (RFC 7515 section 5.1).

use crate::{PublicKey, crypto};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde::Serialize;
#[cfg(feature = "foreign-signing")]
use serde_json::{Map, Value};

/// A key that signs. It is wiped from memory when it is dropped, and never shown.
pub struct SigningKey {
    secret: EncodingKey,
    public: PublicKey,
}

/// The claims cannot be written as a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claims cannot be signed")]
pub struct SignError;

/// The header of a JWT (RFC 7515 section 4.1), as it is written.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'static str,
    kid: Option<&'a str>,
}

impl SigningKey {
    /// Returns the Ed25519 key of this seed (RFC 8032 section 5.1.5). Its key id is its thumbprint.
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        Self::new(
            EncodingKey::from_ed_der(seed),
            PublicKey::from_ed25519(key.verifying_key().to_bytes()),
        )
    }

    fn new(secret: EncodingKey, public: PublicKey) -> Self {
        let key_id = public.thumbprint();
        Self {
            secret,
            public: public.with_key_id(key_id),
        }
    }

    /// Its public half, under the key id that tokens name.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `claims` as a JWT whose header has this `typ`, and the key's `alg` and `kid`.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the claims are no JSON object.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        let header = Header {
            typ,
            alg: self.public.algorithm().as_str(),
            kid: self.public.key_id(),
        };
        self.sign_parts(&header, claims)
    }

    fn sign_parts(
        &self,
        header: &impl Serialize,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        let mut token = encode(header)?;
        token.push('.');
        token.push_str(&encode(claims)?);
        let signature = crypto::sign(token.as_bytes(), &self.secret, self.public.algorithm())
            .ok_or(SignError)?;
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }
}

/// Keys and tokens as others make them.
#[cfg(feature = "foreign-signing")]
impl SigningKey {
    /// Returns the P-256 key of this scalar; `None` if it is zero or too large. Its key id is its
    /// thumbprint.
    pub fn es256(scalar: &[u8; 32]) -> Option<Self> {
        let key = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
        let point = key.verifying_key().to_sec1_point(false);
        let point = point.as_bytes().try_into().ok()?;
        Some(Self::new(
            EncodingKey::from_ec_der(scalar),
            PublicKey::from_p256(point),
        ))
    }

    /// Returns the RSA key of this PKCS #1 DER; `None` if it does not have 2048 to 4096 bits. Its key id is
    /// its thumbprint.
    pub fn rs256(der: &[u8]) -> Option<Self> {
        use rsa::pkcs1::DecodeRsaPrivateKey as _;
        use rsa::traits::PublicKeyParts as _;
        let key = rsa::PrivateKey::from_pkcs1_der(der).ok()?;
        let (modulus, exponent) = (key.n_bytes(), key.e_bytes());
        crypto::is_rsa_key(&modulus, &exponent).then(|| {
            Self::new(
                EncodingKey::from_rsa_der(der),
                PublicKey::from_rsa(modulus.into(), exponent.into()),
            )
        })
    }

    /// Returns a new RSA key of 2048 bits as PKCS #1 DER, for [`rs256`](Self::rs256). Slow: tens to
    /// hundreds of milliseconds. `None` if there is no randomness.
    pub fn generate_rs256(random: &mut impl rsa::rand_core::CryptoRng) -> Option<Vec<u8>> {
        use rsa::pkcs1::EncodeRsaPrivateKey as _;
        let key = rsa::PrivateKey::new(random, 2048).ok()?;
        Some(key.to_pkcs1_der().ok()?.as_bytes().to_vec())
    }

    /// Returns the same key under another id.
    #[must_use]
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.public = self.public.with_key_id(key_id);
        self
    }

    /// Signs `claims` under exactly this header, `alg` added where it is not there. Forgeries too
    /// are made so.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the claims are no JSON object.
    pub fn sign_under(
        &self,
        mut header: Map<String, Value>,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        header
            .entry("alg")
            .or_insert_with(|| self.public.algorithm().as_str().into());
        self.sign_parts(&header, claims)
    }

    /// Returns the signature of `message` in URL-safe Base64: for tokens that no writer of JSON makes.
    pub fn signature(&self, message: &str) -> Option<String> {
        crypto::sign(message.as_bytes(), &self.secret, self.public.algorithm())
    }
}

/// Returns a part of a token: a JSON object in URL-safe Base64.
fn encode(part: &impl Serialize) -> Result<String, SignError> {
    let json = serde_json::to_vec(part).map_err(|_| SignError)?;
    if json.first() != Some(&b'{') {
        return Err(SignError);
    }
    Ok(URL_SAFE_NO_PAD.encode(json))
}
