//! The whole exchange with a provider that is played here, and answers as a test wants.

mod shared_documents;

use crate::{Http, Provider, SendError, Settings, SharedDocuments};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use identity::{
    CodeExchange, Error, Login, Profile, ProviderClient, Refreshed, RefreshedProfile, SignIn,
    UpstreamTokens,
};
use jwt::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use std::cell::RefCell;
use std::collections::HashMap;
use store::MemoryKeyValue;

const ISSUER: &str = "https://id.example.com/tenant";
const CLIENT_ID: &str = "gatehouse";
const SECRET: &str = "s3cret+/";
const NONCE: &str = "n1";
const ACCESS_TOKEN: &str = "opaque-at-1";
const NOW: u64 = 1_800_000_000;

/// Answers by path, and every request that came.
struct Played {
    answers: RefCell<HashMap<&'static str, (u16, String)>>,
    requests: RefCell<Vec<Request<Bytes>>>,
}

impl Http for &Played {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let path = request.uri().path().to_owned();
        self.requests.borrow_mut().push(request);
        let answers = self.answers.borrow();
        let (status, body) = answers
            .get(path.as_str())
            .ok_or_else(|| SendError::Failed("id.example.com does not answer".to_owned()))?;
        let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        *response.status_mut() = http::StatusCode::from_u16(*status).unwrap();
        Ok(response)
    }
}

impl Played {
    /// Returns an ordinary provider, in front of an ordinary sign-in.
    fn new() -> Self {
        let played = Self {
            answers: RefCell::default(),
            requests: RefCell::default(),
        };
        played.answer(METADATA, 200, metadata(json!({})));
        played.answer(KEYS, 200, json!({ "keys": [key().public().to_jwk()] }));
        played.answer(TOKEN, 200, token_answer(Some(id_token(json!({})))));
        played.answer(USERINFO, 200, json!({ "sub": "U1", "name": "Ada" }));
        played
    }

    fn answer(&self, path: &'static str, status: u16, body: Value) {
        let body = body.to_string();
        self.answers.borrow_mut().insert(path, (status, body));
    }

    fn silence(&self, path: &str) {
        self.answers.borrow_mut().remove(path);
    }

    fn count(&self, path: &str) -> usize {
        let requests = self.requests.borrow();
        requests
            .iter()
            .filter(|one| one.uri().path() == path)
            .count()
    }

    fn last(&self, path: &str) -> Request<Bytes> {
        let requests = self.requests.borrow();
        let last = requests.iter().rev().find(|one| one.uri().path() == path);
        last.cloned().unwrap()
    }

    fn provider(&self) -> Provider<&Self, MemoryKeyValue> {
        instance(settings(&[]), self)
    }

    /// Returns what the code is traded for.
    fn sign_in(&self) -> Result<SignIn, Error> {
        block_on(self.provider().exchange_code(&exchange(), NOW))
    }

    fn refusal(&self) -> Error {
        match self.sign_in() {
            Ok(_) => panic!("signed in"),
            Err(error) => error,
        }
    }
}

fn instance(
    settings: Result<Settings, Vec<config::Problem>>,
    played: &Played,
) -> Provider<&Played, MemoryKeyValue> {
    Provider::new(settings, played, SharedDocuments::unshared())
}

fn key() -> SigningKey {
    SigningKey::ed25519(&[1; 32])
}

