//! The component `client-metadata`: fetches clients' metadata documents and JWK Sets.
//!
//! It alone may call any https host, so it holds nothing: no key, no store, no secret. The world
//! does not reach it; `authorize` does, by service chaining:
//!
//! | request | gives |
//! | --- | --- |
//! | `GET /document?url=…` | the metadata document at the URL |
//! | `GET /keys?url=…` | the JWK Set at the URL |
//!
//! 200 brings the body, and `Cache-Control: max-age` with the seconds that it is good for. Any other
//! status brings in plain text what was wrong, in words for a page that tell nothing of the network
//! here.

use axum::Router;
use axum::extract::{Request, State};
use bytes::Bytes;
use config::Problem;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use oauth::Parameters;
use oauth::document::{self, MAX_DOCUMENT_BYTES, MAX_KEYS_BYTES};
use platform::http_client::{self, Bounds, Error};
use std::sync::Arc;
use std::time::Duration;
use web::{Response, with_header};

platform::http_component!(router);

/// The origin besides public https hosts that may be fetched from, for development.
type Extra = Result<Option<String>, Problem>;

async fn router() -> Router {
    let values = platform::variables::read(&["public_url", "client_metadata_origin"]).await;
    let extra = config::documents_origin(|name| values.get(name).map(String::as_str));
    Router::new().fallback(handle).with_state(Arc::new(extra))
}

async fn handle(State(extra): State<Arc<Extra>>, request: Request) -> Response {
    let extra = match extra.as_ref() {
        Ok(extra) => extra.as_deref(),
        Err(problem) => return refused(StatusCode::INTERNAL_SERVER_ERROR, &problem.to_string()),
    };
    let size = match (request.method(), request.uri().path()) {
        (&Method::GET, "/document") => MAX_DOCUMENT_BYTES,
        (&Method::GET, "/keys") => MAX_KEYS_BYTES,
        _ => return refused(StatusCode::NOT_FOUND, "not found"),
    };
    let query = Parameters::from_query(request.uri().query()).unwrap_or_default();
    let url = query.get("url").unwrap_or_default();
    // The caller has checked it, and was wrong if this fails.
    if let Err(error) = document::check_url(url, extra) {
        return refused(StatusCode::BAD_REQUEST, &error.to_string());
    }
    fetch(url, size).await
}

async fn fetch(url: &str, size: usize) -> Response {
    let request = http::Request::get(url)
        .header(ACCEPT, "application/json")
        .body(Bytes::new());
    let Ok(request) = request else {
        return refused(StatusCode::BAD_REQUEST, "the URL cannot be requested");
    };
    let bounds = Bounds {
        time: Duration::from_secs(10),
        size,
    };
    let answer = match http_client::send(request, bounds).await {
        Ok(answer) => answer,
        Err(error) => return refused(StatusCode::BAD_GATEWAY, &words(&error)),
    };
    match document::read_response(answer.status(), answer.headers()) {
        Ok(seconds) => given(answer.into_body(), seconds),
        Err(error) => refused(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

fn given(body: Bytes, seconds: u64) -> Response {
    let mut response = with_header(
        web::text(StatusCode::OK, ""),
        CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    *response.body_mut() = body.into();
    match HeaderValue::from_str(&format!("max-age={seconds}")) {
        Ok(value) => with_header(response, CACHE_CONTROL, value),
        Err(_) => response,
    }
}

fn refused(status: StatusCode, words: &str) -> Response {
    web::text(status, words.to_owned())
}

/// Returns the error for a page, without what only this network knows: whether a name resolves to an internal
/// address, and what listens there.
fn words(error: &Error) -> String {
    match error {
        Error::Timeout(host) => format!("{host} did not answer within 10 seconds"),
        Error::TooLarge(host, most) => {
            format!("{host} answered with more than {most} bytes")
        }
        Error::Denied(host) | Error::Blocked(host) | Error::Unreachable(host, _) => {
            log_line::write(error);
            format!("{host} cannot be reached")
        }
    }
}
