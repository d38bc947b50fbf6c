//! Reading a request as a whole, within bounds.

use crate::{ReadError, read_body};
use bytes::Bytes;
use http::HeaderMap;
use http::header::ACCEPT;

/// A request with its whole body.
pub type Request = http::Request<Bytes>;

/// Reads a request whose body may have `limit` bytes.
///
/// # Errors
///
/// As [`read_body`].
pub async fn read_request<B>(request: http::Request<B>, limit: usize) -> Result<Request, ReadError>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, limit).await?;
    Ok(Request::from_parts(parts, body))
}

/// Whether the request comes from a browser that shows a page to a person.
pub fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http_body_util::Full;

    #[test]
    fn a_body_over_the_limit_is_answered_413() {
        let request = |size: usize| http::Request::new(Full::new(Bytes::from(vec![0; size])));
        let read = block_on(read_request(request(10), 10));
        assert_eq!(read.map(|request| request.body().len()).ok(), Some(10));
        let refused = block_on(read_request(request(11), 10));
        assert_eq!(
            refused.err().map(|error| error.status().as_u16()),
            Some(413)
        );
    }
}
