//! Requests over `wasi:http` 0.2. Several go on at once if they are waited for at once; nothing else of the instance does
//! while they are waited for.

use super::error::Error;
use super::fields::{fields, is_denied, readable};
use super::request::Request;
use super::response::Response;
use super::url::Url;
use crate::executor::ready;
use crate::platform_portable::wasi::http::outgoing_handler;
use crate::platform_portable::wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use crate::platform_portable::wasi::io::streams::StreamError;

pub(super) async fn send(request: &Request, url: &Url<'_>) -> Result<Response, Error> {
    let (outgoing, options) = outgoing(request, url)?;
    let body = if request.body.is_empty() {
        None
    } else {
        Some(outgoing.body().map_err(|()| invalid("body"))?)
    };
    let pending = outgoing_handler::handle(outgoing, Some(options));
    let pending = pending.map_err(|code| failed(url, &code))?;
    if let Some(body) = body {
        // A server that reads no more may have answered all the same.
        let _ = write(body, &request.body).await;
    }
    ready(pending.subscribe()).await;
    let response = match pending.get() {
        Some(Ok(response)) => response.map_err(|code| failed(url, &code))?,
        None | Some(Err(())) => {
            return Err(Error::Unreachable(url.host(), "no response".to_owned()));
        }
    };
    Ok(Response {
        status: response.status(),
        headers: readable(response.headers().entries()),
        body: read(&response, request.max_bytes, url).await?,
        host: String::new(),
    })
}

fn outgoing(request: &Request, url: &Url<'_>) -> Result<(OutgoingRequest, RequestOptions), Error> {
    let mut fields = fields(request);
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        fields.push(("content-length".to_owned(), length.into_bytes()));
    }
    let fields = Fields::from_list(&fields).map_err(|_| invalid("header"))?;
    let outgoing = OutgoingRequest::new(fields);
    outgoing
        .set_method(&method(&request.method))
        .map_err(|()| invalid("method"))?;
    let scheme = if url.is_https {
        Scheme::Https
    } else {
        Scheme::Http
    };
    outgoing
        .set_scheme(Some(&scheme))
        .map_err(|()| invalid("scheme"))?;
    outgoing
        .set_authority(Some(url.authority))
        .map_err(|()| invalid("host"))?;
    let path = url.path_with_query();
    outgoing
        .set_path_with_query(Some(&path))
        .map_err(|()| invalid("path"))?;
    let options = RequestOptions::new();
    let timeout = u64::try_from(request.timeout.as_nanos()).unwrap_or(u64::MAX);
    // A host that knows no such limit has its own.
    let _ = options.set_connect_timeout(Some(timeout));
    let _ = options.set_first_byte_timeout(Some(timeout));
    let _ = options.set_between_bytes_timeout(Some(timeout));
    Ok((outgoing, options))
}

async fn write(body: OutgoingBody, mut data: &[u8]) -> Result<(), StreamError> {
    let stream = body.write().map_err(|()| StreamError::Closed)?;
    while !data.is_empty() {
        let permitted = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if permitted == 0 {
            ready(stream.subscribe()).await;
            continue;
        }
        let (part, rest) = data.split_at(data.len().min(permitted));
        stream.write(part)?;
        data = rest;
    }
    stream.flush()?;
    ready(stream.subscribe()).await;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|_| StreamError::Closed)
}

async fn read(
    response: &IncomingResponse,
    max_bytes: usize,
    url: &Url<'_>,
) -> Result<Vec<u8>, Error> {
    let broken = || Error::Unreachable(url.host(), "the response broke off".to_owned());
    let body = response.consume().map_err(|()| broken())?;
    let stream = body.stream().map_err(|()| broken())?;
    let mut data = Vec::new();
    loop {
        match stream.read(64 * 1024) {
            Ok(part) if part.is_empty() => ready(stream.subscribe()).await,
            Ok(part) => data.extend(part),
            Err(StreamError::Closed) => return Ok(data),
            Err(StreamError::LastOperationFailed(_)) => return Err(broken()),
        }
        if data.len() > max_bytes {
            return Err(Error::TooLarge(url.host(), max_bytes));
        }
    }
}

fn method(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn invalid(what: &str) -> Error {
    Error::InvalidRequest(format!("its {what} is invalid"))
}

fn failed(url: &Url<'_>, code: &ErrorCode) -> Error {
    match code {
        ErrorCode::HttpRequestDenied => Error::Denied(url.host()),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::HttpResponseTimeout => Error::Timeout(url.host()),
        ErrorCode::InternalError(Some(text)) if is_denied(text) => Error::Denied(url.host()),
        code => Error::Unreachable(url.host(), format!("{code:?}")),
    }
}
