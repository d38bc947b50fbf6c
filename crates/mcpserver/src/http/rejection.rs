//! Rejected requests, with the status and the challenge (RFC 6750 section 3) of each.

use crate::Body;
use crate::http::body::from_web;
use crate::http::endpoints::{EndpointUrls, Transport};
use crate::http::response::json;
use crate::http::scheme::Scheme;
use config::Problem;
use http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use mcp::jsonrpc::{Id, Reply};
use mcp::{Error, ErrorCode, Revision};
use std::borrow::Cow;
use std::fmt::Display;
use web::ReadError;

/// Why a request is rejected, with the status.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// 500: the configuration of the identity provider is wrong.
    IdentityMisconfigured(String),
    /// 421: the request came for another host, which no `public_url` names.
    Misdirected(Problem),
    /// 403: pages of this origin may not call the server.
    Origin,
    /// 401: there is no token.
    NoToken,
    /// 401: the token is invalid, for this reason.
    InvalidToken(&'static str),
    /// 401: the token is bound to a key, and was presented as a bearer token.
    Bound,
    /// 401: the proof of the token's key is invalid.
    Proof(dpop::Error),
    /// 403: the token lacks a scope. These are the scopes to ask for.
    InsufficientScope(Vec<String>),
    /// 403: the policy refuses the holder of a token of the identity provider's.
    Person(policy::Refusal),
    /// 405, with the allowed methods.
    Method(&'static str),
    /// 406: the client accepts no media type of the response.
    NotAcceptable(&'static str),
    /// 415: the body is not JSON.
    MediaType,
    /// 413, 408 or 400: the body is too large, too slow, or incomplete.
    Unread(ReadError),
    /// 400: the message is invalid.
    BadRequest(Error),
    /// 404: the session is unknown, has ended, or is another person's.
    NoSession,
    /// 429: too many sessions.
    TooMany,
    /// 503: the store or the identity provider does not answer.
    Unavailable,
}

/// A rejection, and the id of its request, as far as that was read.
#[derive(Debug)]
pub(crate) struct RejectedRequest {
    pub(crate) id: Option<Id>,
    pub(crate) rejection: Rejection,
}

impl From<Rejection> for RejectedRequest {
    fn from(rejection: Rejection) -> Self {
        Self {
            id: None,
            rejection,
        }
    }
}

impl From<ReadError> for RejectedRequest {
    fn from(error: ReadError) -> Self {
        Rejection::from(error).into()
    }
}

impl From<ReadError> for Rejection {
    fn from(error: ReadError) -> Self {
        Self::Unread(error)
    }
}

fn person_reason(refusal: policy::Refusal) -> &'static str {
    match refusal {
        policy::Refusal::NotAllowed => "The account of this token may not use this server.",
        policy::Refusal::NoScope => "The account of this token has no scope of this server.",
    }
}

const ORIGIN: &str = "Pages of this origin may not call this server; its operator can allow them with allowed_origins.";
const BOUND: &str = "The token is bound to a key: present it with the DPoP scheme and a proof.";
const INSUFFICIENT_SCOPE: &str = "The tool needs a scope that the token does not have.";
const MEDIA_TYPE: &str = "The Content-Type must be application/json.";
const NO_SESSION: &str = "The session is unknown or has ended; begin a new one.";
const TOO_MANY: &str = "Too many sessions were opened; try again in a minute.";
const UNAVAILABLE: &str = "The server cannot answer now; try again.";

/// The context of a challenge.
pub(crate) struct ChallengeContext<'a> {
    /// `None` if the base URL is unknown.
    pub(crate) endpoints: Option<&'a EndpointUrls>,
    pub(crate) transport: Transport,
    /// How the request presented its token.
    pub(crate) scheme: Scheme,
    /// Whether tokens may be bound to keys.
    pub(crate) offers_dpop: bool,
    /// The scopes of a first token.
    pub(crate) scopes: &'a [String],
}

