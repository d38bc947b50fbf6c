//! Responses of the identity provider (OpenID Connect Core).

use bytes::Bytes;
use descope::{Descope, Http, SendError, Settings, SharedDocuments};
use futures::executor::block_on;
use http::{Request, Response};
use identity::{CodeExchange, Error, ProviderClient, UpstreamTokens};
use serde_json::Value;
use store::MemoryKeyValue;

/// When the answers come, in seconds since the Unix epoch.
const NOW: u64 = 1_000_000;

const PROJECT: &str = "P2aBcDeFgHiJkLmNoPqRsTuVwXyZ";

/// Answers each endpoint with a part of the input.
struct Answers<'a> {
    token: &'a [u8],
    userinfo: &'a [u8],
    keys: &'a [u8],
}

impl Http for &Answers<'_> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let part = match request.uri().path() {
            path if path.ends_with("/token") => self.token,
            path if path.ends_with("/userinfo") => self.userinfo,
            _ => self.keys,
        };
        let (status, body) = status_and_body(part);
        let response = Response::builder().status(status);
        response
            .body(Bytes::copy_from_slice(body))
            .map_err(|error| SendError::Failed(error.to_string()))
    }
}

/// What the identity provider answers, its three answers parted by lines of `--`, each of which may
/// begin with a status: a person has a subject, tokens are usable, and no error repeats a token.
pub fn provider_answers(data: &[u8]) {
    let mut parts = split(data).into_iter();
    let answers = Answers {
        token: parts.next().unwrap_or_default(),
        userinfo: parts.next().unwrap_or_default(),
        keys: parts.next().unwrap_or_default(),
    };
    let settings = Settings::read(|name| match name {
        "descope_project_id" => Some(PROJECT),
        "descope_client_id" => Some("client"),
        "descope_client_secret" => Some("the-client-secret"),
        _ => None,
    });
    assert!(settings.problems().is_empty());
    let unshared = SharedDocuments::<MemoryKeyValue>::unshared();
    let descope = Descope::new(settings, &answers, unshared);
    let exchange = CodeExchange {
        code: "the-code".to_owned(),
        redirect_uri: "https://mcp.example.com/callback".to_owned(),
        code_verifier: "the-verifier".to_owned(),
        nonce: "the-nonce".to_owned(),
        issuer: None,
    };
    let checked = |tokens: &UpstreamTokens| {
        let is_header_text =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(is_header_text(&tokens.access_token));
        assert!(tokens.refresh_token.as_deref().is_none_or(is_header_text));
        assert!(tokens.expires_at.is_none_or(|at| at > NOW));
    };
    match block_on(descope.exchange_code(&exchange, NOW)) {
        Ok(sign_in) => {
            checked(&sign_in.tokens);
            assert!(!sign_in.profile.subject.is_empty());
            assert!(sign_in.profile.claims.len() <= 16 * 1024);
        }
        Err(error) => check_error(&error, answers.token),
    }
    match block_on(descope.refresh("the-refresh-token", true, NOW)) {
        Ok(refreshed) => checked(&refreshed.tokens),
        Err(error) => check_error(&error, answers.token),
    }
    if let Ok(token) = std::str::from_utf8(answers.token)
        && let Ok(presented) = block_on(descope.verify(token.trim(), NOW))
    {
        assert!(!presented.profile.subject.is_empty() && presented.expires_at > NOW);
    }
}

fn check_error(error: &Error, token_answer: &[u8]) {
    let text = error.to_string();
    for secret in [
        "the-client-secret",
        "the-code",
        "the-verifier",
        "the-refresh-token",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
    let (status, body) = status_and_body(token_answer);
    if status == 200
        && let Ok(answer) = serde_json::from_slice::<Value>(body)
        && let Some(token) = answer["access_token"].as_str()
        && token.len() >= 32
    {
        assert!(!text.contains(token), "{text}");
    }
}

fn status_and_body(part: &[u8]) -> (u16, &[u8]) {
    let status = part
        .get(..3)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .filter(|status| (200..600).contains(status));
    match status {
        Some(status) => (status, &part[3..]),
        None => (200, part),
    }
}

fn split(data: &[u8]) -> Vec<&[u8]> {
    const LINE: &[u8] = b"\n--\n";
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(end) = rest.windows(LINE.len()).position(|window| window == LINE) {
        parts.push(&rest[..end]);
        rest = &rest[end + LINE.len()..];
    }
    parts.push(rest);
    parts
}
