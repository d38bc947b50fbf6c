//! The operator's bearer token (RFC 6750) for `/admin`: the variable `admin_token`.

use crate::{MIN_TOKEN_CHARS, Problem, non_empty};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The operator's token, kept as its SHA-256.
pub struct AdminToken([u8; 32]);

impl AdminToken {
    /// Whether a token that was presented is this one, in a time that tells nothing of where they
    /// differ.
    pub fn is(&self, presented: &str) -> bool {
        Sha256::digest(presented)
            .as_slice()
            .ct_eq(self.0.as_slice())
            .into()
    }
}

/// Reads `admin_token`. `None` turns the administration off.
pub(crate) fn read_admin_token<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<AdminToken>, Problem> {
    let Some(token) = non_empty(values, "admin_token") else {
        return Ok(None);
    };
    // What an Authorization header can carry (RFC 6750 section 2.1).
    let fits = token.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    });
    if token.len() < MIN_TOKEN_CHARS || !fits {
        return Err(Problem::new(
            "admin_token",
            format!(
                "it is shorter than {MIN_TOKEN_CHARS} characters, or has one that a bearer token cannot have"
            ),
            "Set it to what `openssl rand -hex 32` prints, or to nothing to switch the administration off",
        ));
    }
    Ok(Some(AdminToken(Sha256::digest(token).into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<Option<AdminToken>, Problem> {
        read_admin_token(&|_| Some(value))
    }

    #[test]
    fn a_token_is_long_or_there_is_none() {
        const TOKEN: &str = "0123456789abcdef0123456789abcdef";
        assert!(read("").is_ok_and(|token| token.is_none()));
        let token = read(TOKEN).unwrap_or_default();
        assert!(token.as_ref().is_some_and(|token| token.is(TOKEN)));
        assert!(token.is_some_and(|token| !token.is(&TOKEN[1..]) && !token.is("")));
        assert!(read(&TOKEN[1..]).is_err());
        assert!(read("0123456789abcdef 0123456789abcdef").is_err());
    }
}
