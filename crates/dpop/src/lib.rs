//! Demonstrating proof of possession (DPoP, RFC 9449): a JWT made for one request shows that the sender of
//! a token holds the key that the token is bound to.
//!
//! [`ProofVerifier`] verifies a proof, and [`Proof::claim`] refuses one that was used before. The claim costs
//! writes in the store, so it comes after every other check of the request. The store keeps it for as long as
//! any server would accept the proof.
//!
//! If nonces are required, the age of a proof is that of its nonce, which is a signed timestamp: nothing is
//! stored for it, and the client's clock does not matter. Otherwise the age is that of `iat`.

mod error;
mod proof;

pub use error::Error;
pub use proof::{MAX_CLOCK_SKEW, NONCE_TTL, Proof, ProofVerifier, Request};

use jwt::Algorithm;

/// The request header with the proof (RFC 9449 section 4.1).
pub const PROOF: http::HeaderName = http::HeaderName::from_static("dpop");

/// The response header with the nonce to use next (RFC 9449 section 8).
pub const NONCE: http::HeaderName = http::HeaderName::from_static("dpop-nonce");

/// The signature algorithms of proofs, as metadata lists them.
pub const ALGORITHMS: [&str; 3] = [
    Algorithm::ALL[0].as_str(),
    Algorithm::ALL[1].as_str(),
    Algorithm::ALL[2].as_str(),
];

#[cfg(test)]
mod tests;
