//! HTTP requests to the endpoint (2025-11-25 and 2026-07-28, Transports, Streamable HTTP).

use crate::credentials::Header;
use crate::environment::Environment;
use crate::error::Error;
use crate::incoming::{RpcError, read_error};
use crate::messages::{Messages, within};
use crate::settings::Settings;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use mcp::jsonrpc::Id;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tool_adapters::redaction::without_in_json;

/// The endpoint, and the way there.
pub(crate) struct Wire<E> {
    pub(crate) settings: Settings,
    pub(crate) environment: E,
    last_id: AtomicU64,
}

/// What came of a request, as far as its head tells.
pub(crate) enum Head<B> {
    /// It is answered with messages.
    Messages(HeaderMap, Messages<B>),
    /// It is taken, and there is nothing to say.
    Accepted,
    /// It was not done.
    Failed(StatusCode, Option<(Option<Id>, RpcError)>),
}

/// Ids that follow one below this are exact in JSON, which has them as floating-point numbers in some languages.
const MAX_FIRST_ID: u64 = 1 << 52;

/// Bytes of a response to what every server answers shortly.
pub(crate) const MAX_SHORT_BYTES: usize = 1024 * 1024;

/// Bytes that are read of a response with an error status.
const MAX_ERROR_BYTES: usize = 64 * 1024;

impl<E: Environment> Wire<E> {
    pub(crate) fn new(settings: Settings, environment: E) -> Self {
        Self {
            settings,
            // Where an instance serves one request, the next one must not begin with the same ids.
            last_id: AtomicU64::new(environment.random() % MAX_FIRST_ID),
            environment,
        }
    }

    /// Returns an id that no other request of this instance has.
    pub(crate) fn new_id(&self) -> u64 {
        self.last_id.fetch_add(1, Relaxed) + 1
    }

    /// Returns what the server says without what authorized the request, and without the operator's secret.
    pub(crate) fn redacted(&self, text: Vec<u8>, authorization: Option<&Header>) -> Vec<u8> {
        let lists = self.settings.credentials.for_lists();
        let headers = authorization.into_iter().chain(&lists);
        let secrets: Vec<_> = headers.map(Header::secret).collect();
        without_in_json(text, &secrets)
    }

    /// Returns when a call that begins now has to be over.
    pub(crate) fn deadline(&self) -> Duration {
        self.environment.elapsed() + self.settings.timeout
    }

    /// Posts a message.
    ///
    /// # Errors
    ///
    /// If there is no response, or one that says the same of every request: it is refused, redirected, or too much.
    pub(crate) async fn post(
        &self,
        headers: HeaderMap,
        authorization: Option<&Header>,
        body: Bytes,
        max_bytes: usize,
        deadline: Duration,
    ) -> Result<Head<E::Body>, Error> {
        let response = self
            .send(Method::POST, headers, authorization, body, deadline)
            .await?;
        let status = response.status();
        let (head, body) = response.into_parts();
        if status.is_success() {
            let is_empty = matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT);
            if is_empty || !head.headers.contains_key(CONTENT_TYPE) {
                return Ok(Head::Accepted);
            }
            let messages = Messages::new(&head.headers, body, max_bytes)?;
            return Ok(Head::Messages(head.headers, messages));
        }
        if status.is_redirection() {
            return Err(Error::Redirected(status));
        }
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Error::Refused(status)),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Err(Error::Busy(status));
            }
            _ => {}
        }
        let text = within(&self.environment, deadline, beginning(body)).await?;
        Ok(Head::Failed(
            status,
            read_error(&self.redacted(text, authorization)),
        ))
    }

    /// Sends a request of any method and returns the response when its head is there.
    ///
    /// # Errors
    ///
    /// If there is none before `deadline`.
    pub(crate) async fn send(
        &self,
        method: Method,
        mut headers: HeaderMap,
        authorization: Option<&Header>,
        body: Bytes,
        deadline: Duration,
    ) -> Result<Response<E::Body>, Error> {
        let agent = concat!("gatehouse/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let accept = match method {
            Method::GET => "text/event-stream",
            _ => "application/json, text/event-stream",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(Header { name, value }) = authorization {
            headers.insert(name, value.clone());
        }
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.settings.url.clone();
        *request.headers_mut() = headers;
        let left = deadline.saturating_sub(self.environment.elapsed());
        if left.is_zero() {
            return Err(Error::TimedOut);
        }
        Ok(self.environment.open(request, left).await?)
    }
}

/// Reads a body, as far as [`MAX_ERROR_BYTES`] go.
async fn beginning<B: Body<Data = Bytes> + Unpin>(mut body: B) -> Vec<u8> {
    let mut read = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        let left = MAX_ERROR_BYTES - read.len();
        read.extend_from_slice(&bytes[..bytes.len().min(left)]);
        if read.len() == MAX_ERROR_BYTES {
            break;
        }
    }
    read
}
