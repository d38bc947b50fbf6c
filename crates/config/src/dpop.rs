//! Nonces of DPoP proofs (RFC 9449 sections 8 and 9): whether each proof needs one.

use crate::{Problem, read_bool};

/// Reads `dpop_nonces`: whether a proof of possession needs a nonce of ours (RFC 9449 sections 8
/// and 9).
pub(crate) fn read_nonces<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<bool, Problem> {
    let remedy =
        "Set it to true to have clients that use DPoP put a nonce of this server into each proof";
    read_bool(values, "dpop_nonces", false, remedy)
}
