//! Signed timestamps: times with a message authentication code.

use crate::{KeyRing, Purpose};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

impl KeyRing {
    /// Returns `time` (seconds since the Unix epoch) with its code: 54 characters of URL-safe Base64.
    pub fn signed_timestamp(&self, purpose: Purpose, time: u64) -> String {
        let time = time.to_be_bytes();
        let code = self.mac(purpose, &time);
        URL_SAFE_NO_PAD.encode([time.as_slice(), &code].concat())
    }

    /// Returns the time of a [`signed_timestamp`](Self::signed_timestamp) that any key of the ring made for
    /// this purpose; `None` for anything else.
    pub fn verify_timestamp(&self, purpose: Purpose, timestamp: &str) -> Option<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(timestamp).ok()?;
        let (time, code) = bytes.split_first_chunk()?;
        self.verify_mac(purpose, time, code)
            .then(|| u64::from_be_bytes(*time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const NEW: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
    const PURPOSE: Purpose = Purpose("a");

    #[test]
    fn a_signed_timestamp_is_valid_for_its_purpose_alone() {
        let ring = KeyRing::parse(OLD).unwrap();
        let timestamp = ring.signed_timestamp(PURPOSE, 1_000_000);
        assert_eq!(ring.verify_timestamp(PURPOSE, &timestamp), Some(1_000_000));
        assert_eq!(ring.verify_timestamp(Purpose("b"), &timestamp), None);
        for bad in [
            "",
            "AAAA",
            "!",
            &timestamp[1..],
            &timestamp.replace('A', "B"),
        ] {
            assert_eq!(ring.verify_timestamp(PURPOSE, bad), None);
        }
    }

    #[test]
    fn a_timestamp_of_an_older_key_is_valid_while_the_ring_has_the_key() {
        let timestamp = KeyRing::parse(OLD).unwrap().signed_timestamp(PURPOSE, 7);
        let rotated = KeyRing::parse(&format!("{NEW},{OLD}")).unwrap();
        assert_eq!(rotated.verify_timestamp(PURPOSE, &timestamp), Some(7));
        let dropped = KeyRing::parse(NEW).unwrap();
        assert_eq!(dropped.verify_timestamp(PURPOSE, &timestamp), None);
    }
}
