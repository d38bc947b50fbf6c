//! A person with a browser: cookies, redirects, and forms that are read before they are sent.

use crate::{Form, Gatehouse, Page};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::Url;

/// A browser that follows nothing by itself, keeps cookies for longer than it has to, and shows them
/// to tests.
pub struct Person {
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Every `Set-Cookie` that was met.
    set_cookies: Mutex<Vec<String>>,
    /// A public URL, and where it is really served: what a TLS proxy in front would do.
    proxied: Option<(String, String)>,
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

impl Person {
    /// Returns a browser with no cookies.
    ///
    /// # Panics
    ///
    /// If there is no HTTP client to be had.
    pub fn new() -> Self {
        Self {
            http: reqwest::Client::builder()
                .redirect(Policy::none())
                .build()
                .expect("an HTTP client"),
            cookies: Mutex::default(),
            set_cookies: Mutex::default(),
            proxied: None,
        }
    }

    /// Returns a browser that reaches `gatehouse` at `public_url`.
    pub fn at(public_url: &str, gatehouse: &Gatehouse) -> Self {
        Self {
            proxied: Some((public_url.to_owned(), gatehouse.base())),
            ..Self::new()
        }
    }

    /// Another browser with the same cookies, as a thief of cookies has.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            http: self.http.clone(),
            cookies: Mutex::new(lock(&self.cookies).clone()),
            set_cookies: Mutex::default(),
            proxied: self.proxied.clone(),
        }
    }

    /// Returns the value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        lock(&self.cookies).get(name).cloned()
    }

    /// Puts a cookie into the browser.
    pub fn plant(&self, name: &str, value: impl Into<String>) {
        lock(&self.cookies).insert(name.to_owned(), value.into());
    }

    /// Returns every `Set-Cookie` value that the browser has met.
    pub fn set_cookies(&self) -> Vec<String> {
        lock(&self.set_cookies).clone()
    }

    /// Returns a request as this browser sends it, to be changed and sent.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let url = match &self.proxied {
            Some((public, real)) => match url.strip_prefix(public.as_str()) {
                Some(rest) => format!("{real}{rest}"),
                None => url.to_owned(),
            },
            None => url.to_owned(),
        };
        let request = self.http.request(method, url);
        let cookies = lock(&self.cookies);
        if cookies.is_empty() {
            return request;
        }
        let pairs: Vec<_> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        request.header(COOKIE, pairs.join("; "))
    }

    /// Sends a request of [`request`](Self::request), and keeps the cookies of the answer.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn answer(&self, request: RequestBuilder) -> Response {
        self.try_answer(request).await.expect("an answer")
    }

    async fn try_answer(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let response = request.send().await?;
        self.keep_cookies(response.headers());
        Ok(response)
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = header.to_str().expect("text").to_owned();
            let pair = text.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a name and a value");
            if text.contains("; Max-Age=0") {
                lock(&self.cookies).remove(name);
            } else {
                self.plant(name, value);
            }
            lock(&self.set_cookies).push(text);
        }
    }

    /// Opens an address.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn open(&self, url: &str) -> Response {
        self.try_open(url).await.expect("an answer")
    }

    /// Opens an address of a server that may be gone.
    ///
    /// # Errors
    ///
    /// If nothing answers.
    pub async fn try_open(&self, url: &str) -> reqwest::Result<Response> {
        self.try_answer(self.request(Method::GET, url)).await
    }

    /// Opens a page.
    pub async fn page(&self, url: &str) -> Page {
        Page::read(self.open(url).await).await
    }

    /// Sends a form as it is.
    pub async fn submit(&self, form: &Form) -> Response {
        self.try_submit(form).await.expect("an answer")
    }

    async fn try_submit(&self, form: &Form) -> reqwest::Result<Response> {
        let request = self.request(Method::POST, form.action.as_str());
        self.try_answer(request.form(&form.fields)).await
    }

    /// Sends a form with one of its buttons.
    pub async fn send(&self, form: &Form, button: (&str, &str)) -> Response {
        self.submit(&form.clone().with(button.0, button.1)).await
    }

    /// Returns the only form of the page that `response` is.
    pub async fn form(&self, response: Response) -> Form {
        Page::read(response).await.form()
    }

    /// Goes the whole way from an authorization URL, over consent and sign-in, to the URL that
    /// leads back to the client.
    ///
    /// # Panics
    ///
    /// If a step on the way is not as it should be.
    pub async fn allow(&self, authorization_url: &str) -> Url {
        self.try_allow(authorization_url).await.expect("an answer")
    }

    /// Returns the same at a server that may be gone.
    ///
    /// # Errors
    ///
    /// If nothing answers at some step.
    ///
    /// # Panics
    ///
    /// If a step on the way is not as it should be.
    pub async fn try_allow(&self, authorization_url: &str) -> reqwest::Result<Url> {
        let page = Page::try_read(self.try_open(authorization_url).await?).await?;
        let form = page.form().with("decision", "allow");
        let mut next = location(&self.try_submit(&form).await?);
        // Descope, then /callback, then the client.
        loop {
            let response = self.try_open(next.as_str()).await?;
            let leads_to = location(&response);
            if next.path().ends_with("/callback") {
                return Ok(leads_to);
            }
            next = leads_to;
        }
    }

    /// Goes from the redirect to the identity provider to where `/callback` leads.
    ///
    /// # Panics
    ///
    /// If a step on the way is no redirect.
    pub async fn finish(&self, to_provider: &Response) -> Url {
        location(&self.open(self.come_back(to_provider).await.as_str()).await)
    }

    /// Goes from the redirect to the identity provider to the address of `/callback` to which that
    /// sends the browser, without opening it.
    ///
    /// # Panics
    ///
    /// If a step on the way is no redirect.
    pub async fn come_back(&self, to_provider: &Response) -> Url {
        let mut next = location(to_provider);
        while !next.path().ends_with("/callback") {
            next = location(&self.open(next.as_str()).await);
        }
        next
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the URL that a redirect leads to.
///
/// # Panics
///
/// If `response` is no redirect.
pub fn location(response: &Response) -> Url {
    let status = response.status();
    assert!(
        status.is_redirection(),
        "a redirect from {}, not {status}",
        response.url()
    );
    let location = response.headers()[LOCATION].to_str().expect("text");
    response.url().join(location).expect("a URL")
}
