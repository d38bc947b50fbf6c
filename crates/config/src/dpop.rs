//! How strictly proofs of possession are taken.

use crate::{Problem, non_empty};

/// Reads `dpop_nonces`: whether a proof of possession needs a nonce of ours (RFC 9449 sections 8
/// and 9).
pub(crate) fn read_nonces<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<bool, Problem> {
    match non_empty(values, "dpop_nonces") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::new(
            "dpop_nonces",
            "it is neither true nor false",
            "Set it to true to have clients that use DPoP put a nonce of this server into each proof",
        )),
    }
}
