//! One Descope project, and everything that is asked of it.

use crate::answers::{self, Asked};
use crate::jwks::{self, KeyCache, Lookup};
use crate::jwt::{JwtError, Unverified};
use crate::settings::{App, Project, Settings};
use crate::{Error, Profile, Tokens, checks, requests};
use bytes::Bytes;
use config::Problem;
use http::{Request, Response};
use serde_json::{Map, Value};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What sends a request, with bounds of its own on time and size.
pub trait Http {
    /// Sends `request` and gives the whole response, whatever its status.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, SendError>>;
}

/// Why there is no response. The texts name the host at most.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The application may not call the host.
    #[error("{0}")]
    Denied(String),
    /// No response in time, too large a one, or no connection.
    #[error("{0}")]
    Failed(String),
}

/// A sign-in that is about to begin. Every value is URL-safe or gets escaped.
#[derive(Clone, Debug)]
pub struct Login {
    /// Where Descope sends the browser back to.
    pub redirect_uri: String,
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// The S256 challenge of the verifier (RFC 7636 section 4.2).
    pub code_challenge: String,
    /// `login`, `select_account`, or both (OpenID Connect Core section 3.1.2.1).
    pub prompt: Option<String>,
}

/// What came back with the browser, and what belongs to it.
#[derive(Clone)]
pub struct CodeExchange {
    /// The authorization code.
    pub code: String,
    /// As in the [`Login`].
    pub redirect_uri: String,
    /// Of the [`Login`]'s challenge.
    pub code_verifier: String,
    /// As in the [`Login`].
    pub nonce: String,
}

/// A person who has signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Who it is.
    pub profile: Profile,
    /// Their tokens.
    pub tokens: Tokens,
}

/// A token that somebody presented and that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Who it is, as far as the token says.
    pub profile: Profile,
    /// As Descope spells them; `None` for a person's own session, which has none.
    pub scopes: Option<Vec<String>>,
    /// In seconds since the Unix epoch.
    pub expires_at: u64,
}

/// One Descope project. Serves many requests at once; its only state is the cache of public keys.
pub struct Descope<H> {
    settings: Settings,
    http: H,
    keys: Mutex<KeyCache>,
}

impl<H: Http> Descope<H> {
    /// Sends with `http` what `settings` ask for.
    pub fn new(settings: Settings, http: H) -> Self {
        Self {
            settings,
            http,
            keys: Mutex::default(),
        }
    }

    /// The URL to send the browser to.
    ///
    /// # Errors
    ///
    /// [`Error::Misconfigured`].
    pub fn login_url(&self, login: &Login) -> Result<String, Error> {
        let (project, app) = self.both()?;
        Ok(requests::login_url(project, app, login))
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

    /// Checks a token that somebody presents: signature, issuer, audience, times and kind.
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
        let expires_at =
            checks::presented(token.claims(), project, now).map_err(|error| refused(&error))?;
        let claims = self.signed_claims(token, now).await?;
        Ok(Presented {
            scopes: checks::scopes(&claims),
            profile: profile(claims)?,
            expires_at,
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
        const NO_KEY: &str =
            "the token is not good: the project has no key of the id that it names";
        let found = self.cache().look_up(&token.key_id, now);
        let key = match found {
            Lookup::Found(key) => key,
            Lookup::Unknown => return Err(Error::Refused(NO_KEY.to_owned())),
            Lookup::Unanswered => {
                return Err(Error::Unavailable(
                    "Descope has not answered with the project's keys yet".to_owned(),
                ));
            }
            Lookup::Ask => {
                let asked = self.ask_for_keys(now).await;
                match (self.cache().get(&token.key_id, now), asked) {
                    (Some(key), _) => key,
                    (None, Ok(())) => return Err(Error::Refused(NO_KEY.to_owned())),
                    (None, Err(error)) => return Err(error),
                }
            }
        };
        token
            .verify(&key)
            .map_err(|error: JwtError| Error::Refused(format!("the token is not good: {error}")))
    }

    async fn ask_for_keys(&self, now: u64) -> Result<(), Error> {
        let response = self.send(requests::keys(self.project()?)?).await?;
        let keys = jwks::parse(answers::keys(&response)?).ok_or_else(|| {
            Error::Unavailable("Descope answered without any RS256 keys".to_owned())
        })?;
        self.cache().store(keys, now);
        Ok(())
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
            .map_err(|problems| misconfigured(problems))
    }

    fn both(&self) -> Result<(&Project, &App), Error> {
        match (&self.settings.project, &self.settings.app) {
            (Ok(project), Ok(app)) => Ok((project, app)),
            _ => Err(misconfigured(&self.settings.problems())),
        }
    }

    fn cache(&self) -> MutexGuard<'_, KeyCache> {
        // Nothing in the cache can be half done.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn profile(claims: Map<String, Value>) -> Result<Profile, Error> {
    Profile::from_claims(claims)
        .ok_or_else(|| Error::Unavailable("Descope's answer names no person".to_owned()))
}

fn misconfigured(problems: &[Problem]) -> Error {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Error::Misconfigured(texts.join("; "))
}
