//! `/callback`: the authorization response of the identity provider (RFC 6749 section 4.1.2).

use super::authorize;
use crate::client_metadata_documents::FetchError;
use crate::clients::{FindError, UsedClient};
use crate::context::Context;
use crate::fingerprint::Fingerprint;
use crate::remembered_consents::RememberedConsents;
use crate::session::Session;
use crate::sign_in::{
    Browser, COMPLETED, Consented, EXCHANGING, Pending, PendingConsent, PendingLogin, ProviderLogin,
};
use crate::sign_ins_in_progress::{MAX_WAIT, MIN_REFUSED_WAIT, NOTED_AFTER, SignInsInProgress};
use crate::{pages, responses};
use events::{EndedBy, Event, SignInPurpose};
use futures::future::{Either, select};
use grants::{BeginError, CodeBinding, Grant, ShownClient};
use http::header::SET_COOKIE;
use identity::{CodeExchange, Profile, SignIn, SignInProvider};
use oauth::authorization_request::Target;
use oauth::redirect_uri::{self, destination};
use oauth::{Error, ErrorCode, ParameterError, Parameters};
use rand::CryptoRng;
use std::pin::pin;
use std::time::Duration;
use store::{Batch, KeyValue, poll_intervals};
use web::{Request, Response, with_header};

/// Seconds that a code lives (RFC 6749 section 4.1.2 recommends at most ten minutes).
const CODE_TTL: u64 = 60;

#[derive(Debug, thiserror::Error)]
enum CallbackError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("the state is missing, or was issued to another browser")]
    ForeignLogin,
    #[error("the sign-in was completed before")]
    LoginUsed,
    #[error("another load of the page is completing the sign-in")]
    LoginInProgress,
    /// The provider refused the code, which another load may be completing the sign-in with.
    #[error("{1}")]
    Unconfirmed(Option<Box<Target>>, Error),
    #[error("the client no longer exists")]
    UnknownClient,
    #[error(transparent)]
    Document(FetchError),
    #[error("the redirect URI is no longer one of the client's")]
    RedirectUri,
    #[error("{1}")]
    Redirect(Box<Target>, Error),
    #[error(transparent)]
    Account(Error),
    #[error(transparent)]
    Store(store::Error),
}

impl CallbackError {
    /// Returns the code that the log has.
    fn code(&self) -> ErrorCode {
        match self {
            Self::Redirect(_, error) | Self::Account(error) | Self::Unconfirmed(_, error) => {
                error.code
            }
            Self::UnknownClient | Self::Document(_) => ErrorCode::InvalidClient,
            Self::RedirectUri => ErrorCode::InvalidRedirectUri,
            Self::Parameter(_) | Self::ForeignLogin | Self::LoginUsed => ErrorCode::InvalidRequest,
            Self::LoginInProgress | Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    fn respond(self, issuer: &str) -> Response {
        match self {
            Self::Parameter(error) => pages::bad_target(&error.to_string()),
            Self::ForeignLogin => pages::foreign_login(),
            Self::LoginUsed => pages::login_used(),
            Self::LoginInProgress | Self::Unconfirmed(None, _) => pages::login_incomplete(None),
            Self::Unconfirmed(Some(target), error) => {
                let back = responses::error_url(&target, issuer, &error);
                pages::login_incomplete(Some((&target, &back)))
            }
            Self::UnknownClient => pages::unknown_client(),
            Self::Document(error) => pages::bad_document(&error.to_string()),
            Self::RedirectUri => pages::bad_target(&self.to_string()),
            Self::Redirect(target, error) => responses::error_redirect(&target, issuer, &error),
            Self::Store(error) => responses::store_failed_page(&error),
            Self::Account(error) => {
                pages::account_failed(&error.description, &format!("{issuer}/account"))
            }
        }
    }
}

/// Answers any request to `/callback`. `in_progress` is the instance's; `sleep` waits.
pub async fn handle<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    in_progress: &SignInsInProgress,
    sleep: impl Fn(Duration) -> S + Sync,
    request: &Request,
) -> Response {
    let loads = Loads { in_progress, sleep };
    complete(context, random, provider, &loads, request)
        .await
        .unwrap_or_else(|error| {
            context.refused("/callback", error.code(), &error);
            error.respond(context.base.as_str())
        })
}

/// What loads of one page that come at once wait with.
struct Loads<'a, F> {
    in_progress: &'a SignInsInProgress,
    sleep: F,
}

