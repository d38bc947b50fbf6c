//! Requests over `wasi:http` 0.3.

use super::error::Error;
use super::request::Request;
use super::response::Response;
use super::url::Url;
use super::wasi::{fields, invalid, readable, same_in_both};
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
    let fields = Fields::from_list(&fields(request)).map_err(|_| invalid("header"))?;
    let (contents, writing) = if request.body.is_empty() {
        (None, None)
    } else {
        let (writer, reader) = wit_stream::new();
        (Some(reader), Some((writer, request.body.clone())))
    };
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (outgoing, _) = Outgoing::new(fields, contents, trailers, Some(options(request)));
    write_head(&outgoing, request, url)?;
    Ok((outgoing, writing))
}

same_in_both!(Outgoing);
