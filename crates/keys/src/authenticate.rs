//! Values that only the holder of a key could have made, without hiding anything: HMAC-SHA-256
//! (RFC 2104).

use crate::ring::MasterKey;
use crate::{KeyRing, Purpose};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

impl KeyRing {
    /// The authentication code of `message`, 32 bytes, under the newest key.
    pub fn authenticate(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        code(self.newest(), purpose, message)
    }

    /// The authentication code of `message` under every key of the ring, the newest first: to find
    /// what an older key has named.
    pub fn authenticate_with_all(
        &self,
        purpose: Purpose,
        message: &[u8],
    ) -> impl Iterator<Item = [u8; 32]> {
        self.all()
            .iter()
            .map(move |key| code(key, purpose, message))
    }

    /// Whether any key of the ring gave `message` this `code`, compared in constant time.
    pub fn is_authentic(&self, purpose: Purpose, message: &[u8], code_given: &[u8]) -> bool {
        self.all()
            .iter()
            .any(|key| bool::from(code(key, purpose, message).ct_eq(code_given)))
    }
}

fn code(key: &MasterKey, purpose: Purpose, message: &[u8]) -> [u8; 32] {
    let mut mac = key.authenticating.get(purpose, || {
        let key = key.derive("authenticate", purpose.0);
        <Hmac<Sha256> as KeyInit>::new_from_slice(&*key).expect("HMAC takes a key of any length")
    });
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";

    #[test]
    fn a_code_holds_for_its_purpose_and_message_alone() {
        let ring = KeyRing::parse(OLD).unwrap();
        let code = ring.authenticate(Purpose("a"), b"message");
        assert!(ring.is_authentic(Purpose("a"), b"message", &code));
        assert!(!ring.is_authentic(Purpose("b"), b"message", &code));
        assert!(!ring.is_authentic(Purpose("a"), b"massage", &code));
        assert!(!ring.is_authentic(Purpose("a"), b"message", &code[..31]));
    }

    #[test]
    fn a_code_of_an_older_key_still_holds_and_dies_with_that_key() {
        let code = KeyRing::parse(OLD)
            .unwrap()
            .authenticate(Purpose("a"), b"m");
        let rotated = KeyRing::parse(&format!("{NEW},{OLD}")).unwrap();
        assert!(rotated.is_authentic(Purpose("a"), b"m", &code));
        let all: Vec<_> = rotated.authenticate_with_all(Purpose("a"), b"m").collect();
        assert_eq!(all, [rotated.authenticate(Purpose("a"), b"m"), code]);
        assert!(
            !KeyRing::parse(NEW)
                .unwrap()
                .is_authentic(Purpose("a"), b"m", &code)
        );
    }
}
