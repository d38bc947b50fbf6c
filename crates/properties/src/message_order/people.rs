//! Callers, their grants and their identity provider.

use super::shared_store::Shared;
use crate::KEY;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grants::{Grant, Grants, ShownClient};
use identity::{
    Presented, Profile, Refreshed, RefreshedProfile, TokenKind, TokenRefresher, TokenRevoker,
    TokenVerifier, UpstreamTokens,
};
use keys::KeyRing;
use mcpserver::{Environment, TestEnvironment};
use oauth::access_token::{self, Issue};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::Store;

pub(super) const BASE: &str = "http://127.0.0.1:3000";

/// Subjects: one begins another, with what stands between the parts of a context.
pub(super) const PEOPLE: [&str; 3] = ["ann", "ann b", "bob"];

/// When every grant ends.
const ENDS_AT: u64 = 10_000_000;

/// What everything of a person has in it, and nothing of anybody else.
pub(super) fn mark(person: usize) -> String {
    format!("mark{person}of")
}

/// # Panics
///
/// If there is another person's mark in `text`.
pub(super) fn assert_own(person: usize, text: &str, what: &str) {
    for other in (0..PEOPLE.len()).filter(|other| *other != person) {
        assert!(
            !text.contains(&mark(other)),
            "{what} of {} has something of {} in it: {text}",
            PEOPLE[person],
            PEOPLE[other]
        );
    }
}

/// Who has this subject.
pub(super) fn person(subject: &str) -> usize {
    let found = PEOPLE.iter().position(|known| *known == subject);
    found.expect("a subject that there is")
}

pub(super) fn config(closes_streams: bool) -> config::Server {
    let config = config::Server::read(|name| match name {
        "encryption_key" => Some(KEY),
        "scopes" => Some("tools secret"),
        "call_timeout" => Some("3"),
        "message_limit" => Some("4096"),
        "stream_seconds" => closes_streams.then_some("2"),
        _ => None,
    });
    config.unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn profile(person: usize) -> Profile {
    Profile {
        subject: PEOPLE[person].to_owned(),
        name: Some(mark(person)),
        email: None,
        email_verified: None,
        picture: None,
        claims: "{}".to_owned(),
    }
}

fn upstream(person: usize, expires_at: u64) -> UpstreamTokens {
    UpstreamTokens {
        access_token: mark(person),
        refresh_token: Some(mark(person)),
        expires_at: Some(expires_at),
    }
}

/// Begins a grant for everyone. Of each: a token of ours, and one of the provider's.
pub(super) async fn sign_in(store: &Shared) -> Vec<[String; 2]> {
    let keys = KeyRing::parse(KEY).expect("a key");
    let store = Store::new(store.clone(), "gatehouse:");
    let grants = Grants::new(&store, &keys);
    let scopes = ["tools".to_owned()];
    let mut tokens = Vec::new();
    for (person, subject) in PEOPLE.into_iter().enumerate() {
        let grant = Grant {
            client_id: "client".to_owned(),
            client: ShownClient::default(),
            scopes: scopes.to_vec(),
            resources: Vec::new(),
            profile: profile(person),
            created_at: 0,
            expires_at: ENDS_AT,
            code: None,
        };
        let upstream = upstream(person, TestEnvironment::START + 200);
        let random = &mut StdRng::seed_from_u64(1_000_000 + person as u64);
        let begun = grants.begin(&grant, &upstream, random).await;
        let claims = access_token::issue(
            Issue {
                issuer: BASE,
                subject,
                resources: vec![format!("{BASE}/mcp")],
                client_id: "client",
                scopes: &scopes,
                grant: &begun.expect("memory").id,
                grant_expires_at: ENDS_AT,
                lifetime: 1_000_000,
                id: "jti".to_owned(),
                key: None,
            },
            TestEnvironment::START,
        );
        let ours = keys.sign(access_token::TYP, &claims).expect("a token");
        tokens.push([ours, presented(person)]);
    }
    tokens
}

/// A token of the provider's.
fn presented(person: usize) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let header = part(r#"{"alg":"RS256","typ":"JWT"}"#);
    let claims = part(&format!(r#"{{"sub":"{}"}}"#, PEOPLE[person]));
    format!("{header}.{claims}.AAAA")
}

/// Knows everyone.
#[derive(Clone)]
pub(super) struct Provider(pub(super) TestEnvironment);

impl TokenVerifier for Provider {
    async fn verify(&self, token: &str) -> Result<Presented, identity::Error> {
        let person = (0..PEOPLE.len()).find(|person| presented(*person) == token);
        let refused = || identity::Error::Refused("no one's".to_owned());
        Ok(Presented {
            profile: profile(person.ok_or_else(refused)?),
            kind: TokenKind::AccessToken,
            issuer: "https://idp.example".to_owned(),
            audience: Vec::new(),
            client_id: Some("ours".to_owned()),
            our_client_id: Some("ours".to_owned()),
            scopes: None,
            expires_at: self.0.now() + 600,
        })
    }
}

impl TokenRevoker for Provider {
    async fn revoke(&self, _tokens: UpstreamTokens) -> Result<(), identity::Error> {
        Ok(())
    }
}

impl TokenRefresher for Provider {
    async fn refresh(
        &self,
        refresh_token: &str,
        _wants_profile: bool,
    ) -> Result<Refreshed, identity::Error> {
        let person = (0..PEOPLE.len()).find(|person| mark(*person) == refresh_token);
        Ok(Refreshed {
            tokens: upstream(person.expect("a token of ours"), self.0.now() + 200),
            profile: RefreshedProfile::Unchanged,
        })
    }
}

/// [`BASE`] without its scheme.
pub(super) fn host() -> &'static str {
    BASE.trim_start_matches("http://")
}