fn settings(more: &[(&str, &'static str)]) -> Result<Settings, Vec<config::Problem>> {
    let values = [
        ("oidc_issuer", ISSUER),
        ("oidc_host", "https://id.example.com"),
        ("oidc_client_id", CLIENT_ID),
        ("oidc_client_secret", SECRET),
        ("public_url", "https://mcp.example.com/"),
    ];
    Settings::read(|name| {
        let find = |values: &[(&str, &'static str)]| {
            values
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        find(more).or_else(|| find(&values))
    })
}

fn exchange() -> CodeExchange {
    CodeExchange {
        code: "c1".to_owned(),
        issuer: None,
        redirect_uri: "https://mcp.example.com/callback".to_owned(),
        code_verifier: "v1".to_owned(),
        nonce: NONCE.to_owned(),
    }
}

fn login() -> Login {
    Login {
        redirect_uri: "https://mcp.example.com/callback".to_owned(),
        state: "s1".to_owned(),
        nonce: NONCE.to_owned(),
        code_challenge: "c1".to_owned(),
        prompt: None,
    }
}

/// `base` with the members of `changes` in place of its own; null takes one away.
fn changed(mut base: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().cloned().unwrap_or_default() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(&name);
        } else {
            base[name] = value;
        }
    }
    base
}

fn metadata(changes: Value) -> Value {
    let base = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example.com/authorize?tenant=1",
        "token_endpoint": "https://id.example.com/token",
        "userinfo_endpoint": "https://id.example.com/userinfo",
        "jwks_uri": "https://keys.example.com/keys",
    });
    changed(base, changes)
}

fn id_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT_ID, "sub": "U1", "nonce": NONCE,
        "iat": NOW, "exp": NOW + 600, "email": "ada@example.com",
        "at_hash": URL_SAFE_NO_PAD.encode(&Sha512::digest(ACCESS_TOKEN)[..32]),
    })
}

fn id_token(changes: Value) -> String {
    key().sign("JWT", &changed(id_claims(), changes)).unwrap()
}

fn token_answer(id_token: Option<String>) -> Value {
    json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 600,
        "refresh_token": "r1", "id_token": id_token,
    })
}

