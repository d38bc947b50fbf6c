//! Revocation of upstream tokens at the identity provider (RFC 7009), after the answer.
//!
//! Best effort: the grant has ended whatever the provider says, and its tokens are deleted here.

use identity::{TokenRevoker, UpstreamTokens};
use std::time::Duration;

/// Time that [`run`] may take after the response.
pub const TIMEOUT: Duration = Duration::from_secs(25);

/// Revokes `tokens`, one after the other. What fails goes to the operator's log, once for all of
/// them.
pub async fn run(revoker: &impl TokenRevoker, tokens: Vec<UpstreamTokens>) {
    let mut failed = 0_usize;
    let mut reason = String::new();
    for tokens in tokens {
        if let Err(error) = revoker.revoke(tokens).await {
            failed += 1;
            reason = error.to_string();
        }
    }
    if failed > 0 {
        log_line::write(format_args!(
            "the tokens of {failed} ended grants were not revoked at the identity provider: {reason}"
        ));
    }
}
