//! A web server on which a client publishes what it says of itself.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What lies at a path.
#[derive(Clone)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl From<Value> for Page {
    /// A JSON document.
    fn from(document: Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: document.to_string(),
        }
    }
}

/// The server. It ends with this value.
pub struct Published {
    origin: String,
    pages: Pages,
    server: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Pages(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    pages: HashMap<String, Page>,
    asked: Vec<String>,
}

impl Published {
    /// Starts one with nothing on it.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let pages = Pages::default();
        let router = Router::new().fallback(answer).with_state(pages.clone());
        Self {
            origin: format!("http://{address}"),
            pages,
            server: tokio::spawn(async move {
                axum::serve(listener, router).await.ok();
            }),
        }
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Puts a page at a path.
    pub fn put(&self, path: &str, page: impl Into<Page>) {
        self.pages.with(|shelf| {
            shelf.pages.insert(path.to_owned(), page.into());
        });
    }

    /// Takes everything away.
    pub fn clear(&self) {
        self.pages.with(|shelf| shelf.pages.clear());
    }

    /// The paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.pages.with(|shelf| shelf.asked.clone())
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Pages {
    fn with<T>(&self, use_it: impl FnOnce(&mut Shelf) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(State(pages): State<Pages>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let page = pages.with(|shelf| {
        shelf.asked.push(path.clone());
        shelf.pages.get(&path).cloned()
    });
    let Some(page) = page else {
        return (StatusCode::NOT_FOUND, "nothing here").into_response();
    };
    let mut response = page.body.into_response();
    response.headers_mut().clear();
    if let Ok(status) = StatusCode::from_u16(page.status) {
        *response.status_mut() = status;
    }
    for (name, value) in page.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
