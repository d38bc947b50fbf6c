//! Tools over the document and the API, as an instance offers them.

use crate::Credential;
use crate::api::{Api, Info};
use crate::credential::Credentials;
use crate::operation::{CallError, PersonsToken};
use crate::output::{Output, output};
use crate::redirect::{MAX_REDIRECTS, follow, target};
use crate::request::Prepared;
use crate::settings::{Problem, Settings, Source};
use crate::tool::Tool;
use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use strict_json::excerpt;
use url::Url;

/// What sends a request, and its clock. It follows no redirect.
pub trait Http {
    /// Returns the time since some moment, which never goes back.
    fn now(&self) -> Duration;

    /// Sends `request` and returns the whole response, whatever its status.
    fn send(
        &self,
        request: Request<Bytes>,
        bounds: Bounds,
    ) -> impl Future<Output = Result<Response<Bytes>, SendError>>;
}

/// What an exchange may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// For the whole exchange.
    pub time: Duration,
    /// Bytes of the response's body.
    pub size: usize,
}

/// Why there is no response. The texts name the host at most.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The application may not call the host; the text says what to change.
    #[error("{0}")]
    Denied(String),
    /// The response is larger than [`Bounds::size`].
    #[error("the response has more than {0} bytes")]
    TooLarge(usize),
    /// No response in time, or no connection.
    #[error("{0}")]
    Failed(String),
}

/// What there is to offer.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The API as a whole.
    pub info: Info,
    /// Its operations.
    pub tools: Vec<Tool>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such tool.
    NotFound,
    /// What is wrong with the arguments, for the model.
    InvalidArguments(String),
    /// What is wrong, for the operator's log.
    Internal(String),
}

/// The tools of an instance, which serves many calls at once.
pub struct Server<H> {
    settings: Result<Settings, Vec<Problem>>,
    http: H,
    loaded: Mutex<Loaded>,
}

enum Loaded {
    NotYet,
    Api(Arc<Api>),
    /// The document could not be had, and is not asked for before this time.
    Failed {
        error: String,
        retry_at: Duration,
    },
}

/// How long a document that could not be had is not fetched again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Operations that are named in the log if they cannot be tools.
const MAX_NAMED: usize = 20;

impl<H: Http> Server<H> {
    /// Makes a server. Problems with the settings are reported when it is asked.
    pub fn new(settings: Result<Settings, Vec<Problem>>, http: H) -> Self {
        Self {
            settings,
            http,
            loaded: Mutex::new(Loaded::NotYet),
        }
    }

    /// Returns what there is, and logs which operations are left out.
    ///
    /// # Errors
    ///
    /// Fails with [`Failure::Internal`] if the settings are wrong or the document cannot be had.
    pub async fn describe(&self) -> Result<Offer, Failure> {
        let settings = self.settings()?;
        let api = self.api(settings).await?;
        let tools = api.tools(settings);
        for (name, unusable) in tools.left_out.iter().take(MAX_NAMED) {
            log_line::write(format_args!(
                "openapi: the operation {name} is left out: {unusable}"
            ));
        }
        if let Some(more) = tools
            .left_out
            .len()
            .checked_sub(MAX_NAMED)
            .filter(|more| *more > 0)
        {
            log_line::write(format_args!("openapi: {more} more operations are left out"));
        }
        if tools.over_the_limit > 0 {
            log_line::write(format_args!(
                "openapi: {} operations are left out, since max_operations is {}: select with tags, methods, operations and deny",
                tools.over_the_limit, settings.selection.max_operations,
            ));
        }
        for (variable, pattern) in tools.unmatched {
            log_line::write(format_args!(
                "openapi: {variable}: the pattern {pattern} fits no operation"
            ));
        }
        if tools.tools.is_empty() {
            log_line::write(format_args!("openapi: no operation is offered"));
        } else if !tools.use_credentials && !matches!(settings.credentials, Credentials::None) {
            log_line::write(format_args!(
                "openapi: no operation is called with the credentials, as the document says `security: []`; for a secret, set secret_in"
            ));
        }
        Ok(Offer {
            info: api.info(),
            tools: tools.tools,
        })
    }

    /// Calls a tool with arguments in JSON.
    ///
    /// # Errors
    ///
    /// See [`Failure`]; an error of the API is an output.
    pub async fn call(
        &self,
        name: &str,
        arguments: &str,
        token: PersonsToken<'_>,
    ) -> Result<Output, Failure> {
        let settings = self.settings()?;
        let api = self.api(settings).await?;
        let operation = api.operation(name, settings).map_err(|unusable| {
            Failure::Internal(format!(
                "the operation {} cannot be a tool: {unusable}",
                excerpt(name)
            ))
        })?;
        let operation = operation.ok_or(Failure::NotFound)?;
        let arguments = match serde_json::from_str(arguments) {
            Ok(Value::Object(arguments)) => arguments,
            _ => {
                return Err(Failure::InvalidArguments(
                    "`arguments` has to be an object".to_owned(),
                ));
            }
        };
        let request = match operation.request(&arguments, token) {
            Ok(request) => request,
            Err(CallError::Argument(error)) => {
                return Err(Failure::InvalidArguments(error.to_string()));
            }
            Err(error) => return Ok(Output::error(error.to_string())),
        };
        let credential = request.credential.as_ref();
        let traces = credential.map(Credential::traces).unwrap_or_default();
        let bounds = Bounds {
            time: settings.timeout,
            size: settings.max_response_bytes,
        };
        let may_redirect = |method: &Method, url: &Url| operation.may_redirect(method, url);
        match self.exchange(request, bounds, may_redirect).await {
            Ok((_, response)) => {
                let schema = operation.output_schema(settings);
                Ok(output(operation.name(), &response, &traces, schema))
            }
            Err(SendError::Denied(text)) => Err(Failure::Internal(text)),
            Err(SendError::TooLarge(size)) => Ok(Output::error(format!(
                "The API's response has more than {size} bytes. Ask for less, such as fewer entries or fields."
            ))),
            Err(SendError::Failed(text)) => {
                // The model is not told of hosts and networks.
                log_line::write(format_args!("openapi: {}: {text}", operation.name()));
                let text = "The API cannot be reached, or did not answer in time.";
                Ok(Output::error(text))
            }
        }
    }

