//! `POST /emulator/sign-in`: the sign-in page's form. Descope has its own pages and nothing like this address.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;

use crate::app::Shared;
use crate::endpoints::authorize::{LoginRequest, Refusal, refuse};
use crate::page;
use crate::params::Params;
use crate::user::User;

/// Checks the authorization request again, since it came back through the browser, and ends the login.
pub(super) async fn handler(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = match Params::from_body(&headers, &body) {
        Ok(form) => form,
        Err(error) => return refuse(error, &headers),
    };
    let query = form.get("request").unwrap_or_default();
    let request = match LoginRequest::parse(&app, query) {
        Ok(request) => request,
        Err(Refusal::Page(error)) => return refuse(error, &headers),
        Err(Refusal::Redirect(response)) => return *response,
    };
    if form.get("decision") == Some("deny") {
        return request.redirect_error("access_denied", "The user denied the request");
    }
    let name = form.get("name").unwrap_or_default().trim();
    let email = form.get("email").unwrap_or_default().trim();
    if let Some(problem) = problem(name, email) {
        return page::sign_in(&page::SignIn {
            client_id: &request.client_id,
            redirect_host: &request.redirect_host(),
            scopes: &request.scopes,
            request: query,
            name,
            email,
            problem: Some(problem),
        });
    }
    match request.sign_in(&app, User::new(name, email)) {
        Ok(response) => response,
        Err(error) => refuse(error, &headers),
    }
}

fn problem(name: &str, email: &str) -> Option<page::Problem> {
    let is_email = email.len() <= 254
        && !email.contains(char::is_whitespace)
        && email.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@')
        });
    if name.is_empty() || name.len() > 200 {
        Some(page::Problem::Name)
    } else if !is_email {
        Some(page::Problem::Email)
    } else {
        None
    }
}
