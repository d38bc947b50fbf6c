//! The cryptography provider of `jsonwebtoken`, which makes and checks signatures. A process has one such provider;
//! it is this one, installed at its first use.

use crate::Algorithm;
use ed25519_dalek::ed25519;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{DecodingKey, DecodingKeyKind, EncodingKey};
use p256::ecdsa;
use rsa::BoxedUint;
use sha2::Sha256;

/// Returns the URL-safe Base64 of `key`'s signature of `message`.
pub(crate) fn sign(message: &[u8], key: &EncodingKey, algorithm: Algorithm) -> Option<String> {
    install();
    jsonwebtoken::crypto::sign(message, key, algorithm.into()).ok()
}

/// Whether `signature`, in URL-safe Base64, is `key`'s of `message`.
pub(crate) fn verify(
    signature: &str,
    message: &[u8],
    key: &DecodingKey,
    algorithm: Algorithm,
) -> bool {
    install();
    jsonwebtoken::crypto::verify(signature, message, key, algorithm.into()).unwrap_or(false)
}

/// Whether these 32 bytes are a key that [`verify`] takes (RFC 8032 section 5.1.3). A key of small
/// order, under which one signature fits many messages, is not one.
pub(crate) fn is_ed25519_key(bytes: &[u8; 32]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(bytes).is_ok_and(|key| !key.is_weak())
}

/// Whether this uncompressed point is one of P-256.
pub(crate) fn is_p256_key(point: &[u8; 65]) -> bool {
    ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok()
}

/// Whether modulus and exponent (unsigned, big-endian) can be an RSA key of 2048 to 4096 bits
/// (RFC 7518 section 3.3), with an exponent that does not make checking dear.
pub(crate) fn is_rsa_key(modulus: &[u8], exponent: &[u8]) -> bool {
    exponent.len() <= 4
        && modulus.len() <= 512
        && exponent.last().is_some_and(|byte| byte % 2 == 1)
        && rsa_key(modulus, exponent).is_some()
}

fn install() {
    // Only the first call in a process does anything.
    let _ = PROVIDER.install_default();
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: new_signer,
    verifier_factory: new_verifier,
    // For JWKs, which are read and written in `key.rs`.
    key_utils: KeyUtils::new_unimplemented(),
};

fn new_signer(
    algorithm: &jsonwebtoken::Algorithm,
    key: &EncodingKey,
) -> Result<Box<dyn JwtSigner>, Error> {
    match algorithm {
        jsonwebtoken::Algorithm::EdDSA => {
            let seed = key
                .as_bytes()
                .try_into()
                .map_err(|_| ErrorKind::InvalidEddsaKey)?;
            let key = ed25519_dalek::SigningKey::from_bytes(seed);
            Ok(Box::new(Ed25519Signer(key)))
        }
        #[cfg(feature = "foreign-signing")]
        jsonwebtoken::Algorithm::ES256 => Ok(Box::new(foreign::P256Signer::new(key)?)),
        #[cfg(feature = "foreign-signing")]
        jsonwebtoken::Algorithm::RS256 => Ok(Box::new(foreign::RsaSigner::new(key)?)),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

fn new_verifier(
    algorithm: &jsonwebtoken::Algorithm,
    key: &DecodingKey,
) -> Result<Box<dyn JwtVerifier>, Error> {
    match algorithm {
        jsonwebtoken::Algorithm::EdDSA => {
            let bytes = key.try_get_as_bytes()?;
            let key = bytes
                .try_into()
                .ok()
                .and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(bytes).ok())
                .ok_or(ErrorKind::InvalidEddsaKey)?;
            Ok(Box::new(Ed25519Verifier(key)))
        }
        jsonwebtoken::Algorithm::ES256 => {
            let key = ecdsa::VerifyingKey::from_sec1_bytes(key.try_get_as_bytes()?)
                .map_err(|_| ErrorKind::InvalidEcdsaKey)?;
            Ok(Box::new(P256Verifier(key)))
        }
        jsonwebtoken::Algorithm::RS256 => {
            let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
                return Err(ErrorKind::InvalidKeyFormat.into());
            };
            let key = rsa_key(n, e).ok_or(ErrorKind::InvalidKeyFormat)?;
            Ok(Box::new(RsaVerifier(key)))
        }
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Option<rsa::PublicKey> {
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    let exponent = BoxedUint::from_be_slice_vartime(exponent);
    rsa::PublicKey::new_with_size_limits(modulus, exponent, MIN_RSA_BITS..=MAX_RSA_BITS).ok()
}

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 4096;

struct Ed25519Signer(ed25519_dalek::SigningKey);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        use ed25519::signature::Signer as _;
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::EdDSA
    }
}

