//! One exchange of outbound HTTP.

use crate::exchange_error::ExchangeError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::http_compat::IncomingResponseBody;
use std::future::poll_fn;
use std::pin::pin;

/// Sends `request` and returns the response as soon as its head is there.
pub(crate) async fn send(
    request: Request<Bytes>,
) -> Result<Response<IncomingResponseBody>, ExchangeError> {
    let mut sending = pin!(spin_sdk::http::send(request.map(Full::new)));
    let mut is_begun = false;
    let response = poll_fn(|cx| {
        let response = sending.as_mut().poll(cx);
        // The body is sent by a task of its own, which begins with the next turn: there may be no other reason for one.
        if !std::mem::replace(&mut is_begun, true) {
            cx.waker().wake_by_ref();
        }
        response
    })
    .await;
    response.map_err(|code| match code {
        ErrorCode::HttpRequestDenied => ExchangeError::Denied,
        ErrorCode::DestinationIpProhibited => ExchangeError::Blocked,
        code => ExchangeError::Failed(format!("{code:?}")),
    })
}
