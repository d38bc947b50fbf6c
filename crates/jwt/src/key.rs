//! Public keys as JWKs (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use crate::{Algorithm, crypto};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// A public key, which belongs to one algorithm. Two are equal that are the same key, whatever
/// their key ids.
#[derive(Clone, Debug)]
pub struct PublicKey {
    key_id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ed25519([u8; 32]),
    /// The point, uncompressed: a 4, then x and y (SEC 1 section 2.3.3).
    P256([u8; 65]),
    /// Big-endian, without leading zeros.
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

/// Why a JWK is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not a JWK, or a member is missing or misspelt.
    #[error("the key is malformed")]
    Malformed,
    /// It has members that only a private or a shared key has (RFC 7518 sections 6.2.2, 6.3.2 and
    /// 6.4): a token that has one has revealed it.
    #[error("the key has private members")]
    Private,
    /// It is of another type, curve or algorithm, or not for signatures.
    #[error("the key is not one for EdDSA (Ed25519), ES256 or RS256 signatures")]
    Unsupported,
    /// It is no point of its curve, of small order, or an RSA key of less than 2048 or more than
    /// 4096 bits.
    #[error("the key is too weak or too large")]
    Unsound,
    /// There are more keys in the set than anybody needs.
    #[error("there are too many keys")]
    TooMany,
}

impl PublicKey {
    /// Reads a JWK that is to verify signatures.
    ///
    /// `alg`, `use` and `key_ops` have to agree with that where they are there (RFC 7517
    /// section 4). Leading zeros of an RSA modulus, which some write, are no part of it.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let jwk = jwk.as_object().ok_or(KeyError::Malformed)?;
        if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
            return Err(KeyError::Private);
        }
        let material = match required(jwk, "kty")? {
            "OKP" => ed25519(jwk)?,
            "EC" => p256(jwk)?,
            "RSA" => rsa(jwk)?,
            _ => return Err(KeyError::Unsupported),
        };
        let key = Self {
            key_id: optional(jwk, "kid")?.map(str::to_owned),
            material,
        };
        if key
            .key_id
            .as_ref()
            .is_some_and(|key_id| key_id.len() > MAX_KEY_ID_BYTES)
        {
            return Err(KeyError::Malformed);
        }
        let is_for_this = optional(jwk, "alg")?.is_none_or(|alg| alg == key.algorithm().as_str())
            && optional(jwk, "use")?.is_none_or(|usage| usage == "sig")
            && match jwk.get("key_ops") {
                None | Some(Value::Null) => true,
                Some(Value::Array(operations)) => operations.iter().any(|one| one == "verify"),
                Some(_) => return Err(KeyError::Malformed),
            };
        is_for_this.then_some(key).ok_or(KeyError::Unsupported)
    }

    /// Returns the key whose 32 bytes these are (RFC 8032 section 5.1.5).
    pub(crate) fn from_ed25519(bytes: [u8; 32]) -> Self {
        Self {
            key_id: None,
            material: Material::Ed25519(bytes),
        }
    }

    /// Returns the key at this uncompressed point.
    #[cfg(feature = "foreign-signing")]
    pub(crate) fn from_p256(point: [u8; 65]) -> Self {
        Self {
            key_id: None,
            material: Material::P256(point),
        }
    }

    /// Returns the key of these numbers, big-endian and without leading zeros.
    #[cfg(feature = "foreign-signing")]
    pub(crate) fn from_rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        Self {
            key_id: None,
            material: Material::Rsa { modulus, exponent },
        }
    }

    /// Returns the same key under this id.
    #[must_use]
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// Its `kid`, if it has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns the one algorithm that it is for.
    pub fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256(_) => Algorithm::Es256,
            Material::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// Returns the SHA-256 thumbprint (RFC 7638 section 3) in URL-safe Base64: 43 characters.
    pub fn thumbprint(&self) -> String {
        // The members come in lexicographic order, and none needs an escape.
        let members: Vec<String> = self
            .members()
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":\"{value}\""))
            .collect();
        let digest = Sha256::digest(format!("{{{}}}", members.join(",")));
        URL_SAFE_NO_PAD.encode(digest)
    }

    /// Returns the key as a JWK with `alg` and `use`, and `kid` where it has one.
    pub fn to_jwk(&self) -> Value {
        let mut jwk = Map::new();
        for (name, value) in self.members() {
            jwk.insert(name.to_owned(), Value::String(value));
        }
        jwk.insert("alg".to_owned(), json!(self.algorithm().as_str()));
        jwk.insert("use".to_owned(), json!("sig"));
        if let Some(key_id) = &self.key_id {
            jwk.insert("kid".to_owned(), json!(key_id));
        }
        Value::Object(jwk)
    }

    /// Returns the members that make the key (RFC 7638 section 3.2, RFC 8037 section 2), in lexicographic
    /// order.
    fn members(&self) -> Vec<(&'static str, String)> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.material {
            Material::Ed25519(bytes) => vec![
                ("crv", "Ed25519".to_owned()),
                ("kty", "OKP".to_owned()),
                ("x", encode(bytes)),
            ],
            Material::P256(point) => vec![
                ("crv", "P-256".to_owned()),
                ("kty", "EC".to_owned()),
                ("x", encode(&point[1..33])),
                ("y", encode(&point[33..])),
            ],
            Material::Rsa { modulus, exponent } => vec![
                ("e", encode(exponent)),
                ("kty", "RSA".to_owned()),
                ("n", encode(modulus)),
            ],
        }
    }

    /// Whether `signature`, in URL-safe Base64, is this key's of `message`.
    pub(crate) fn is_signature(&self, signature: &str, message: &[u8]) -> bool {
        let key = match &self.material {
            Material::Ed25519(bytes) => DecodingKey::from_ed_der(bytes),
            Material::P256(point) => DecodingKey::from_ec_der(point),
            Material::Rsa { modulus, exponent } => {
                DecodingKey::from_rsa_raw_components(modulus, exponent)
            }
        };
        crypto::verify(signature, message, &key, self.algorithm())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
    }
}

