//! A reverse proxy that serves a Gatehouse below a path of a host that has more on it.

use crate::origin::Origin;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;
use std::sync::{Arc, OnceLock};

/// More than any answer here has.
const MAX_BODY_BYTES: usize = 8 << 20;

/// The proxy. It takes its path off before it passes a request on, and passes what begins with
/// `/.well-known/` on as it is. It ends with this value.
pub struct Proxy {
    base: String,
    to: Arc<OnceLock<String>>,
    _origin: Origin,
}

#[derive(Clone)]
struct Upstream {
    path: &'static str,
    to: Arc<OnceLock<String>>,
    http: reqwest::Client,
}

impl Proxy {
    /// Starts one for this path, which leads nowhere yet.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start(path: &'static str) -> Self {
        let to = Arc::new(OnceLock::new());
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .build()
            .expect("an HTTP client");
        let upstream = Upstream {
            path,
            to: Arc::clone(&to),
            http,
        };
        let router = Router::new().fallback(pass_on).with_state(upstream);
        let origin = Origin::serve(router).await;
        Self {
            base: format!("{}{path}", origin.url()),
            to,
            _origin: origin,
        }
    }

    /// Returns the URL under which people reach what lies behind it.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Leads to the server with this base URL from now on.
    ///
    /// # Panics
    ///
    /// If it leads somewhere already.
    pub fn leads_to(&self, base: impl Into<String>) {
        self.to.set(base.into()).expect("nothing so far");
    }
}

async fn pass_on(State(upstream): State<Upstream>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str());
    let path = if uri.starts_with("/.well-known/") {
        Some(uri)
    } else {
        uri.strip_prefix(upstream.path)
    };
    let (Some(path), Some(to)) = (path, upstream.to.get()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut headers = parts.headers;
    headers.remove("host");
    let request = upstream
        .http
        .request(parts.method, format!("{to}{path}"))
        .headers(headers)
        .body(body);
    let Ok(answer) = request.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(HeaderName::from_static("transfer-encoding"));
    let body = answer.bytes().await.unwrap_or_default();
    (status, headers, Body::from(body)).into_response()
}
