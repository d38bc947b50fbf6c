//! OpenID Connect providers that have discovery (OpenID Connect Discovery section 4).

use crate::claims::{self, BrokenRule};
use crate::discovery::{self, Authentication, CachedMetadata, Metadata};
use crate::keys::{KeySource, ProviderKeys, not_good};
use crate::{
    Http, SendError, Settings, SharedDocuments, answer, misconfiguration, profile, request,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use config::Problem;
use http::{Request, Response, StatusCode};
use identity::{
    CodeExchange, Error, Login, Presented, Profile, ProviderClient, Refreshed, RefreshedProfile,
    SignIn, TokenKind, UpstreamTokens,
};
use jwt::{Algorithm, Unverified};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha512};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::KeyValue;
use url::Url;

/// One OpenID Connect provider. Serves many requests at once; its only state is what it remembers
/// of the provider's metadata and keys.
pub struct Provider<H, K> {
    settings: Result<Settings, Vec<Problem>>,
    http: H,
    shared: SharedDocuments<K>,
    metadata: Mutex<CachedMetadata>,
    keys: ProviderKeys,
}

impl<H: Http, K: KeyValue> Provider<H, K> {
    /// Sends with `http` what `settings` ask for, and shares metadata and keys with other instances by `shared`.
    pub fn new(
        settings: Result<Settings, Vec<Problem>>,
        http: H,
        shared: SharedDocuments<K>,
    ) -> Self {
        Self {
            settings,
            http,
            shared,
            metadata: Mutex::default(),
            keys: ProviderKeys::default(),
        }
    }
}

impl<H: Http, K: KeyValue> ProviderClient for Provider<H, K> {
    /// Returns a name that a person recognizes: the issuer's host.
    fn display_name(&self) -> String {
        self.settings
            .as_ref()
            .ok()
            .and_then(|settings| Url::parse(&settings.issuer).ok())
            .and_then(|issuer| issuer.host_str().map(ToOwned::to_owned))
            .unwrap_or_else(|| "your account".to_owned())
    }

    /// Returns the scopes that are asked for at a sign-in; none if the settings are wrong.
    fn scopes(&self) -> Vec<String> {
        let scopes = self.settings.as_ref().map(|settings| &settings.scopes);
        let scopes = scopes.map_or("", String::as_str);
        scopes.split_whitespace().map(ToOwned::to_owned).collect()
    }

    /// Returns the URL to send the browser to.
    ///
    /// # Errors
    ///
    /// [`Error::Misconfigured`] and [`Error::Unavailable`].
    async fn login_url(&self, login: &Login, now: u64) -> Result<String, Error> {
        let settings = self.settings()?;
        let endpoint = self.metadata(settings, now).await?.authorization_endpoint;
        let mut login = login.clone();
        // OpenID Connect Core section 11: without it offline access is not given.
        if settings
            .scopes
            .split(' ')
            .any(|scope| scope == "offline_access")
        {
            login.prompt = Some(match login.prompt {
                Some(prompt) => format!("{prompt} consent"),
                None => "consent".to_owned(),
            });
        }
        let (id, scopes) = (&settings.client_id, &settings.scopes);
        Ok(request::authorization_url(&endpoint, id, scopes, &login))
    }

    /// Trades a code for the person and their tokens.
    ///
    /// The ID token has to be there and good. The profile comes from userinfo, of the same subject
    /// (OpenID Connect Core section 5.3.2), over what the ID token says; from the ID token alone
    /// where userinfo brings nothing.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`].
    async fn exchange_code(&self, exchange: &CodeExchange, now: u64) -> Result<SignIn, Error> {
        let settings = self.settings()?;
        let metadata = self.metadata(settings, now).await?;
        check_issuer(exchange.issuer.as_deref(), &settings.issuer, &metadata)?;
        let parameters = request::exchange(exchange);
        let answer = self
            .ask_for_tokens(settings, &metadata, &parameters, "the code", now)
            .await?;
        let access_token = &answer.tokens.access_token;
        let id_token = answer
            .id_token
            .as_deref()
            .ok_or_else(|| Error::Unavailable(format!("{WHO}'s token answer has no ID token")))?;
        let mut claims = self
            .check_id_token(
                settings,
                &metadata,
                id_token,
                access_token,
                Some(&exchange.nonce),
                now,
            )
            .await?;
        if let Some(endpoint) = &metadata.userinfo_endpoint
            && let Ok(info) = self.userinfo(endpoint, access_token).await
        {
            check_same_person(&claims, &info)?;
            claims::merge(&mut claims, info);
        }
        Ok(SignIn {
            profile: profile(claims)?,
            tokens: answer.tokens,
        })
    }

