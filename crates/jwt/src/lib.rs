//! Signed JWTs (RFC 7515, RFC 7519) and the keys that they are checked by (RFC 7517).
//!
//! Three algorithms exist here ([`Algorithm`]), and **the key fixes which one is used, never the
//! token** (RFC 8725 section 3.1): a [`PublicKey`] belongs to one algorithm, and a token whose
//! header names another is refused before its signature is looked at.
//!
//! The signatures are made and checked by `jsonwebtoken` with a provider of cryptography of our own
//! (`crypto.rs`), so that a component carries three algorithms and no more. The form of a token is
//! read here: `jsonwebtoken::decode` takes a header that repeats a member, knows nothing of
//! `crit`, and compares times with the clock of the process. Here the header and the claims are
//! objects that repeat nothing at any depth, what must be understood is refused as it is not
//! understood, and issuer, audience and times are the caller's to check, by a time that it is given.
//!
//! ```
//! let key = gatehouse_jwt::SigningKey::ed25519(&[7; 32]);
//! let token = key.sign("at+jwt", &serde_json::json!({ "sub": "me" }))?;
//! let read = gatehouse_jwt::Unverified::parse(&token)?;
//! assert!(read.header().is_type("at+jwt"));
//! let claims = read.verify(key.public())?;
//! assert_eq!(claims["sub"], "me");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod cache;
mod crypto;
mod json;
mod key;
mod set;
mod sign;
mod token;

pub use algorithm::Algorithm;
pub use cache::{KeyCache, Lookup};
pub use key::{KeyError, PublicKey};
pub use set::KeySet;
pub use sign::{SignError, SigningKey};
pub use token::{Error, Header, MAX_TOKEN_BYTES, Unverified};
