//! An identity provider as a component: the contract `wit/identity`, exported, over the traits of the crate
//! `identity`; and for such components outbound HTTP within bounds, and copies in the store of what a provider
//! publishes. The portable build exports
//! `wit/portable/identity.wit`.
//!
//! A component says what its provider is by [`Instance`], and exports itself:
//!
//! ```ignore
//! type Component = identity_export::Component<MyProvider>;
//! identity_export::export!(Component with_types_in identity_export::bindings);
//! ```

#[cfg(not(feature = "portable"))]
pub mod bindings;
#[cfg(feature = "portable")]
#[path = "bindings_portable.rs"]
pub mod bindings;
mod outbound;
mod shared_documents;

pub use bindings::export_identity as export;
pub use outbound::Outbound;
pub use shared_documents::SharedDocuments;

use bindings::contract;
use identity::{
    CodeExchange, Error, Login, Profile, ProviderClient, RefreshedProfile, TokenKind,
    UpstreamTokens,
};
use platform::time::now;
use platform::variables::{self, Variables};
use std::marker::PhantomData;
use std::sync::OnceLock;

/// The provider of an instance, which serves many requests at once.
pub trait Instance: 'static {
    /// The client of the provider.
    type Client: ProviderClient + Send + Sync;

    /// The variables that the provider's settings are read from.
    const VARIABLES: &'static [&'static str];

    /// Returns where the instance keeps its only client.
    fn cell() -> &'static OnceLock<Self::Client>;

    /// Returns the client with the settings in these variables, which shares documents with other instances.
    fn client(variables: &Variables, shared: SharedDocuments) -> Self::Client;
}

/// Returns the instance's only client, made at its first use.
async fn client<P: Instance>() -> &'static P::Client {
    platform::log_panics();
    if let Some(client) = P::cell().get() {
        return client;
    }
    let variables = variables::read(P::VARIABLES).await;
    let shared = shared_documents::read().await;
    P::cell().get_or_init(|| P::client(&variables, shared))
}

/// The component of a provider.
pub struct Component<P>(PhantomData<P>);

impl<P: Instance> contract::Guest for Component<P> {
    async fn display_name() -> String {
        client::<P>().await.display_name()
    }

    async fn scopes() -> Vec<String> {
        client::<P>().await.scopes()
    }

    async fn login_url(login: contract::Login) -> Result<String, contract::Error> {
        let login = Login {
            redirect_uri: login.redirect_uri,
            state: login.state,
            nonce: login.nonce,
            code_challenge: login.code_challenge,
            prompt: login.prompt,
        };
        Ok(client::<P>().await.login_url(&login, now()).await?)
    }

    async fn exchange_code(
        exchange: contract::CodeExchange,
    ) -> Result<contract::SignIn, contract::Error> {
        let exchange = CodeExchange {
            code: exchange.code,
            issuer: exchange.issuer,
            redirect_uri: exchange.redirect_uri,
            code_verifier: exchange.code_verifier,
            nonce: exchange.nonce,
        };
        let sign_in = client::<P>().await.exchange_code(&exchange, now()).await?;
        Ok(contract::SignIn {
            profile: sign_in.profile.into(),
            tokens: sign_in.tokens.into(),
        })
    }

    async fn refresh(
        refresh_token: String,
        wants_profile: bool,
    ) -> Result<contract::Refreshed, contract::Error> {
        let client = client::<P>().await;
        let refreshed = client.refresh(&refresh_token, wants_profile, now()).await?;
        Ok(contract::Refreshed {
            tokens: refreshed.tokens.into(),
            profile: refreshed.profile.into(),
        })
    }

    async fn revoke(tokens: contract::Tokens) -> Result<(), contract::Error> {
        let tokens = UpstreamTokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        };
        Ok(client::<P>().await.revoke(&tokens, now()).await?)
    }

    async fn verify(access_token: String) -> Result<contract::Presented, contract::Error> {
        let presented = client::<P>().await.verify(&access_token, now()).await?;
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

impl From<Error> for contract::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Misconfigured(text) => Self::Misconfigured(text),
            Error::Refused(text) => Self::Refused(text),
            Error::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl From<TokenKind> for contract::TokenKind {
    fn from(kind: TokenKind) -> Self {
        match kind {
            TokenKind::AccessToken => Self::AccessToken,
            TokenKind::ClientAccessToken => Self::ClientAccessToken,
            TokenKind::Session => Self::Session,
            TokenKind::MachineSession => Self::MachineSession,
        }
    }
}

impl From<RefreshedProfile> for contract::RefreshedProfile {
    fn from(profile: RefreshedProfile) -> Self {
        match profile {
            RefreshedProfile::Current(profile) => Self::Current(profile.into()),
            RefreshedProfile::Unchanged => Self::Unchanged,
            RefreshedProfile::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl From<UpstreamTokens> for contract::Tokens {
    fn from(tokens: UpstreamTokens) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        }
    }
}

impl From<Profile> for contract::Profile {
    fn from(profile: Profile) -> Self {
        Self {
            subject: profile.subject,
            name: profile.name,
            email: profile.email,
            email_verified: profile.email_verified,
            picture: profile.picture,
            claims: profile.claims,
        }
    }
}