#[test]
fn a_person_signs_in_with_pkce_nonce_and_a_verified_id_token() {
    let played = Played::new();
    let url = block_on(played.provider().login_url(&login(), NOW)).unwrap();
    let url = url::Url::parse(&url).unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("tenant", "1"),
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("scope", "openid profile email"),
        ("state", "s1"),
        ("nonce", NONCE),
        ("code_challenge", "c1"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }
    let sign_in = played.sign_in().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(sign_in.profile.subject, "U1");
    assert_eq!(sign_in.profile.name.as_deref(), Some("Ada"));
    assert_eq!(sign_in.profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(sign_in.tokens.refresh_token.as_deref(), Some("r1"));
    let body = played.last(TOKEN).into_body();
    let form: HashMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
    assert_eq!(form["code_verifier"], "v1");
    assert_eq!(form["redirect_uri"], "https://mcp.example.com/callback");
}

#[test]
fn metadata_that_names_another_issuer_is_refused() {
    for issuer in [
        "https://id.example.com/tenant/",
        "https://id.example.com",
        "https://evil.example.com/tenant",
        "",
    ] {
        let played = Played::new();
        played.answer(METADATA, 200, metadata(json!({ "issuer": issuer })));
        let error = played.refusal();
        assert!(
            matches!(&error, Error::Misconfigured(text) if text.contains("oidc_issuer")),
            "{error}"
        );
        assert_eq!(played.count(TOKEN), 0);
    }
}

#[test]
fn metadata_of_a_provider_that_cannot_be_used_says_why() {
    for (changes, word) in [
        (
            json!({ "token_endpoint": "http://id.example.com/token" }),
            "https",
        ),
        (json!({ "jwks_uri": "file:///etc/passwd" }), "https"),
        (
            json!({ "userinfo_endpoint": "https://me@id.example.com/" }),
            "https",
        ),
        (json!({ "response_types_supported": ["token"] }), "code"),
        (
            json!({ "code_challenge_methods_supported": ["plain"] }),
            "S256",
        ),
        (
            json!({ "id_token_signing_alg_values_supported": ["HS256"] }),
            "EdDSA",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
            "secret",
        ),
    ] {
        let played = Played::new();
        played.answer(METADATA, 200, metadata(changes.clone()));
        let error = played.refusal();
        assert!(
            matches!(&error, Error::Misconfigured(text) if text.contains(word)),
            "{changes} {error}"
        );
    }
}

#[test]
fn nonsense_is_unavailable_and_nothing_breaks() {
    for path in [METADATA, TOKEN, KEYS] {
        for (status, body) in [
            (200, json!(null)),
            (200, json!([])),
            (200, json!({})),
            (200, json!("<html>")),
            (302, json!({})),
            (500, json!({})),
        ] {
            let played = Played::new();
            played.answer(path, status, body.clone());
            let error = played.refusal();
            assert!(
                matches!(error, Error::Unavailable(_)),
                "{path} {body} {error}"
            );
        }
        let played = Played::new();
        played.silence(path);
        assert!(matches!(played.refusal(), Error::Unavailable(_)), "{path}");
    }
}

#[test]
fn a_code_of_another_issuer_is_not_shown_to_this_one() {
    let played = Played::new();
    let sign_in = |issuer: Option<&str>| {
        let exchange = CodeExchange {
            issuer: issuer.map(ToOwned::to_owned),
            ..exchange()
        };
        block_on(played.provider().exchange_code(&exchange, NOW)).map(|_| ())
    };
    assert_eq!(sign_in(Some(ISSUER)), Ok(()));
    let before = played.count(TOKEN);
    assert!(matches!(
        sign_in(Some("https://evil.example.com")),
        Err(Error::Refused(_))
    ));
    let says_so = json!({ "authorization_response_iss_parameter_supported": true });
    played.answer(METADATA, 200, metadata(says_so));
    assert!(matches!(sign_in(None), Err(Error::Refused(_))));
    assert_eq!(played.count(TOKEN), before);
    assert_eq!(sign_in(Some(ISSUER)), Ok(()));
}

#[test]
fn the_client_proves_itself_as_the_provider_takes_it() {
    let sent = |methods: Value, secret: &'static str| {
        let played = Played::new();
        let methods = json!({ "token_endpoint_auth_methods_supported": methods });
        played.answer(METADATA, 200, metadata(methods));
        let settings = settings(&[("oidc_client_secret", secret)]);
        let provider = instance(settings, &played);
        block_on(provider.refresh("r1", false, NOW)).unwrap_or_else(|error| panic!("{error}"));
        let request = played.last(TOKEN);
        let form: HashMap<_, _> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let header = request.headers().get("authorization").cloned();
        (form, header)
    };
    // Where the metadata says nothing, HTTP Basic.
    for methods in [
        json!(null),
        json!(["client_secret_post", "client_secret_basic"]),
    ] {
        let (form, header) = sent(methods, SECRET);
        let header = header.unwrap();
        assert!(header.is_sensitive());
        let credentials = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let credentials = STANDARD.decode(credentials).unwrap();
        assert_eq!(credentials, b"gatehouse:s3cret%2B%2F");
        assert!(!form.contains_key("client_secret"));
    }
    let (form, header) = sent(json!(["client_secret_post"]), SECRET);
    assert!(header.is_none());
    assert_eq!(form["client_secret"], SECRET);
    let (form, header) = sent(json!(["none"]), "");
    assert!(header.is_none());
    assert_eq!(form["client_id"], CLIENT_ID);
    assert!(!form.contains_key("client_secret"));
}

