//! One master secret, and every key that is made from it.
//!
//! A [`KeyRing`] is read from the `encryption_key` variable: one or more secrets of 32 bytes in
//! hex, separated by commas. Each gives, through HKDF-SHA-256 (RFC 5869) with a label a purpose, an
//! Ed25519 signing key, sealing keys and authentication keys. The first secret writes, all of them
//! read; so a new secret is put in front and the old one dropped when nothing of its time is alive.
//!
//! Everything that was signed, sealed or authenticated names its key by an id that tells nothing
//! about the secret.

mod authenticate;
mod ring;
mod seal;
mod sign;
mod stamp;

pub use ring::{KeyRing, ParseError};
pub use seal::OpenError;
pub use sign::{JwkSet, SignError, VerifyError};

/// What a sealing or authentication key is for. A value made for one purpose is worthless for any
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(pub &'static str);
