//! Requests over `wasi:http` 0.3.

use super::error::Error;
use super::fields::{fields, is_denied, readable};
use super::request::Request;
use super::response::Response;
use super::url::Url;
use wasip3::http::client;
use wasip3::http::types::{
    ErrorCode, Fields, Method, Request as Outgoing, RequestOptions, Response as Incoming, Scheme,
};
use wasip3::{wit_future, wit_stream};

pub(super) async fn send(request: &Request, url: &Url<'_>) -> Result<Response, Error> {
    let (outgoing, writing) = outgoing(request, url)?;
    if let Some((mut writer, body)) = writing {
        // A server that reads no more may have answered all the same.
        wit_bindgen::spawn(async move { drop(writer.write_all(body).await) });
    }
    let response = client::send(outgoing)
        .await
        .map_err(|code| failed(url, &code))?;
    let status = response.get_status_code();
    let headers = response.get_headers().copy_all();
    let (read, being_read) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = Incoming::consume_body(response, being_read);
    let mut body = Vec::new();
    loop {
        let (result, part) = stream.read(Vec::with_capacity(64 * 1024)).await;
        body.extend(part);
        if body.len() > request.max_bytes {
            return Err(Error::TooLarge(url.host(), request.max_bytes));
        }
        if !matches!(
            result,
            wit_bindgen::rt::async_support::StreamResult::Complete(_)
        ) {
            break;
        }
    }
    drop(stream);
    drop(read);
    trailers.await.map_err(|code| failed(url, &code))?;
    Ok(Response {
        status,
        headers: readable(headers),
        body,
        host: String::new(),
    })
}

type Writing = (wit_bindgen::rt::async_support::StreamWriter<u8>, Vec<u8>);

fn outgoing(request: &Request, url: &Url<'_>) -> Result<(Outgoing, Option<Writing>), Error> {
    let invalid = |what: &str| Error::InvalidRequest(format!("its {what} is invalid"));
    let mut fields = fields(request);
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        fields.push(("content-length".to_owned(), length.into_bytes()));
    }
    let fields = Fields::from_list(&fields).map_err(|_| invalid("header"))?;
    let (contents, writing) = if request.body.is_empty() {
        (None, None)
    } else {
        let (writer, reader) = wit_stream::new();
        (Some(reader), Some((writer, request.body.clone())))
    };
    let (_, trailers) = wit_future::new(|| Ok(None));
    let options = RequestOptions::new();
    let timeout = u64::try_from(request.timeout.as_nanos()).unwrap_or(u64::MAX);
    // A host that knows no such limit has its own.
    let _ = options.set_connect_timeout(Some(timeout));
    let _ = options.set_first_byte_timeout(Some(timeout));
    let _ = options.set_between_bytes_timeout(Some(timeout));
    let (outgoing, _) = Outgoing::new(fields, contents, trailers, Some(options));
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
    Ok((outgoing, writing))
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