    /// Trades a refresh token for new tokens, and finds out who the person is now if
    /// `wants_profile`: from the ID token, if one came (OpenID Connect Core section 12.2), and from
    /// userinfo over it, as at the sign-in.
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
        let settings = self.settings()?;
        let metadata = self.metadata(settings, now).await?;
        let parameters = request::refresh(refresh_token);
        let answer = self
            .ask_for_tokens(settings, &metadata, &parameters, "the refresh token", now)
            .await?;
        let person = if wants_profile {
            self.person_now(settings, &metadata, &answer, now).await
        } else {
            Ok(None)
        };
        Ok(Refreshed {
            tokens: answer.tokens,
            profile: RefreshedProfile::of(person)?,
        })
    }

    /// Revokes tokens (RFC 7009), where the provider's metadata has an endpoint for that: each of
    /// them, though another was refused.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`], of the first token that was not revoked.
    async fn revoke(&self, tokens: &UpstreamTokens, now: u64) -> Result<(), Error> {
        let settings = self.settings()?;
        let metadata = self.metadata(settings, now).await?;
        let Some(endpoint) = &metadata.revocation_endpoint else {
            return Ok(());
        };
        let mut outcome = Ok(());
        for (token, hint) in tokens.to_revoke(now) {
            let parameters = request::revocation(token, hint);
            let revoked = self
                .revoke_one(settings, &metadata, endpoint, &parameters)
                .await;
            outcome = outcome.and(revoked);
        }
        outcome
    }

    /// Checks a presented token: it has to be a JWT access token (RFC 9068 section 4)
    /// of this provider, for this server or for our client id. Says what it is; whether such a token
    /// is taken is not decided here.
    ///
    /// Nothing is sent except for metadata and keys, and those seldom.
    ///
    /// # Errors
    ///
    /// Each kind of [`Error`].
    async fn verify(&self, token: &str, now: u64) -> Result<Presented, Error> {
        let settings = self.settings()?;
        let what = "the token";
        let token = Unverified::parse(token).map_err(|error| match error {
            jwt::Error::Malformed => Error::Refused(
                "the token is opaque: only JWT access tokens (RFC 9068) can be checked here"
                    .to_owned(),
            ),
            error => Error::Refused(format!("the token is not good: {error}")),
        })?;
        // First what is free to check: a token that cannot be good is no reason to ask for keys.
        if !token.header().is_type("at+jwt") {
            return Err(not_good(what, BrokenRule::NotForAccess));
        }
        let expires_at =
            check_presented(token.claims(), settings, now).map_err(|rule| not_good(what, rule))?;
        let metadata = self.metadata(settings, now).await?;
        let claims = self.signed_claims(&metadata, token, now).await?;
        let audience = claims::audience(&claims).into_iter();
        Ok(Presented {
            kind: TokenKind::AccessToken,
            issuer: settings.issuer.clone(),
            audience: audience.map(ToOwned::to_owned).collect(),
            client_id: claims::client(&claims).map(ToOwned::to_owned),
            our_client_id: Some(settings.client_id.clone()),
            scopes: claims::scopes(&claims),
            profile: profile(claims)?,
            expires_at,
        })
    }
}

impl<H: Http, K: KeyValue> Provider<H, K> {
    /// Returns who it is that tokens were refreshed for; `None` if the provider has no way to say. What
    /// userinfo would say cannot be left away because of trouble there: a role might be in it.
    async fn person_now(
        &self,
        settings: &Settings,
        metadata: &Metadata,
        answer: &answer::TokenAnswer,
        now: u64,
    ) -> Result<Option<Profile>, Error> {
        let access_token = &answer.tokens.access_token;
        let from_id_token = match &answer.id_token {
            Some(token) => Some(
                self.check_id_token(settings, metadata, token, access_token, None, now)
                    .await?,
            ),
            None => None,
        };
        let info = match &metadata.userinfo_endpoint {
            Some(endpoint) => self.ask_userinfo(endpoint, access_token).await,
            None => Ok(None),
        };
        let claims = match (from_id_token, info) {
            (Some(mut claims), Ok(Some(info))) => {
                check_same_person(&claims, &info)?;
                claims::merge(&mut claims, info);
                claims
            }
            (Some(claims), Ok(None)) => claims,
            (None, Ok(Some(info))) => info,
            (None, Ok(None)) if metadata.userinfo_endpoint.is_none() => return Ok(None),
            (None, Ok(None)) => {
                return Err(Error::Unavailable(format!(
                    "{WHO}'s userinfo did not take a new access token"
                )));
            }
            (_, Err(error)) => return Err(Error::Unavailable(error.reason().to_owned())),
        };
        profile(claims).map(Some)
    }