#[test]
fn an_id_token_that_is_not_of_this_login_is_refused() {
    for (changes, word) in [
        (json!({ "iss": "https://evil.example.com" }), "issuer"),
        (json!({ "iss": null }), "issuer"),
        (json!({ "aud": "other" }), "audience"),
        (json!({ "aud": null }), "audience"),
        (json!({ "aud": [CLIENT_ID, "other"] }), "audience"),
        (json!({ "azp": "other" }), "audience"),
        (
            json!({ "aud": [CLIENT_ID, "other"], "azp": "other" }),
            "audience",
        ),
        (json!({ "exp": NOW - 60 }), "ended"),
        (json!({ "exp": null }), "when it ends"),
        (json!({ "iat": NOW + 61 }), "not come"),
        (json!({ "iat": null }), "not come"),
        (json!({ "nbf": NOW + 61 }), "not come"),
        (json!({ "nonce": "n2" }), "another login"),
        (json!({ "nonce": null }), "another login"),
        (json!({ "sub": null }), "no person"),
        (json!({ "sub": "" }), "no person"),
        (json!({ "at_hash": "AAAA" }), "another access token"),
        (json!({ "at_hash": 7 }), "another access token"),
    ] {
        let played = Played::new();
        let token = id_token(changes.clone());
        played.answer(TOKEN, 200, token_answer(Some(token)));
        let error = played.refusal();
        assert!(
            matches!(&error, Error::Refused(text) if text.contains(word)),
            "{changes} {error}"
        );
    }
    for changes in [
        json!({ "at_hash": null }),
        json!({ "aud": [CLIENT_ID] }),
        json!({ "aud": [CLIENT_ID, "other"], "azp": CLIENT_ID }),
    ] {
        let played = Played::new();
        let token = id_token(changes.clone());
        played.answer(TOKEN, 200, token_answer(Some(token)));
        assert!(played.sign_in().is_ok(), "{changes}");
    }
}

#[test]
fn an_id_token_that_the_provider_did_not_sign_is_refused() {
    let foreign = SigningKey::ed25519(&[2; 32]);
    let ours = key().public().thumbprint();
    let unsigned = |alg: &str| {
        let header = json!({ "alg": alg, "kid": ours });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let claims = URL_SAFE_NO_PAD.encode(id_claims().to_string());
        format!("{header}.{claims}.")
    };
    for token in [
        foreign.sign("JWT", &id_claims()).unwrap(),
        SigningKey::ed25519(&[2; 32])
            .with_key_id(&ours)
            .sign("JWT", &id_claims())
            .unwrap(),
        unsigned("none"),
        unsigned("HS256"),
        unsigned("EdDSA"),
        "opaque".to_owned(),
    ] {
        let played = Played::new();
        played.answer(TOKEN, 200, token_answer(Some(token)));
        assert!(matches!(played.refusal(), Error::Refused(_)));
    }
    let played = Played::new();
    played.answer(TOKEN, 200, token_answer(None));
    assert!(matches!(played.refusal(), Error::Unavailable(_)));
}

#[test]
fn userinfo_about_another_person_is_refused_and_its_silence_is_not() {
    let played = Played::new();
    played.answer(USERINFO, 200, json!({ "sub": "U2" }));
    assert!(matches!(played.refusal(), Error::Refused(_)));
    for silent in [json!({}), json!([])] {
        played.answer(USERINFO, 200, silent);
        let sign_in = played.sign_in().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sign_in.profile.email.as_deref(), Some("ada@example.com"));
    }
}

#[test]
fn refused_credentials_scopes_and_codes_each_say_what_they_are() {
    for (status, error, expected) in [
        (401, "invalid_client", "oidc_client_secret"),
        (401, "", "oidc_client_secret"),
        (400, "invalid_scope", "oidc_scopes"),
        (400, "invalid_grant", "refused the code"),
    ] {
        let played = Played::new();
        let description = format!("it is bad: {ACCESS_TOKEN}{}", "x".repeat(40));
        let body = json!({ "error": error, "error_description": description });
        played.answer(TOKEN, status, body);
        let text = played.refusal().to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains(ACCESS_TOKEN), "{text}");
    }
}

#[test]
fn a_refresh_gives_what_the_provider_rotates_to() {
    let played = Played::new();
    let answer = json!({ "access_token": "a2", "token_type": "bearer", "refresh_token": "r2" });
    played.answer(TOKEN, 200, answer);
    let tokens = block_on(played.provider().refresh("r1", false, NOW));
    let Refreshed { tokens, profile } = tokens.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tokens.access_token, "a2");
    assert_eq!(tokens.refresh_token.as_deref(), Some("r2"));
    assert_eq!(profile, RefreshedProfile::Unchanged);
    assert_eq!(played.count(USERINFO), 0);
    played.answer(TOKEN, 400, json!({ "error": "invalid_grant" }));
    assert!(matches!(
        block_on(played.provider().refresh("r1", false, NOW)).map(|_| ()),
        Err(Error::Refused(_))
    ));
}