async fn complete<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    loads: &Loads<'_, impl Fn(Duration) -> S + Sync>,
    request: &Request,
) -> Result<Response, CallbackError> {
    let query = Parameters::from_query(request.uri().query())?;
    query.refuse_repeated(&[])?;
    match open_state(context, request, &query)? {
        Pending::Login(login) => {
            context.events.client(&login.consent.client_id);
            let target = login.consent.target.clone();
            let back = Back::Client(&target);
            let once = Once {
                id: &login.consent.id,
                forget_at: login.consent.forget_at(),
            };
            let sign_in = sign_in(context, provider, loads, &query, &login.provider, once)
                .await
                .map_err(|error| back.to(error))?;
            grant(context, random, provider, request, *login, sign_in)
                .await
                .map_err(|error| back.to(error))
        }
        Pending::Account(account) => {
            let once = Once {
                id: &account.id,
                forget_at: account.provider.expires_at,
            };
            let sign_in = sign_in(context, provider, loads, &query, &account.provider, once)
                .await
                .map_err(|error| Back::Account.to(error))?;
            claim(context, once)
                .await
                .map_err(|error| Back::Account.to(error))?;
            signed_in(context, &sign_in.profile, SignInPurpose::Account);
            let session = Session::new(sign_in.profile, context.now, random);
            let cookie = session
                .set(&context.config.keys, context.base, random)
                .ok_or(CallbackError::Account(SignInError::Seal.into()))?;
            let response = web::see_other(&context.base.join("/account"));
            Ok(with_header(response, SET_COOKIE, cookie))
        }
    }
}

fn signed_in<K>(context: &Context<'_, K>, person: &Profile, purpose: SignInPurpose) {
    context.events.subject(&person.subject);
    context.events.record(&Event::SignIn { purpose });
}

/// Where what went wrong is said.
enum Back<'a> {
    Client(&'a Target),
    Account,
}

impl Back<'_> {
    fn to(&self, error: SignInError) -> CallbackError {
        match error {
            SignInError::Used => CallbackError::LoginUsed,
            SignInError::InProgress => CallbackError::LoginInProgress,
            SignInError::Unconfirmed(error) => match self {
                Self::Client(target) => {
                    CallbackError::Unconfirmed(Some(Box::new((*target).clone())), error)
                }
                Self::Account => CallbackError::Unconfirmed(None, error),
            },
            SignInError::UnknownClient => CallbackError::UnknownClient,
            SignInError::Document(error) => CallbackError::Document(error),
            SignInError::RedirectUri => CallbackError::RedirectUri,
            SignInError::NotBegun(error) => CallbackError::Store(error),
            SignInError::Store(error) if matches!(self, Self::Account) => {
                CallbackError::Store(error)
            }
            // The person has seen where the browser goes back to, on the consent page or when the
            // consent was given that this browser remembers: no sign-in begins without.
            error => match self {
                Self::Client(target) => {
                    CallbackError::Redirect(Box::new((*target).clone()), error.into())
                }
                Self::Account => CallbackError::Account(error.into()),
            },
        }
    }
}

/// Why a sign-in failed.
enum SignInError {
    Used,
    InProgress,
    /// The provider refused the code; whether another load completes the sign-in with it is not known.
    Unconfirmed(Error),
    UnknownClient,
    Document(FetchError),
    RedirectUri,
    TooLate,
    TooMany,
    Provider(Error),
    Neither,
    Seal,
    Store(store::Error),
    /// The store failed before anything was done: the page can be loaded again.
    NotBegun(store::Error),
}

