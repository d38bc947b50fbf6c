//! How codes and refresh tokens look: a prefix that secret scanners can find, then URL-safe Base64
//! of the grant's id, a generation, and an authentication code of both.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};

/// Bytes of a grant's id.
pub(crate) const ID_BYTES: usize = 16;

const GENERATION_BYTES: usize = 4;

/// What a handle stands for.
pub(crate) struct Kind {
    pub(crate) prefix: &'static str,
    pub(crate) purpose: Purpose,
}

pub(crate) const CODE: Kind = Kind {
    prefix: "ghc_",
    purpose: Purpose("authorization code"),
};

pub(crate) const REFRESH_TOKEN: Kind = Kind {
    prefix: "ghr_",
    purpose: Purpose("refresh token"),
};

/// A code or refresh token that was issued here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    /// The grant's id, as its record's key has it.
    pub(crate) grant_id: String,
    /// Counts the refresh tokens of a grant; 0 for a code.
    pub(crate) generation: u32,
}

impl Handle {
    pub(crate) fn write(&self, kind: &Kind, keys: &KeyRing) -> String {
        let id = URL_SAFE_NO_PAD.decode(&self.grant_id).unwrap_or_default();
        let body = [id.as_slice(), &self.generation.to_be_bytes()].concat();
        let code = keys.authenticate(kind.purpose, &body);
        let text = URL_SAFE_NO_PAD.encode([body.as_slice(), &code].concat());
        format!("{}{text}", kind.prefix)
    }

    /// `None` for anything that [`write`](Self::write) did not make for this kind.
    pub(crate) fn read(kind: &Kind, keys: &KeyRing, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text.strip_prefix(kind.prefix)?)
            .ok()?;
        let (body, code) = bytes.split_at_checked(ID_BYTES + GENERATION_BYTES)?;
        if !keys.is_authentic(kind.purpose, body, code) {
            return None;
        }
        let (id, generation) = body.split_at_checked(ID_BYTES)?;
        Some(Self {
            grant_id: URL_SAFE_NO_PAD.encode(id),
            generation: u32::from_be_bytes(generation.try_into().ok()?),
        })
    }
}