struct Ed25519Verifier(ed25519_dalek::VerifyingKey);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let signature = ed25519::Signature::from_slice(signature).map_err(|_| wrong())?;
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| wrong())
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::EdDSA
    }
}

struct P256Verifier(ecdsa::VerifyingKey);

impl Verifier<Vec<u8>> for P256Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        use ecdsa::signature::Verifier as _;
        // Two numbers of 32 bytes (RFC 7518 section 3.4).
        let signature = ecdsa::Signature::from_slice(signature).map_err(|_| wrong())?;
        self.0.verify(message, &signature).map_err(|_| wrong())
    }
}

impl JwtVerifier for P256Verifier {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::ES256
    }
}

struct RsaVerifier(rsa::PublicKey);

impl Verifier<Vec<u8>> for RsaVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.0
            .pkcs1v15_verify::<Sha256>(message, signature)
            .map_err(|_| wrong())
    }
}

impl JwtVerifier for RsaVerifier {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::RS256
    }
}

/// Nothing is told of why.
fn wrong() -> SignatureError {
    SignatureError::new()
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::EdDsa => Self::EdDSA,
            Algorithm::Es256 => Self::ES256,
            Algorithm::Rs256 => Self::RS256,
        }
    }
}

/// Signing as others do.
#[cfg(feature = "foreign-signing")]
mod foreign {
    use super::{Error, ErrorKind, JwtSigner, SignatureError, Signer, ecdsa, wrong};
    use jsonwebtoken::{Algorithm, EncodingKey};
    use rsa::pkcs1::DecodeRsaPrivateKey as _;
    use sha2::Sha256;

    /// The key is the scalar, 32 bytes.
    pub(super) struct P256Signer(ecdsa::SigningKey);

    impl P256Signer {
        pub(super) fn new(key: &EncodingKey) -> Result<Self, Error> {
            let key = ecdsa::SigningKey::from_slice(key.as_bytes())
                .map_err(|_| ErrorKind::InvalidEcdsaKey)?;
            Ok(Self(key))
        }
    }

    impl Signer<Vec<u8>> for P256Signer {
        fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
            use ecdsa::signature::Signer as _;
            let signature: ecdsa::Signature = self.0.try_sign(message).map_err(|_| wrong())?;
            Ok(signature.to_bytes().to_vec())
        }
    }

    impl JwtSigner for P256Signer {
        fn algorithm(&self) -> Algorithm {
            Algorithm::ES256
        }
    }

    /// The key is PKCS #1 DER.
    pub(super) struct RsaSigner(rsa::PrivateKey);

    impl RsaSigner {
        pub(super) fn new(key: &EncodingKey) -> Result<Self, Error> {
            let key = rsa::PrivateKey::from_pkcs1_der(key.as_bytes())
                .map_err(|_| ErrorKind::InvalidKeyFormat)?;
            Ok(Self(key))
        }
    }

    impl Signer<Vec<u8>> for RsaSigner {
        fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
            self.0.pkcs1v15_sign::<Sha256>(message).map_err(|_| wrong())
        }
    }

    impl JwtSigner for RsaSigner {
        fn algorithm(&self) -> Algorithm {
            Algorithm::RS256
        }
    }
}
