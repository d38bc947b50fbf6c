//! Requests over `wasi:http` 0.2. Several go on at once if they are waited for at once; nothing else of the instance does
//! while they are waited for.

use super::error::Error;
use super::request::Request;
use super::response::Response;
use super::url::Url;
use super::wasi::{fields, invalid, readable, same_in_both};
use crate::executor::ready;
use crate::platform_portable::wasi::http::outgoing_handler;
use crate::platform_portable::wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use crate::platform_portable::wasi::io::streams::StreamError;

pub(super) async fn send(request: &Request, url: &Url<'_>) -> Result<Response, Error> {
    let outgoing = outgoing(request, url)?;
    let body = if request.body.is_empty() {
        None
    } else {
        Some(outgoing.body().map_err(|()| invalid("body"))?)
    };
    let pending = outgoing_handler::handle(outgoing, Some(options(request)));
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

fn outgoing(request: &Request, url: &Url<'_>) -> Result<OutgoingRequest, Error> {
    let fields = Fields::from_list(&fields(request)).map_err(|_| invalid("header"))?;
    let outgoing = OutgoingRequest::new(fields);
    write_head(&outgoing, request, url)?;
    Ok(outgoing)
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

same_in_both!(OutgoingRequest);
