//! Requests to Descope (RFC 6749, RFC 7009, OpenID Connect Core).

use crate::settings::{App, Credentials, Project};
use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use identity::{CodeExchange, Error, Login};
use oidc::misconfiguration;
use oidc::request::{self, JSON, sensitive};
use serde_json::{Map, Value};
use url::Url;

/// Returns the authorization request.
pub(crate) fn login_url(project: &Project, app: &App, login: &Login) -> Result<String, Error> {
    let endpoint =
        Url::parse(&format!("{}{AUTHORIZE}", project.base_url)).map_err(|_| bad_base_url())?;
    Ok(request::authorization_url(
        &endpoint,
        app.client_id(project),
        &app.scopes,
        login,
    ))
}

/// Returns the token request for a code.
pub(crate) fn exchange_code(
    project: &Project,
    app: &App,
    exchange: &CodeExchange,
) -> Result<Request<Bytes>, Error> {
    app_request(project, app, TOKEN, &request::exchange(exchange))
}

/// Returns the token request for a refresh token.
pub(crate) fn refresh(
    project: &Project,
    app: &App,
    refresh_token: &str,
) -> Result<Request<Bytes>, Error> {
    app_request(project, app, TOKEN, &request::refresh(refresh_token))
}

/// Returns the revocation request (RFC 7009 section 2.1).
pub(crate) fn revoke(
    project: &Project,
    app: &App,
    token: &str,
    hint: &'static str,
) -> Result<Request<Bytes>, Error> {
    app_request(project, app, REVOKE, &request::revocation(token, hint))
}

/// Returns the userinfo request (OpenID Connect Core section 5.3.1).
pub(crate) fn userinfo(project: &Project, access_token: &str) -> Result<Request<Bytes>, Error> {
    // Else it would be the token that no header can carry.
    sensitive(access_token).ok_or_else(|| {
        Error::Refused("a token has a character that tokens cannot have".to_owned())
    })?;
    let url = format!("{}{USERINFO}", project.base_url);
    request::get(&url, Some(access_token)).ok_or_else(bad_base_url)
}

/// Returns the request for the project's public keys.
pub(crate) fn keys(project: &Project) -> Result<Request<Bytes>, Error> {
    request::get(&project.jwks_url(), None).ok_or_else(bad_base_url)
}

/// Returns a request in the name of the app, in either style of its credentials.
fn app_request(
    project: &Project,
    app: &App,
    path: &str,
    parameters: &[(&str, &str)],
) -> Result<Request<Bytes>, Error> {
    let url = format!("{}{path}", project.base_url);
    match &app.credentials {
        Credentials::Client { id, secret } => {
            let mut parameters = parameters.to_vec();
            parameters.extend([("client_id", id.as_str()), ("client_secret", secret)]);
            request::post(&url, &parameters, None).ok_or_else(bad_base_url)
        }
        Credentials::ManagementKey(key) => {
            let mut body: Map<String, Value> = parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect();
            body.insert("client_id".to_owned(), Value::from(project.id.as_str()));
            let authorization = sensitive(&format!("Bearer {}:{key}", project.id));
            Request::post(url)
                .header(ACCEPT, JSON)
                .header(CONTENT_TYPE, JSON)
                .header(AUTHORIZATION, authorization.ok_or_else(bad_base_url)?)
                .body(Value::Object(body).to_string().into())
                .map_err(|_| bad_base_url())
        }
    }
}

fn bad_base_url() -> Error {
    misconfiguration::of(
        "descope_base_url",
        "no request can be made with it",
        "Set it to https://api.descope.com or to the custom domain of your Descope project",
    )
}

const AUTHORIZE: &str = "/oauth2/v1/apps/authorize";
const TOKEN: &str = "/oauth2/v1/apps/token";
const REVOKE: &str = "/oauth2/v1/apps/revoke";
const USERINFO: &str = "/oauth2/v1/apps/userinfo";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use std::collections::HashMap;

    fn exchange() -> CodeExchange {
        CodeExchange {
            code: "the code+&".to_owned(),
            issuer: None,
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
        let url = login_url(&fixtures::project(), &fixtures::client_app(), &login).unwrap();
        let url = Url::parse(&url).unwrap();
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
    fn a_token_is_revoked_with_the_apps_own_credentials() {
        let request = revoke(
            &fixtures::project(),
            &fixtures::client_app(),
            "r1",
            "refresh_token",
        )
        .unwrap();
        assert_eq!(
            request.uri(),
            "https://api.descope.com/oauth2/v1/apps/revoke"
        );
        let body: HashMap<_, _> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        assert_eq!(body["token"], "r1");
        assert_eq!(body["token_type_hint"], "refresh_token");
        assert_eq!(body["client_secret"], fixtures::SECRET);
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused_and_not_repeated() {
        let error = userinfo(&fixtures::project(), "bad\ntoken").unwrap_err();
        assert!(matches!(&error, Error::Refused(text) if !text.contains("bad")));
    }
}
