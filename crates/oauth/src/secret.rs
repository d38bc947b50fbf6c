//! Random values and how they are compared.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// `BYTES` random bytes in URL-safe Base64.
pub fn random<const BYTES: usize>(random: &mut impl CryptoRng) -> String {
    let mut bytes = [0; BYTES];
    random.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns what is stored of a secret of high entropy: its SHA-256 in URL-safe Base64.
pub fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

/// Whether two texts are the same, in a time that tells nothing of where they differ.
pub fn equal(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// Whether a text could be a SHA-256 in URL-safe Base64.
pub fn is_sha256(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == 43 && text.bytes().all(is_base64url)
}
