//! Downloads: a GET that follows redirects, bounded in size and in time.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::time::timeout;
use url::Url;

use crate::{
    blocked_networks::BlockedNetworks,
    http_connector::{self, Client},
    manifest::{may_be_fetched, shown},
};

/// How often a server may send on to another address.
const MAX_REDIRECTS: usize = 10;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the head of a response, and then each part of its body, may take.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The client of downloads.
pub(crate) struct Downloads(Client);

impl Default for Downloads {
    /// What is fetched is what the manifest names, so that it may come from any network.
    fn default() -> Self {
        let blocked = Arc::new(BlockedNetworks::default());
        Self(http_connector::client(blocked, true))
    }
}

impl Downloads {
    pub(crate) fn client(&self) -> &Client {
        &self.0
    }
}

/// That what a download is given to wants no more of it.
pub(crate) struct Ended;

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    #[error("{0}. Is this machine online? Nothing is fetched through a proxy (HTTPS_PROXY)")]
    Connect(http_connector::ConnectError),
    #[error("the connection broke off")]
    Broken,
    #[error("the server took too long")]
    Timeout,
    #[error("the server answered {0}")]
    Status(StatusCode),
    #[error("the server wants credentials")]
    Unauthorized(Option<HeaderValue>),
    #[error("the server sends on to an address that cannot be used: {0}")]
    Redirect(String),
    #[error("the server sends on to another address too often")]
    Redirects,
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    #[error("it is not wanted")]
    Ended,
}

/// Gets what is at this URL, at most so many bytes, and gives it to `part` piece by piece. `headers` go to this origin alone.
pub(crate) async fn download(
    client: &Client,
    url: &Url,
    headers: &HeaderMap,
    most: u64,
    mut part: impl FnMut(&[u8]) -> Result<(), Ended>,
) -> Result<(), DownloadError> {
    let mut body = follow(client, url, headers).await?.into_body();
    let mut length = 0;
    loop {
        let frame = timeout(READ_TIMEOUT, body.frame()).await;
        let frame = match frame.map_err(|_| DownloadError::Timeout)? {
            None => return Ok(()),
            Some(frame) => frame.map_err(|_| DownloadError::Broken)?,
        };
        if let Some(bytes) = frame.data_ref() {
            length += bytes.len() as u64;
            if length > most {
                return Err(DownloadError::TooLarge(most));
            }
            part(bytes).map_err(|Ended| DownloadError::Ended)?;
        }
    }
}

/// Returns the response with the content.
async fn follow(
    client: &Client,
    url: &Url,
    headers: &HeaderMap,
) -> Result<Response<Incoming>, DownloadError> {
    let origin = url.origin();
    let mut url = url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let headers = match url.origin() == origin {
            true => headers.clone(),
            false => HeaderMap::new(),
        };
        let response = get(client, &url, headers).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = response.headers().get(header::WWW_AUTHENTICATE);
            return Err(DownloadError::Unauthorized(challenge.cloned()));
        }
        let location = response.headers().get(header::LOCATION);
        let (true, Some(location)) = (status.is_redirection(), location) else {
            return Err(DownloadError::Status(status));
        };
        let next = location.to_str().ok().and_then(|text| url.join(text).ok());
        let next = next.ok_or_else(|| DownloadError::Redirect("it is no URL".to_owned()))?;
        // Not to a weaker connection either, of which the manifest says nothing.
        let is_weaker = url.scheme() == "https" && next.scheme() != "https";
        if is_weaker || !may_be_fetched(&next) {
            return Err(DownloadError::Redirect(shown(&next)));
        }
        url = next;
    }
    Err(DownloadError::Redirects)
}

async fn get(
    client: &Client,
    url: &Url,
    headers: HeaderMap,
) -> Result<Response<Incoming>, DownloadError> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::get(url.as_str())
        .header(
            header::USER_AGENT,
            concat!("gatehouse-host/", env!("CARGO_PKG_VERSION")),
        )
        .body(body)
        .map_err(|_| DownloadError::Connect(http_connector::ConnectError::Url))?;
    request.headers_mut().extend(headers);
    let response = http_connector::with_connect_timeout(CONNECT_TIMEOUT, client.request(request));
    let response = timeout(CONNECT_TIMEOUT + READ_TIMEOUT, response).await;
    let response = response.map_err(|_| DownloadError::Timeout)?;
    response.map_err(|error| match http_connector::ConnectError::find(&error) {
        Some(error) => DownloadError::Connect(error),
        None => DownloadError::Broken,
    })
}
