//! Clients' metadata documents, fetched by the component `client-metadata`.

use authserver::client_metadata_documents::{DocumentFetcher, DocumentKind, FetchedDocument};
use bytes::Bytes;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use platform::http_client::{self, Bounds};
use std::pin::Pin;
use std::time::Duration;

/// The component `client-metadata`.
pub(crate) struct ClientMetadata;

/// More than that component's own limits.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(12),
    size: 32 * 1024,
};

impl DocumentFetcher for ClientMetadata {
    fn fetch<'a>(
        &'a self,
        kind: DocumentKind,
        url: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<FetchedDocument, String>> + Send + 'a>> {
        Box::pin(fetch(kind, url))
    }
}

async fn fetch(kind: DocumentKind, url: &str) -> Result<FetchedDocument, String> {
    let path = match kind {
        DocumentKind::Metadata => "document",
        DocumentKind::JwkSet => "keys",
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("url", url)
        .finish();
    let request = http::Request::get(format!(
        "http://client-metadata.spin.internal/{path}?{query}"
    ))
    .body(Bytes::new())
    .map_err(|_| "the URL cannot be requested".to_owned())?;
    let answer = http_client::send(request, BOUNDS).await.map_err(|error| {
        log_line::write(error);
        "it cannot be fetched now".to_owned()
    })?;
    if answer.status() != StatusCode::OK {
        return Err(String::from_utf8_lossy(answer.body())
            .chars()
            .take(300)
            .collect());
    }
    let max_age = answer
        .headers()
        .get(CACHE_CONTROL)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("max-age="))
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0);
    Ok(FetchedDocument {
        body: answer.into_body().to_vec(),
        max_age,
    })
}
