//! The format of authorization codes and refresh tokens: a prefix for secret scanners, then URL-safe Base64
//! of the grant's id, the generation, the thumbprint of the DPoP key, if there is one, and a message
//! authentication code of all of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};
use rand::CryptoRng;

/// Bytes of a grant's id.
pub(crate) const ID_BYTES: usize = 16;

const GENERATION_BYTES: usize = 4;

/// Bytes of a key's thumbprint: a SHA-256 (RFC 9449 section 6.1).
const THUMBPRINT_BYTES: usize = 32;

/// Bytes of the message authentication code.
const CODE_BYTES: usize = 32;

/// The generation of the refresh token that comes with the first access token.
pub(crate) const FIRST_GENERATION: u32 = 1;

/// The kind of a token: its prefix and its MAC key.
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

/// The parts of a code or refresh token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TokenParts {
    /// The grant's id, as its record's key has it.
    pub(crate) grant_id: String,
    /// The number of the refresh token within its grant; 0 for a code.
    pub(crate) generation: u32,
    /// The thumbprint (RFC 7638) of the DPoP key that a refresh token is bound to, in URL-safe Base64.
    pub(crate) key: Option<String>,
}

impl TokenParts {
    /// Returns the token. An invalid id or thumbprint gives a token that [`read`](Self::read) refuses.
    pub(crate) fn write(&self, kind: &Kind, keys: &KeyRing) -> String {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let mut bytes = decode(&self.grant_id);
        bytes.extend(self.generation.to_be_bytes());
        if let Some(key) = &self.key {
            bytes.extend(decode(key));
        }
        let code = keys.mac(kind.purpose, &bytes);
        bytes.extend(code);
        format!("{}{}", kind.prefix, URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns the parts of a token; `None` for anything that [`write`](Self::write) did not make for this kind.
    pub(crate) fn read(kind: &Kind, keys: &KeyRing, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text.strip_prefix(kind.prefix)?)
            .ok()?;
        let (body, code) = bytes.split_at_checked(bytes.len().checked_sub(CODE_BYTES)?)?;
        if !keys.verify_mac(kind.purpose, body, code) {
            return None;
        }
        let (id, rest) = body.split_at_checked(ID_BYTES)?;
        let (generation, key) = rest.split_at_checked(GENERATION_BYTES)?;
        Some(Self {
            grant_id: URL_SAFE_NO_PAD.encode(id),
            generation: u32::from_be_bytes(generation.try_into().ok()?),
            key: match key.len() {
                0 => None,
                THUMBPRINT_BYTES => Some(URL_SAFE_NO_PAD.encode(key)),
                _ => return None,
            },
        })
    }
}

/// Returns an id of a grant that cannot be guessed.
pub(crate) fn new_id(random: &mut impl CryptoRng) -> String {
    let mut id = [0; ID_BYTES];
    random.fill_bytes(&mut id);
    URL_SAFE_NO_PAD.encode(id)
}
