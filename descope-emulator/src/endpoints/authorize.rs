//! `GET /oauth2/v1/apps/authorize`: the start of a login (RFC 6749 section 4.1.1).
//!
//! A wrong client or redirect URI is told to the browser; anything else goes to the redirect URI as `error` and
//! `error_description`. That Descope sends "Received invalid scope" that way is an assumption: its documents give the
//! words alone.

use std::sync::atomic::Ordering;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use crate::app::{App, Outcome, Shared};
use crate::config::TokenIssuer;
use crate::endpoints::respond::wants_html;
use crate::error::DescopeError;
use crate::page;
use crate::params::Params;
use crate::state::{Code, Grant, hash, random_token};
use crate::user::User;

/// Returns the endpoint that all of a project's apps share.
pub(super) async fn plain(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(&app, &query.unwrap_or_default(), &headers)
}

/// Returns the same with the project in the path.
pub(super) async fn of_project(
    State(app): State<Shared>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match app.check_project(&project) {
        Ok(()) => answer(&app, &query.unwrap_or_default(), &headers),
        Err(error) => refuse(error, &headers),
    }
}

/// Returns the endpoint of one MCP server.
pub(super) async fn agentic(
    State(app): State<Shared>,
    Path((project, server)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let right = app
        .check_project(&project)
        .and_then(|()| app.check_mcp_server(&server));
    if let Err(error) = right {
        return refuse(error, &headers);
    }
    let mut query = query.unwrap_or_default();
    if !query.contains(MCP_SERVER_PARAMETER) {
        query.push('&');
        query.push_str(MCP_SERVER_PARAMETER);
        query.push('=');
        query.extend(form_urlencoded::byte_serialize(server.as_bytes()));
    }
    answer(&app, &query, &headers)
}

/// Returns the endpoint of the issuer at `/openid`.
pub(super) async fn openid(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    answer(&app, &format!("{query}&{OPENID_PARAMETER}=1"), &headers)
}

fn answer(app: &App, query: &str, headers: &HeaderMap) -> Response {
    let request = match LoginRequest::parse(app, query) {
        Ok(request) => request,
        Err(Refusal::Page(error)) => return refuse(error, headers),
        Err(Refusal::Redirect(response)) => return *response,
    };
    let (outcome, suggested) = {
        let mut plan = app.plan();
        (plan.outcomes.pop_front(), plan.user.clone())
    };
    if let Some(Outcome { error, description }) = outcome {
        return request.redirect_error(&error, &description);
    }
    if app.auto_login.load(Ordering::Relaxed) {
        return match request.sign_in(app, suggested) {
            Ok(response) => response,
            Err(error) => refuse(error, headers),
        };
    }
    if request.prompt_none {
        return request.redirect_error("login_required", "The user is not signed in");
    }
    page::sign_in(&page::SignIn {
        client_id: &request.client_id,
        redirect_host: &request.redirect_host(),
        scopes: &request.scopes,
        request: query,
        name: &suggested.name,
        email: request.login_hint.as_deref().unwrap_or(&suggested.email),
        problem: None,
    })
}

/// Tells the browser, or a program, why there is no login.
pub(super) fn refuse(error: DescopeError, headers: &HeaderMap) -> Response {
    if wants_html(headers) {
        page::error(error.status(), &error.to_string())
    } else {
        error.into_response()
    }
}

/// Why a login cannot start.
pub(super) enum Refusal {
    /// There is no redirect URI to trust.
    Page(DescopeError),
    /// The client hears of it.
    Redirect(Box<Response>),
}

/// A checked authorization request.
pub(super) struct LoginRequest {
    pub(super) client_id: String,
    redirect_uri: Url,
    redirect_uri_text: String,
    pub(super) scopes: Vec<String>,
    state: String,
    nonce: Option<String>,
    code_challenge: Option<String>,
    resource: Option<String>,
    issuer: TokenIssuer,
    /// The `iss` that goes to the redirect URI (RFC 9207 section 2), where one does.
    issuer_parameter: Option<String>,
    login_hint: Option<String>,
    prompt_none: bool,
    needs_pkce: bool,
}

impl LoginRequest {
    /// Checks the query of an authorization request.
    pub(super) fn parse(app: &App, query: &str) -> Result<Self, Refusal> {
        let config = &app.config;
        let params = Params::from_urlencoded(query.as_bytes()).map_err(Refusal::Page)?;
        let required = |name| params.require(name).map_err(Refusal::Page);

        let client_id = required("client_id")?;
        let registered = app.state().clients.get(client_id).cloned();
        if registered.is_none() && !config.knows_client(client_id) {
            return Err(Refusal::Page(DescopeError::Invalid("Unknown client id")));
        }
        let redirect_uri_text = required("redirect_uri")?;
        let not_approved = || Refusal::Page(DescopeError::Invalid("Redirect URL is not approved"));
        let is_approved = match &registered {
            Some(client) => client
                .redirect_uris
                .iter()
                .any(|uri| uri == redirect_uri_text),
            None => config.approves_redirect(redirect_uri_text),
        };
        if !is_approved {
            return Err(not_approved());
        }
        let redirect_uri = Url::parse(redirect_uri_text).map_err(|_| not_approved())?;
        let issuer = match params.get(MCP_SERVER_PARAMETER) {
            _ if params.get(OPENID_PARAMETER).is_some() => TokenIssuer::OpenId,
            // It registered with the MCP server and nowhere else.
            None if registered.is_some() => TokenIssuer::Agentic,
            None => config.token_issuer,
            Some(server) => {
                app.check_mcp_server(server).map_err(Refusal::Page)?;
                TokenIssuer::Agentic
            }
        };
        // Descope's clients report that a login without state or scope is refused.
        let request = Self {
            client_id: client_id.to_owned(),
            redirect_uri,
            redirect_uri_text: redirect_uri_text.to_owned(),
            scopes: Vec::new(),
            state: required("state")?.to_owned(),
            nonce: params.get("nonce").map(ToOwned::to_owned),
            code_challenge: params.get("code_challenge").map(ToOwned::to_owned),
            resource: params.get("resource").map(ToOwned::to_owned),
            issuer,
            issuer_parameter: (issuer == TokenIssuer::OpenId).then(|| app.issuer(issuer)),
            login_hint: params
                .get("login_hint")
                .or(params.get("loginHint"))
                .map(ToOwned::to_owned),
            prompt_none: params.get("prompt") == Some("none"),
            // RFC 9700 section 2.1.1.
            needs_pkce: config.force_pkce
                || registered.is_some_and(|client| client.secret.is_none()),
        };
        request.check_rest(app, &params)
    }

    fn check_rest(mut self, app: &App, params: &Params) -> Result<Self, Refusal> {
        let tell = |error: &str, description: &str| {
            Err(Refusal::Redirect(Box::new(
                self.redirect_error(error, description),
            )))
        };
        if params.get("response_type") != Some("code") {
            return tell(
                "unsupported_response_type",
                "The response type must be code",
            );
        }
        // RFC 7636 section 4.3: without a method the challenge would be plain, which Descope does not take.
        match (&self.code_challenge, params.get("code_challenge_method")) {
            (None, None) if self.needs_pkce => {
                return tell("invalid_request", "PKCE is required");
            }
            (None, None) => {}
            (Some(challenge), Some("S256")) if is_s256_challenge(challenge) => {}
            (Some(_), Some("S256")) => {
                return tell("invalid_request", "The code challenge is not an S256 hash");
            }
            _ => return tell("invalid_request", "The code challenge method must be S256"),
        }
        let Some(requested) = params.get("scope") else {
            return tell("invalid_scope", "The scope is missing");
        };
        let Some(scopes) = app.config.granted_scopes(requested) else {
            return tell("invalid_scope", &DescopeError::Scope.to_string());
        };
        self.scopes = scopes;
        Ok(self)
    }

    /// Ends the login well: a code goes to the redirect URI (RFC 6749 section 4.1.2).
    pub(super) fn sign_in(&self, app: &App, user: User) -> Result<Response, DescopeError> {
        let now = app.now();
        let code = random_token();
        let mut state = app.state();
        state.codes.insert(
            hash(&code),
            Code {
                grant: Grant {
                    subject: user.subject.clone(),
                    client_id: self.client_id.clone(),
                    scopes: self.scopes.clone(),
                    resource: self.resource.clone(),
                    issuer: self.issuer,
                    auth_time: now,
                    expires_at: now,
                },
                redirect_uri: self.redirect_uri_text.clone(),
                code_challenge: self.code_challenge.clone(),
                nonce: self.nonce.clone(),
                expires_at: now.saturating_add(app.config.code_lifetime),
            },
        );
        state.users.insert(user.subject.clone(), user);
        state.save(now)?;
        let changes = std::mem::take(&mut app.plan().callback);
        Ok(self.redirect(&[("code", &code)], &changes))
    }

    /// Ends the login badly (RFC 6749 section 4.1.2.1).
    pub(super) fn redirect_error(&self, error: &str, description: &str) -> Response {
        self.redirect(&[("error", error), ("error_description", description)], &[])
    }

    /// Leads to the redirect URI with these parameters and those that every answer has, but for `changes`.
    fn redirect(
        &self,
        parameters: &[(&str, &str)],
        changes: &[(String, Option<String>)],
    ) -> Response {
        let mut parameters = parameters.to_vec();
        parameters.push(("state", &self.state));
        parameters.extend(
            self.issuer_parameter
                .as_deref()
                .map(|issuer| ("iss", issuer)),
        );
        for (name, value) in changes {
            parameters.retain(|(known, _)| known != name);
            parameters.extend(value.as_deref().map(|value| (name.as_str(), value)));
        }
        let mut url = self.redirect_uri.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        let Ok(location) = HeaderValue::from_str(url.as_str()) else {
            return DescopeError::Invalid("Redirect URL is not approved").into_response();
        };
        let no_store = HeaderValue::from_static("no-store");
        let headers = [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, no_store),
        ];
        (StatusCode::FOUND, headers).into_response()
    }

    /// Returns where the browser goes after the login.
    pub(super) fn redirect_host(&self) -> String {
        let host = self.redirect_uri.host_str().unwrap_or_default();
        match self.redirect_uri.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}

/// RFC 7636 section 4.2: 32 bytes in base64url without padding.
fn is_s256_challenge(challenge: &str) -> bool {
    challenge.len() == 43
        && challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

const MCP_SERVER_PARAMETER: &str = "mcp_server_id";
/// Keeps a login at `/openid` apart from Descope's while it goes through the sign-in page.
const OPENID_PARAMETER: &str = "emulator_openid";