impl Eq for PublicKey {}

fn ed25519(jwk: &Map<String, Value>) -> Result<Material, KeyError> {
    if required(jwk, "crv")? != "Ed25519" {
        return Err(KeyError::Unsupported);
    }
    let bytes = coordinate(jwk, "x")?;
    crypto::is_ed25519_key(&bytes)
        .then_some(Material::Ed25519(bytes))
        .ok_or(KeyError::Unsound)
}

fn p256(jwk: &Map<String, Value>) -> Result<Material, KeyError> {
    if required(jwk, "crv")? != "P-256" {
        return Err(KeyError::Unsupported);
    }
    let mut point = [4; 65];
    point[1..33].copy_from_slice(&coordinate(jwk, "x")?);
    point[33..].copy_from_slice(&coordinate(jwk, "y")?);
    crypto::is_p256_key(&point)
        .then_some(Material::P256(point))
        .ok_or(KeyError::Unsound)
}

fn rsa(jwk: &Map<String, Value>) -> Result<Material, KeyError> {
    let number = |name| {
        let bytes = decode(jwk, name)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Ok::<_, KeyError>(bytes[zeros..].to_vec())
    };
    let (modulus, exponent) = (number("n")?, number("e")?);
    crypto::is_rsa_key(&modulus, &exponent)
        .then_some(Material::Rsa { modulus, exponent })
        .ok_or(KeyError::Unsound)
}

/// Returns a member of exactly 32 bytes (RFC 7518 section 6.2.1.2, RFC 8037 section 2).
fn coordinate(jwk: &Map<String, Value>, name: &str) -> Result<[u8; 32], KeyError> {
    decode(jwk, name)?
        .try_into()
        .map_err(|_| KeyError::Malformed)
}

fn decode(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyError> {
    URL_SAFE_NO_PAD
        .decode(required(jwk, name)?)
        .map_err(|_| KeyError::Malformed)
}

fn required<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<&'a str, KeyError> {
    optional(jwk, name)?.ok_or(KeyError::Malformed)
}

fn optional<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, KeyError> {
    match jwk.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::Malformed),
    }
}

/// Of private keys of every type that has any, and of shared ones (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// In bytes.
const MAX_KEY_ID_BYTES: usize = 256;
