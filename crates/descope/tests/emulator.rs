//! The whole exchange over HTTP, against the emulator.

use bytes::Bytes;
use descope_emulator::{
    Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_MANAGEMENT_KEY, DEFAULT_PROJECT_ID,
    Emulator, Endpoint, Fault, Mint, Running, Signature, TokenIssuer, User,
};
use gatehouse_descope::{Descope, Http, SendError, Settings, SharedDocuments};
use http::{Request, Response};
use identity::{
    CodeExchange, Error, Login, Presented, Profile, ProviderClient, RefreshedProfile, SignIn,
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use store::MemoryKeyValue;

/// The verifier and challenge of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:3000/callback";
const NONCE: &str = "nonce-1";

struct Client(reqwest::Client);

/// Returns the claims of a profile.
fn claims(profile: &Profile) -> Value {
    serde_json::from_str(&profile.claims).unwrap()
}

impl Http for Client {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let failed = |error: reqwest::Error| SendError::Failed(error.without_url().to_string());
        let request = request
            .map(reqwest::Body::from)
            .try_into()
            .map_err(failed)?;
        let answer = self.0.execute(request).await.map_err(failed)?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.body_mut() = answer.bytes().await.map_err(failed)?;
        Ok(response)
    }
}

/// The two credential styles.
#[derive(Clone, Copy)]
enum Style {
    Client,
    ManagementKey,
}

struct House {
    emulator: Running,
    descope: Descope<Client, MemoryKeyValue>,
}

impl House {
    async fn new(config: Config, style: Style) -> Self {
        let emulator = Emulator::start(config).await.unwrap();
        let descope = connect(&emulator, style, &[]);
        Self { emulator, descope }
    }

    async fn ordinary() -> Self {
        let house = Self::new(Config::for_tests(), Style::Client).await;
        house
            .emulator
            .sign_in_as(User::new("Ada Lovelace", "ada@example.com"));
        house
    }

    /// Goes through the browser's part and gives the code.
    async fn code(&self, nonce: &str) -> String {
        let login = Login {
            redirect_uri: CALLBACK.to_owned(),
            state: "state-1".to_owned(),
            nonce: nonce.to_owned(),
            code_challenge: CHALLENGE.to_owned(),
            prompt: None,
        };
        let url = self.descope.login_url(&login, now()).await.unwrap();
        let answer = client().get(url).send().await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap();
        let location = url::Url::parse(location).unwrap();
        let value = |wanted: &str| {
            let found = location.query_pairs().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        assert_eq!(value("state").as_deref(), Some("state-1"), "{location}");
        value("code").unwrap_or_else(|| panic!("no code: {location}"))
    }

    async fn exchange(&self, code: String) -> Result<SignIn, Error> {
        let exchange = CodeExchange {
            code,
            issuer: None,
            redirect_uri: CALLBACK.to_owned(),
            code_verifier: VERIFIER.to_owned(),
            nonce: NONCE.to_owned(),
        };
        self.descope.exchange_code(&exchange, now()).await
    }

    async fn sign_in(&self) -> Result<SignIn, Error> {
        self.exchange(self.code(NONCE).await).await
    }

    async fn verify(&self, mint: Mint) -> Result<Presented, Error> {
        let token = self.emulator.mint(mint).unwrap();
        self.descope.verify(&token, now()).await
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(20))
        .build()
        .unwrap()
}

fn connect(
    emulator: &Running,
    style: Style,
    changes: &[(&str, &str)],
) -> Descope<Client, MemoryKeyValue> {
    let settings = Settings::read(|name| {
        let changed = changes.iter().find(|(changed, _)| *changed == name);
        let value = match (name, style) {
            ("descope_base_url", _) => emulator.base_url(),
            ("descope_project_id", _) => DEFAULT_PROJECT_ID,
            ("descope_client_id", Style::Client) => DEFAULT_CLIENT_ID,
            ("descope_client_secret", Style::Client) => DEFAULT_CLIENT_SECRET,
            ("descope_management_key", Style::ManagementKey) => DEFAULT_MANAGEMENT_KEY,
            _ => "",
        };
        Some(changed.map_or(value, |(_, value)| value))
    });
    Descope::new(settings, Client(client()), SharedDocuments::unshared())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the emulator has the time of the machine"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn refused<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Refused(text)) => text,
        Err(error) => panic!("not refused but {error:?}"),
        Ok(_) => panic!("accepted"),
    }
}

