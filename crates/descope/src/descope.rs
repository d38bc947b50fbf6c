//! The client of one Descope project.

use crate::responses::{self, Asked};
use crate::settings::{App, Project, Settings};
use crate::{checks, endpoint_requests};
use bytes::Bytes;
use http::{Request, Response};
use identity::{
    CodeExchange, Error, Login, Presented, Profile, ProviderClient, Refreshed, RefreshedProfile,
    SignIn, UpstreamTokens,
};
use jwt::Unverified;
use oidc::answer::TokenAnswer;
use oidc::keys::{KeySource, ProviderKeys};
use oidc::{Http, SendError, SharedDocuments, claims, misconfiguration, profile};
use serde_json::{Map, Value};
use store::KeyValue;

/// One Descope project. Serves many requests at once; its only state is the cache of public keys.
pub struct Descope<H, K> {
    settings: Settings,
    http: H,
    shared: SharedDocuments<K>,
    keys: ProviderKeys,
}

impl<H: Http, K: KeyValue> Descope<H, K> {
    /// Sends with `http` what `settings` ask for, and shares the project's keys with other instances by `shared`.
    pub fn new(settings: Settings, http: H, shared: SharedDocuments<K>) -> Self {
        Self {
            settings,
            http,
            shared,
            keys: ProviderKeys::default(),
        }
    }
}

impl<H: Http, K: KeyValue> ProviderClient for Descope<H, K> {
    fn display_name(&self) -> String {
        "Descope".to_owned()
    }

    /// Returns the scopes that are asked for at a sign-in; none if the settings are wrong.
    fn scopes(&self) -> Vec<String> {
        let scopes = self.both().map_or("", |(_, app)| app.scopes.as_str());
        scopes.split_whitespace().map(ToOwned::to_owned).collect()
    }

    /// Returns the URL to send the browser to.
    ///
    /// # Errors
    ///
    /// [`Error::Misconfigured`].
    async fn login_url(&self, login: &Login, _now: u64) -> Result<String, Error> {
        let (project, app) = self.both()?;
        endpoint_requests::login_url(project, app, login)
    }

    /// Trades a code for the person and their tokens.
    ///
    /// The ID token, if there is one, is verified, with its nonce. The profile comes from userinfo,
    /// of the same subject (OpenID Connect Core section 5.3.2), over what the ID token says; from
    /// the ID token alone where userinfo brings nothing; and from the access token where there is
    /// no ID token either. Roles, permissions and tenants are those of the access token, where
    /// Descope puts them.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`].
    async fn exchange_code(&self, exchange: &CodeExchange, now: u64) -> Result<SignIn, Error> {
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
            .send(endpoint_requests::exchange_code(project, app, exchange)?)
            .await?;
        let answer = responses::tokens(&response, Asked::Exchange, app, now)?;
        let id_claims = match &answer.id_token {
            Some(token) => Some(
                self.check_id_token(token, Some(&exchange.nonce), now)
                    .await?,
            ),
            None => None,
        };
        let access_token = &answer.tokens.access_token;
        let info = self.userinfo(access_token).await;
        let verified = self.verified(access_token, now).await.ok();
        let profile = match (info, id_claims) {
            (Ok(info), claims) => person(claims, Some(info), verified)?,
            (Err(_), Some(claims)) => person(Some(claims), None, verified)?,
            (Err(error), None) => verified.ok_or(error)?.presented.profile,
        };
        Ok(SignIn {
            profile,
            tokens: answer.tokens,
        })
    }

    /// Trades a refresh token for new tokens, and finds out who the person is now if
    /// `wants_profile`, from what a sign-in finds it out from.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`]. Once there are new tokens, they are given whatever becomes of the
    /// profile, but for an ID token that is not good: that is refused.
    async fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
        now: u64,
    ) -> Result<Refreshed, Error> {
        let (project, app) = self.both()?;
        let response = self
            .send(endpoint_requests::refresh(project, app, refresh_token)?)
            .await?;
        let answer = responses::tokens(&response, Asked::Refresh, app, now)?;
        let person = if wants_profile {
            self.person_now(&answer, now).await.map(Some)
        } else {
            Ok(None)
        };
        Ok(Refreshed {
            tokens: answer.tokens,
            profile: RefreshedProfile::of(person)?,
        })
    }

    /// Revokes tokens (RFC 7009): each of them, though another was refused.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`], of the first token that was not revoked.
    async fn revoke(&self, tokens: &UpstreamTokens, now: u64) -> Result<(), Error> {
        let (project, app) = self.both()?;
        let mut outcome = Ok(());
        for (token, hint) in tokens.to_revoke(now) {
            let revoked = match endpoint_requests::revoke(project, app, token, hint) {
                Ok(request) => self.send(request).await,
                Err(error) => Err(error),
            };
            outcome = outcome.and(revoked.and_then(|response| responses::revoked(&response, app)));
        }
        outcome
    }

    /// Checks a presented token: signature, issuer, audience, times and kind. Says what it
    /// is; whether such a token is taken is not decided here.
    ///
    /// Nothing is sent except for the project's keys, and those seldom.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`].
    async fn verify(&self, token: &str, now: u64) -> Result<Presented, Error> {
        Ok(self.verified(token, now).await?.presented)
    }
}

