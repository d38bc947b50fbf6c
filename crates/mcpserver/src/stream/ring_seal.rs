//! The seal of the parts in a ring: each part opens under its own number in its own ring alone.

use keys::{KeyRing, Purpose};
use rand::CryptoRng;
use store::ring::Part;

/// The seal of one ring.
pub(crate) struct RingSeal<'a> {
    pub(crate) keys: &'a KeyRing,
    pub(crate) purpose: Purpose,
    /// The id of the ring among those of this purpose.
    pub(crate) ring: &'a str,
}

impl RingSeal<'_> {
    pub(crate) fn seal(&self, part: &Part<'_>, random: &mut impl CryptoRng) -> String {
        let context = self.context(part.number);
        self.keys
            .seal(self.purpose, context.as_bytes(), part.bytes, random)
    }

    /// Returns the text of a part; `None` if it was sealed for another ring or number.
    pub(crate) fn open(&self, number: u64, sealed: &str) -> Option<Vec<u8>> {
        let context = self.context(number);
        self.keys
            .open(self.purpose, context.as_bytes(), sealed)
            .ok()
    }

    fn context(&self, number: u64) -> String {
        format!("{} {number}", self.ring)
    }
}
