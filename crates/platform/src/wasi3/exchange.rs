//! One exchange of outbound HTTP.

use crate::exchange_error::ExchangeError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::http_compat::IncomingResponseBody;

/// Sends `request` and returns the response as soon as its head is there.
pub(crate) async fn send(
    request: Request<Bytes>,
) -> Result<Response<IncomingResponseBody>, ExchangeError> {
    let response = spin_sdk::http::send(request.map(Full::new)).await;
    response.map_err(|code| match code {
        ErrorCode::HttpRequestDenied => ExchangeError::Denied,
        ErrorCode::DestinationIpProhibited => ExchangeError::Blocked,
        code => ExchangeError::Failed(format!("{code:?}")),
    })
}
