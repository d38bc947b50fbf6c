//! The contract with an identity provider, as `wit/identity` has it.

use identity::{TokenRefresher, TokenRevoker, TokenVerifier};

/// Verifies tokens that clients present, and refreshes and revokes those of grants.
pub trait IdentityProvider:
    TokenVerifier + TokenRefresher + TokenRevoker + Send + Sync + 'static
{
}

impl<T: TokenVerifier + TokenRefresher + TokenRevoker + Send + Sync + 'static> IdentityProvider
    for T
{
}
