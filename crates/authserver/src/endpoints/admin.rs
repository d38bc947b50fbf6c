//! `/admin/grants` and `/admin/sweep`: for an operator who shows the token of the variable
//! `admin_token`.
//!
//! No page of another origin may read the responses, and nothing is looked up without the token.

use crate::context::Context;
use crate::responses;
use crate::routes::AdminEndpoint;
use events::{Action, EndedBy, Event};
use grants::{Listed, PageCursor};
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use http_fields::bearer_token;
use oauth::{ErrorCode, ParameterError, Parameters};
use serde::Serialize;
use serde_json::json;
use store::{KeyValue, SweepReport};
use web::{Request, Response, with_header};

/// Seconds that a request may go on with work of which there is more.
const WORK_TIMEOUT: u64 = 8;

/// Steps of the sweep between two looks at the clock.
const MAX_STEPS_AT_ONCE: u64 = 500;

#[derive(Debug, thiserror::Error)]
enum AdminError {
    #[error("administration is off: the variable admin_token is not set")]
    Off,
    #[error(
        "the header Authorization: Bearer with the token of the variable admin_token is required"
    )]
    Unauthorized,
    #[error("not found; the paths are /admin/grants and /admin/sweep")]
    NotFound,
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("the parameter subject is missing")]
    NoSubject,
    #[error("from is not a value that next had")]
    From,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl AdminError {
    /// Returns the code that the log has.
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthorized => ErrorCode::InvalidToken,
            Self::Off | Self::NotFound | Self::Parameter(_) | Self::NoSubject | Self::From => {
                ErrorCode::InvalidRequest
            }
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    fn respond(&self) -> Response {
        let (status, code) = match self {
            Self::Off | Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::Parameter(_) | Self::NoSubject | Self::From => {
                (StatusCode::BAD_REQUEST, "invalid_request")
            }
            Self::Store(error) => return responses::error(&responses::store_failed(error)),
        };
        let text = self.to_string();
        let response = web::json(status, &json!({ "error": code, "error_description": text }));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"Gatehouse administration\"");
            with_header(response, WWW_AUTHENTICATE, challenge)
        } else {
            response
        }
    }
}

/// Answers any request to `/admin` and below. `clock` gives seconds since the Unix epoch.
pub async fn handle<K: KeyValue>(
    endpoint: AdminEndpoint,
    context: &Context<'_, K>,
    clock: impl Fn() -> u64,
    request: &Request,
) -> Response {
    match answer(endpoint, context, clock, request).await {
        Ok(response) => response,
        Err(error) => {
            context.refused("/admin", error.code(), &error);
            error.respond()
        }
    }
}

async fn answer<K: KeyValue>(
    endpoint: AdminEndpoint,
    context: &Context<'_, K>,
    clock: impl Fn() -> u64,
    request: &Request,
) -> Result<Response, AdminError> {
    let token = context.config.admin_token.as_ref().ok_or(AdminError::Off)?;
    if !bearer_token(request.headers()).is_some_and(|presented| token.is(presented)) {
        return Err(AdminError::Unauthorized);
    }
    let deadline = context.now + WORK_TIMEOUT;
    let late = || clock() >= deadline;
    match (endpoint, request.method()) {
        (AdminEndpoint::Grants, &Method::GET | &Method::HEAD) => list(context, request).await,
        (AdminEndpoint::Grants, &Method::DELETE | &Method::POST) => {
            end(context, late, request).await
        }
        (AdminEndpoint::Grants, _) => Ok(web::method_not_allowed("GET, HEAD, DELETE, POST")),
        (AdminEndpoint::Sweep, &Method::POST) => sweep(context, late).await,
        (AdminEndpoint::Sweep, _) => Ok(web::method_not_allowed("POST")),
        (AdminEndpoint::Unknown, _) => Err(AdminError::NotFound),
    }
}

