//! The composed identity provider.

use crate::bindings::gatehouse::identity::provider;
use grants::{
    Profile, RefreshError, RefreshedProfile, RefreshedTokens, UpstreamRefresher, UpstreamTokens,
};
use mcpserver::{IdentityError, IdentityProvider, Presented, TokenKind};

/// The component that exports `gatehouse:identity/provider`.
pub(crate) struct Provider;

impl IdentityProvider for Provider {
    async fn verify(&self, token: &str) -> Result<Presented, IdentityError> {
        let presented = provider::verify(token.to_owned()).await.map_err(failed)?;
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

    async fn revoke(&self, tokens: UpstreamTokens) -> Result<(), IdentityError> {
        provider::revoke(provider::Tokens {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        })
        .await
        .map_err(failed)
    }
}

impl UpstreamRefresher for Provider {
    async fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
    ) -> Result<RefreshedTokens, RefreshError> {
        let refreshed = provider::refresh(refresh_token.to_owned(), wants_profile)
            .await
            .map_err(failed)?;
        let tokens = refreshed.tokens;
        Ok(RefreshedTokens {
            tokens: UpstreamTokens {
                access_token: tokens.access_token,
                refresh_token: tokens.refresh_token,
                expires_at: tokens.expires_at,
            },
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

fn kind(kind: provider::TokenKind) -> TokenKind {
    match kind {
        provider::TokenKind::AccessToken => TokenKind::AccessToken,
        provider::TokenKind::ClientAccessToken => TokenKind::ClientAccessToken,
        provider::TokenKind::Session => TokenKind::Session,
        provider::TokenKind::MachineSession => TokenKind::MachineSession,
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

fn failed(error: provider::Error) -> IdentityError {
    match error {
        provider::Error::Misconfigured(text) => IdentityError::Misconfigured(text),
        provider::Error::Refused(text) => IdentityError::Refused(text),
        provider::Error::Unavailable(text) => IdentityError::Unavailable(text),
    }
}