impl From<store::Error> for SignInError {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<FindError> for SignInError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Unknown => Self::UnknownClient,
            FindError::Document(error) => Self::Document(error),
            FindError::Store(error) => Self::Store(error),
        }
    }
}

impl From<SignInError> for Error {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::TooLate => Self::new(
                ErrorCode::AccessDenied,
                "the sign-in took longer than ten minutes",
            ),
            SignInError::TooMany => Self::new(
                ErrorCode::TemporarilyUnavailable,
                "too many sign-ins by this person within an hour; try again later",
            ),
            SignInError::Provider(error) | SignInError::Unconfirmed(error) => error,
            SignInError::Neither => Self::new(
                ErrorCode::ServerError,
                "the identity provider sent neither a code nor an error",
            ),
            SignInError::Store(error) | SignInError::NotBegun(error) => {
                responses::store_failed(&error)
            }
            SignInError::Seal
            | SignInError::Used
            | SignInError::InProgress
            | SignInError::UnknownClient
            | SignInError::Document(_)
            | SignInError::RedirectUri => {
                Self::new(ErrorCode::ServerError, "the sign-in cannot be completed")
            }
        }
    }
}

/// What can be completed once, and until when that is remembered.
#[derive(Clone, Copy)]
struct Once<'a> {
    id: &'a str,
    forget_at: u64,
}

/// Returns the person who has signed in, unless the sign-in was completed before: to complete it is the caller's, by
/// [`claim`]. Nothing is written.
async fn sign_in<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    provider: &impl SignInProvider,
    loads: &Loads<'_, impl Fn(Duration) -> S + Sync>,
    query: &Parameters,
    ours: &ProviderLogin,
    once: Once<'_>,
) -> Result<SignIn, SignInError> {
    let is_completed = || context.store.is_claimed(COMPLETED, once.id);
    // First of all: who reloads the page has to read that it is done, however late.
    if is_completed().await.map_err(SignInError::NotBegun)? {
        return Err(SignInError::Used);
    }
    if ours.expires_at <= context.now {
        return Err(SignInError::TooLate);
    }
    if let Some(code) = query.get("error") {
        return Err(SignInError::Provider(provider_answer(code)));
    }
    let code = query.get("code").ok_or(SignInError::Neither)?;
    let mut intervals = poll_intervals(MAX_WAIT);
    let _turn = loop {
        if let Some(turn) = loads.in_progress.turn(once.id) {
            break turn;
        }
        let interval = intervals.next().ok_or(SignInError::InProgress)?;
        (loads.sleep)(interval).await;
    };
    // The request that had the turn before may have completed it.
    if is_completed().await? {
        return Err(SignInError::Used);
    }
    let exchange = provider.exchange_code(CodeExchange {
        code: code.to_owned(),
        issuer: query.get("iss").map(str::to_owned),
        redirect_uri: context.base.join("/callback"),
        code_verifier: ours.code_verifier.clone(),
        nonce: ours.nonce.clone(),
    });
    let sign_in = match finish(exchange, context, loads, &mut intervals, once).await {
        Ok(sign_in) => sign_in,
        Err(error) => {
            if matches!(error, identity::Error::Refused(_)) {
                check_no_other_load(context, loads, &mut intervals, once, &error).await?;
            } else if is_completed().await? {
                return Err(SignInError::Used);
            }
            return Err(SignInError::Provider(provider_failure(&error)));
        }
    };
    // The subjects of clients' own grants are no person's.
    if grants::is_client_subject(&sign_in.profile.subject) {
        let error = identity::Error::Refused("the subject begins as a client's does".to_owned());
        return Err(SignInError::Provider(provider_failure(&error)));
    }
    Ok(sign_in)
}

/// Completes a sign-in, once: a second request with the same id fails.
async fn claim<K: KeyValue>(context: &Context<'_, K>, once: Once<'_>) -> Result<(), SignInError> {
    let claimed = context
        .store
        .claim_once(COMPLETED, once.id, once.forget_at)
        .await?;
    if claimed {
        Ok(())
    } else {
        Err(SignInError::Used)
    }
}

