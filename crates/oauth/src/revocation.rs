//! The request about one token: to revoke it (RFC 7009 section 2.1), or to say what it is (RFC 7662
//! section 2.1).

use crate::parameters::Parameters;
use crate::{Error, ErrorCode};

/// Returns the token. `token_type_hint` is left aside: what a token is shows in itself.
///
/// # Errors
///
/// `invalid_request` if there is none.
pub fn read(form: &Parameters) -> Result<&str, Error> {
    form.get("token")
        .ok_or_else(|| Error::new(ErrorCode::InvalidRequest, "token is missing"))
}
