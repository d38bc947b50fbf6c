//! Proof of possession of a key (RFC 9449): who shows a token also shows that they hold the key
//! that it is bound to, by a JWT made for this one request.
//!
//! [`Prover`] checks a proof. What is left is whether it was shown before: [`Proof::claim`] asks the
//! store, and that costs writes, so it comes when everything else about the request was found good.
//! A claim is remembered for as long as the proof would be taken, on every machine alike.
//!
//! Where nonces are asked for, a proof is as old as its nonce: a time that only this server can have
//! written, so that nothing is stored and clients' clocks do not matter. Otherwise it is as old as
//! its `iat` says.

mod error;
mod proof;

pub use error::Error;
pub use proof::{NONCE_LIFETIME, Proof, Prover, Request, WINDOW};

use jwt::Algorithm;

/// The request header with the proof (RFC 9449 section 4.1).
pub const PROOF: http::HeaderName = http::HeaderName::from_static("dpop");

/// The response header with the nonce to use next (RFC 9449 section 8).
pub const NONCE: http::HeaderName = http::HeaderName::from_static("dpop-nonce");

/// The algorithms that proofs may be signed with, as metadata lists them.
pub const ALGORITHMS: [&str; 3] = [
    Algorithm::ALL[0].as_str(),
    Algorithm::ALL[1].as_str(),
    Algorithm::ALL[2].as_str(),
];

#[cfg(test)]
mod tests;