/// Returns what an exchange comes to, while `intervals` pass. One that takes long is noted in the store.
async fn finish<K: KeyValue, S: Future<Output = ()> + Send>(
    exchange: impl Future<Output = Result<SignIn, identity::Error>> + Send,
    context: &Context<'_, K>,
    loads: &Loads<'_, impl Fn(Duration) -> S + Sync>,
    intervals: &mut (impl Iterator<Item = Duration> + Send),
    once: Once<'_>,
) -> Result<SignIn, identity::Error> {
    let mut exchange = pin!(exchange);
    let mut passed = Duration::ZERO;
    for interval in intervals {
        let sleep = pin!((loads.sleep)(interval));
        if let Either::Left((exchanged, _)) = select(exchange.as_mut(), sleep).await {
            return exchanged;
        }
        let was_noted = passed >= NOTED_AFTER;
        passed += interval;
        if passed >= NOTED_AFTER && !was_noted {
            // Without the store no load completes the sign-in, and each finds that out for itself.
            let noted = context.store.note_once(EXCHANGING, once.id, once.forget_at);
            let _ = noted.await;
        }
    }
    exchange.await
}

/// Returns once it is sure that no other load completes the sign-in whose code was refused: the provider takes a
/// code once, and a load at another instance may have been first with it.
///
/// # Errors
///
/// [`SignInError::Used`] if one has completed it, [`SignInError::Unconfirmed`] if there is no more time to wait.
async fn check_no_other_load<K: KeyValue, S: Future<Output = ()> + Send>(
    context: &Context<'_, K>,
    loads: &Loads<'_, impl Fn(Duration) -> S + Sync>,
    intervals: &mut (impl Iterator<Item = Duration> + Send),
    once: Once<'_>,
    refusal: &identity::Error,
) -> Result<(), SignInError> {
    let mut waited = Duration::ZERO;
    loop {
        if context.store.is_claimed(COMPLETED, once.id).await? {
            return Err(SignInError::Used);
        }
        let is_long = waited >= MIN_REFUSED_WAIT;
        if is_long && !context.store.is_claimed(EXCHANGING, once.id).await? {
            return Ok(());
        }
        let Some(interval) = intervals.next() else {
            return Err(SignInError::Unconfirmed(provider_failure(refusal)));
        };
        (loads.sleep)(interval).await;
        waited += interval;
    }
}

