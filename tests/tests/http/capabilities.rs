//! The capabilities in the metadata (RFC 8414, RFC 9728), one by one: each works, and nothing works that is not
//! listed.

use gatehouse_tests::client::{REDIRECT_URI, parameter};
use gatehouse_tests::person::location;
use gatehouse_tests::signed::{ASSERTION_TYPE, assertion, keys, proof, proof_for};
use gatehouse_tests::{Client, Flavour, Gatehouse, Mcp, Person, Published, Settings, Tokens};
use jwt::{KeySet, SigningKey, Unverified};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

const SECRET: &str = "correct-horse-battery-staple-correct";
const WRONG: &str = "incorrect-horse-battery-staple-correct";

const SERVER: &str = "/.well-known/oauth-authorization-server";

/// Where clients show who they are.
const TOKEN: &str = "/token";
const REVOKE: &str = "/revoke";
const INTROSPECT: &str = "/introspect";

/// A Gatehouse that knows a client for each way of authenticating: `none`, `client_secret_basic`,
/// `client_secret_post`, and `EdDSA`, `ES256` and `RS256` with `private_key_jwt`.
struct Stage {
    gatehouse: Gatehouse,
    published: Published,
    keys: [SigningKey; 3],
}

/// How a client shows who it is: a method, and an algorithm where it signs.
#[derive(Clone, Copy)]
struct By<'a>(&'a str, &'a str);

impl By<'_> {
    fn client_id(self) -> String {
        match self.0 {
            "private_key_jwt" => self.1.to_owned(),
            method => method.to_owned(),
        }
    }
}

impl Stage {
    async fn start() -> Self {
        let published = Published::start().await;
        let keys = keys();
        let mut clients = vec![json!({
            "client_id": "none",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        })];
        for method in ["client_secret_basic", "client_secret_post"] {
            clients.push(json!({
                "client_id": method,
                "client_secret": SECRET,
                "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": method,
            }));
        }
        for key in &keys {
            clients.push(json!({
                "client_id": key.public().algorithm().as_str(),
                "jwks": { "keys": [key.public().to_jwk()] },
                "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "private_key_jwt",
            }));
        }
        let settings = Settings::default()
            .variable("clients", json!(clients).to_string())
            .variable("client_metadata_origin", published.origin());
        Self {
            gatehouse: Gatehouse::start_with(settings).await,
            published,
            keys,
        }
    }