impl Rejection {
    /// Logs an error of the store or the identity provider, and returns the rejection.
    pub(crate) fn unavailable(error: &impl Display) -> Self {
        log_line::write(format_args!("mcp: {error}"));
        Self::Unavailable
    }

    /// Returns the error and the reason for the event. `None` for requests without a token and with another
    /// method, which clients send to find out about the server.
    pub(crate) fn description(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::NoToken | Self::Method(_) => return None,
            Self::IdentityMisconfigured(problem) => ("server_error", problem.clone()),
            Self::Misdirected(problem) => ("misdirected_request", problem.to_string()),
            Self::Origin => ("forbidden", ORIGIN.to_owned()),
            Self::InvalidToken(reason) => ("invalid_token", (*reason).to_owned()),
            Self::Bound => ("invalid_token", BOUND.to_owned()),
            Self::Proof(error) => (error.code(), error.to_string()),
            Self::InsufficientScope(needed) => {
                let reason = format!("{INSUFFICIENT_SCOPE} It needs: {}.", needed.join(" "));
                ("insufficient_scope", reason)
            }
            Self::Person(refusal) => ("insufficient_scope", person_reason(*refusal).to_owned()),
            Self::NotAcceptable(text) => ("not_acceptable", (*text).to_owned()),
            Self::MediaType => ("unsupported_media_type", MEDIA_TYPE.to_owned()),
            Self::Unread(error) => ("bad_request", error.to_string()),
            Self::BadRequest(error) => ("bad_request", error.message.to_string()),
            Self::NoSession => ("not_found", NO_SESSION.to_owned()),
            Self::TooMany => ("too_many_requests", TOO_MANY.to_owned()),
            Self::Unavailable => ("service_unavailable", UNAVAILABLE.to_owned()),
        })
    }

    /// Returns the response. `id` is that of the rejected request, as far as it was read (2025-11-25,
    /// Transports, Sending Messages; 2026-07-28, Overview, Error Responses).
    pub(crate) fn into_response(
        self,
        id: Option<Id>,
        context: &ChallengeContext<'_>,
    ) -> Response<Body> {
        let (status, error) = match &self {
            Self::Misdirected(problem) => {
                let mut response = from_web(misconfigured::json(std::slice::from_ref(problem)));
                *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
                return response;
            }
            rejection => rejection.status_and_error(),
        };
        let reply = Reply {
            id,
            outcome: Err(error),
        };
        let response = json(status, reply.to_json(Revision::NEWEST));
        match self {
            Self::NoToken => {
                let mut response =
                    challenge(response, context, Scheme::Bearer, None, context.scopes);
                if context.offers_dpop {
                    let algorithms = HeaderValue::from_str(&format!("DPoP {}", algorithms()));
                    let headers = response.headers_mut();
                    headers.extend(algorithms.ok().map(|value| (WWW_AUTHENTICATE, value)));
                }
                response
            }
            Self::InvalidToken(reason) => {
                let error = Some(("invalid_token", reason));
                challenge(response, context, context.scheme, error, context.scopes)
            }
            Self::Bound => {
                let error = Some(("invalid_token", BOUND));
                challenge(response, context, Scheme::Dpop, error, context.scopes)
            }
            Self::Proof(proof) => {
                let reason = proof.to_string();
                let error = Some((proof.code(), reason.as_str()));
                challenge(response, context, Scheme::Dpop, error, context.scopes)
            }
            Self::InsufficientScope(needed) => {
                let error = Some(("insufficient_scope", INSUFFICIENT_SCOPE));
                challenge(response, context, context.scheme, error, &needed)
            }
            // RFC 6750 section 3.1 has no code for a person who may not use the server at all. This one says
            // that another token is needed. It names no scope, as none would help.
            Self::Person(refusal) => {
                let error = Some(("insufficient_scope", person_reason(refusal)));
                challenge(response, context, context.scheme, error, &[])
            }
            Self::Method(allowed) => with(response, ALLOW, HeaderValue::from_static(allowed)),
            Self::TooMany => with(response, RETRY_AFTER, HeaderValue::from_static("60")),
            Self::Unread(error) => error.respond(response),
            Self::Unavailable => web::unavailable(response),
            _ => response,
        }
    }

    fn status_and_error(&self) -> (StatusCode, Error) {
        let refused =
            |status, message: Cow<'static, str>| (status, Error::new(ErrorCode::Refused, message));
        match self {
            Self::IdentityMisconfigured(problem) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                Error::new(
                    ErrorCode::InternalError,
                    format!("This server is not set up yet. {problem}"),
                ),
            ),
            Self::Misdirected(problem) => {
                refused(StatusCode::MISDIRECTED_REQUEST, problem.to_string().into())
            }
            Self::Origin => refused(StatusCode::FORBIDDEN, ORIGIN.into()),
            Self::NoToken => refused(
                StatusCode::UNAUTHORIZED,
                "Sign in to use this server.".into(),
            ),
            Self::InvalidToken(reason) => refused(StatusCode::UNAUTHORIZED, (*reason).into()),
            Self::Bound => refused(StatusCode::UNAUTHORIZED, BOUND.into()),
            Self::Proof(error) => refused(StatusCode::UNAUTHORIZED, format!("{error}.").into()),
            Self::InsufficientScope(_) => refused(StatusCode::FORBIDDEN, INSUFFICIENT_SCOPE.into()),
            Self::Person(refusal) => refused(StatusCode::FORBIDDEN, person_reason(*refusal).into()),
            Self::Method(allowed) => refused(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("Use one of: {allowed}.").into(),
            ),
            Self::NotAcceptable(text) => refused(StatusCode::NOT_ACCEPTABLE, (*text).into()),
            Self::MediaType => refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, MEDIA_TYPE.into()),
            Self::Unread(error) => refused(error.status(), error.to_string().into()),
            Self::BadRequest(error) => (StatusCode::BAD_REQUEST, error.clone()),
            Self::NoSession => (
                StatusCode::NOT_FOUND,
                Error::new(ErrorCode::SessionNotFound, NO_SESSION),
            ),
            Self::TooMany => refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY.into()),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                Error::new(ErrorCode::InternalError, UNAVAILABLE),
            ),
        }
    }
}