/// Makes the grant, completes the sign-in, and sends the browser back to the client.
///
/// The grant is written before the sign-in is completed, in one step with what the claim of that needs, and taken back by a request
/// that finds the sign-in completed: no one has its code then. A request that is killed in between leaves a grant whose code no one
/// has. Whatever does not lead to a grant completes the sign-in as well.
async fn grant<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    request: &Request,
    login: PendingLogin,
    sign_in: SignIn,
) -> Result<Response, SignInError> {
    let SignIn { profile, tokens } = sign_in;
    let id = login.consent.id.clone();
    let once = Once {
        id: &id,
        forget_at: login.consent.forget_at(),
    };
    let complete = async || {
        claim(context, once).await?;
        signed_in(context, &profile, SignInPurpose::Client);
        Ok::<_, SignInError>(())
    };
    // First of all: for a person who may not come in nothing else is written.
    let policy = &context.config.policy;
    let scopes = match policy.decide(&profile, &login.consent.request.scopes) {
        Ok(scopes) => scopes,
        Err(refusal) => {
            complete().await?;
            context.grants().revoke_upstream(tokens);
            let provider = provider.display_name().await;
            return Ok(refused_person(
                context,
                &login.consent,
                &profile,
                &provider,
                refusal,
            ));
        }
    };
    let mut batch = context.store.batch();
    let person = (&profile, scopes);
    let allowed = allow(
        context, random, provider, request, login, person, &mut batch,
    )
    .await;
    let allowed = match allowed {
        Ok(Decision::Allowed(allowed)) => *allowed,
        Ok(Decision::Ask(page)) => {
            complete().await?;
            return Ok(page);
        }
        Err(error) => {
            complete().await?;
            return Err(error);
        }
    };
    let Allowed {
        grant,
        client,
        target,
        remembered,
    } = allowed;
    // A load that is seen to be too late writes nothing.
    if context.store.is_claimed(COMPLETED, once.id).await? {
        return Err(SignInError::Used);
    }
    batch.schedule_claim(COMPLETED, once.id, once.forget_at);
    let grants = context.grants();
    let begun = match grants
        .begin_unconfirmed(&grant, &tokens, batch, random)
        .await
    {
        Ok(begun) => begun,
        Err(BeginError::TooMany) => {
            complete().await?;
            return Err(SignInError::TooMany);
        }
        Err(BeginError::Store(error)) => return Err(error.into()),
    };
    let claimed = context
        .store
        .claim_scheduled(COMPLETED, once.id, once.forget_at)
        .await;
    // Also by a request that is too late, because it has written as well.
    let is_client_kept = context.clients().is_kept(&client).await;
    if matches!(claimed, Ok(true)) {
        signed_in(context, &grant.profile, SignInPurpose::Client);
    }
    let refusal = match (claimed, is_client_kept) {
        (Ok(true), Ok(true)) => None,
        (Ok(false), _) => Some(SignInError::Used),
        (Ok(true), Ok(false)) => Some(SignInError::UnknownClient),
        (Err(error), _) | (_, Err(error)) => Some(error.into()),
    };
    if let Some(refusal) = refusal {
        grants.take_back(begun, context.now).await?;
        return Err(refusal);
    }
    let new = grants.confirm(begun, context.now).await?;
    context.events.grant(&new.id).record(&Event::Grant {
        client_name: &grant.client.name,
        destination: &grant.client.destination,
        scope: &grant.scopes,
    });
    if new.replaced > 0 {
        context.events.record(&Event::Revocation {
            by: EndedBy::Limit,
            grants: new.replaced,
        });
    }
    let (keys, base) = (&context.config.keys, context.base);
    let response = responses::code_redirect(&target, base.as_str(), &new.code);
    Ok(match remembered {
        Some(remembered) => with_header(response, SET_COOKIE, remembered.set(keys, base, random)),
        None => response,
    })
}

/// What becomes of a sign-in of a person whom the policy lets in.
enum Decision {
    Allowed(Box<Allowed>),
    /// The person is asked, on this page.
    Ask(Response),
}

/// A grant that may be written.
struct Allowed {
    grant: Grant,
    client: UsedClient,
    target: Target,
    /// The consents that the browser remembers from now on, if that changes.
    remembered: Option<RememberedConsents>,
}

