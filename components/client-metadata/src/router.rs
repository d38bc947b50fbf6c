//! The routes of the component, and the fetches behind them.

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
use web::routes::{ErrorFormat, Methods, Route};
use web::{Response, with_header};

/// The routes, each with the bytes that its document may have.
const ROUTES: &[Route<usize>] = &[
    route("/document", &[(Method::GET, MAX_DOCUMENT_BYTES)]),
    route("/keys", &[(Method::GET, MAX_KEYS_BYTES)]),
];

/// The origin besides public https hosts that may be fetched from, for development.
type ExtraOrigin = Result<Option<String>, Problem>;

/// Returns the router of an instance.
pub(crate) async fn router() -> Router {
    let values = platform::variables::read(config::granted::CLIENT_METADATA).await;
    let extra = config::documents_origin(|name| values.get(name));
    Router::new().fallback(handle).with_state(Arc::new(extra))
}

const fn route(path: &'static str, methods: &'static [(Method, usize)]) -> Route<usize> {
    Route {
        path,
        methods: Methods::Listed(methods),
        cors: None,
        max_body_bytes: 0,
        errors: ErrorFormat::Json,
    }
}

async fn handle(State(extra): State<Arc<ExtraOrigin>>, request: Request) -> Response {
    let extra = match extra.as_ref() {
        Ok(extra) => extra.as_deref(),
        Err(problem) => {
            return error_response(StatusCode::INTERNAL_SERVER_ERROR, &problem.to_string());
        }
    };
    let Some(route) = Route::find(ROUTES, request.uri().path()) else {
        return error_response(StatusCode::NOT_FOUND, "not found");
    };
    let Some(max_bytes) = route.endpoint(request.method()) else {
        return route.refuse_method(request.method());
    };
    let query = Parameters::from_query(request.uri().query()).unwrap_or_default();
    let url = query.get("url").unwrap_or_default();
    // The caller has checked it, and was wrong if this fails.
    if let Err(error) = document::check_url(url, extra) {
        return error_response(StatusCode::BAD_REQUEST, &error.to_string());
    }
    fetch(url, max_bytes).await
}

async fn fetch(url: &str, max_bytes: usize) -> Response {
    let request = http::Request::get(url)
        .header(ACCEPT, "application/json")
        .body(Bytes::new());
    let Ok(request) = request else {
        return error_response(StatusCode::BAD_REQUEST, "the URL cannot be requested");
    };
    let bounds = Bounds {
        time: Duration::from_secs(10),
        size: max_bytes,
    };
    let answer = match http_client::send(request, bounds).await {
        Ok(answer) => answer,
        Err(error) => return error_response(StatusCode::BAD_GATEWAY, &public_message(&error)),
    };
    match document::read_response(answer.status(), answer.headers()) {
        Ok(seconds) => document_response(answer.into_body(), seconds),
        Err(error) => error_response(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

fn document_response(body: Bytes, seconds: u64) -> Response {
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

fn error_response(status: StatusCode, message: &str) -> Response {
    web::text(status, message.to_owned())
}

/// Returns the error for a page, without what only this network knows: whether a name resolves to an internal
/// address, and what listens there.
fn public_message(error: &Error) -> String {
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
