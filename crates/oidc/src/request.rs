//! Requests to a provider (OpenID Connect Core section 3.1.2.1, RFC 6749 sections 4.1.3 and 6).

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use identity::{CodeExchange, Login};
use url::Url;

/// Returns the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3): the parameters after
/// those that the endpoint's URL may have.
pub fn authorization_url(endpoint: &Url, client_id: &str, scopes: &str, login: &Login) -> String {
    let mut url = endpoint.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", &login.redirect_uri)
        .append_pair("scope", scopes)
        .append_pair("state", &login.state)
        .append_pair("nonce", &login.nonce)
        .append_pair("code_challenge", &login.code_challenge)
        .append_pair("code_challenge_method", "S256");
    if let Some(prompt) = &login.prompt {
        url.query_pairs_mut().append_pair("prompt", prompt);
    }
    url.into()
}

/// Returns the parameters of a token request for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
pub fn exchange(exchange: &CodeExchange) -> [(&'static str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", &exchange.code),
        ("redirect_uri", &exchange.redirect_uri),
        ("code_verifier", &exchange.code_verifier),
    ]
}

/// Returns the parameters of a token request for a refresh token (RFC 6749 section 6).
pub fn refresh(refresh_token: &str) -> [(&'static str, &str); 2] {
    [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ]
}

/// Returns the parameters of a revocation request (RFC 7009 section 2.1).
pub fn revocation<'a>(token: &'a str, hint: &'static str) -> [(&'static str, &'a str); 2] {
    [("token", token), ("token_type_hint", hint)]
}

/// Returns a GET for JSON; with a bearer token, if one is given (RFC 6750 section 2.1). `None` if no
/// request can be made of it.
pub fn get(url: &str, access_token: Option<&str>) -> Option<Request<Bytes>> {
    let mut builder = Request::get(url).header(ACCEPT, JSON);
    if let Some(token) = access_token {
        builder = builder.header(AUTHORIZATION, sensitive(&format!("Bearer {token}"))?);
    }
    builder.body(Bytes::new()).ok()
}

/// Returns a POST of a form; with an `Authorization` header, if one is given. `None` if no request can be
/// made of it.
pub fn post(
    url: &str,
    parameters: &[(&str, &str)],
    authorization: Option<&str>,
) -> Option<Request<Bytes>> {
    let body = Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let mut builder = Request::post(url)
        .header(ACCEPT, JSON)
        .header(CONTENT_TYPE, FORM);
    if let Some(authorization) = authorization {
        builder = builder.header(AUTHORIZATION, sensitive(authorization)?);
    }
    builder.body(body.into()).ok()
}

/// Returns a header that no log shows.
pub fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The media type of JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