    async fn revoke_one(
        &self,
        settings: &Settings,
        metadata: &Metadata,
        endpoint: &Url,
        parameters: &[(&str, &str)],
    ) -> Result<(), Error> {
        let request = client_request(settings, metadata, endpoint, parameters)?;
        let response = self.send(request).await?;
        check_status(&response, settings, "the token to revoke")
    }

    async fn check_id_token(
        &self,
        settings: &Settings,
        metadata: &Metadata,
        token: &str,
        access_token: &str,
        nonce: Option<&str>,
        now: u64,
    ) -> Result<Map<String, Value>, Error> {
        let what = "the ID token";
        let token = Unverified::parse(token)
            .map_err(|error| Error::Refused(format!("{what} is not good: {error}")))?;
        let algorithm = token.header().algorithm;
        check_id_token(
            token.claims(),
            settings,
            algorithm,
            access_token,
            nonce,
            now,
        )
        .map_err(|rule| not_good(what, rule))?;
        self.signed_claims(metadata, token, now).await
    }

    async fn signed_claims(
        &self,
        metadata: &Metadata,
        token: Unverified<'_>,
        now: u64,
    ) -> Result<Map<String, Value>, Error> {
        let url = metadata.jwks_uri.as_str();
        let source = KeySource {
            url,
            provider_name: WHO,
            shared: &self.shared,
            fetch: || self.get(url),
        };
        self.keys.verify(token, now, source).await
    }

    async fn userinfo(
        &self,
        endpoint: &Url,
        access_token: &str,
    ) -> Result<Map<String, Value>, Error> {
        let claims = self.ask_userinfo(endpoint, access_token).await?;
        claims.ok_or_else(|| Error::Unavailable(format!("{WHO}'s userinfo did not take a token")))
    }

    /// Returns the claims that userinfo has for a token; `None` if it has none for it: the token lacks a
    /// scope, or the endpoint is not there.
    async fn ask_userinfo(
        &self,
        endpoint: &Url,
        access_token: &str,
    ) -> Result<Option<Map<String, Value>>, Error> {
        let request = request::get(endpoint.as_str(), Some(access_token))
            .ok_or_else(|| Error::Unavailable(format!("{WHO} has a URL that cannot be called")))?;
        let response = self.send(request).await?;
        let status = response.status();
        if status.is_success() {
            return answer::userinfo(response.body(), WHO).map(Some);
        }
        if answer::is_trouble(status) {
            return Err(Error::Unavailable(format!(
                "{WHO} answered userinfo with status {}",
                status.as_u16()
            )));
        }
        Ok(None)
    }