    fn settings(&self) -> Result<&Settings, Failure> {
        self.settings.as_ref().map_err(|problems| {
            let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
            Failure::Internal(format!("openapi: {}", problems.join("; ")))
        })
    }

    /// Returns the API, of which the document is read once.
    async fn api(&self, settings: &Settings) -> Result<Arc<Api>, Failure> {
        match &mut *self.loaded() {
            Loaded::Api(api) => return Ok(Arc::clone(api)),
            Loaded::Failed { error, retry_at } if self.http.now() < *retry_at => {
                return Err(Failure::Internal(error.clone()));
            }
            // One call tries again, and meanwhile the others fail at once.
            Loaded::Failed { retry_at, .. } => *retry_at = self.http.now() + settings.timeout,
            // Calls that come meanwhile read it too: none may wait for another request of its instance.
            Loaded::NotYet => {}
        }
        let fetched = self.text(settings).await;
        let mut loaded = self.loaded();
        if let Loaded::Api(api) = &*loaded {
            return Ok(Arc::clone(api));
        }
        let read = fetched.and_then(|(text, url)| {
            Api::read(&text, url, settings)
                .map_err(|error| format!("the document cannot be used: {error}"))
        });
        match read {
            Ok(api) => {
                let api = Arc::new(api);
                *loaded = Loaded::Api(Arc::clone(&api));
                Ok(api)
            }
            Err(error) => {
                let error = format!("openapi: {error}");
                *loaded = Loaded::Failed {
                    error: error.clone(),
                    retry_at: self.http.now() + RETRY_INTERVAL,
                };
                Err(Failure::Internal(error))
            }
        }
    }

    fn loaded(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the text of the document, and where it was fetched from.
    async fn text<'s>(
        &self,
        settings: &'s Settings,
    ) -> Result<(Cow<'s, str>, Option<Url>), String> {
        match &settings.document {
            Source::Text(text) => Ok((text.into(), None)),
            Source::Url(url) => {
                let (url, text) = self.fetch(url, settings).await?;
                Ok((text.into(), Some(url)))
            }
        }
    }

    /// Returns the text of the document and where it came from in the end.
    async fn fetch(&self, url: &Url, settings: &Settings) -> Result<(Url, String), String> {
        let failed = |reason: &str| {
            format!(
                "the document cannot be fetched from {}: {reason}",
                excerpt(url.host_str().unwrap_or_default())
            )
        };
        let mut headers = HeaderMap::new();
        let accept = "application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.5";
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        headers.insert(USER_AGENT, HeaderValue::from_static("gatehouse"));
        let request = Prepared {
            method: Method::GET,
            url: url.clone(),
            headers,
            body: Bytes::new(),
            credential: None,
        };
        let bounds = Bounds {
            time: settings.timeout,
            size: settings.max_document_bytes,
        };
        let (url, response) =
            self.exchange(request, bounds, |_, _| true)
                .await
                .map_err(|error| match error {
                    SendError::TooLarge(size) => failed(&format!(
                        "it has more than {size} bytes; raise max_document_bytes"
                    )),
                    error => failed(&error.to_string()),
                })?;
        let status = response.status();
        if status.is_redirection() {
            return Err(failed(
                "it redirects to another origin; set document to the URL that it leads to",
            ));
        }
        if !status.is_success() {
            return Err(failed(&format!("the answer is {status}")));
        }
        let text = String::from_utf8(response.into_body().into());
        Ok((url, text.map_err(|_| failed("it is not UTF-8"))?))
    }

    /// Sends a request and follows redirects, as far as `may_redirect` allows the next request; the last response with its URL, which
    /// is without credentials. The bounds are those of all of it.
    async fn exchange(
        &self,
        mut request: Prepared,
        bounds: Bounds,
        may_redirect: impl Fn(&Method, &Url) -> bool,
    ) -> Result<(Url, Response<Bytes>), SendError> {
        let end = self.http.now() + bounds.time;
        for _ in 0..MAX_REDIRECTS {
            let time = end.saturating_sub(self.http.now());
            let bounds = Bounds { time, ..bounds };
            let response = self.http.send(request.to_http(), bounds).await?;
            let Some(target) = target(&request.url, &response) else {
                return Ok((request.url, response));
            };
            let next = follow(request.clone(), response.status(), target);
            if !may_redirect(&next.method, &next.url) {
                return Ok((request.url, response));
            }
            request = next;
        }
        let time = end.saturating_sub(self.http.now());
        let bounds = Bounds { time, ..bounds };
        let response = self.http.send(request.to_http(), bounds).await?;
        Ok((request.url, response))
    }
}

#[cfg(test)]
mod tests;