/// Returns the grant that a person's consent leads to. What keeps its client is added to `batch`.
async fn allow<K: KeyValue>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    request: &Request,
    login: PendingLogin,
    (profile, scopes): (&Profile, Vec<String>),
    batch: &mut Batch<'_, K>,
) -> Result<Decision, SignInError> {
    let PendingLogin {
        consent, consented, ..
    } = login;
    let expires_at = context.now + context.config.grant_lifetime;
    let used = context
        .clients()
        .use_with(batch, &consent.client_id, expires_at, context.now)
        .await?;
    let client = &used.client;
    // What the client says of itself may have changed since it was asked about, and what this server
    // takes as well.
    let redirect_uri = &consent.target.redirect_uri;
    let is_taken = redirect_uri::check(redirect_uri, context.private_use(client)).is_ok();
    if !client.has_redirect_uri(redirect_uri) || !is_taken {
        return Err(SignInError::RedirectUri);
    }
    let (keys, base) = (&context.config.keys, context.base);
    let mut remembered = RememberedConsents::read(keys, base, request.headers(), context.now);
    let remember = match consented {
        Consented::Now { remember } => remember,
        Consented::Before if remembered.has_of(&consent.shown, &profile.subject) => false,
        // Another person has allowed this in this browser: this person is asked.
        Consented::Before => {
            let (target, asked) = (consent.target, consent.request);
            let scopes = provider.scopes().await;
            let pending = PendingConsent::new(client, target, asked, &scopes, context.now, random);
            let headers = request.headers();
            let page = (client, &pending, scopes.as_slice());
            return authorize::show(context, random, provider, headers, page)
                .await
                .map(Decision::Ask)
                .ok_or(SignInError::Seal);
        }
    };
    if remember {
        let destination = Fingerprint::of_destination(client, &consent.target);
        remembered.add(consent.shown, destination, &profile.subject, context.now);
    }
    let target = consent.target;
    let grant = Grant {
        client_id: consent.client_id,
        client: ShownClient {
            name: client.display_name().to_owned(),
            destination: destination(&target.redirect_uri).to_string(),
        },
        scopes,
        resources: consent.request.resources,
        profile: profile.clone(),
        created_at: context.now,
        expires_at,
        code: Some(CodeBinding {
            redirect_uri: target.in_request.then(|| target.redirect_uri.clone()),
            challenge: consent.request.challenge,
            dpop_jkt: consent.request.dpop_jkt,
            expires_at: context.now + CODE_TTL,
        }),
    };
    Ok(Decision::Allowed(Box::new(Allowed {
        grant,
        client: used,
        target,
        remembered: remember.then_some(remembered),
    })))
}

/// Returns the page for a person whom the policy refuses. It holds the way back to the client, which the
/// person has consented to: a redirect would leave them without a word.
fn refused_person<K>(
    context: &Context<'_, K>,
    consent: &PendingConsent,
    profile: &Profile,
    provider: &str,
    refusal: policy::Refusal,
) -> Response {
    let error = Error::new(ErrorCode::AccessDenied, refusal.to_string());
    context.refused("/callback", error.code, &error.description);
    pages::refused_person(&pages::RefusedPerson {
        refusal,
        profile,
        provider,
        target: &consent.target,
        back: &responses::error_url(&consent.target, context.base.as_str(), &error),
        again: &consent.with_another_account(context.base),
    })
}

/// Returns the sign-in that this browser left with.
fn open_state<K>(
    context: &Context<'_, K>,
    request: &Request,
    query: &Parameters,
) -> Result<Pending, CallbackError> {
    let cookie = Browser::login_cookie(context.base);
    let browser = Browser::read(&cookie, request.headers()).ok_or(CallbackError::ForeignLogin)?;
    query
        .get("state")
        .and_then(|state| Pending::open(&context.config.keys, &browser, state))
        .ok_or(CallbackError::ForeignLogin)
}

/// Returns what the client hears of an error that the identity provider sent with the browser.
fn provider_answer(code: &str) -> Error {
    let ours = match code {
        "access_denied" => ErrorCode::AccessDenied,
        "temporarily_unavailable" => ErrorCode::TemporarilyUnavailable,
        _ => ErrorCode::ServerError,
    };
    let known: String = code
        .chars()
        .filter(|char| char.is_ascii_lowercase() || *char == '_')
        .take(60)
        .collect();
    log_line::write(format_args!("the identity provider answered {known}"));
    Error::new(ours, format!("the identity provider answered {known}"))
}

/// Returns what the client hears of a code that could not be exchanged.
fn provider_failure(error: &identity::Error) -> Error {
    log_line::write(format_args!("the sign-in cannot be completed: {error}"));
    match error {
        identity::Error::Misconfigured(_) => Error::new(
            ErrorCode::ServerError,
            "the sign-in is misconfigured on this server; its log has the details",
        ),
        identity::Error::Refused(_) => Error::new(
            ErrorCode::AccessDenied,
            "the identity provider did not confirm the sign-in",
        ),
        identity::Error::Unavailable(_) => Error::new(
            ErrorCode::TemporarilyUnavailable,
            "the identity provider is unavailable; try again later",
        ),
    }
}