fn misconfigured<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Misconfigured(text)) => text,
        Err(error) => panic!("not misconfigured but {error:?}"),
        Ok(_) => panic!("accepted"),
    }
}

fn is_unavailable<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Unavailable(_)))
}

#[tokio::test]
async fn a_person_signs_in_and_their_tokens_are_refreshed_with_either_credentials() {
    for style in [Style::Client, Style::ManagementKey] {
        let house = House::new(Config::for_tests(), style).await;
        house.emulator.sign_in_as(
            User::new("Ada Lovelace", "ada@example.com")
                .with_picture("https://example.com/ada.png"),
        );
        let sign_in = house.sign_in().await.unwrap();
        assert_eq!(sign_in.profile.name.as_deref(), Some("Ada Lovelace"));
        assert_eq!(sign_in.profile.email.as_deref(), Some("ada@example.com"));
        assert_eq!(sign_in.profile.email_verified, Some(true));
        assert_eq!(
            sign_in.profile.picture.as_deref(),
            Some("https://example.com/ada.png")
        );
        assert!(claims(&sign_in.profile).get("nonce").is_none());
        assert!(sign_in.tokens.expires_at.is_some_and(|end| end > now()));

        let presented = house
            .descope
            .verify(&sign_in.tokens.access_token, now())
            .await
            .unwrap();
        assert_eq!(presented.profile.subject, sign_in.profile.subject);
        assert_eq!(presented.scopes.unwrap(), ["openid", "profile", "email"]);

        let first = sign_in.tokens.refresh_token.unwrap();
        let before = house.emulator.requests(Endpoint::UserInfo);
        let refreshed = house.descope.refresh(&first, false, now()).await.unwrap();
        assert_eq!(refreshed.profile, RefreshedProfile::Unchanged);
        assert_eq!(house.emulator.requests(Endpoint::UserInfo), before);
        let tokens = refreshed.tokens;
        assert!(tokens.access_token != sign_in.tokens.access_token);
        assert!(tokens.refresh_token.is_some_and(|second| second != first));
        refused(house.descope.refresh(&first, false, now()).await);
        house.emulator.stop().await;
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_with_its_verifier_alone() {
    let house = House::ordinary().await;
    let code = house.code(NONCE).await;
    house.exchange(code.clone()).await.unwrap();
    let text = refused(house.exchange(code.clone()).await);
    assert!(!text.contains(&code));

    let exchange = CodeExchange {
        code: house.code(NONCE).await,
        issuer: None,
        redirect_uri: CALLBACK.to_owned(),
        code_verifier: "x".repeat(43),
        nonce: NONCE.to_owned(),
    };
    refused(house.descope.exchange_code(&exchange, now()).await);
}

#[tokio::test]
async fn an_id_token_of_another_login_is_refused() {
    let house = House::ordinary().await;
    let code = house.code("another-nonce").await;
    assert!(refused(house.exchange(code).await).contains("another login"));
}

#[tokio::test]
async fn wrong_credentials_name_their_variable_and_no_value() {
    let house = House::ordinary().await;
    for (style, variable) in [
        (Style::Client, "descope_client_secret"),
        (Style::ManagementKey, "descope_management_key"),
    ] {
        let descope = connect(&house.emulator, style, &[(variable, "wrong-value")]);
        let exchange = CodeExchange {
            code: house.code(NONCE).await,
            issuer: None,
            redirect_uri: CALLBACK.to_owned(),
            code_verifier: VERIFIER.to_owned(),
            nonce: NONCE.to_owned(),
        };
        let text = misconfigured(descope.exchange_code(&exchange, now()).await);
        assert!(
            text.starts_with(variable) && !text.contains("wrong-value"),
            "{text}"
        );
        let text = misconfigured(descope.refresh("some-token", false, now()).await);
        assert!(text.starts_with(variable), "{text}");
    }
}

#[tokio::test]
async fn the_id_token_is_enough_where_userinfo_does_not_answer() {
    let house = House::new(
        Config {
            token_issuer: TokenIssuer::Agentic,
            ..Config::for_tests()
        },
        Style::Client,
    )
    .await;
    let sign_in = house.sign_in().await.unwrap();
    assert_eq!(
        sign_in.profile.email.as_deref(),
        Some("developer@example.com")
    );

    let house = House::ordinary().await;
    house
        .emulator
        .fail(Endpoint::UserInfo, Fault::Status(500), 1);
    let sign_in = house.sign_in().await.unwrap();
    assert_eq!(sign_in.profile.name.as_deref(), Some("Ada Lovelace"));
}

#[tokio::test]
async fn without_openid_the_access_token_says_who_it_is() {
    let house = House::ordinary().await;
    let house = House {
        descope: connect(
            &house.emulator,
            Style::Client,
            &[("descope_scopes", "email")],
        ),
        ..house
    };
    let sign_in = house.sign_in().await.unwrap();
    assert!(sign_in.profile.subject.starts_with('U'));
}

/// Roles as a Descope project has them.
fn with_roles(roles: &[&str]) -> User {
    User::new("Ada Lovelace", "ada@example.com")
        .with_claim("roles", json!(roles))
        .with_claim("permissions", json!(["SSO Admin"]))
        .with_claim("tenants", json!({ "T2abc": { "roles": roles } }))
}

#[tokio::test]
async fn roles_and_tenants_are_known_at_sign_in_and_refresh() {
    let agentic = Config {
        token_issuer: TokenIssuer::Agentic,
        ..Config::for_tests()
    };
    // The second way brings no ID token.
    for (config, scopes) in [
        (Config::for_tests(), "openid profile email"),
        (Config::for_tests(), "email"),
        (agentic, "openid profile email"),
    ] {
        let house = House::new(config, Style::Client).await;
        let descope = connect(
            &house.emulator,
            Style::Client,
            &[("descope_scopes", scopes)],
        );
        let house = House { descope, ..house };
        house.emulator.sign_in_as(with_roles(&["admin", "user"]));
        let sign_in = house.sign_in().await.unwrap();
        let signed_in = claims(&sign_in.profile);
        assert_eq!(signed_in["roles"], json!(["admin", "user"]), "{scopes}");
        assert_eq!(signed_in["permissions"], json!(["SSO Admin"]));
        assert_eq!(
            signed_in["tenants"]["T2abc"]["roles"],
            json!(["admin", "user"])
        );
        assert!(signed_in.get("scope").is_none() && signed_in.get("azp").is_none());

        house.emulator.change_user(with_roles(&["user"]));
        let token = sign_in.tokens.refresh_token.unwrap();
        let refreshed = house.descope.refresh(&token, true, now()).await.unwrap();
        let RefreshedProfile::Current(profile) = refreshed.profile else {
            panic!("{:?}", refreshed.profile)
        };
        assert_eq!(profile.subject, sign_in.profile.subject);
        assert_eq!(claims(&profile)["roles"], json!(["user"]));
        assert_eq!(
            claims(&profile)["tenants"]["T2abc"]["roles"],
            json!(["user"])
        );
        if scopes.contains("openid") {
            assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
        }
    }
}

#[tokio::test]
async fn trouble_at_userinfo_is_no_word_on_the_person_and_costs_no_tokens() {
    let house = House::ordinary().await;
    let sign_in = house.sign_in().await.unwrap();
    let token = sign_in.tokens.refresh_token.unwrap();
    house
        .emulator
        .fail(Endpoint::UserInfo, Fault::Status(503), 1);
    let refreshed = house.descope.refresh(&token, true, now()).await.unwrap();
    assert!(matches!(
        refreshed.profile,
        RefreshedProfile::Unavailable(_)
    ));
    let next = refreshed.tokens.refresh_token.unwrap();
    let refreshed = house.descope.refresh(&next, true, now()).await.unwrap();
    assert!(matches!(refreshed.profile, RefreshedProfile::Current(_)));
}

#[tokio::test]
async fn an_id_token_of_a_refresh_that_is_not_good_is_refused() {
    let house = House::ordinary().await;
    for claims in [
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": ["another"] }),
        json!({ "sub": "U-another" }),
    ] {
        let token = house.sign_in().await.unwrap().tokens.refresh_token.unwrap();
        house.emulator.change_next_id_token(claims);
        refused(house.descope.refresh(&token, true, now()).await);
    }
}

#[tokio::test]
async fn trouble_at_descope_is_unavailable_and_passes() {
    let house = House::ordinary().await;
    house.emulator.fail(Endpoint::Token, Fault::Status(503), 1);
    assert!(is_unavailable(&house.sign_in().await));
    house.emulator.fail(Endpoint::Jwks, Fault::Status(500), 1);
    assert!(is_unavailable(&house.verify(Mint::new()).await));
    assert!(house.verify(Mint::new()).await.is_ok());
    house.sign_in().await.unwrap();

    let gone = House::ordinary().await;
    let token = gone.emulator.mint(Mint::new()).unwrap();
    gone.emulator.stop().await;
    assert!(is_unavailable(&gone.descope.verify(&token, now()).await));
    assert!(is_unavailable(
        &gone.descope.refresh("r", false, now()).await
    ));
}

#[tokio::test]
async fn a_pasted_token_of_the_project_tells_who_when_and_for_what() {
    let house = House::ordinary().await;
    let presented = house
        .verify(Mint::new().subject("U7").scopes("openid mcp:read"))
        .await
        .unwrap();
    assert_eq!(presented.profile.subject, "U7");
    assert_eq!(presented.scopes.unwrap(), ["openid", "mcp:read"]);
    assert!(presented.expires_at > now());
    house.verify(Mint::new().agentic()).await.unwrap();
    assert_eq!(house.emulator.requests(Endpoint::UserInfo), 0);
    assert_eq!(house.emulator.requests(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn a_pasted_token_that_is_foreign_forged_or_over_is_refused() {
    let house = House::ordinary().await;
    for (mint, reason) in [
        (Mint::new().signature(Signature::ForeignKey), "signature"),
        (Mint::new().signature(Signature::UnknownKey), "no key"),
        (
            Mint::new().issuer("https://evil.example/v1/apps/P_LOCAL"),
            "issuer",
        ),
        (Mint::new().audience(["P_OTHER"]), "audience"),
        (
            Mint::new().audience(["https://other.example.com/mcp", "P_LOCAL"]),
            "audience",
        ),
        (Mint::new().lifetime(-3600), "ended"),
        (Mint::new().claim("nbf", (now() + 3600).into()), "not come"),
        (Mint::new().claim("scope", Value::Null), "ID token"),
    ] {
        let text = refused(house.verify(mint).await);
        assert!(text.contains(reason), "{text}");
    }
    for nonsense in ["", "opaque", "a.b.c"] {
        refused(house.descope.verify(nonsense, now()).await);
    }
}

#[tokio::test]
async fn keys_are_asked_for_again_when_a_new_one_signs_but_not_for_every_unknown_one() {
    let house = House::ordinary().await;
    let start = now();
    let verify = async |mint: Mint, at: u64| {
        let token = house.emulator.mint(mint).unwrap();
        house.descope.verify(&token, at).await
    };
    verify(Mint::new(), start).await.unwrap();
    for _ in 0..3 {
        refused(verify(Mint::new().signature(Signature::UnknownKey), start + 1).await);
    }
    assert_eq!(house.emulator.requests(Endpoint::Jwks), 1);

    house.emulator.rotate_signing_key().unwrap();
    verify(Mint::new(), start + 31).await.unwrap();
    assert_eq!(house.emulator.requests(Endpoint::Jwks), 2);

    // A key that was withdrawn is forgotten within ten minutes.
    let old = house.emulator.mint(Mint::new().lifetime(3600)).unwrap();
    house.emulator.rotate_signing_key().unwrap();
    house.emulator.withdraw_old_keys();
    house.descope.verify(&old, start + 32).await.unwrap();
    refused(house.descope.verify(&old, start + 31 + 600).await);
}

#[tokio::test]
async fn a_token_that_cannot_be_good_costs_no_request() {
    let house = House::ordinary().await;
    refused(house.verify(Mint::new().lifetime(-3600)).await);
    refused(house.verify(Mint::new().audience(["P_OTHER"])).await);
    assert_eq!(house.emulator.requests(Endpoint::Jwks), 0);
}

#[tokio::test]
async fn an_unknown_project_names_the_project_id() {
    let house = House::ordinary().await;
    let descope = connect(
        &house.emulator,
        Style::Client,
        &[("descope_project_id", "P_OTHER")],
    );
    let issuer = format!("{}/v1/apps/P_OTHER", house.emulator.base_url());
    let token = house
        .emulator
        .mint(Mint::new().issuer(issuer).audience(["P_OTHER"]))
        .unwrap();
    let text = misconfigured(descope.verify(&token, now()).await);
    assert!(text.starts_with("descope_project_id"), "{text}");
}

#[tokio::test]
async fn tokens_can_be_verified_without_any_credentials() {
    let house = House::ordinary().await;
    let none = [("descope_client_id", ""), ("descope_client_secret", "")];
    let descope = connect(&house.emulator, Style::Client, &none);
    let token = house.emulator.mint(Mint::new()).unwrap();
    descope.verify(&token, now()).await.unwrap();
    let text = misconfigured(descope.refresh("r", false, now()).await);
    assert!(text.starts_with("descope_client_id"), "{text}");
}