fn with(
    mut response: Response<Body>,
    name: http::HeaderName,
    value: HeaderValue,
) -> Response<Body> {
    response.headers_mut().insert(name, value);
    response
}

/// Adds the challenge (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1).
fn challenge(
    response: Response<Body>,
    context: &ChallengeContext<'_>,
    scheme: Scheme,
    error: Option<(&str, &str)>,
    scopes: &[String],
) -> Response<Body> {
    let scope = scopes.join(" ");
    let metadata = context
        .endpoints
        .map(|endpoints| endpoints.metadata(context.transport));
    let metadata = metadata.map(|metadata| ("resource_metadata", metadata));
    let scope = (!scope.is_empty()).then_some(("scope", scope.as_str()));
    let error = error.map(|(code, reason)| [("error", code), ("error_description", reason)]);
    let text = error
        .into_iter()
        .flatten()
        .chain(metadata)
        .chain(scope)
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .chain((scheme == Scheme::Dpop).then(algorithms))
        .collect::<Vec<_>>()
        .join(", ");
    let value = HeaderValue::from_str(&format!("{} {text}", scheme.as_str()));
    with(
        response,
        WWW_AUTHENTICATE,
        value.unwrap_or(HeaderValue::from_static("Bearer")),
    )
}

/// The algorithms of proofs (RFC 9449 section 7.1).
fn algorithms() -> String {
    format!("algs=\"{}\"", dpop::ALGORITHMS.join(" "))
}
