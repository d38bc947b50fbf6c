//! The key ring: the master secrets, and the keys derived from them (HKDF, RFC 5869).

use crate::Purpose;
use chacha20poly1305::XChaCha20Poly1305;
use hkdf::Hkdf;
use hmac::Hmac;
use jwt::SigningKey;
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use zeroize::Zeroizing;

/// Bytes of a master secret.
const SECRET_BYTES: usize = 32;

/// Why `encryption_key` is invalid. No message repeats a part of the value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// It has no secret.
    #[error("it is empty")]
    Empty,
    /// The secret at this position (counted from 1) is not 64 hex digits.
    #[error("key {0} is not 64 hexadecimal digits")]
    Malformed(usize),
    /// The secret at this position (counted from 1) repeats a single byte.
    #[error("key {0} is not random")]
    Weak(usize),
}

/// The keys of one deployment, the newest first.
pub struct KeyRing(Vec<MasterKey>);

pub(crate) struct MasterKey {
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    id: [u8; 6],
    pub(crate) signing: SigningKey,
    pub(crate) sealing: ByPurpose<XChaCha20Poly1305>,
    pub(crate) macs: ByPurpose<Hmac<Sha256>>,
}

/// The derived keys by purpose, kept because derivation costs more than use. The code has a fixed set of
/// purposes, so the map stays small.
pub(crate) struct ByPurpose<T>(RwLock<HashMap<Purpose, T>>);

impl<T: Clone> ByPurpose<T> {
    fn new() -> Self {
        Self(RwLock::default())
    }

    /// Returns the value of `purpose`, and makes it on first use.
    pub(crate) fn get(&self, purpose: Purpose, make: impl FnOnce() -> T) -> T {
        // A panic in a writer leaves no partial entry, so a poisoned lock is safe to use.
        let made = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.get(&purpose) {
            return made.clone();
        }
        drop(made);
        let mut made = self.0.write().unwrap_or_else(PoisonError::into_inner);
        made.entry(purpose).or_insert_with(make).clone()
    }
}

impl KeyRing {
    /// Reads secrets of 64 hexadecimal digits each, separated by commas, as `openssl rand -hex 32`
    /// prints one. White space around them is ignored.
    ///
    /// # Errors
    ///
    /// Fails with the position of the first invalid secret, and never its value.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.trim().is_empty() {
            return Err(ParseError::Empty);
        }
        text.split(',')
            .enumerate()
            .map(|(index, part)| {
                let secret = decode_hex(part.trim()).ok_or(ParseError::Malformed(index + 1))?;
                if secret.iter().all(|byte| *byte == secret[0]) {
                    return Err(ParseError::Weak(index + 1));
                }
                Ok(MasterKey::new(secret))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns the key that signs and seals.
    pub(crate) fn newest(&self) -> &MasterKey {
        // `parse` refuses an empty ring.
        &self.0[0]
    }

    pub(crate) fn all(&self) -> &[MasterKey] {
        &self.0
    }

    /// Returns the key with this id.
    pub(crate) fn find(&self, id: &[u8]) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl MasterKey {
    fn new(secret: Zeroizing<[u8; SECRET_BYTES]>) -> Self {
        let seed = derive::<32>(&secret, "sign", "ed25519");
        Self {
            id: *derive::<6>(&secret, "id", ""),
            signing: SigningKey::ed25519(&seed),
            sealing: ByPurpose::new(),
            macs: ByPurpose::new(),
            secret,
        }
    }

    /// Returns the id in the values that the key sealed.
    pub(crate) fn id(&self) -> &[u8; 6] {
        &self.id
    }

    pub(crate) fn derive(&self, usage: &str, label: &str) -> Zeroizing<[u8; 32]> {
        derive(&self.secret, usage, label)
    }
}

fn derive<const N: usize>(
    secret: &[u8; SECRET_BYTES],
    usage: &str,
    label: &str,
) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    let info = [b"gatehouse v1 ", usage.as_bytes(), b" ", label.as_bytes()];
    Hkdf::<Sha256>::new(None, secret)
        .expand_multi_info(&info, &mut *key)
        .expect("HKDF-SHA-256 gives up to 8160 bytes");
    key
}

fn decode_hex(text: &str) -> Option<Zeroizing<[u8; SECRET_BYTES]>> {
    let digits = text.as_bytes();
    if digits.len() != 2 * SECRET_BYTES {
        return None;
    }
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_bad_secret_is_named_by_its_place_and_never_repeated() {
        assert_eq!(KeyRing::parse(" ").err(), Some(ParseError::Empty));
        let short = &KEY[2..];
        let error = KeyRing::parse(&format!("{KEY}, {short}")).err();
        assert_eq!(error, Some(ParseError::Malformed(2)));
        let trailing = KeyRing::parse(&format!("{KEY},")).err();
        assert_eq!(trailing, Some(ParseError::Malformed(2)));
        let weak = KeyRing::parse(&"00".repeat(32)).err();
        assert_eq!(weak, Some(ParseError::Weak(1)));
        assert!(!format!("{}", error.unwrap()).contains(short));
    }

    #[test]
    fn a_secret_may_be_written_in_either_case() {
        let lower = KeyRing::parse(KEY).unwrap();
        let upper = KeyRing::parse(&KEY.to_uppercase()).unwrap();
        assert_eq!(lower.newest().id(), upper.newest().id());
    }
}