/// Returns what a refresh brings that asks who it is now.
fn refresh(played: &Played) -> Result<RefreshedProfile, Error> {
    let refreshed = block_on(played.provider().refresh("r1", true, NOW))?;
    assert_eq!(refreshed.tokens.access_token, ACCESS_TOKEN);
    Ok(refreshed.profile)
}

fn claims(profile: &Profile) -> Value {
    serde_json::from_str(&profile.claims).unwrap()
}

fn current(played: &Played) -> Profile {
    match refresh(played) {
        Ok(RefreshedProfile::Current(profile)) => profile,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refresh_says_who_it_is_now_by_id_token_and_userinfo() {
    let played = Played::new();
    // Section 12.2: without the nonce of a login, or with one.
    for nonce in [Value::Null, json!(NONCE), json!("another")] {
        let token = id_token(json!({ "nonce": nonce, "roles": ["staff"] }));
        played.answer(TOKEN, 200, token_answer(Some(token)));
        let profile = current(&played);
        assert_eq!(profile.subject, "U1");
        assert_eq!(claims(&profile)["roles"], json!(["staff"]));
        assert_eq!(profile.name.as_deref(), Some("Ada"));
    }
    // A token that lacks the scope for userinfo: the ID token is enough, as at a sign-in.
    for status in [401, 403, 404] {
        played.answer(USERINFO, status, json!({}));
        assert_eq!(claims(&current(&played))["roles"], json!(["staff"]));
    }
    played.answer(
        METADATA,
        200,
        metadata(json!({ "userinfo_endpoint": null })),
    );
    assert_eq!(current(&played).name, None);
}

#[test]
fn without_an_id_token_userinfo_alone_says_who_it_is_now() {
    let played = Played::new();
    played.answer(TOKEN, 200, token_answer(None));
    played.answer(USERINFO, 200, json!({ "sub": "U9", "groups": ["g"] }));
    let profile = current(&played);
    assert_eq!(
        (profile.subject.as_str(), &claims(&profile)["groups"]),
        ("U9", &json!(["g"]))
    );
    let request = played.last(USERINFO);
    let authorization = &request.headers()["authorization"];
    assert_eq!(authorization, &format!("Bearer {ACCESS_TOKEN}"));
    played.answer(
        METADATA,
        200,
        metadata(json!({ "userinfo_endpoint": null })),
    );
    assert_eq!(refresh(&played), Ok(RefreshedProfile::Unchanged));
}

#[test]
fn trouble_at_userinfo_is_no_word_on_the_person_and_costs_no_tokens() {
    for id_token in [Some(id_token(json!({}))), None] {
        let played = Played::new();
        played.answer(TOKEN, 200, token_answer(id_token.clone()));
        let is_unavailable = || matches!(refresh(&played), Ok(RefreshedProfile::Unavailable(_)));
        for status in [429, 500, 503] {
            played.answer(USERINFO, status, json!({}));
            assert!(is_unavailable());
        }
        played.silence(USERINFO);
        assert!(is_unavailable());
        played.answer(USERINFO, 200, json!({}));
        assert!(is_unavailable());
        if id_token.is_none() {
            played.answer(USERINFO, 401, json!({}));
            assert!(is_unavailable());
        }
    }
    let played = Played::new();
    played.silence(KEYS);
    assert!(matches!(
        refresh(&played),
        Ok(RefreshedProfile::Unavailable(_))
    ));
}

#[test]
fn an_id_token_of_a_refresh_is_of_this_issuer_and_client_and_of_one_person() {
    for changes in [
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": "another" }),
        json!({ "aud": [CLIENT_ID, "another"] }),
        json!({ "exp": NOW - 120 }),
        json!({ "sub": null }),
        json!({ "at_hash": "AAAA" }),
    ] {
        let played = Played::new();
        played.answer(TOKEN, 200, token_answer(Some(id_token(changes.clone()))));
        assert!(
            matches!(refresh(&played), Err(Error::Refused(_))),
            "{changes}"
        );
    }
    let played = Played::new();
    played.answer(USERINFO, 200, json!({ "sub": "U2" }));
    assert!(matches!(refresh(&played), Err(Error::Refused(_))));
    let other = SigningKey::ed25519(&[2; 32]);
    let forged = other.sign("JWT", &id_claims()).unwrap();
    played.answer(TOKEN, 200, token_answer(Some(forged)));
    assert!(matches!(refresh(&played), Err(Error::Refused(_))));
}

#[test]
fn an_email_address_is_as_verified_as_its_own_source_says() {
    let signed_in = |id: Value, info: Value| {
        let played = Played::new();
        played.answer(TOKEN, 200, token_answer(Some(id_token(id))));
        played.answer(USERINFO, 200, changed(json!({ "sub": "U1" }), info));
        let profile = played
            .sign_in()
            .unwrap_or_else(|error| panic!("{error}"))
            .profile;
        (profile.email.unwrap_or_default(), profile.email_verified)
    };
    let verified = json!({ "email": "ada@example.com", "email_verified": true });
    let ada = "ada@example.com".to_owned();
    let eve = "eve@evil.example".to_owned();
    assert_eq!(
        signed_in(verified.clone(), json!({})),
        (ada.clone(), Some(true))
    );
    let same = json!({ "email": "ada@example.com" });
    assert_eq!(
        signed_in(verified.clone(), same.clone()),
        (ada.clone(), Some(true))
    );
    let other = json!({ "email": "eve@evil.example" });
    assert_eq!(signed_in(verified.clone(), other), (eve.clone(), None));
    let unverified = json!({ "email": "eve@evil.example", "email_verified": false });
    assert_eq!(
        signed_in(verified.clone(), unverified),
        (eve.clone(), Some(false))
    );
    // Of an address that the same source does not name, nothing is said.
    let stray = json!({ "email_verified": true });
    assert_eq!(signed_in(same, stray.clone()), (ada, None));
    let id = json!({ "email": null, "email_verified": true });
    let other = json!({ "email": "eve@evil.example" });
    assert_eq!(signed_in(id, other), (eve, None));
}

#[test]
fn tokens_are_revoked_where_the_providers_metadata_says_and_each_for_itself() {
    const REVOKE: &str = "/revoke";
    let tokens = |refresh: Option<&str>, expires_at| UpstreamTokens {
        access_token: ACCESS_TOKEN.to_owned(),
        refresh_token: refresh.map(str::to_owned),
        expires_at,
    };
    let played = Played::new();
    // A provider that has no such endpoint is not asked.
    block_on(played.provider().revoke(&tokens(Some("rt"), None), NOW)).unwrap();
    let endpoint = "https://id.example.com/revoke";
    played.answer(
        METADATA,
        200,
        metadata(json!({ "revocation_endpoint": endpoint })),
    );
    played.answer(REVOKE, 200, json!({}));
    let provider = played.provider();
    block_on(provider.revoke(&tokens(Some("rt"), Some(NOW + 1)), NOW)).unwrap();
    assert_eq!(played.count(REVOKE), 2);
    let last = played.last(REVOKE);
    let body: HashMap<_, _> = form_urlencoded::parse(last.body()).into_owned().collect();
    assert_eq!(body["token"], ACCESS_TOKEN);
    assert_eq!(body["token_type_hint"], "access_token");
    assert!(last.headers().contains_key("authorization"));
    // An access token that has ended need not be revoked.
    block_on(provider.revoke(&tokens(Some("rt"), Some(NOW)), NOW)).unwrap();
    let last = played.last(REVOKE);
    let body: HashMap<_, _> = form_urlencoded::parse(last.body()).into_owned().collect();
    assert_eq!((body["token"].as_str(), played.count(REVOKE)), ("rt", 3));
    // One that is refused does not keep the other, and no token is in the error.
    played.answer(REVOKE, 400, json!({ "error": "unsupported_token_type" }));
    let refused = block_on(provider.revoke(&tokens(Some("rt"), None), NOW));
    assert!(matches!(refused, Err(Error::Refused(text)) if !text.contains(ACCESS_TOKEN)));
    assert_eq!(played.count(REVOKE), 5);
}

fn presented_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "https://mcp.example.com/mcp", "sub": "U1", "client_id": "cli",
        "exp": NOW + 600, "iat": NOW, "jti": "j", "scope": "openid email",
    })
}