/// Whose grants, which of them, and from where on.
struct Asked {
    subject: String,
    grant: Option<String>,
    from: Option<PageCursor>,
}

impl Asked {
    fn read(request: &Request) -> Result<Self, AdminError> {
        let query = Parameters::from_query(request.uri().query())?;
        query.refuse_repeated(&[])?;
        let from = match query.get("from") {
            None => None,
            Some(text) => Some(PageCursor::parse(text).ok_or(AdminError::From)?),
        };
        Ok(Self {
            subject: query
                .get("subject")
                .ok_or(AdminError::NoSubject)?
                .to_owned(),
            grant: query.get("grant").map(str::to_owned),
            from,
        })
    }
}

/// A grant as an operator reads it; times are seconds since the Unix epoch.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    client_id: &'a str,
    client_name: &'a str,
    destination: &'a str,
    scopes: &'a [String],
    resources: &'a [String],
    created_at: u64,
    expires_at: u64,
    used_at: Option<u64>,
}

impl<'a> From<&'a Listed> for Shown<'a> {
    fn from(Listed { id, grant, used_at }: &'a Listed) -> Self {
        Self {
            id,
            client_id: &grant.client_id,
            client_name: &grant.client.name,
            destination: &grant.client.destination,
            scopes: &grant.scopes,
            resources: &grant.resources,
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            used_at: *used_at,
        }
    }
}

/// Writes the event of what an operator did.
fn record<K>(context: &Context<'_, K>, action: Action, count: u64) {
    context
        .events
        .record(&Event::Administration { action, count });
}

async fn list<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Response, AdminError> {
    let Asked { subject, from, .. } = Asked::read(request)?;
    context.events.subject(&subject);
    let grants = context.grants();
    let page = grants.of_subject(&subject, from, context.now).await?;
    record(context, Action::ListGrants, page.grants.len() as u64);
    let shown: Vec<Shown<'_>> = page.grants.iter().map(Shown::from).collect();
    Ok(web::json(
        StatusCode::OK,
        &json!({
            "subject": subject,
            "grants": shown,
            "more": page.next.is_some(),
            "next": page.next.map(|next| next.to_string()),
        }),
    ))
}

async fn end<K: KeyValue>(
    context: &Context<'_, K>,
    late: impl Fn() -> bool,
    request: &Request,
) -> Result<Response, AdminError> {
    let Asked {
        subject,
        grant,
        mut from,
    } = Asked::read(request)?;
    context.events.subject(&subject);
    let grants = context.grants();
    let mut count = 0;
    if let Some(id) = grant {
        context.events.grant(&id);
        count += usize::from(grants.end_of_subject(&subject, &id, context.now).await?);
        from = None;
    } else {
        loop {
            let ended = grants
                .end_page_of_subject(&subject, from, context.now)
                .await?;
            count += ended.count;
            from = ended.next;
            if from.is_none() || late() {
                break;
            }
        }
    }
    record(context, Action::EndGrants, count as u64);
    if count > 0 {
        let by = EndedBy::Operator;
        context
            .events
            .record(&Event::Revocation { by, grants: count });
    }
    Ok(web::json(
        StatusCode::OK,
        &json!({
            "ended": count,
            "more": from.is_some(),
            "next": from.map(|next| next.to_string()),
        }),
    ))
}

async fn sweep<K: KeyValue>(
    context: &Context<'_, K>,
    late: impl Fn() -> bool,
) -> Result<Response, AdminError> {
    let mut all = SweepReport::default();
    loop {
        all = all.and(context.store.sweep(context.now, MAX_STEPS_AT_ONCE).await?);
        if !all.more || all.paused || late() {
            break;
        }
    }
    record(context, Action::Sweep, all.removed);
    Ok(web::json(
        StatusCode::OK,
        &json!({
            "removed": all.removed,
            "steps": all.steps,
            "swept_until": all.until,
            "more": all.more,
        }),
    ))
}