    async fn document(&self, path: &str) -> Value {
        let response = reqwest::get(self.gatehouse.url(path)).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// The public client.
    fn public(&self) -> Client {
        Client::known_as(&self.gatehouse, "none")
    }

    fn key(&self, algorithm: &str) -> &SigningKey {
        let found = |key: &&SigningKey| key.public().algorithm().as_str() == algorithm;
        let key = self.keys.iter().find(found);
        key.unwrap_or_else(|| panic!("no key signs with {algorithm}"))
    }

    /// A form of a client that shows, rightly or wrongly, who it is.
    fn form(&self, by: By<'_>, rightly: bool, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let id = by.client_id();
        let mut form = form.to_vec();
        let secret = if rightly { SECRET } else { WRONG };
        let signed;
        match by.0 {
            "none" => form.push(("client_id", &id)),
            "client_secret_basic" => {}
            "client_secret_post" => {
                form.extend([("client_id", id.as_str()), ("client_secret", secret)])
            }
            "private_key_jwt" => {
                let stranger = SigningKey::ed25519(&[9; 32]);
                let key = if rightly { self.key(by.1) } else { &stranger };
                signed = assertion(key, &id, &self.gatehouse.base());
                form.extend([
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", signed.as_str()),
                ]);
            }
            other => panic!("nothing shows that {other} works"),
        }
        let request = self.public().form(path, &form);
        match by.0 {
            "client_secret_basic" => request.basic_auth(id, Some(secret)),
            _ => request,
        }
    }

    /// Tokens of a client, which has to show who it is for them.
    async fn tokens(&self, by: By<'_>) -> Tokens {
        if by.0 == "none" {
            return self.public().sign_in(&Person::new()).await;
        }
        let form = [("grant_type", "client_credentials")];
        Tokens::read(send(self.form(by, true, TOKEN, &form)).await).await
    }

    /// Shows that a client may authenticate so at the endpoint, and must.
    async fn authenticates(&self, path: &str, by: By<'_>) {
        let Tokens { access, .. } = self.tokens(by).await;
        let form = match path {
            TOKEN => [("grant_type", "client_credentials")],
            _ => [("token", access.as_str())],
        };
        if by.0 != "none" {
            let refused = send(self.form(by, false, path, &form)).await;
            assert_eq!(refused.status(), 401, "{path} {} {}", by.0, by.1);
        }
        assert_eq!(self.call(&access).await, 200);
        match path {
            TOKEN => {}
            REVOKE => {
                let revoked = send(self.form(by, true, path, &form)).await;
                assert_eq!(revoked.status(), 200, "{} {}", by.0, by.1);
                assert_eq!(self.call(&access).await, 401);
            }
            _ => {
                let answer = send(self.form(by, true, path, &form)).await;
                let answer: Value = answer.json().await.unwrap();
                assert_eq!(answer["active"], true, "{} {}: {answer}", by.0, by.1);
            }
        }
    }

    /// What the MCP endpoint says to a token.
    async fn call(&self, token: &str) -> u16 {
        let mcp = Mcp::new(self.gatehouse.url("/mcp"), Some(token));
        mcp.request("tools/list", json!({})).await.status().as_u16()
    }

    /// Where an authorization request leads of which these parameters are changed, and which is
    /// refused.
    async fn refused(&self, changes: &[(&'static str, &str)]) -> String {
        let client = self.public();
        let mut request = client.authorization_request();
        for (name, value) in changes {
            request.insert(name, (*value).to_owned());
        }
        let response = Person::new()
            .open(&client.authorization_url(&request))
            .await;
        parameter(&location(&response), "error").unwrap_or_default()
    }

    async fn prove(&self, name: &str, value: &Value) {
        let base = self.gatehouse.base();
        match name {
            "issuer" => {
                assert_eq!(value, &base);
                let claims = self.tokens(By("client_secret_post", "")).await.claims();
                assert_eq!(&claims["iss"], value);
            }
            "authorization_endpoint" => {
                let client = self.public();
                let url = client.authorization_url(&client.authorization_request());
                assert!(url.starts_with(&format!("{}?", text(value))));
                assert_eq!(Person::new().open(&url).await.status(), 200);
            }
            "token_endpoint" => assert_eq!(value, &format!("{base}{TOKEN}")),
            "revocation_endpoint" => assert_eq!(value, &format!("{base}{REVOKE}")),
            "introspection_endpoint" => assert_eq!(value, &format!("{base}{INTROSPECT}")),
            "registration_endpoint" => {
                let metadata = json!({ "redirect_uris": [REDIRECT_URI] });
                let registered = reqwest::Client::new().post(text(value)).json(&metadata);
                assert_eq!(send(registered).await.status(), 201);
            }
            "jwks_uri" => {
                let keys: Value = reqwest::get(text(value))
                    .await
                    .unwrap()
                    .json()
                    .await
                    .unwrap();
                let keys = KeySet::from_value(&keys).unwrap();
                let Tokens { access, .. } = self.tokens(By("client_secret_post", "")).await;
                let token = Unverified::parse(&access).unwrap();
                let header = token.header();
                let key = keys.find(header.key_id.as_deref(), header.algorithm);
                token.verify(&key.unwrap().clone()).unwrap();
            }
            "service_documentation" => {
                let page = reqwest::get(text(value)).await.unwrap();
                assert_eq!(page.status(), 200);
                assert!(
                    page.headers()["content-type"]
                        .to_str()
                        .unwrap()
                        .contains("html")
                );
            }
            "scopes_supported" => {
                for scope in list(value) {
                    let tokens = self.public().sign_in_for(&Person::new(), scope).await;
                    let granted = tokens.answer["scope"].as_str().unwrap();
                    assert!(
                        granted.split(' ').any(|granted| granted == scope),
                        "{scope}"
                    );
                }
            }
            "response_types_supported" => {
                for response_type in list(value) {
                    let change = ("response_type", response_type);
                    self.public().code_with(&Person::new(), &[change]).await;
                }
            }
            "response_modes_supported" => {
                for mode in list(value) {
                    // It is in the query that `code_with` looks for the code.
                    assert_eq!(mode, "query");
                    let change = ("response_mode", mode);
                    self.public().code_with(&Person::new(), &[change]).await;
                }
            }
            "grant_types_supported" => {
                for grant_type in list(value) {
                    let client = self.public();
                    match grant_type {
                        "authorization_code" => {
                            client.sign_in(&Person::new()).await;
                        }
                        "refresh_token" => {
                            let tokens = client.sign_in(&Person::new()).await;
                            Tokens::read(client.refresh(&tokens.refresh).await).await;
                        }
                        "client_credentials" => {
                            self.tokens(By("client_secret_basic", "")).await;
                        }
                        other => panic!("nothing shows that {other} works"),
                    }
                }
            }
            "token_endpoint_auth_methods_supported" => self.every_method(TOKEN, value).await,
            "revocation_endpoint_auth_methods_supported" => self.every_method(REVOKE, value).await,
            "introspection_endpoint_auth_methods_supported" => {
                self.every_method(INTROSPECT, value).await;
            }
            "token_endpoint_auth_signing_alg_values_supported" => {
                self.every_algorithm(TOKEN, value).await;
            }
            "revocation_endpoint_auth_signing_alg_values_supported" => {
                self.every_algorithm(REVOKE, value).await;
            }
            "introspection_endpoint_auth_signing_alg_values_supported" => {
                self.every_algorithm(INTROSPECT, value).await;
            }
            "code_challenge_methods_supported" => {
                // It is with this one that the test client asks.
                assert_eq!(value, &json!(["S256"]));
            }
            "dpop_signing_alg_values_supported" => {
                for algorithm in list(value) {
                    self.possesses(self.key(algorithm)).await;
                }
            }
            "authorization_response_iss_parameter_supported" => {
                assert_eq!(value, true);
                let client = self.public();
                let mut request = client.authorization_request();
                let good = client.authorization_url(&request);
                let back = Person::new().allow(&good).await;
                assert_eq!(parameter(&back, "iss").as_deref(), Some(base.as_str()));
                request.insert("response_type", "token".into());
                let bad = client.authorization_url(&request);
                let back = location(&Person::new().open(&bad).await);
                assert_eq!(parameter(&back, "iss"), Some(base));
            }
            "client_id_metadata_document_supported" => {
                assert_eq!(value, Flavour::offers_client_documents());
                if value == false {
                    return;
                }
                let id = self.published.url("/client.json");
                self.published.put(
                    "/client.json",
                    json!({
                        "client_id": id,
                        "client_name": "A client with a document",
                        "redirect_uris": [REDIRECT_URI],
                        "token_endpoint_auth_method": "none",
                    }),
                );
                let client = Client::known_as(&self.gatehouse, &id);
                client.sign_in(&Person::new()).await;
            }
            "protected_resources" => {
                assert_eq!(list(value).len(), Flavour::resource_paths().len());
                for resource in list(value) {
                    let path = resource.strip_prefix(&base).unwrap();
                    let document = format!("/.well-known/oauth-protected-resource{path}");
                    let document = self.document(&document).await;
                    assert_eq!(document["resource"], resource);
                    assert_eq!(document["authorization_servers"], json!([base]));
                    let client = self.public();
                    let (person, more) = (Person::new(), [("resource", resource)]);
                    let code = client.code_with(&person, &more).await;
                    let tokens = Tokens::read(client.redeem(&code).await).await;
                    assert_eq!(tokens.claims()["aud"], resource);
                    assert_eq!(self.call(&tokens.access).await, 200);
                }
            }
            // What follows is of OpenID Connect alone.
            "subject_types_supported" => {
                assert_eq!(value, &json!(["public"]));
                let mut subjects = Vec::new();
                for client in [self.public(), Client::register(&self.gatehouse).await] {
                    let tokens = client.sign_in(&Person::new()).await;
                    subjects.push(tokens.claims()["sub"].clone());
                }
                assert_eq!(subjects[0], subjects[1]);
            }
            "id_token_signing_alg_values_supported" => {
                assert_eq!(value, &json!([]));
                let tokens = self
                    .public()
                    .sign_in_for(&Person::new(), "openid tools")
                    .await;
                assert!(tokens.answer.get("id_token").is_none());
            }
            "request_parameter_supported" => {
                assert_eq!(value, false);
                let request = [("request", "e30.e30.")];
                assert_eq!(self.refused(&request).await, "request_not_supported");
            }
            "request_uri_parameter_supported" => {
                assert_eq!(value, false);
                let request = [("request_uri", "https://client.example/request")];
                assert_eq!(self.refused(&request).await, "request_uri_not_supported");
            }
            "claims_parameter_supported" => assert_eq!(value, false),
            other => panic!("nothing shows that {other} is true"),
        }
    }

    async fn every_method(&self, path: &str, methods: &Value) {
        for method in list(methods) {
            self.authenticates(path, By(method, "EdDSA")).await;
        }
    }

    async fn every_algorithm(&self, path: &str, algorithms: &Value) {
        for algorithm in list(algorithms) {
            self.authenticates(path, By("private_key_jwt", algorithm))
                .await;
        }
    }

    /// Shows that a token can be bound to this key, and used with it alone.
    async fn possesses(&self, key: &SigningKey) {
        let form = [("grant_type", "client_credentials")];
        let by = By("client_secret_basic", "");
        let proof = proof(key, "POST", &self.gatehouse.url(TOKEN));
        let request = self.form(by, true, TOKEN, &form).header("dpop", proof);
        let tokens = Tokens::read(send(request).await).await;
        assert_eq!(tokens.answer["token_type"], "DPoP");
        assert_eq!(self.call(&tokens.access).await, 401);
        let url = self.gatehouse.url("/mcp");
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let proved = Mcp::new(&url, None)
            .message(&message)
            .header("authorization", format!("DPoP {}", tokens.access))
            .header("dpop", proof_for(key, "POST", &url, &tokens.access));
        assert_eq!(send(proved).await.status(), 200);
    }
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> Vec<&str> {
    let list: Vec<_> = value.as_array().unwrap().iter().map(text).collect();
    assert!(!list.is_empty());
    list
}

#[tokio::test]
async fn everything_that_the_authorization_server_advertises_works() {
    let stage = Stage::start().await;
    for (name, value) in stage.document(SERVER).await.as_object().unwrap() {
        stage.prove(name, value).await;
    }
}

#[tokio::test]
async fn openid_configuration_has_the_same_and_what_it_adds_is_true() {
    let stage = Stage::start().await;
    let server = stage.document(SERVER).await;
    let openid = stage.document("/.well-known/openid-configuration").await;
    for (name, value) in openid.as_object().unwrap() {
        match server.get(name) {
            Some(same) => assert_eq!(value, same, "{name}"),
            None => stage.prove(name, value).await,
        }
    }
    for name in server.as_object().unwrap().keys() {
        assert!(openid.get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn everything_that_a_protected_resource_advertises_is_true() {
    let stage = Stage::start().await;
    let base = stage.gatehouse.base();
    for path in Flavour::resource_paths() {
        let document = format!("/.well-known/oauth-protected-resource{path}");
        for (name, value) in stage.document(&document).await.as_object().unwrap() {
            match name.as_str() {
                "resource" => assert_eq!(value, &format!("{base}{path}")),
                "authorization_servers" => assert_eq!(value, &json!([base])),
                "scopes_supported" => {
                    assert_eq!(value, &json!(["tools", "userinfo", "upstream_token"]));
                }
                "bearer_methods_supported" => {
                    assert_eq!(value, &json!(["header"]));
                    let Tokens { access, .. } = stage.tokens(By("client_secret_post", "")).await;
                    assert_eq!(stage.call(&access).await, 200);
                    let url = stage.gatehouse.url(&format!("/mcp?access_token={access}"));
                    let in_query = Mcp::new(url, None).request("ping", json!({})).await;
                    assert_eq!(in_query.status(), 401);
                    let in_body = stage.public().form("/mcp", &[("access_token", &access)]);
                    assert_eq!(send(in_body).await.status(), 401);
                }
                "dpop_signing_alg_values_supported" => {
                    for algorithm in list(value) {
                        stage.possesses(stage.key(algorithm)).await;
                    }
                }
                "resource_name" => assert_eq!(value, "Gatehouse"),
                "resource_documentation" => {
                    assert_eq!(reqwest::get(text(value)).await.unwrap().status(), 200);
                }
                other => panic!("nothing shows that {other} is true"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_advertised_does_not_work() {
    let stage = Stage::start().await;
    let base = stage.gatehouse.base();
    let server = stage.document(SERVER).await;
    let mut endpoints: Vec<_> = server
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"))
        .map(|(_, value)| text(value).strip_prefix(&base).unwrap())
        .collect();
    endpoints.sort_unstable();
    assert_eq!(
        endpoints,
        [
            "/.well-known/jwks.json",
            "/authorize",
            "/introspect",
            "/register",
            "/revoke",
            "/token"
        ]
    );
    for path in [
        "/par",
        "/device_authorization",
        "/bc-authorize",
        "/userinfo",
        "/logout",
        "/end_session",
        "/jwks.json",
        "/challenge",
    ] {
        let response = send(stage.public().form(path, &[])).await;
        assert_eq!(response.status(), 404, "{path}");
    }

    for grant_type in [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:openid:params:grant-type:ciba",
        "CLIENT_CREDENTIALS",
    ] {
        let by = By("client_secret_post", "");
        let form = [("grant_type", grant_type)];
        let error = error(send(stage.form(by, true, TOKEN, &form)).await, 400).await;
        assert_eq!(error, "unsupported_grant_type", "{grant_type}");
    }
    for response_type in [
        "token",
        "id_token",
        "code token",
        "code id_token",
        "none",
        "Code",
    ] {
        let refused = stage.refused(&[("response_type", response_type)]).await;
        assert_eq!(refused, "unsupported_response_type", "{response_type}");
    }
    for mode in ["fragment", "form_post", "jwt", "query.jwt", "web_message"] {
        let refused = stage.refused(&[("response_mode", mode)]).await;
        assert_eq!(refused, "invalid_request", "{mode}");
    }
    for method in ["plain", "s256", "S512"] {
        let refused = stage.refused(&[("code_challenge_method", method)]).await;
        assert_eq!(refused, "invalid_request", "{method}");
    }
    for method in [
        "client_secret_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    ] {
        let metadata = json!({
            "redirect_uris": ["https://client.example/callback"],
            "token_endpoint_auth_method": method,
        });
        let url = stage.gatehouse.url("/register");
        let refused = send(reqwest::Client::new().post(url).json(&metadata)).await;
        assert_eq!(
            error(refused, 400).await,
            "invalid_client_metadata",
            "{method}"
        );
    }
}

#[tokio::test]
async fn an_assertion_with_an_algorithm_that_is_not_advertised_is_refused() {
    let stage = Stage::start().await;
    let key = stage.key("RS256");
    let base = stage.gatehouse.base();
    for algorithm in ["none", "HS256", "RS384", "PS256", "ES384", "EdDSA"] {
        let good = assertion(key, "RS256", &base);
        let claims = Unverified::parse(&good).unwrap().claims().clone();
        let header = json!({ "typ": "JWT", "alg": algorithm, "kid": key.public().key_id() });
        let header = header.as_object().cloned().unwrap();
        let bad = key.sign_under(header, &claims).unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &bad),
        ];
        let refused = send(stage.public().form(TOKEN, &form)).await;
        assert_eq!(error(refused, 401).await, "invalid_client", "{algorithm}");
        // The very same with its own algorithm is good: nothing of it was used up.
        let form =
            form.map(|(name, value)| (name, if value == bad { good.as_str() } else { value }));
        assert_eq!(send(stage.public().form(TOKEN, &form)).await.status(), 200);
    }
}

async fn error(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    let error: Value = response.json().await.unwrap();
    text(&error["error"]).to_owned()
}
