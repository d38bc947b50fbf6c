//! Proof Key for Code Exchange (RFC 7636), S256 alone: `plain` protects no one who can be watched
//! (RFC 9700 section 2.1.1).

use crate::secret;

/// What is wrong with a challenge or a verifier.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PkceError {
    /// There is no challenge.
    #[error("code_challenge is missing: PKCE is required (RFC 7636)")]
    MissingChallenge,
    /// The method is another one, or left out, which would mean `plain`.
    #[error("code_challenge_method must be S256")]
    Method,
    /// The challenge is no SHA-256 in URL-safe Base64.
    #[error("code_challenge is not 43 characters of URL-safe Base64")]
    MalformedChallenge,
    /// There is no verifier.
    #[error("code_verifier is missing (RFC 7636 section 4.5)")]
    MissingVerifier,
    /// The verifier is not the challenge's.
    #[error("code_verifier does not match the code_challenge")]
    Mismatch,
}

/// Checks the challenge of an authorization request (RFC 7636 section 4.3).
///
/// # Errors
///
/// [`PkceError`].
pub fn check_challenge<'a>(
    challenge: Option<&'a str>,
    method: Option<&str>,
) -> Result<&'a str, PkceError> {
    let challenge = challenge.ok_or(PkceError::MissingChallenge)?;
    if method != Some("S256") {
        return Err(PkceError::Method);
    }
    if !secret::is_sha256(challenge) {
        return Err(PkceError::MalformedChallenge);
    }
    Ok(challenge)
}

/// Checks that `verifier` is the one of `challenge` (RFC 7636 section 4.6).
///
/// # Errors
///
/// [`PkceError::Mismatch`], also for a verifier that no client may use.
pub fn check_verifier(challenge: &str, verifier: &str) -> Result<(), PkceError> {
    let is_unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let fits = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(is_unreserved)
        && secret::equal(&challenge_of(verifier), challenge);
    if fits {
        Ok(())
    } else {
        Err(PkceError::Mismatch)
    }
}

/// Returns the S256 challenge of a verifier (RFC 7636 section 4.2).
pub fn challenge_of(verifier: &str) -> String {
    secret::hash(verifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_verifier_of_the_rfc_fits_its_challenge_and_no_other() {
        assert_eq!(check_verifier(CHALLENGE, VERIFIER), Ok(()));
        let other = VERIFIER.replace('d', "e");
        assert_eq!(check_verifier(CHALLENGE, &other), Err(PkceError::Mismatch));
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        for verifier in ["a".repeat(42), "a".repeat(129), "/".repeat(43)] {
            let challenge = challenge_of(&verifier);
            assert_eq!(
                check_verifier(&challenge, &verifier),
                Err(PkceError::Mismatch)
            );
        }
        let longest = "~".repeat(128);
        assert_eq!(check_verifier(&challenge_of(&longest), &longest), Ok(()));
    }

    #[test]
    fn a_challenge_needs_s256_by_name() {
        assert_eq!(
            check_challenge(Some(CHALLENGE), Some("S256")),
            Ok(CHALLENGE)
        );
        for method in [None, Some("plain"), Some("s256")] {
            assert_eq!(
                check_challenge(Some(CHALLENGE), method),
                Err(PkceError::Method)
            );
        }
        assert_eq!(
            check_challenge(None, Some("S256")),
            Err(PkceError::MissingChallenge)
        );
        assert_eq!(
            check_challenge(Some("short"), Some("S256")),
            Err(PkceError::MalformedChallenge)
        );
    }
}
