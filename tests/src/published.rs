//! A web server on which a client publishes what it says of itself.

use crate::origin::Origin;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use http::StatusCode;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What lies at a path.
#[derive(Clone)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// Whether its end never comes.
    pub endless: bool,
}

impl From<Value> for Page {
    /// Returns a JSON document.
    fn from(document: Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: document.to_string(),
            endless: false,
        }
    }
}

/// The server. It ends with this value.
pub struct Published {
    origin: Origin,
    pages: Pages,
}

#[derive(Clone, Default)]
struct Pages(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    pages: HashMap<String, Page>,
    silent: HashSet<String>,
    asked: Vec<String>,
}

impl Published {
    /// Starts one with nothing on it.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start() -> Self {
        let pages = Pages::default();
        let router = Router::new().fallback(answer).with_state(pages.clone());
        Self {
            origin: Origin::serve(router).await,
            pages,
        }
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        self.origin.url()
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Puts a page at a path.
    pub fn put(&self, path: &str, page: impl Into<Page>) {
        self.pages.with(|shelf| {
            shelf.pages.insert(path.to_owned(), page.into());
        });
    }

    /// Never answers at a path.
    pub fn say_nothing(&self, path: &str) {
        self.pages
            .with(|shelf| shelf.silent.insert(path.to_owned()));
    }

    /// Takes everything away.
    pub fn clear(&self) {
        self.pages.with(|shelf| shelf.pages.clear());
    }

    /// Returns the paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.pages.with(|shelf| shelf.asked.clone())
    }
}

impl Pages {
    fn with<T>(&self, use_it: impl FnOnce(&mut Shelf) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(State(pages): State<Pages>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (page, silent) = pages.with(|shelf| {
        shelf.asked.push(path.clone());
        let silent = shelf.silent.contains(&path);
        (shelf.pages.get(&path).cloned(), silent)
    });
    if silent {
        return std::future::pending().await;
    }
    let Some(page) = page else {
        return (StatusCode::NOT_FOUND, "nothing here").into_response();
    };
    let mut response = match page.endless {
        true => Response::new(without_end(page.body)),
        false => page.body.into_response(),
    };
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

/// Returns the text, after which nothing comes and nothing ends.
fn without_end(text: String) -> Body {
    let text = stream::once(async { Ok::<_, std::io::Error>(Bytes::from(text)) });
    Body::from_stream(text.chain(stream::pending()))
}