#[test]
fn a_pasted_jwt_access_token_for_this_server_is_good() {
    let played = Played::new();
    let provider = played.provider();
    for audience in [
        json!("https://mcp.example.com/mcp"),
        json!("https://mcp.example.com/"),
        json!(["https://api.example.com", CLIENT_ID]),
    ] {
        let claims = changed(presented_claims(), json!({ "aud": audience }));
        let token = key().sign("at+jwt", &claims).unwrap();
        let presented = block_on(provider.verify(&token, NOW));
        let presented = presented.unwrap_or_else(|error| panic!("{audience} {error}"));
        assert_eq!(presented.profile.subject, "U1");
        assert_eq!(presented.expires_at, NOW + 600);
        let scopes = presented.scopes.unwrap();
        assert_eq!(scopes, ["openid", "email"]);
    }
    assert_eq!(played.count(METADATA), 1);
    assert_eq!(played.count(KEYS), 1);
}

#[test]
fn a_pasted_token_that_cannot_be_for_us_is_refused_at_no_cost() {
    let played = Played::new();
    let provider = played.provider();
    let verify = |typ: &str, changes: Value| {
        let token = key()
            .sign(typ, &changed(presented_claims(), changes))
            .unwrap();
        match block_on(provider.verify(&token, NOW)) {
            Err(Error::Refused(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    for (changes, word) in [
        (json!({ "iss": "https://evil.example.com" }), "issuer"),
        (
            json!({ "aud": "https://other.example.com/mcp" }),
            "audience",
        ),
        (
            json!({ "aud": "https://mcp.example.com.evil.example/mcp" }),
            "audience",
        ),
        (json!({ "aud": null }), "audience"),
        (json!({ "exp": NOW - 60 }), "ended"),
        (json!({ "exp": null }), "when it ends"),
        (json!({ "sub": null }), "no person"),
        (json!({ "sub": "cli" }), "no person"),
    ] {
        let text = verify("at+jwt", changes);
        assert!(text.contains(word), "{text}");
    }
    // An ID token names our client id as well, and is no access token.
    let text = verify("JWT", json!({ "aud": CLIENT_ID }));
    assert!(text.contains("not an access token"), "{text}");
    for opaque in ["", "opaque", "a.b.c"] {
        match block_on(provider.verify(opaque, NOW)) {
            Err(Error::Refused(text)) => assert!(text.contains("opaque"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(played.requests.borrow().is_empty());
    let foreign = SigningKey::ed25519(&[2; 32]);
    let token = foreign.sign("at+jwt", &presented_claims()).unwrap();
    let refused = block_on(provider.verify(&token, NOW));
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[test]
fn metadata_is_remembered_for_an_hour_and_a_day_while_the_provider_is_silent() {
    let played = Played::new();
    let provider = played.provider();
    let login_url = |now| block_on(provider.login_url(&login(), now)).map(|_| ());
    for now in [NOW, NOW + 3599] {
        assert_eq!(login_url(now), Ok(()));
    }
    assert_eq!(played.count(METADATA), 1);
    played.silence(METADATA);
    for now in [NOW + 3600, NOW + 3601, NOW + 3629] {
        assert_eq!(login_url(now), Ok(()));
    }
    assert_eq!(played.count(METADATA), 2);
    assert_eq!(login_url(NOW + 3630), Ok(()));
    assert_eq!(played.count(METADATA), 3);
    assert!(login_url(NOW + 24 * 3600).is_err());
}

#[test]
fn offline_access_is_asked_for_with_consent() {
    let played = Played::new();
    let settings = settings(&[("oidc_scopes", "openid offline_access")]);
    let provider = instance(settings, &played);
    let url = block_on(provider.login_url(&login(), NOW)).unwrap();
    assert!(url.contains("prompt=consent"), "{url}");
    let login = Login {
        prompt: Some("login".to_owned()),
        ..login()
    };
    let url = block_on(provider.login_url(&login, NOW)).unwrap();
    assert!(url.contains("prompt=login+consent"), "{url}");
}

#[test]
fn every_bad_variable_is_named_and_no_value_repeated() {
    let named = |values: &[(&str, &'static str)]| match settings(values) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            assert!(!format!("{problems:?}").contains("bad"));
            problems.iter().map(|problem| problem.variable).collect()
        }
    };
    assert!(named(&[]).is_empty());
    for issuer in [
        "",
        "bad",
        "http://bad.example.com",
        "https://bad@id.example.com",
        "https://id.example.com/?bad",
        "https://id.example.com/#bad",
    ] {
        assert_eq!(named(&[("oidc_issuer", issuer)]), ["oidc_issuer"]);
    }
    for (issuer, host) in [
        ("http://127.0.0.1:3001/x", "http://127.0.0.1:3001"),
        ("https://id.example.com", "https://id.example.com/"),
        (
            "https://id.example.com:8443/",
            "https://id.example.com:8443",
        ),
    ] {
        let both = [("oidc_issuer", issuer), ("oidc_host", host)];
        assert!(named(&both).is_empty(), "{issuer}");
    }
    for host in [
        "",
        "bad",
        "https://bad.example.com",
        "http://id.example.com",
        "https://id.example.com:444",
        "https://id.example.com/bad",
        "https://id.example.com/?bad",
        "https://*.example.com",
    ] {
        assert_eq!(named(&[("oidc_host", host)]), ["oidc_host"], "{host}");
    }
    for host in [
        "https://oauth.example.com",
        "https://oauth.example.com:8443/",
        "https://*.example.com",
        "http://127.0.0.1:3001",
    ] {
        assert!(named(&[("oidc_other_host", host)]).is_empty(), "{host}");
    }
    for host in [
        "bad",
        "https://*",
        "https://*:*",
        "*://bad.example.com",
        "http://bad.example.com",
        "https://bad.example.com/path",
        "https://bad.*.example.com",
        "https://bad@example.com",
    ] {
        assert_eq!(
            named(&[("oidc_other_host", host)]),
            ["oidc_other_host"],
            "{host}"
        );
    }
    let all = [
        ("oidc_issuer", ""),
        ("oidc_host", "bad"),
        ("oidc_other_host", "bad"),
        ("oidc_client_id", " "),
        ("oidc_client_secret", "bad value"),
        ("oidc_scopes", "profile bad"),
    ];
    let names = [
        "oidc_issuer",
        "oidc_host",
        "oidc_other_host",
        "oidc_client_id",
        "oidc_client_secret",
        "oidc_scopes",
    ];
    assert_eq!(named(&all), names);
    assert_eq!(named(&[("oidc_scopes", "openid,bad")]), ["oidc_scopes"]);
    let played = Played::new();
    let provider = instance(settings(&all), &played);
    let error = block_on(provider.login_url(&login(), NOW)).unwrap_err();
    for name in names {
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn the_name_of_a_provider_is_its_host() {
    assert_eq!(Played::new().provider().display_name(), "id.example.com");
}

const METADATA: &str = "/tenant/.well-known/openid-configuration";
const TOKEN: &str = "/token";
const KEYS: &str = "/keys";
const USERINFO: &str = "/userinfo";
