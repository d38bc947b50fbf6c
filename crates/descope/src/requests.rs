//! What is sent to Descope.

use crate::Error;
use crate::descope::{CodeExchange, Login};
use crate::settings::{App, Credentials, Project};
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use serde_json::{Map, Value};

/// The authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
pub(crate) fn login_url(project: &Project, app: &App, login: &Login) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", app.client_id(project))
        .append_pair("redirect_uri", &login.redirect_uri)
        .append_pair("scope", &app.scopes)
        .append_pair("state", &login.state)
        .append_pair("nonce", &login.nonce)
        .append_pair("code_challenge", &login.code_challenge)
        .append_pair("code_challenge_method", "S256");
    if let Some(prompt) = &login.prompt {
        query.append_pair("prompt", prompt);
    }
    let query = query.finish();
    format!("{}{AUTHORIZE}?{query}", project.base_url)
}

/// The token request for a code (RFC 6749 section 4.1.3).
pub(crate) fn exchange_code(
    project: &Project,
    app: &App,
    exchange: &CodeExchange,
) -> Result<Request<Bytes>, Error> {
    token_request(
        project,
        app,
        &[
            ("grant_type", "authorization_code"),
            ("code", &exchange.code),
            ("redirect_uri", &exchange.redirect_uri),
            ("code_verifier", &exchange.code_verifier),
        ],
    )
}

/// The token request for a refresh token (RFC 6749 section 6).
pub(crate) fn refresh(
    project: &Project,
    app: &App,
    refresh_token: &str,
) -> Result<Request<Bytes>, Error> {
    token_request(
        project,
        app,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ],
    )
}

/// The userinfo request (OpenID Connect Core section 5.3.1).
pub(crate) fn userinfo(project: &Project, access_token: &str) -> Result<Request<Bytes>, Error> {
    let builder = Request::get(format!("{}{USERINFO}", project.base_url))
        .header(ACCEPT, JSON)
        .header(AUTHORIZATION, bearer(access_token)?);
    build(builder, Bytes::new())
}

/// The request for the project's public keys.
pub(crate) fn keys(project: &Project) -> Result<Request<Bytes>, Error> {
    build(
        Request::get(project.jwks_url()).header(ACCEPT, JSON),
        Bytes::new(),
    )
}

fn token_request(
    project: &Project,
    app: &App,
    parameters: &[(&str, &str)],
) -> Result<Request<Bytes>, Error> {
    let builder = Request::post(format!("{}{TOKEN}", project.base_url)).header(ACCEPT, JSON);
    match &app.credentials {
        Credentials::Client { id, secret } => {
            let body = Serializer::new(String::new())
                .extend_pairs(parameters)
                .append_pair("client_id", id)
                .append_pair("client_secret", secret)
                .finish();
            build(builder.header(CONTENT_TYPE, FORM), body.into())
        }
        Credentials::ManagementKey(key) => {
            let mut body: Map<String, Value> = parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect();
            body.insert("client_id".to_owned(), Value::from(project.id.as_str()));
            let builder = builder
                .header(CONTENT_TYPE, JSON)
                .header(AUTHORIZATION, bearer(&format!("{}:{key}", project.id))?);
            build(builder, Value::Object(body).to_string().into())
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
        Error::Refused("a token has a character that tokens cannot have".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn build(builder: http::request::Builder, body: Bytes) -> Result<Request<Bytes>, Error> {
    builder.body(body).map_err(|_| {
        config::Problem::new(
            "descope_base_url",
            "no request can be made with it",
            "Set it to https://api.descope.com or to the custom domain of your Descope project",
        )
        .into()
    })
}

const AUTHORIZE: &str = "/oauth2/v1/apps/authorize";
const TOKEN: &str = "/oauth2/v1/apps/token";
const USERINFO: &str = "/oauth2/v1/apps/userinfo";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use std::collections::HashMap;

    fn exchange() -> CodeExchange {
        CodeExchange {
            code: "the code+&".to_owned(),
            redirect_uri: "http://127.0.0.1:3000/callback".to_owned(),
            code_verifier: "verifier".to_owned(),
            nonce: "n".to_owned(),
        }
    }

    #[test]
    fn the_login_url_carries_pkce_state_and_nonce_escaped() {
        let login = Login {
            redirect_uri: "http://127.0.0.1:3000/callback?a=b&c".to_owned(),
            state: "s".to_owned(),
            nonce: "n".to_owned(),
            code_challenge: "c".to_owned(),
            prompt: Some("login".to_owned()),
        };
        let url = login_url(&fixtures::project(), &fixtures::client_app(), &login);
        let url = url::Url::parse(&url).unwrap();
        assert_eq!(url.path(), "/oauth2/v1/apps/authorize");
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let expected = [
            ("response_type", "code"),
            ("client_id", fixtures::CLIENT_ID),
            ("prompt", "login"),
            ("redirect_uri", "http://127.0.0.1:3000/callback?a=b&c"),
            ("scope", "openid profile email"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", "c"),
            ("code_challenge_method", "S256"),
        ];
        assert_eq!(query.len(), expected.len());
        for (name, value) in expected {
            assert_eq!(query[name], value, "{name}");
        }
    }

    #[test]
    fn an_inbound_app_proves_itself_with_form_fields() {
        let request =
            exchange_code(&fixtures::project(), &fixtures::client_app(), &exchange()).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(
            request.uri(),
            "https://api.descope.com/oauth2/v1/apps/token"
        );
        assert_eq!(
            request.headers()[CONTENT_TYPE],
            "application/x-www-form-urlencoded"
        );
        assert!(!request.headers().contains_key(AUTHORIZATION));
        let body: HashMap<_, _> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        assert_eq!(body["grant_type"], "authorization_code");
        assert_eq!(body["code"], "the code+&");
        assert_eq!(body["redirect_uri"], "http://127.0.0.1:3000/callback");
        assert_eq!(body["code_verifier"], "verifier");
        assert_eq!(body["client_id"], fixtures::CLIENT_ID);
        assert_eq!(body["client_secret"], fixtures::SECRET);
    }

    #[test]
    fn a_project_proves_itself_with_its_management_key_in_a_header() {
        let request = refresh(&fixtures::project(), &fixtures::key_app(), "r1").unwrap();
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
        let authorization = &request.headers()[AUTHORIZATION];
        assert_eq!(
            authorization,
            &format!("Bearer {}:{}", fixtures::PROJECT, fixtures::SECRET)
        );
        assert!(authorization.is_sensitive());
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "grant_type": "refresh_token",
                "refresh_token": "r1",
                "client_id": fixtures::PROJECT,
            })
        );
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused_and_not_repeated() {
        let error = userinfo(&fixtures::project(), "bad\ntoken").unwrap_err();
        assert!(matches!(&error, Error::Refused(text) if !text.contains("bad")));
    }
}
