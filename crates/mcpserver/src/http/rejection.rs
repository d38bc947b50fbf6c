//! Requests that go no further, and the one place where each gets its status.

use crate::Body;
use crate::http::authenticator::Scheme;
use crate::http::body::from_web;
use crate::http::endpoints::{EndpointUrls, Transport};
use crate::http::response::json;
use config::Problem;
use http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use mcp::jsonrpc::Id;
use mcp::{Error, ErrorCode, Revision, jsonrpc};
use web::ReadError;

/// Why a request goes no further.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// 500: the operator has something to put right, as the identity provider says it.
    IdentityMisconfigured(String),
    /// 421: it came for another host, and no `public_url` says that we are that.
    Misdirected(Problem),
    /// 403: the page that sent it may not.
    Origin,
    /// 401: there is no token.
    NoToken,
    /// 401: the token is not good, for this reason.
    InvalidToken(&'static str),
    /// 401: the token is bound to a key, and was presented as a bearer token.
    Bound,
    /// 401: the proof of the key that the token is bound to is not good.
    Proof(dpop::Error),
    /// 403: the token lacks a scope; the ones to ask for.
    InsufficientScope(Vec<String>),
    /// 403: the policy refuses the holder of a token of the identity provider's.
    Person(policy::Refusal),
    /// One of the others, of the request with this id.
    Of(Id, Box<Self>),
    /// 405, with the methods there are.
    Method(&'static str),
    /// 406: no kind of answer that there is.
    NotAcceptable(&'static str),
    /// 415: the body is not JSON.
    MediaType,
    /// 413, 408 or 400: the body is too large, came too slowly, or broke off.
    Unread(ReadError),
    /// 400: the message is not one that may come here.
    BadRequest(Error),
    /// 404: the session is unknown, has ended, or is somebody else's.
    NoSession,
    /// 429: too many sessions.
    TooMany,
    /// 503: something this depends on does not answer.
    Unavailable,
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
const MEDIA_TYPE: &str = "The Content-Type is application/json.";
const NO_SESSION: &str = "The session is unknown or has ended; begin a new one.";
const TOO_MANY: &str = "Too many sessions were opened; try again in a minute.";
const UNAVAILABLE: &str = "The server cannot answer now; try again.";

/// What a refusal says of the request and of the way in.
pub(crate) struct ChallengeContext<'a> {
    /// Where the server is, if that is known.
    pub(crate) endpoints: Option<&'a EndpointUrls>,
    pub(crate) transport: Transport,
    /// How the request presented its token.
    pub(crate) scheme: Scheme,
    /// Whether tokens may be bound to keys.
    pub(crate) offers_dpop: bool,
    /// The scopes to ask for at first.
    pub(crate) scopes: &'a [String],
}

impl Rejection {
    /// The error and the reason that the log has. `None` for what clients try out: a request without
    /// a token, and a method that there is not.
    pub(crate) fn description(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::NoToken | Self::Method(_) => return None,
            Self::Of(_, refusal) => return refusal.description(),
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

    pub(crate) fn into_response(self, context: &ChallengeContext<'_>) -> Response<Body> {
        match self {
            Self::IdentityMisconfigured(problem) => error(
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::InternalError,
                format!("This server is not set up yet. {problem}"),
            ),
            Self::Misdirected(problem) => {
                let mut response = from_web(web::problem_json(&[problem]));
                *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
                response
            }
            Self::Origin => refused(StatusCode::FORBIDDEN, ORIGIN),
            Self::NoToken => {
                let response = refused(StatusCode::UNAUTHORIZED, "Sign in to use this server.");
                let mut response =
                    challenge(response, context, Scheme::Bearer, &[], context.scopes);
                if context.offers_dpop {
                    let algorithms = HeaderValue::from_str(&format!("DPoP {}", algorithms()));
                    let headers = response.headers_mut();
                    headers.extend(algorithms.ok().map(|value| (WWW_AUTHENTICATE, value)));
                }
                response
            }
            Self::InvalidToken(reason) => {
                let response = refused(StatusCode::UNAUTHORIZED, reason);
                let parameters = [("error", "invalid_token"), ("error_description", reason)];
                challenge(
                    response,
                    context,
                    context.scheme,
                    &parameters,
                    context.scopes,
                )
            }
            Self::Bound => {
                let response = refused(StatusCode::UNAUTHORIZED, BOUND);
                let parameters = [("error", "invalid_token"), ("error_description", BOUND)];
                challenge(response, context, Scheme::Dpop, &parameters, context.scopes)
            }
            Self::Proof(error) => {
                let reason = error.to_string();
                let response = refused(StatusCode::UNAUTHORIZED, format!("{reason}."));
                let parameters = [("error", error.code()), ("error_description", &reason)];
                challenge(response, context, Scheme::Dpop, &parameters, context.scopes)
            }
            Self::InsufficientScope(needed) => {
                let response = refused(StatusCode::FORBIDDEN, INSUFFICIENT_SCOPE);
                let parameters = [
                    ("error", "insufficient_scope"),
                    ("error_description", INSUFFICIENT_SCOPE),
                ];
                challenge(response, context, context.scheme, &parameters, &needed)
            }
            // RFC 6750 section 3.1 has no code of its own for who may not come in at all; this one says
            // that another token is needed, and names no scope, as none would help.
            Self::Person(refusal) => {
                let reason = person_reason(refusal);
                let response = refused(StatusCode::FORBIDDEN, reason);
                let parameters = [
                    ("error", "insufficient_scope"),
                    ("error_description", reason),
                ];
                challenge(response, context, context.scheme, &parameters, &[])
            }
            Self::Of(id, refusal) => with_id(&id, refusal.into_response(context)),
            Self::Method(allowed) => with(
                refused(
                    StatusCode::METHOD_NOT_ALLOWED,
                    format!("Use one of: {allowed}."),
                ),
                ALLOW,
                HeaderValue::from_static(allowed),
            ),
            Self::NotAcceptable(text) => refused(StatusCode::NOT_ACCEPTABLE, text),
            Self::MediaType => refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, MEDIA_TYPE),
            Self::Unread(error) => error.respond(refused(error.status(), error.to_string())),
            Self::BadRequest(error) => json_error(StatusCode::BAD_REQUEST, &error),
            Self::NoSession => error(
                StatusCode::NOT_FOUND,
                ErrorCode::SessionNotFound,
                NO_SESSION,
            ),
            Self::TooMany => with(
                refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY),
                RETRY_AFTER,
                HeaderValue::from_static("60"),
            ),
            Self::Unavailable => web::unavailable(error(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::InternalError,
                UNAVAILABLE,
            )),
        }
    }
}

fn refused(
    status: StatusCode,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> Response<Body> {
    error(status, ErrorCode::Refused, message)
}

fn error(
    status: StatusCode,
    code: ErrorCode,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> Response<Body> {
    json_error(status, &Error::new(code, message))
}

/// A JSON-RPC error response that has no id (2025-11-25, Transports, Sending Messages).
fn json_error(status: StatusCode, error: &Error) -> Response<Body> {
    json(
        status,
        jsonrpc::error_response(None, error, Revision::NEWEST),
    )
}

/// A response of ours with the id of its request, which those that are made without one lack
/// (2026-07-28, Overview, Error Responses).
fn with_id(id: &Id, response: Response<Body>) -> Response<Body> {
    const BEGINNING: &[u8] = br#"{"jsonrpc":"2.0","#;
    response.map(|body| match body {
        Body::Whole(Some(text)) if text.starts_with(BEGINNING) => {
            let (beginning, rest) = text.split_at(BEGINNING.len());
            let id = format!(r#""id":{},"#, id.as_json());
            Body::whole([beginning, id.as_bytes(), rest].concat())
        }
        body => body,
    })
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
    parameters: &[(&str, &str)],
    scopes: &[String],
) -> Response<Body> {
    let scope = scopes.join(" ");
    let metadata = context
        .endpoints
        .map(|endpoints| endpoints.metadata(context.transport));
    let metadata = metadata.map(|metadata| ("resource_metadata", metadata));
    let scope = (!scope.is_empty()).then_some(("scope", scope.as_str()));
    let text = parameters
        .iter()
        .copied()
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
