//! The key ring: every key of a deployment, derived from one master secret.
//!
//! A [`KeyRing`] is read from the `encryption_key` variable: one or more secrets of 32 bytes in
//! hex, separated by commas. HKDF-SHA-256 (RFC 5869) derives from each, with a label for every purpose, an
//! Ed25519 signing key, sealing keys and MAC keys. The first secret signs and seals, and all of them verify
//! and open. To rotate, an operator puts a new secret in front, and removes the old one when nothing that it
//! protected is in use.
//!
//! A signed token and a sealed value name their key by an id that says nothing about the secret.

mod mac;
mod ring;
mod seal;
mod sign;
mod signed_timestamp;

pub use ring::{KeyRing, ParseError};
pub use seal::OpenError;
pub use sign::{JwkSet, SignError, VerifyError};

/// The use of a sealing or MAC key. A value made for one purpose is invalid for any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(pub &'static str);