impl<H: Http, K: KeyValue> Descope<H, K> {
    /// Returns who it is that tokens were refreshed for. What a source would say cannot be left away because
    /// of trouble there: a role might be in it.
    async fn person_now(&self, answer: &TokenAnswer, now: u64) -> Result<Profile, Error> {
        let access_token = &answer.tokens.access_token;
        let id_claims = match &answer.id_token {
            Some(token) => Some(self.check_id_token(token, None, now).await?),
            None => None,
        };
        let info = match self.userinfo(access_token).await {
            Ok(info) => Some(info),
            Err(Error::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        let verified = match self.verified(access_token, now).await {
            Ok(verified) => Some(verified),
            Err(Error::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        match (info, id_claims, verified) {
            (None, None, None) => Err(Error::Unavailable(
                "Descope does not say whose a new access token is".to_owned(),
            )),
            (None, None, Some(verified)) => Ok(verified.presented.profile),
            (info, claims, verified) => person(claims, info, verified),
        }
    }

    async fn verified(&self, token: &str, now: u64) -> Result<VerifiedToken, Error> {
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
        let presented = Presented {
            kind: checked.kind,
            issuer: checked.issuer,
            audience: audience.map(ToOwned::to_owned).collect(),
            client_id: claims::client(&claims).map(ToOwned::to_owned),
            our_client_id: project.own_client_id().map(ToOwned::to_owned),
            scopes: claims::scopes(&claims),
            profile: profile(claims.clone())?,
            expires_at: checked.expires_at,
        };
        Ok(VerifiedToken {
            presented,
            claims: profile::personal(claims),
        })
    }

    async fn check_id_token(
        &self,
        token: &str,
        nonce: Option<&str>,
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

    /// Returns the claims of `token`, if one of the project's keys signed it.
    async fn signed_claims(
        &self,
        token: Unverified<'_>,
        now: u64,
    ) -> Result<Map<String, Value>, Error> {
        let source = KeySource {
            url: &self.project()?.jwks_url(),
            provider_name: responses::WHO,
            shared: &self.shared,
            fetch: || self.ask_for_keys(),
        };
        self.keys.verify(token, now, source).await
    }

    async fn ask_for_keys(&self) -> Result<Bytes, Error> {
        let response = self.send(endpoint_requests::keys(self.project()?)?).await?;
        responses::keys(response)
    }

    async fn userinfo(&self, access_token: &str) -> Result<Map<String, Value>, Error> {
        let response = self
            .send(endpoint_requests::userinfo(self.project()?, access_token)?)
            .await?;
        responses::userinfo(&response)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self.http.send(request).await.map_err(|error| match error {
            SendError::Denied(text) => misconfiguration::of(
                "descope_base_url",
                text,
                "List it in allowed_outbound_hosts of the component in spin.toml",
            ),
            SendError::Failed(text) => Error::Unavailable(text),
        })
    }

    fn project(&self) -> Result<&Project, Error> {
        self.settings
            .project
            .as_ref()
            .map_err(|problems| misconfiguration::of_all(problems))
    }

    fn both(&self) -> Result<(&Project, &App), Error> {
        match (&self.settings.project, &self.settings.app) {
            (Ok(project), Ok(app)) => Ok((project, app)),
            _ => Err(misconfiguration::of_all(&self.settings.problems())),
        }
    }
}

/// An access token that is good, with its claims about the person.
struct VerifiedToken {
    presented: Presented,
    claims: Map<String, Value>,
}

/// Returns who it is by an ID token, userinfo over it and the access token. The last has what Descope says
/// of no one else, and counts where it is about the same person.
fn person(
    id_token: Option<Map<String, Value>>,
    info: Option<Map<String, Value>>,
    access_token: Option<VerifiedToken>,
) -> Result<Profile, Error> {
    if let (Some(id_token), Some(info)) = (&id_token, &info)
        && id_token.get("sub") != info.get("sub")
    {
        return Err(Error::Refused(
            "Descope's userinfo is about another person than its ID token".to_owned(),
        ));
    }
    let mut claims = Map::new();
    for more in [id_token, info].into_iter().flatten() {
        claims::merge(&mut claims, more);
    }
    if let Some(token) = access_token
        && claims.get("sub").and_then(Value::as_str) == Some(&token.presented.profile.subject)
    {
        let said = std::mem::replace(&mut claims, token.claims);
        let authorization: Vec<_> = AUTHORIZATION_CLAIMS
            .iter()
            .filter_map(|name| claims.get_key_value(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        claims::merge(&mut claims, said);
        claims.extend(authorization);
    }
    profile(claims)
}

/// What the access token says of what a person may do.
const AUTHORIZATION_CLAIMS: [&str; 3] = ["roles", "permissions", "tenants"];

fn profile(claims: Map<String, Value>) -> Result<Profile, Error> {
    profile::from_claims(claims)
        .ok_or_else(|| Error::Unavailable("Descope's answer names no person".to_owned()))
}
