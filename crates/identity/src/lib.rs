//! The identity provider as a domain: what it says of a person, the tokens that it issues, and what is asked of
//! it.
//!
//! These types stand on both sides of the contract `wit/identity`. A provider (`oidc`, `descope`) makes them, as a
//! [`ProviderClient`]; the authorization server and the MCP server use them through the traits here, each of which is one
//! capability. The crates `identity-export` and `identity-import` carry them over the contract.

mod error;
mod profile;
mod provider;
mod sign_in;
mod tokens;
mod verification;

pub use error::Error;
pub use profile::Profile;
pub use provider::{ProviderClient, SignInProvider, TokenRefresher, TokenRevoker, TokenVerifier};
pub use sign_in::{CodeExchange, Login, SignIn};
pub use tokens::{Refreshed, RefreshedProfile, UpstreamTokens};
pub use verification::{Presented, TokenKind};