    async fn metadata(&self, settings: &Settings, now: u64) -> Result<Metadata, Error> {
        if let Some(metadata) = self.cached_metadata().look_up(now) {
            return Ok(metadata);
        }
        let url = discovery::url(&settings.issuer);
        if let Some(copy) = self.shared.find(&url, now).await
            && let Ok(metadata) = discovery::read(copy.text.as_bytes(), &settings.issuer)
            && self.cached_metadata().adopt(metadata, copy.fetched_at)
            && let Some(metadata) = self.cached_metadata().look_up(now)
        {
            return Ok(metadata);
        }
        let has_older = self.cached_metadata().old(now).is_some();
        let fetch = || self.get(&url);
        let read = |body: &[u8]| discovery::read(body, &settings.issuer);
        match self.shared.fetch(&url, has_older, now, fetch, read).await {
            Ok(Some(metadata)) => {
                self.cached_metadata().store(metadata.clone(), now);
                Ok(metadata)
            }
            Ok(None) => {
                self.cached_metadata().leave_to_others(now);
                let old = self.cached_metadata().old(now);
                old.ok_or_else(|| {
                    Error::Unavailable(format!("{WHO} has not answered with its metadata yet"))
                })
            }
            Err(Error::Unavailable(text)) => {
                let old = self.cached_metadata().old(now);
                old.ok_or(Error::Unavailable(text))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the body of a successful answer.
    async fn get(&self, url: &str) -> Result<Bytes, Error> {
        let request = request::get(url, None)
            .ok_or_else(|| Error::Unavailable(format!("{WHO} has a URL that cannot be called")))?;
        let response = self.send(request).await?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        Err(Error::Unavailable(format!(
            "{WHO} answered a request for its metadata or keys with status {}",
            response.status().as_u16()
        )))
    }

    async fn ask_for_tokens(
        &self,
        settings: &Settings,
        metadata: &Metadata,
        parameters: &[(&str, &str)],
        what: &str,
        now: u64,
    ) -> Result<answer::TokenAnswer, Error> {
        let endpoint = &metadata.token_endpoint;
        let request = client_request(settings, metadata, endpoint, parameters)?;
        let response = self.send(request).await?;
        check_status(&response, settings, what)?;
        answer::tokens(response.body(), WHO, now)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        self.http.send(request).await.map_err(|error| match error {
            SendError::Denied(text) => misconfiguration::of(
                "oidc_host",
                text,
                "Set oidc_host to the origin of the issuer, and oidc_other_host to that of the endpoints which are elsewhere",
            ),
            SendError::Failed(text) => Error::Unavailable(text),
        })
    }

    fn settings(&self) -> Result<&Settings, Error> {
        self.settings
            .as_ref()
            .map_err(|problems| misconfiguration::of_all(problems))
    }

    fn cached_metadata(&self) -> MutexGuard<'_, CachedMetadata> {
        // Nothing in it can be half done.
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RFC 9207 section 2.4: a code that another issuer sent is not shown to this one.
fn check_issuer(sent: Option<&str>, issuer: &str, metadata: &Metadata) -> Result<(), Error> {
    let is_good = match sent {
        Some(sent) => sent == issuer,
        None => !metadata.sends_issuer,
    };
    if is_good {
        Ok(())
    } else {
        Err(Error::Refused(
            "the code did not come from the configured issuer".to_owned(),
        ))
    }
}

/// The rules of OpenID Connect Core sections 3.1.3.7 and 3.1.3.8.
fn check_id_token(
    claims: &Map<String, Value>,
    settings: &Settings,
    algorithm: Algorithm,
    access_token: &str,
    nonce: Option<&str>,
    now: u64,
) -> Result<(), BrokenRule> {
    if claims.get("iss").and_then(Value::as_str) != Some(&settings.issuer) {
        return Err(BrokenRule::Issuer);
    }
    claims::check_id_token(claims, |name| name == settings.client_id, nonce, now)?;
    // `iat` has to be there (section 2).
    if !claims.contains_key("iat") {
        return Err(BrokenRule::NotYet);
    }
    claims::check_begun(claims.get("iat"), now)?;
    match claims.get("at_hash").filter(|hash| !hash.is_null()) {
        Some(hash) if hash.as_str() != Some(&left_half(algorithm, access_token)) => {
            Err(BrokenRule::AccessTokenHash)
        }
        _ => Ok(()),
    }
}

/// Returns the left half of the hash that goes with the algorithm (section 3.1.3.6); Ed25519 goes with
/// SHA-512.
fn left_half(algorithm: Algorithm, token: &str) -> String {
    match algorithm {
        Algorithm::EdDsa => URL_SAFE_NO_PAD.encode(&Sha512::digest(token)[..32]),
        Algorithm::Es256 | Algorithm::Rs256 => URL_SAFE_NO_PAD.encode(&Sha256::digest(token)[..16]),
    }
}

/// Checks the rules of RFC 9068 section 4 except the signature. Returns the end, in seconds since the Unix
/// epoch.
fn check_presented(
    claims: &Map<String, Value>,
    settings: &Settings,
    now: u64,
) -> Result<u64, BrokenRule> {
    if claims.get("iss").and_then(Value::as_str) != Some(&settings.issuer) {
        return Err(BrokenRule::Issuer);
    }
    let is_us = |name: &&str| {
        *name == settings.client_id || claims::is_our_url(name, settings.public_url.as_deref())
    };
    if !claims::audience(claims).iter().any(is_us) {
        return Err(BrokenRule::Audience);
    }
    let end = claims::check_times(claims, now)?;
    let subject = claims::subject(claims).ok_or(BrokenRule::NoSubject)?;
    // A client's token for itself names the client (section 2.2).
    let is_subject = |name: &str| claims.get(name).and_then(Value::as_str) == Some(subject);
    if is_subject("client_id") || is_subject("azp") {
        return Err(BrokenRule::NoSubject);
    }
    Ok(end)
}

/// Returns a form for an endpoint that asks for the client's credentials as the token endpoint does.
fn client_request(
    settings: &Settings,
    metadata: &Metadata,
    endpoint: &Url,
    parameters: &[(&str, &str)],
) -> Result<Request<Bytes>, Error> {
    let mut parameters = parameters.to_vec();
    let id = settings.client_id.as_str();
    let mut authorization = None;
    match (&settings.client_secret, metadata.authentication) {
        (None, _) => parameters.push(("client_id", id)),
        (Some(secret), Authentication::Basic) => {
            authorization = Some(basic(id, secret));
        }
        (Some(secret), Authentication::Post) => {
            parameters.extend([("client_id", id), ("client_secret", secret.as_str())]);
        }
        (Some(_), Authentication::Other) => {
            return Err(misconfiguration::of(
                "oidc_client_secret",
                "the provider takes no secret, neither by HTTP Basic nor in the form",
                "Leave it out for a public client, or use a provider that takes client_secret_basic or client_secret_post",
            ));
        }
    }
    request::post(endpoint.as_str(), &parameters, authorization.as_deref())
        .ok_or_else(|| Error::Unavailable(format!("{WHO} has a URL that cannot be called")))
}

/// RFC 6749 section 2.3.1: each half is form-encoded first.
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    format!("Basic {credentials}")
}

/// RFC 6749 section 5.2.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenError {
    error: Option<String>,
    error_description: Option<String>,
}

/// The one place where a token answer that is no success gets its meaning.
fn check_status(response: &Response<Bytes>, settings: &Settings, what: &str) -> Result<(), Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    if answer::is_trouble(status) {
        return Err(Error::Unavailable(format!(
            "{WHO} answered {what} with status {}",
            status.as_u16()
        )));
    }
    let fields: TokenError = serde_json::from_slice(response.body()).unwrap_or_default();
    let code = match fields.error.as_deref() {
        // RFC 6749 section 5.2: the status of a client that is not who it says.
        None | Some("") if status == StatusCode::UNAUTHORIZED => "invalid_client",
        code => code.unwrap_or_default(),
    };
    let problem =
        |variable, text: &str, remedy: &str| Err(misconfiguration::of(variable, text, remedy));
    match code {
        "invalid_scope" => {
            return problem(
                "oidc_scopes",
                "the provider does not accept the scopes",
                "List only scopes that the provider has, and that the client may ask for",
            );
        }
        "invalid_client" | "unauthorized_client" => {
            let variable = match settings.client_secret {
                Some(_) => "oidc_client_secret",
                None => "oidc_client_id",
            };
            return problem(
                variable,
                "the provider does not accept it",
                "Copy the client id and the secret again from the provider; a client without a secret has to be registered as a public one",
            );
        }
        "" if status == StatusCode::NOT_FOUND => {
            return Err(Error::Unavailable(format!(
                "{WHO} has nothing at its token endpoint"
            )));
        }
        _ => {}
    }
    let mut words = String::new();
    for (separator, part) in [(", ", &fields.error), (": ", &fields.error_description)] {
        if let Some(part) = part {
            words.push_str(separator);
            words.push_str(&answer::redacted(part));
        }
    }
    Err(Error::Refused(format!(
        "{WHO} refused {what} (status {}{words})",
        status.as_u16()
    )))
}

/// OpenID Connect Core section 5.3.2.
fn check_same_person(
    id_token: &Map<String, Value>,
    info: &Map<String, Value>,
) -> Result<(), Error> {
    if id_token.get("sub") == info.get("sub") {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{WHO}'s userinfo is about another person than its ID token"
    )))
}

fn profile(claims: Map<String, Value>) -> Result<Profile, Error> {
    profile::from_claims(claims)
        .ok_or_else(|| Error::Unavailable(format!("{WHO}'s answer names no person")))
}

/// Who it is, in words.
const WHO: &str = "the identity provider";
