//! The identity provider that a component is composed with: the contract `wit/identity`, imported, as the
//! traits of the crate `identity`. The portable build imports `wit/portable/identity.wit`.

#[cfg(not(feature = "portable"))]
mod contract;
#[cfg(feature = "portable")]
#[path = "contract_portable.rs"]
mod contract;

use contract::provider;
use identity::{
    CodeExchange, Error, Login, Presented, Profile, Refreshed, RefreshedProfile, SignIn,
    SignInProvider, TokenKind, TokenRefresher, TokenRevoker, TokenVerifier, UpstreamTokens,
};

/// The component that exports `gatehouse:identity/provider`.
#[derive(Clone, Copy)]
pub struct Composed;

impl SignInProvider for Composed {
    async fn display_name(&self) -> String {
        called(provider::display_name()).await
    }

    async fn scopes(&self) -> Vec<String> {
        called(provider::scopes()).await
    }

    async fn login_url(&self, login: Login) -> Result<String, Error> {
        let login = provider::Login {
            redirect_uri: login.redirect_uri,
            state: login.state,
            nonce: login.nonce,
            code_challenge: login.code_challenge,
            prompt: login.prompt,
        };
        called(provider::login_url(login)).await.map_err(error)
    }

    async fn exchange_code(&self, exchange: CodeExchange) -> Result<SignIn, Error> {
        let exchange = provider::CodeExchange {
            code: exchange.code,
            issuer: exchange.issuer,
            redirect_uri: exchange.redirect_uri,
            code_verifier: exchange.code_verifier,
            nonce: exchange.nonce,
        };
        let sign_in = called(provider::exchange_code(exchange)).await;
        let sign_in = sign_in.map_err(error)?;
        Ok(SignIn {
            profile: profile(sign_in.profile),
            tokens: tokens(sign_in.tokens),
        })
    }
}

impl TokenRefresher for Composed {
    async fn refresh(&self, refresh_token: &str, wants_profile: bool) -> Result<Refreshed, Error> {
        let refreshed = provider::refresh(refresh_token.to_owned(), wants_profile);
        let refreshed = called(refreshed).await.map_err(error)?;
        Ok(Refreshed {
            tokens: tokens(refreshed.tokens),
            profile: match refreshed.profile {
                provider::RefreshedProfile::Current(new) => RefreshedProfile::Current(profile(new)),
                provider::RefreshedProfile::Unchanged => RefreshedProfile::Unchanged,
                provider::RefreshedProfile::Unavailable(text) => {
                    RefreshedProfile::Unavailable(text)
                }
            },
        })
    }
}

impl TokenRevoker for Composed {
    async fn revoke(&self, tokens: UpstreamTokens) -> Result<(), Error> {
        let tokens = provider::Tokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        };
        called(provider::revoke(tokens)).await.map_err(error)
    }
}

impl TokenVerifier for Composed {
    async fn verify(&self, token: &str) -> Result<Presented, Error> {
        let presented = called(provider::verify(token.to_owned())).await;
        let presented = presented.map_err(error)?;
        Ok(Presented {
            profile: profile(presented.profile),
            kind: kind(presented.kind),
            issuer: presented.issuer,
            audience: presented.audience,
            client_id: presented.client_id,
            our_client_id: presented.our_client_id,
            scopes: presented.scopes,
            expires_at: presented.expires_at,
        })
    }
}

/// Waits for a call, in which the other component may have read variables and the store.
async fn called<T>(call: impl Future<Output = T>) -> T {
    let result = call.await;
    platform::note_blocking();
    result
}

fn profile(profile: provider::Profile) -> Profile {
    Profile {
        subject: profile.subject,
        name: profile.name,
        email: profile.email,
        email_verified: profile.email_verified,
        picture: profile.picture,
        claims: profile.claims,
    }
}

fn tokens(tokens: provider::Tokens) -> UpstreamTokens {
    UpstreamTokens {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        expires_at: tokens.expires_at,
    }
}

fn kind(kind: provider::TokenKind) -> TokenKind {
    match kind {
        provider::TokenKind::AccessToken => TokenKind::AccessToken,
        provider::TokenKind::ClientAccessToken => TokenKind::ClientAccessToken,
        provider::TokenKind::Session => TokenKind::Session,
        provider::TokenKind::MachineSession => TokenKind::MachineSession,
    }
}

fn error(error: provider::Error) -> Error {
    match error {
        provider::Error::Misconfigured(text) => Error::Misconfigured(text),
        provider::Error::Refused(text) => Error::Refused(text),
        provider::Error::Unavailable(text) => Error::Unavailable(text),
    }
}
