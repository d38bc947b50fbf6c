//! The capabilities of an identity provider, one trait each.

use crate::error::Error;
use crate::sign_in::{CodeExchange, Login, SignIn};
use crate::tokens::{Refreshed, UpstreamTokens};
use crate::verification::Presented;

/// The client of one identity provider, with every capability. `now` is in seconds since the Unix epoch.
pub trait ProviderClient {
    /// Returns a name that a person recognizes.
    fn display_name(&self) -> String;

    /// Returns the scopes that are asked of the provider at a sign-in; none if the settings are wrong.
    fn scopes(&self) -> Vec<String>;

    /// Returns the URL to send the browser to.
    ///
    /// # Errors
    ///
    /// [`Error`], here and below.
    fn login_url(&self, login: &Login, now: u64) -> impl Future<Output = Result<String, Error>>;

    /// Exchanges a code for the person and their tokens.
    fn exchange_code(
        &self,
        exchange: &CodeExchange,
        now: u64,
    ) -> impl Future<Output = Result<SignIn, Error>>;

    /// Exchanges a refresh token for new tokens, and finds out the profile if `wants_profile`.
    fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
        now: u64,
    ) -> impl Future<Output = Result<Refreshed, Error>>;

    /// Revokes tokens that are no longer needed (RFC 7009).
    fn revoke(&self, tokens: &UpstreamTokens, now: u64) -> impl Future<Output = Result<(), Error>>;

    /// Checks that the provider issued `token`, and says what it is.
    fn verify(&self, token: &str, now: u64) -> impl Future<Output = Result<Presented, Error>>;
}

/// Signs people in.
pub trait SignInProvider: Sync {
    /// Returns a name that a person recognizes.
    fn display_name(&self) -> impl Future<Output = String> + Send;

    /// Returns the scopes that are asked of the provider at a sign-in.
    fn scopes(&self) -> impl Future<Output = Vec<String>> + Send;

    /// Returns the URL to send the browser to.
    ///
    /// # Errors
    ///
    /// [`Error`], here and below.
    fn login_url(&self, login: Login) -> impl Future<Output = Result<String, Error>> + Send;

    /// Exchanges the code that came to the redirect URI for the person and their tokens.
    fn exchange_code(
        &self,
        exchange: CodeExchange,
    ) -> impl Future<Output = Result<SignIn, Error>> + Send;
}

/// Refreshes upstream tokens.
pub trait TokenRefresher: Sync {
    /// Exchanges a refresh token for new tokens, and finds out the profile if `wants_profile`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
    ) -> impl Future<Output = Result<Refreshed, Error>> + Send;
}

/// Revokes upstream tokens.
pub trait TokenRevoker: Sync {
    /// Revokes tokens that are no longer needed (RFC 7009).
    ///
    /// # Errors
    ///
    /// [`Error`].
    fn revoke(&self, tokens: UpstreamTokens) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Verifies tokens that clients present.
pub trait TokenVerifier: Sync {
    /// Checks that the provider issued `token`, and says what it is.
    ///
    /// # Errors
    ///
    /// [`Error`].
    fn verify(&self, token: &str) -> impl Future<Output = Result<Presented, Error>> + Send;
}
