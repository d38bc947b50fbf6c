//! One Descope project, and everything that is asked of it.

use crate::answers::{self, Asked};
use crate::settings::{App, Project, Settings};
use crate::{
    CodeExchange, Error, Http, Login, Presented, Profile, SendError, SignIn, Tokens, checks,
    requests,
};
use bytes::Bytes;
use config::Problem;
use http::{Request, Response};
use jwt::{KeySet, Unverified};
use oidc::claims;
use oidc::keys::{self, ProviderKeys};
use serde_json::{Map, Value};

/// One Descope project. Serves many requests at once; its only state is the cache of public keys.
pub struct Descope<H> {
    settings: Settings,
    http: H,
    keys: ProviderKeys,
}

impl<H: Http> Descope<H> {
    /// Sends with `http` what `settings` ask for.
    pub fn new(settings: Settings, http: H) -> Self {
        Self {
            settings,
            http,
            keys: ProviderKeys::default(),
        }
    }

    /// The scopes that are asked for at a sign-in; none if the settings are wrong.
    pub fn scopes(&self) -> Vec<String> {
        let scopes = self.both().map_or("", |(_, app)| app.scopes.as_str());
        scopes.split_whitespace().map(ToOwned::to_owned).collect()
    }

    /// The URL to send the browser to.
    ///
    /// # Errors
    ///
    /// [`Error::Misconfigured`].
    pub fn login_url(&self, login: &Login) -> Result<String, Error> {
        let (project, app) = self.both()?;
        requests::login_url(project, app, login)
    }

    /// Trades a code for the person and their tokens.
    ///
    /// The ID token, if there is one, is verified, with its nonce. The profile comes from userinfo,
    /// of the same subject (OpenID Connect Core section 5.3.2), over what the ID token says; from
    /// the ID token alone where userinfo brings nothing; and from the access token where there is
    /// no ID token either.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`].
    pub async fn exchange_code(&self, exchange: &CodeExchange, now: u64) -> Result<SignIn, Error> {
        let (project, app) = self.both()?;
        // RFC 9207 section 2.4.
        if let Some(issuer) = &exchange.issuer
            && !checks::is_issuer(issuer, project)
        {
            return Err(Error::Refused(
                "the code did not come from this Descope project".to_owned(),
            ));
        }
        let response = self
            .send(requests::exchange_code(project, app, exchange)?)
            .await?;
        let answer = answers::tokens(&response, Asked::Exchange, app, now)?;
        let id_claims = match &answer.id_token {
            Some(token) => Some(self.check_id_token(token, &exchange.nonce, now).await?),
            None => None,
        };
        let access_token = &answer.tokens.access_token;
        let profile = match (self.userinfo(access_token).await, id_claims) {
            (Ok(info), Some(mut claims)) => {
                if claims.get("sub") != info.get("sub") {
                    return Err(Error::Refused(
                        "Descope's userinfo is about another person than its ID token".to_owned(),
                    ));
                }
                claims.extend(info);
                profile(claims)?
            }
            (Ok(info), None) => profile(info)?,
            (Err(_), Some(claims)) => profile(claims)?,
            (Err(error), None) => match self.verify(access_token, now).await {
                Ok(presented) => presented.profile,
                Err(_) => return Err(error),
            },
        };
        Ok(SignIn {
            profile,
            tokens: answer.tokens,
        })
    }

    /// Trades a refresh token for new tokens.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`].
    pub async fn refresh(&self, refresh_token: &str, now: u64) -> Result<Tokens, Error> {
        let (project, app) = self.both()?;
        let response = self
            .send(requests::refresh(project, app, refresh_token)?)
            .await?;
        Ok(answers::tokens(&response, Asked::Refresh, app, now)?.tokens)
    }

