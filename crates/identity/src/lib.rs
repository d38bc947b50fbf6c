//! What components that export the identity contract (`wit/identity`) have in common: the bindings,
//! outbound HTTP within bounds, and the way from the contract's types to those of `oidc` and back.
//!
//! A component says who its provider is by [`Provider`], and exports itself:
//!
//! ```ignore
//! type Component = identity::Component<MyProvider>;
//! identity::export!(Component with_types_in identity::bindings);
//! ```

mod outbound;

#[allow(missing_docs, unsafe_code, unused_qualifications)]
pub mod bindings {
    //! The contract.
    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        world: "identity",
        path: "../../wit/identity",
        pub_export_macro: true,
        export_macro_name: "export_identity",
    });
}

pub use bindings::export_identity as export;
pub use outbound::Outbound;

use bindings::exports::gatehouse::identity::provider as contract;
use platform::time::now;
use serde_json::Value;
use std::marker::PhantomData;

/// An identity provider. The one of an instance serves many requests at once.
pub trait Provider: 'static {
    /// The instance's only one, made at its first use.
    fn get() -> impl Future<Output = &'static Self>;

    /// A name that a person recognizes.
    fn display_name(&self) -> String;

    /// The scopes that are asked of it at a sign-in.
    fn scopes(&self) -> Vec<String>;

    /// The URL to send the browser to. Times are in seconds since the Unix epoch, here and below.
    ///
    /// # Errors
    ///
    /// [`oidc::Error`], here and below.
    fn login_url(
        &self,
        login: &oidc::Login,
        now: u64,
    ) -> impl Future<Output = Result<String, oidc::Error>>;

    /// Trades a code for the person and their tokens.
    fn exchange_code(
        &self,
        exchange: &oidc::CodeExchange,
        now: u64,
    ) -> impl Future<Output = Result<oidc::SignIn, oidc::Error>>;

    /// Trades a refresh token for new tokens, and finds out who the person is now if `wants_profile`.
    fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
        now: u64,
    ) -> impl Future<Output = Result<oidc::Refreshed, oidc::Error>>;

    /// Revokes tokens that are no longer needed (RFC 7009).
    fn revoke(
        &self,
        tokens: &oidc::Tokens,
        now: u64,
    ) -> impl Future<Output = Result<(), oidc::Error>>;

    /// Checks a token that somebody presents.
    fn verify(
        &self,
        access_token: &str,
        now: u64,
    ) -> impl Future<Output = Result<oidc::Presented, oidc::Error>>;
}

/// The component of a provider.
pub struct Component<P>(PhantomData<P>);

impl<P: Provider> contract::Guest for Component<P> {
    async fn display_name() -> String {
        P::get().await.display_name()
    }

    async fn scopes() -> Vec<String> {
        P::get().await.scopes()
    }

    async fn login_url(login: contract::Login) -> Result<String, contract::Error> {
        let login = oidc::Login {
            redirect_uri: login.redirect_uri,
            state: login.state,
            nonce: login.nonce,
            code_challenge: login.code_challenge,
            prompt: login.prompt,
        };
        Ok(P::get().await.login_url(&login, now()).await?)
    }

    async fn exchange_code(
        exchange: contract::CodeExchange,
    ) -> Result<contract::SignIn, contract::Error> {
        let exchange = oidc::CodeExchange {
            code: exchange.code,
            issuer: exchange.issuer,
            redirect_uri: exchange.redirect_uri,
            code_verifier: exchange.code_verifier,
            nonce: exchange.nonce,
        };
        let sign_in = P::get().await.exchange_code(&exchange, now()).await?;
        Ok(contract::SignIn {
            profile: sign_in.profile.into(),
            tokens: sign_in.tokens.into(),
        })
    }

    async fn refresh(
        refresh_token: String,
        wants_profile: bool,
    ) -> Result<contract::Refreshed, contract::Error> {
        let provider = P::get().await;
        let refreshed = provider
            .refresh(&refresh_token, wants_profile, now())
            .await?;
        Ok(contract::Refreshed {
            tokens: refreshed.tokens.into(),
            profile: refreshed.profile.into(),
        })
    }

    async fn revoke(tokens: contract::Tokens) -> Result<(), contract::Error> {
        let tokens = oidc::Tokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        };
        Ok(P::get().await.revoke(&tokens, now()).await?)
    }

    async fn verify(access_token: String) -> Result<contract::Presented, contract::Error> {
        let presented = P::get().await.verify(&access_token, now()).await?;
        Ok(contract::Presented {
            profile: presented.profile.into(),
            kind: presented.kind.into(),
            issuer: presented.issuer,
            audience: presented.audience,
            client_id: presented.client_id,
            our_client_id: presented.our_client_id,
            scopes: presented.scopes,
            expires_at: presented.expires_at,
        })
    }
}

impl From<oidc::Error> for contract::Error {
    fn from(error: oidc::Error) -> Self {
        match error {
            oidc::Error::Misconfigured(text) => Self::Misconfigured(text),
            oidc::Error::Refused(text) => Self::Refused(text),
            oidc::Error::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl From<oidc::TokenKind> for contract::TokenKind {
    fn from(kind: oidc::TokenKind) -> Self {
        match kind {
            oidc::TokenKind::AccessToken => Self::AccessToken,
            oidc::TokenKind::ClientAccessToken => Self::ClientAccessToken,
            oidc::TokenKind::Session => Self::Session,
            oidc::TokenKind::MachineSession => Self::MachineSession,
        }
    }
}

impl From<oidc::RefreshedProfile> for contract::RefreshedProfile {
    fn from(profile: oidc::RefreshedProfile) -> Self {
        match profile {
            oidc::RefreshedProfile::Current(profile) => Self::Current(profile.into()),
            oidc::RefreshedProfile::Unchanged => Self::Unchanged,
            oidc::RefreshedProfile::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl From<oidc::Tokens> for contract::Tokens {
    fn from(tokens: oidc::Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        }
    }
}

impl From<oidc::Profile> for contract::Profile {
    fn from(profile: oidc::Profile) -> Self {
        Self {
            subject: profile.subject,
            name: profile.name,
            email: profile.email,
            email_verified: profile.email_verified,
            picture: profile.picture,
            claims: Value::Object(profile.claims).to_string(),
        }
    }
}
