//! Message authentication codes: HMAC-SHA-256 (RFC 2104).

use crate::ring::MasterKey;
use crate::{KeyRing, Purpose};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

impl KeyRing {
    /// Returns the code of `message`, 32 bytes, under the newest key.
    pub fn mac(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        code(self.newest(), purpose, message)
    }

    /// Returns the code of `message` under every key of the ring, the newest first: to find the records that
    /// an older key named.
    pub fn mac_with_all(&self, purpose: Purpose, message: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        self.all()
            .iter()
            .map(move |key| code(key, purpose, message))
    }

    /// Returns whether `code_given` is the code of `message` under any key of the ring, compared in constant
    /// time.
    pub fn verify_mac(&self, purpose: Purpose, message: &[u8], code_given: &[u8]) -> bool {
        self.all()
            .iter()
            .any(|key| bool::from(code(key, purpose, message).ct_eq(code_given)))
    }
}

fn code(key: &MasterKey, purpose: Purpose, message: &[u8]) -> [u8; 32] {
    let mut mac = key.macs.get(purpose, || {
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
        let code = ring.mac(Purpose("a"), b"message");
        assert!(ring.verify_mac(Purpose("a"), b"message", &code));
        assert!(!ring.verify_mac(Purpose("b"), b"message", &code));
        assert!(!ring.verify_mac(Purpose("a"), b"massage", &code));
        assert!(!ring.verify_mac(Purpose("a"), b"message", &code[..31]));
    }

    #[test]
    fn a_code_of_an_older_key_still_holds_and_dies_with_that_key() {
        let code = KeyRing::parse(OLD).unwrap().mac(Purpose("a"), b"m");
        let rotated = KeyRing::parse(&format!("{NEW},{OLD}")).unwrap();
        assert!(rotated.verify_mac(Purpose("a"), b"m", &code));
        let all: Vec<_> = rotated.mac_with_all(Purpose("a"), b"m").collect();
        assert_eq!(all, [rotated.mac(Purpose("a"), b"m"), code]);
        assert!(
            !KeyRing::parse(NEW)
                .unwrap()
                .verify_mac(Purpose("a"), b"m", &code)
        );
    }
}