    /// Revokes tokens (RFC 7009): each of them, though another was refused.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`], of the first token that was not revoked.
    pub async fn revoke(&self, tokens: &Tokens, now: u64) -> Result<(), Error> {
        let (project, app) = self.both()?;
        let mut outcome = Ok(());
        for (token, hint) in tokens.to_revoke(now) {
            let revoked = match requests::revoke(project, app, token, hint) {
                Ok(request) => self.send(request).await,
                Err(error) => Err(error),
            };
            outcome = outcome.and(revoked.and_then(|response| answers::revoked(&response, app)));
        }
        outcome
    }

    /// Checks a token that somebody presents: signature, issuer, audience, times and kind. Says what it
    /// is; whether such a token is taken is not decided here.
    ///
    /// Nothing is sent except for the project's keys, and those seldom.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`].
    pub async fn verify(&self, token: &str, now: u64) -> Result<Presented, Error> {
        let project = self.project()?;
        let refused = |error: &dyn std::error::Error| {
            Error::Refused(format!("the token is not good: {error}"))
        };
        let token = Unverified::parse(token).map_err(|error| refused(&error))?;
        // First what is free to check: a token that cannot be good is no reason to ask for keys.
        let checked =
            checks::presented(token.claims(), project, now).map_err(|error| refused(&error))?;
        let claims = self.signed_claims(token, now).await?;
        let audience = claims::audience(&claims).into_iter();
        Ok(Presented {
            kind: checked.kind,
            issuer: checked.issuer,
            audience: audience.map(ToOwned::to_owned).collect(),
            client_id: claims::client(&claims).map(ToOwned::to_owned),
            our_client_id: project.own_client_id().map(ToOwned::to_owned),
            scopes: claims::scopes(&claims),
            profile: profile(claims)?,
            expires_at: checked.expires_at,
        })
    }

    async fn check_id_token(
        &self,
        token: &str,
        nonce: &str,
        now: u64,
    ) -> Result<Map<String, Value>, Error> {
        let (project, app) = self.both()?;
        let refused = |error: &dyn std::error::Error| {
            Error::Refused(format!("Descope's ID token is not good: {error}"))
        };
        let token = Unverified::parse(token).map_err(|error| refused(&error))?;
        checks::id_token(token.claims(), project, app.client_id(project), nonce, now)
            .map_err(|error| refused(&error))?;
        self.signed_claims(token, now).await
    }

    /// The claims of `token`, if one of the project's keys signed it.
    async fn signed_claims(
        &self,
        token: Unverified<'_>,
        now: u64,
    ) -> Result<Map<String, Value>, Error> {
        self.keys.verify(token, now, || self.ask_for_keys()).await
    }

    async fn ask_for_keys(&self) -> Result<KeySet, Error> {
        let response = self.send(requests::keys(self.project()?)?).await?;
        keys::read(answers::keys(&response)?, answers::WHO)
    }

    async fn userinfo(&self, access_token: &str) -> Result<Map<String, Value>, Error> {
        let response = self
            .send(requests::userinfo(self.project()?, access_token)?)
            .await?;
        answers::userinfo(&response)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self.http.send(request).await.map_err(|error| match error {
            SendError::Denied(text) => Problem::new(
                "descope_base_url",
                text,
                "List it in allowed_outbound_hosts of the component in spin.toml",
            )
            .into(),
            SendError::Failed(text) => Error::Unavailable(text),
        })
    }

    fn project(&self) -> Result<&Project, Error> {
        self.settings
            .project
            .as_ref()
            .map_err(|problems| Error::misconfigured(problems))
    }

    fn both(&self) -> Result<(&Project, &App), Error> {
        match (&self.settings.project, &self.settings.app) {
            (Ok(project), Ok(app)) => Ok((project, app)),
            _ => Err(Error::misconfigured(&self.settings.problems())),
        }
    }
}

fn profile(claims: Map<String, Value>) -> Result<Profile, Error> {
    Profile::from_claims(claims)
        .ok_or_else(|| Error::Unavailable("Descope's answer names no person".to_owned()))
}
