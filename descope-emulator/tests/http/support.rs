//! A fixture of the tests: an application that signs people in with the emulator.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use descope_emulator::{
    Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_MANAGEMENT_KEY, DEFAULT_PROJECT_ID,
    Emulator, Running,
};
use jwt::{Algorithm, KeySet, Unverified};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Where the application takes codes. Nothing listens there: redirects are not followed.
pub const CALLBACK: &str = "http://127.0.0.1:3000/callback";
/// The application's PKCE verifier.
pub const VERIFIER: &str = "a-verifier-of-enough-length-0123456789-abcdefghij";

/// Returns an emulator for tests.
pub async fn start() -> Running {
    start_with(Config::for_tests()).await
}

/// Returns an emulator with a configuration.
pub async fn start_with(config: Config) -> Running {
    Emulator::start(config).await.unwrap()
}

/// Returns a free address for an emulator that is stopped and started again. Its port is below those that systems hand out
/// (from 32768 on Linux), so that no other test is given it meanwhile.
pub fn address_to_return_to() -> SocketAddr {
    loop {
        let port = rand::random_range(20_000..32_000);
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr().unwrap();
        }
    }
}

/// Returns an HTTP client that follows no redirects.
pub fn http() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Returns the S256 challenge of [`VERIFIER`].
pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// Returns a good authorization request of the inbound app.
pub fn request() -> HashMap<&'static str, String> {
    [
        ("response_type", "code"),
        ("client_id", DEFAULT_CLIENT_ID),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email"),
        ("state", "the state"),
        ("nonce", "the-nonce"),
        ("code_challenge_method", "S256"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .chain([("code_challenge", challenge())])
    .collect()
}

/// `request()` with some parameters changed; an empty value takes one away.
pub fn request_with(changes: &[(&'static str, &str)]) -> HashMap<&'static str, String> {
    let mut request = request();
    for (name, value) in changes {
        if value.is_empty() {
            request.remove(name);
        } else {
            request.insert(name, (*value).to_owned());
        }
    }
    request
}

/// Sends an authorization request.
pub async fn authorize(descope: &Running, request: &HashMap<&'static str, String>) -> Response {
    let url = format!("{}/oauth2/v1/apps/authorize", descope.base_url());
    http().get(url).query(request).send().await.unwrap()
}

/// Returns the query parameters of the redirect in `response`.
pub fn redirected(response: &Response) -> HashMap<String, String> {
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap();
    let url = url::Url::parse(location).unwrap();
    assert!(location.starts_with(CALLBACK), "{location}");
    url.query_pairs().into_owned().collect()
}

/// Returns a code for `request`, from an emulator that signs in without the page.
pub async fn code_for(descope: &Running, request: &HashMap<&'static str, String>) -> String {
    let parameters = redirected(&authorize(descope, request).await);
    parameters["code"].clone()
}

/// Returns the form that exchanges `code` for the inbound app.
pub fn exchange_form(code: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
        ("client_id", DEFAULT_CLIENT_ID.to_owned()),
        ("client_secret", DEFAULT_CLIENT_SECRET.to_owned()),
    ]
}

/// Returns the form that refreshes for the inbound app.
pub fn refresh_form(refresh_token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", refresh_token.to_owned()),
        ("client_id", DEFAULT_CLIENT_ID.to_owned()),
        ("client_secret", DEFAULT_CLIENT_SECRET.to_owned()),
    ]
}

/// Posts a form to the token endpoint.
pub async fn post_token(descope: &Running, form: &[(&'static str, String)]) -> Response {
    let url = format!("{}/oauth2/v1/apps/token", descope.base_url());
    http().post(url).form(form).send().await.unwrap()
}

/// Posts JSON to the token endpoint with the project's management key.
pub async fn post_token_with_key(descope: &Running, key: &str, body: &Value) -> Response {
    let url = format!("{}/oauth2/v1/apps/token", descope.base_url());
    let bearer = format!("{DEFAULT_PROJECT_ID}:{key}");
    let request = http().post(url).bearer_auth(bearer).json(body);
    request.send().await.unwrap()
}

/// Signs in as the inbound app and gives the token answer.
pub async fn login(descope: &Running) -> Value {
    let code = code_for(descope, &request()).await;
    let response = post_token(descope, &exchange_form(&code)).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Signs in as the project and gives the token answer.
pub async fn login_with_key(descope: &Running) -> Value {
    let request = request_with(&[("client_id", DEFAULT_PROJECT_ID)]);
    let code = code_for(descope, &request).await;
    let body = json!({
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": DEFAULT_PROJECT_ID,
    });
    let response = post_token_with_key(descope, DEFAULT_MANAGEMENT_KEY, &body).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Asks userinfo about `token`.
pub async fn userinfo(descope: &Running, token: &str) -> Response {
    let url = format!("{}/oauth2/v1/apps/userinfo", descope.base_url());
    http().get(url).bearer_auth(token).send().await.unwrap()
}

/// Returns the JWKS.
pub async fn jwks(descope: &Running) -> Value {
    let url = format!(
        "{}/{DEFAULT_PROJECT_ID}/.well-known/jwks.json",
        descope.base_url()
    );
    http().get(url).send().await.unwrap().json().await.unwrap()
}

/// Returns the claims of `token`, verified with the published keys as a resource server would.
pub async fn verify(descope: &Running, token: &str) -> Option<Value> {
    let jwks = KeySet::from_value(&jwks(descope).await).unwrap();
    let token = Unverified::parse(token).unwrap();
    let key = jwks.find(token.header().key_id.as_deref(), Algorithm::Rs256)?;
    let claims = token.verify(key).ok()?;
    let ends = UNIX_EPOCH + Duration::from_secs(claims["exp"].as_u64()?);
    (ends > SystemTime::now()).then_some(Value::Object(claims))
}

/// Checks that a refusal has Descope's form, and gives its code and message.
pub async fn refusal(response: Response, status: u16) -> (String, String) {
    assert_eq!(response.status(), status);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["message"], body["errorMessage"]);
    assert!(body["errorDescription"].is_string());
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("errorCode"), text("errorMessage"))
}
