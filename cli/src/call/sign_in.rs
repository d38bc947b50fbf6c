//! Signing in at a server whose identity provider is the emulator on this machine: as an MCP client does (OAuth 2.1, PKCE),
//! with a person who allows everything.

use super::form;
use crate::serving::local_client;
use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::is_loopback;
use project::launch::HEALTH;
use rand::TryRng;
use rand::rngs::SysRng;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

/// Where codes are sent; nothing listens there, as the address is read before it is opened.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// How many pages and redirects there may be.
const MAX_STEPS: usize = 12;

/// Registers a client, signs a person in, and returns an access token.
///
/// # Errors
///
/// If the server does not register clients, or people sign in elsewhere than on this machine.
pub(super) async fn token(base: &str) -> Result<String> {
    let http = local_client()
        .redirect(Policy::none())
        .cookie_store(true)
        .build()?;
    check_issuer(&http, base).await?;
    let client_id = register(&http, base).await?;
    let verifier = random()?;
    let state = random()?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let resource = format!("{base}/mcp");
    let authorize = Url::parse_with_params(
        &format!("{base}/authorize"),
        [
            ("response_type", "code"),
            ("client_id", client_id.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("state", state.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("resource", resource.as_str()),
        ],
    )?;
    let back = allow(&http, authorize).await?;
    let parameter = |name: &str| {
        let mut pairs = back.query_pairs();
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    };
    ensure!(
        parameter("state").as_deref() == Some(state.as_str()),
        "The server answers another sign-in than this one"
    );
    let code = parameter("code").with_context(|| {
        let error = parameter("error_description").or_else(|| parameter("error"));
        format!("No one was signed in: {}", error.unwrap_or_default())
    })?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("client_id", client_id.as_str()),
        ("code_verifier", verifier.as_str()),
    ];
    let answer = http
        .post(format!("{base}/token"))
        .form(&form)
        .send()
        .await?;
    text(&read(answer).await?, "access_token")
}

/// Checks that clients sign in at the server itself, under this URL (RFC 9728).
async fn check_issuer(http: &Client, base: &str) -> Result<()> {
    let metadata = http.get(format!("{base}{HEALTH}")).send().await;
    let metadata = read(metadata.with_context(|| format!("{base} does not answer"))?).await?;
    let issuer = metadata["authorization_servers"][0]
        .as_str()
        .unwrap_or_default();
    ensure!(
        issuer.trim_end_matches('/') == base,
        "Clients of this server sign in at {issuer}, and not at {base}: use an MCP client, or give a token with --token or GATEHOUSE_TOKEN"
    );
    Ok(())
}

async fn register(http: &Client, base: &str) -> Result<String> {
    let metadata = json!({
        "client_name": "gatehouse call",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    let request = http.post(format!("{base}/register")).json(&metadata);
    let answer = request.send().await;
    let answer = answer.with_context(|| format!("{base} does not answer"))?;
    let registered = read(answer).await.with_context(|| {
        "This server registers no client by itself. Give a token with --token or GATEHOUSE_TOKEN"
    })?;
    text(&registered, "client_id")
}

/// Goes from an authorization request over consent and sign-in to the address that leads back to the client.
async fn allow(http: &Client, start: Url) -> Result<Url> {
    let mut response = http.get(start).send().await?;
    for _ in 0..MAX_STEPS {
        let here = response.url().clone();
        if response.status().is_redirection() {
            let location = response.headers().get("location");
            let location = location.and_then(|location| location.to_str().ok());
            let next = here.join(location.context("A redirect leads nowhere")?)?;
            if next.as_str().starts_with(REDIRECT_URI) {
                return Ok(next);
            }
            ensure!(
                is_loopback(&next),
                "People sign in at {}, and not at the emulator: sign in with an MCP client, or give a token with --token or GATEHOUSE_TOKEN",
                next.origin().ascii_serialization()
            );
            response = http.get(next).send().await?;
            continue;
        }
        let status = response.status();
        let html = response.text().await?;
        ensure!(status.is_success(), "{here} answers {status}");
        // The pages of Gatehouse and of the emulator have the same button.
        let form = form::first(&html)
            .with_context(|| format!("{here} is a page without a form: {status}"))?;
        let mut fields = form.fields;
        fields.push(("decision".to_owned(), "allow".to_owned()));
        let action = here.join(&form.action)?;
        ensure!(
            is_loopback(&action),
            "{here} has a form that leads elsewhere"
        );
        response = http.post(action).form(&fields).send().await?;
    }
    bail!("The sign-in goes on without an end")
}

/// Reads a JSON response.
async fn read(response: Response) -> Result<Value> {
    let (url, status) = (response.url().clone(), response.status());
    let body: Value = response
        .json()
        .await
        .with_context(|| format!("{url} answers {status}, and no JSON"))?;
    if !status.is_success() {
        let error = body["error_description"]
            .as_str()
            .or(body["error"].as_str());
        bail!("{url} answers {status}: {}", error.unwrap_or_default());
    }
    Ok(body)
}

fn text(answer: &Value, name: &str) -> Result<String> {
    let text = answer[name].as_str().map(str::to_owned);
    text.with_context(|| format!("The server's answer has no {name}"))
}

/// Returns 32 random bytes as text.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .context("The system gives no randomness")?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
