//! Sealed values: authenticated encryption with XChaCha20-Poly1305.

use crate::ring::MasterKey;
use crate::{KeyRing, Purpose};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::CryptoRng;

/// Bytes of an XChaCha20 nonce: enough that random nonces never repeat.
const NONCE_BYTES: usize = 24;

/// A value that was not sealed by this ring for this purpose and context. Callers must not learn which of
/// these differs.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the value was not sealed here, or not for this")]
pub struct OpenError;

impl KeyRing {
    /// Encrypts `plaintext` for [`open`](Self::open) with the same `purpose` and `context`. The result is
    /// URL-safe Base64 of key id, nonce, ciphertext and tag.
    ///
    /// `context` is authenticated and not contained, such as the id of the record that holds the value.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plaintext: &[u8],
        random: &mut impl CryptoRng,
    ) -> String {
        let key = self.newest();
        let mut nonce = [0; NONCE_BYTES];
        random.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: plaintext,
            aad: context,
        };
        let ciphertext = cipher(key, purpose)
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a message far below 256 GB can be encrypted");
        URL_SAFE_NO_PAD.encode([key.id().as_slice(), &nonce, &ciphertext].concat())
    }

    /// Decrypts a value that [`seal`](Self::seal) made with any key of the ring.
    ///
    /// # Errors
    ///
    /// Fails for any other value.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &str,
    ) -> Result<Vec<u8>, OpenError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| OpenError)?;
        let (id, rest) = bytes.split_at_checked(6).ok_or(OpenError)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError)?;
        let key = self.find(id).ok_or(OpenError)?;
        let payload = Payload {
            msg: ciphertext,
            aad: context,
        };
        cipher(key, purpose)
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| OpenError)
    }
}

fn cipher(key: &MasterKey, purpose: Purpose) -> XChaCha20Poly1305 {
    key.sealing.get(purpose, || {
        XChaCha20Poly1305::new((&*key.derive("seal", purpose.0)).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
    const STATE: Purpose = Purpose("state");

    fn sealed(ring: &KeyRing) -> String {
        ring.seal(STATE, b"browser", b"secret", &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn a_sealed_value_opens_for_its_purpose_and_context_alone() {
        let ring = KeyRing::parse(OLD).unwrap();
        let sealed = sealed(&ring);
        assert_eq!(ring.open(STATE, b"browser", &sealed).unwrap(), b"secret");
        assert_eq!(ring.open(STATE, b"other", &sealed), Err(OpenError));
        assert_eq!(ring.open(Purpose("x"), b"browser", &sealed), Err(OpenError));
    }

    #[test]
    fn a_changed_byte_anywhere_spoils_a_sealed_value() {
        let ring = KeyRing::parse(OLD).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(sealed(&ring)).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(ring.open(STATE, b"browser", &changed), Err(OpenError));
        }
        for length in 0..bytes.len() {
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert_eq!(ring.open(STATE, b"browser", &cut), Err(OpenError));
        }
    }

    #[test]
    fn a_value_of_an_older_key_still_opens_and_dies_with_that_key() {
        let sealed = sealed(&KeyRing::parse(OLD).unwrap());
        let rotated = KeyRing::parse(&format!("{NEW},{OLD}")).unwrap();
        assert!(rotated.open(STATE, b"browser", &sealed).is_ok());
        let dropped = KeyRing::parse(NEW).unwrap();
        assert_eq!(dropped.open(STATE, b"browser", &sealed), Err(OpenError));
    }
}
