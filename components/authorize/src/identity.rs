//! The identity provider that this component is composed with.

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unused_qualifications,
        clippy::all,
        clippy::pedantic
    )]
    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        world: "gatehouse:authorize/authorize",
        path: ["../../wit/identity", "wit"],
        generate_all,
    });
}

use authserver::identity::{
    CodeExchange, IdentityProvider, Login, Profile, ProviderError, RefreshError, RefreshedProfile,
    RefreshedTokens, SignIn, TokenRevoker, UpstreamRefresher, UpstreamTokens,
};
use bindings::gatehouse::identity::provider;

/// The composed provider.
pub(crate) struct Composed;

impl IdentityProvider for Composed {
    async fn display_name(&self) -> String {
        provider::display_name().await
    }

    async fn scopes(&self) -> Vec<String> {
        provider::scopes().await
    }

    async fn login_url(&self, login: Login) -> Result<String, ProviderError> {
        provider::login_url(provider::Login {
            redirect_uri: login.redirect_uri,
            state: login.state,
            nonce: login.nonce,
            code_challenge: login.code_challenge,
            prompt: login.prompt,
        })
        .await
        .map_err(error)
    }

    async fn exchange_code(&self, exchange: CodeExchange) -> Result<SignIn, ProviderError> {
        let sign_in = provider::exchange_code(provider::CodeExchange {
            code: exchange.code,
            issuer: exchange.issuer,
            redirect_uri: exchange.redirect_uri,
            code_verifier: exchange.code_verifier,
            nonce: exchange.nonce,
        })
        .await
        .map_err(error)?;
        Ok(SignIn {
            profile: profile(sign_in.profile),
            tokens: tokens(sign_in.tokens),
        })
    }
}

impl UpstreamRefresher for Composed {
    async fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
    ) -> Result<RefreshedTokens, RefreshError> {
        let refreshed = provider::refresh(refresh_token.to_owned(), wants_profile)
            .await
            .map_err(error)?;
        Ok(RefreshedTokens {
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
    async fn revoke(&self, tokens: UpstreamTokens) -> Result<(), ProviderError> {
        provider::revoke(provider::Tokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        })
        .await
        .map_err(error)
    }
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

fn error(error: provider::Error) -> ProviderError {
    match error {
        provider::Error::Misconfigured(text) => ProviderError::Misconfigured(text),
        provider::Error::Refused(text) => ProviderError::Refused(text),
        provider::Error::Unavailable(text) => ProviderError::Unavailable(text),
    }
}
