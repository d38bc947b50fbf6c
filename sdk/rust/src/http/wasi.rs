//! Requests over `wasi:http`, as both of its generations have them.

use super::error::Error;
use super::request::Request;
use std::time::Duration;

/// Returns the header fields as WASI has them, that of the body's length among them.
pub(super) fn fields(request: &Request) -> Vec<(String, Vec<u8>)> {
    let fields = request.headers.iter();
    let fields = fields.map(|(name, value)| (name.clone(), value.clone().into_bytes()));
    let mut fields: Vec<_> = fields.collect();
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        fields.push(("content-length".to_owned(), length.into_bytes()));
    }
    fields
}

/// Returns header fields as texts.
pub(super) fn readable(fields: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
        .collect()
}

/// Returns the error of a request of which this part cannot be sent.
pub(super) fn invalid(part: &str) -> Error {
    Error::InvalidRequest(format!("its {part} is invalid"))
}

/// Returns a time in nanoseconds.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns whether the host's error means that the component has no right to call anything.
pub(super) fn is_denied(text: &str) -> bool {
    text.contains("is not permitted")
}

/// Defines what is the same but for the types, which each generation has for itself: `Method`, `Scheme`,
/// `RequestOptions`, `ErrorCode`, and this type of requests.
macro_rules! same_in_both {
    ($Outgoing:ty) => {
        fn options(request: &Request) -> RequestOptions {
            let options = RequestOptions::new();
            let timeout = Some(crate::http::wasi::nanoseconds(request.timeout));
            // A host that knows no such limit has its own.
            let _ = options.set_connect_timeout(timeout);
            let _ = options.set_first_byte_timeout(timeout);
            let _ = options.set_between_bytes_timeout(timeout);
            options
        }

        /// Writes method and URL into the head of `outgoing`.
        fn write_head(outgoing: &$Outgoing, request: &Request, url: &Url<'_>) -> Result<(), Error> {
            let method = match request.method.as_str() {
                "GET" => Method::Get,
                "HEAD" => Method::Head,
                "POST" => Method::Post,
                "PUT" => Method::Put,
                "DELETE" => Method::Delete,
                "OPTIONS" => Method::Options,
                "PATCH" => Method::Patch,
                other => Method::Other(other.to_owned()),
            };
            let scheme = if url.is_https {
                Scheme::Https
            } else {
                Scheme::Http
            };
            let path = url.path_with_query();
            for (part, written) in [
                ("method", outgoing.set_method(&method)),
                ("scheme", outgoing.set_scheme(Some(&scheme))),
                ("host", outgoing.set_authority(Some(url.authority))),
                ("path", outgoing.set_path_with_query(Some(&path))),
            ] {
                written.map_err(|()| crate::http::wasi::invalid(part))?;
            }
            Ok(())
        }

        fn failed(url: &Url<'_>, code: &ErrorCode) -> Error {
            use crate::http::wasi::is_denied;
            match code {
                ErrorCode::HttpRequestDenied => Error::Denied(url.host()),
                ErrorCode::ConnectionTimeout
                | ErrorCode::ConnectionReadTimeout
                | ErrorCode::HttpResponseTimeout => Error::Timeout(url.host()),
                ErrorCode::InternalError(Some(text)) if is_denied(text) => {
                    Error::Denied(url.host())
                }
                code => Error::Unreachable(url.host(), format!("{code:?}")),
            }
        }
    };
}
pub(super) use same_in_both;
