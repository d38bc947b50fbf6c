//! An OAuth client that does as the specifications say, step by step, so that a test can do one
//! step differently.

use crate::{Gatehouse, Person};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use url::Url;

/// The redirect URI that test clients register.
pub const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// The redirect URI that test clients use: a port of the moment (RFC 8252 section 7.3).
pub const USED_REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";

/// A PKCE code verifier (RFC 7636 section 4.1).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A registered client.
pub struct Client {
    /// The registration response.
    pub registration: Value,
    base: String,
    http: reqwest::Client,
}

/// The response of `/token`.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The whole answer.
    pub answer: Value,
}

impl Client {
    /// Registers a public client, as MCP clients do.
    pub async fn register(gatehouse: &Gatehouse) -> Self {
        Self::register_as(
            gatehouse,
            json!({
                "client_name": "Test client",
                "redirect_uris": [REDIRECT_URI],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none",
            }),
        )
        .await
    }

    /// Registers a client with this metadata.
    ///
    /// # Panics
    ///
    /// If the registration is refused.
    pub async fn register_as(gatehouse: &Gatehouse, metadata: Value) -> Self {
        Self::register_at(&gatehouse.base(), metadata).await
    }

    /// Registers a client with this metadata at the server whose issuer is `base`.
    ///
    /// # Panics
    ///
    /// If the registration is refused.
    pub async fn register_at(base: &str, metadata: Value) -> Self {
        let http = reqwest::Client::new();
        let response = http
            .post(format!("{base}/register"))
            .json(&metadata)
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), 201);
        Self {
            registration: response.json().await.expect("JSON"),
            base: base.to_owned(),
            http,
        }
    }

    /// Returns a client that is known without registering, by this identifier.
    pub fn known_as(gatehouse: &Gatehouse, client_id: &str) -> Self {
        Self {
            registration: json!({ "client_id": client_id }),
            base: gatehouse.base(),
            http: reqwest::Client::new(),
        }
    }

    /// Returns a client that registered at `base` and was answered this.
    pub fn with(base: &str, registration: Value) -> Self {
        Self {
            registration,
            base: base.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// Returns the same client, at another machine.
    pub fn at(&self, base: &str) -> Self {
        Self {
            registration: self.registration.clone(),
            base: base.to_owned(),
            http: self.http.clone(),
        }
    }

    /// Returns the client id.
    pub fn id(&self) -> &str {
        self.registration["client_id"]
            .as_str()
            .expect("a client_id")
    }

    /// Returns the URL of `path` at the server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Returns the parameters of an authorization request.
    pub fn authorization_request(&self) -> HashMap<&'static str, String> {
        HashMap::from([
            ("response_type", "code".to_owned()),
            ("client_id", self.id().to_owned()),
            ("redirect_uri", USED_REDIRECT_URI.to_owned()),
            ("state", "client-state".to_owned()),
            ("code_challenge", challenge(VERIFIER)),
            ("code_challenge_method", "S256".to_owned()),
            ("resource", format!("{}/mcp", self.base)),
        ])
    }

    /// Returns the URL of an authorization request with these parameters.
    ///
    /// # Panics
    ///
    /// Never: the base is a URL.
    pub fn authorization_url(&self, parameters: &HashMap<&'static str, String>) -> String {
        let url = Url::parse_with_params(&format!("{}/authorize", self.base), parameters);
        url.expect("a URL").into()
    }

    /// Lets `person` allow the client, and gives the code.
    pub async fn code(&self, person: &Person) -> String {
        let url = self.authorization_url(&self.authorization_request());
        parameter(&person.allow(&url).await, "code").expect("a code")
    }

    /// Lets `person` allow an authorization request of which these parameters are changed, and gives
    /// the code.
    ///
    /// # Panics
    ///
    /// If no code comes back.
    pub async fn code_with(&self, person: &Person, changes: &[(&'static str, &str)]) -> String {
        let mut request = self.authorization_request();
        for (name, value) in changes {
            request.insert(name, (*value).to_owned());
        }
        let back = person.allow(&self.authorization_url(&request)).await;
        parameter(&back, "code").expect("a code")
    }

    /// Returns a form for the endpoint at this path, to be changed and sent.
    pub fn form(&self, path: &str, parameters: &[(&str, &str)]) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base))
            .form(parameters)
    }

    /// Returns the parameters of a correct token request for a code.
    pub fn redeeming<'a>(&'a self, code: &'a str) -> [(&'a str, &'a str); 5] {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", USED_REDIRECT_URI),
            ("client_id", self.id()),
            ("code_verifier", VERIFIER),
        ]
    }

    /// Returns the form of that, to be changed and sent.
    pub fn redemption(&self, code: &str) -> RequestBuilder {
        self.form("/token", &self.redeeming(code))
    }

    /// Sends a token request.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn token(&self, parameters: &[(&str, &str)]) -> Response {
        let request = self.form("/token", parameters);
        request.send().await.expect("an answer")
    }

    /// Posts a form to an endpoint of the server, which may be gone.
    ///
    /// # Errors
    ///
    /// If nothing answers.
    pub async fn try_post(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.base);
        self.http.post(url).form(parameters).send().await
    }

    /// Redeems a code as it should be.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn redeem(&self, code: &str) -> Response {
        let request = self.redemption(code);
        request.send().await.expect("an answer")
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Response {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", self.id()),
        ])
        .await
    }

    /// Revokes a token.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn revoke(&self, token: &str) -> Response {
        let request = self.form("/revoke", &[("token", token), ("client_id", self.id())]);
        request.send().await.expect("an answer")
    }

    /// Returns the whole way, with every scope.
    pub async fn sign_in(&self, person: &Person) -> Tokens {
        Tokens::read(self.redeem(&self.code(person).await).await).await
    }

    /// Returns the whole way, with these scopes.
    pub async fn sign_in_for(&self, person: &Person, scope: &str) -> Tokens {
        let code = self.code_with(person, &[("scope", scope)]).await;
        Tokens::read(self.redeem(&code).await).await
    }
}

impl Tokens {
    /// Returns the claims of the access token, unverified.
    ///
    /// # Panics
    ///
    /// If it is not a JWT.
    pub fn claims(&self) -> Value {
        let part = self.access.split('.').nth(1).expect("a JWT");
        let json = URL_SAFE_NO_PAD.decode(part).expect("Base64");
        serde_json::from_slice(&json).expect("JSON")
    }

    /// Reads a token response.
    ///
    /// # Panics
    ///
    /// If the body is not a token response.
    pub async fn read(response: Response) -> Self {
        let status = response.status();
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(status, 200, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
            answer,
        }
    }
}

/// Returns the S256 challenge of a verifier (RFC 7636 section 4.2).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Returns a query parameter of a URL.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}
