//! One exchange of outbound HTTP.

use super::bindings::wasi::http::outgoing_handler;
use super::bindings::wasi::http::types::{
    ErrorCode, IncomingResponse, Method, OutgoingRequest, Scheme,
};
use super::incoming_body::{IncomingBody, headers};
use super::outgoing_body::{fields, write};
use super::tasks::Subscription;
use crate::exchange_error::ExchangeError;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;

/// Sends `request` and returns the response as soon as its head is there.
pub(crate) async fn send(
    request: Request<Bytes>,
) -> Result<Response<IncomingBody<IncomingResponse>>, ExchangeError> {
    let (mut head, body) = request.into_parts();
    if !body.is_empty() {
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let request = outgoing(&head)?;
    let outgoing = if body.is_empty() {
        None
    } else {
        Some(request.body().map_err(|()| invalid("body"))?)
    };
    let pending = outgoing_handler::handle(request, None).map_err(failed)?;
    if let Some(outgoing) = outgoing {
        // A server that reads no more may have answered all the same.
        let _ = write(outgoing, Full::new(body)).await;
    }
    Subscription::new(pending.subscribe()).ready().await;
    let response = match pending.get() {
        Some(Ok(response)) => response.map_err(failed)?,
        None | Some(Err(())) => return Err(ExchangeError::Failed("no response".to_owned())),
    };
    let mut builder = Response::builder().status(response.status());
    let headers = headers(&response.headers())
        .map_err(|error| ExchangeError::Failed(format!("an invalid response: {error}")))?;
    let body = IncomingBody::new(response, &headers);
    if let Some(built) = builder.headers_mut() {
        *built = headers;
    }
    builder
        .body(body)
        .map_err(|error| ExchangeError::Failed(format!("an invalid response: {error}")))
}

fn outgoing(head: &http::request::Parts) -> Result<OutgoingRequest, ExchangeError> {
    let fields = fields(&head.headers).map_err(|_| invalid("header"))?;
    let request = OutgoingRequest::new(fields);
    let method = match head.method {
        http::Method::GET => Method::Get,
        http::Method::HEAD => Method::Head,
        http::Method::POST => Method::Post,
        http::Method::PUT => Method::Put,
        http::Method::DELETE => Method::Delete,
        ref other => Method::Other(other.as_str().to_owned()),
    };
    request
        .set_method(&method)
        .map_err(|()| invalid("method"))?;
    let scheme = match head.uri.scheme_str() {
        Some("http") => Scheme::Http,
        _ => Scheme::Https,
    };
    request
        .set_scheme(Some(&scheme))
        .map_err(|()| invalid("scheme"))?;
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    request
        .set_authority(authority)
        .map_err(|()| invalid("authority"))?;
    let path = head.uri.path_and_query();
    request
        .set_path_with_query(path.map(http::uri::PathAndQuery::as_str))
        .map_err(|()| invalid("path"))?;
    Ok(request)
}

fn invalid(what: &str) -> ExchangeError {
    ExchangeError::Failed(format!("the request has an invalid {what}"))
}

fn failed(code: ErrorCode) -> ExchangeError {
    match code {
        ErrorCode::HttpRequestDenied => ExchangeError::Denied,
        ErrorCode::DestinationIpProhibited => ExchangeError::Blocked,
        code => ExchangeError::Failed(format!("{code:?}")),
    }
}
