//! The revocation request (RFC 7009 section 2.1).

use crate::{Error, ErrorCode};
use web::Parameters;

/// The token to revoke. `token_type_hint` is left aside: what a token is shows in itself.
///
/// # Errors
///
/// `invalid_request` if there is none.
pub fn read(form: &Parameters) -> Result<&str, Error> {
    form.get("token")
        .ok_or_else(|| Error::new(ErrorCode::InvalidRequest, "token is missing"))
}
