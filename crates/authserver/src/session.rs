//! The session of the account page: a sealed cookie, for an hour.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::BaseUrl;
use http::{HeaderMap, HeaderValue};
use identity::Profile;
use keys::{KeyRing, Purpose};
use oauth::secret;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use store::{KeyValue, Store};
use web::cookie::Cookie;

/// Seconds that a session lasts.
const SESSION_TTL: u64 = 3600;

const SESSION: Purpose = Purpose("account session");
const FORM: Purpose = Purpose("account form");

/// The claim that ends a session before its time.
const ENDED: &str = "account-ended";

/// A session at the account.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    id: String,
    pub(crate) subject: String,
    name: Option<String>,
    email: Option<String>,
    expires_at: u64,
}

impl Session {
    pub(crate) fn new(profile: Profile, now: u64, random: &mut impl CryptoRng) -> Self {
        Self {
            id: secret::random::<16>(random),
            subject: profile.subject,
            // A cookie has little room.
            name: profile.name.filter(|name| name.chars().count() <= 200),
            email: profile.email.filter(|email| email.len() <= 320),
            expires_at: now + SESSION_TTL,
        }
    }

    /// Returns the person's name, email address or subject, the first that is known.
    pub(crate) fn display_name(&self) -> &str {
        self.name
            .as_deref()
            .or(self.email.as_deref())
            .unwrap_or(&self.subject)
    }

    /// Returns the `Set-Cookie` value that starts the session.
    pub(crate) fn set(
        &self,
        keys: &KeyRing,
        base: &BaseUrl,
        random: &mut impl CryptoRng,
    ) -> Option<HeaderValue> {
        let plain = serde_json::to_vec(self).ok()?;
        Some(cookie(base).set(&keys.seal(SESSION, b"", &plain, random), SESSION_TTL))
    }

    /// Returns the session that a request brings, unless it has ended.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub(crate) async fn read<K: KeyValue>(
        store: &Store<K>,
        keys: &KeyRing,
        base: &BaseUrl,
        headers: &HeaderMap,
        now: u64,
    ) -> Result<Option<Self>, store::Error> {
        let session = cookie(base)
            .read(headers)
            .and_then(|sealed| keys.open(SESSION, b"", sealed).ok())
            .and_then(|plain| serde_json::from_slice::<Self>(&plain).ok())
            .filter(|session| session.expires_at > now);
        match session {
            Some(session) if store.is_claimed(ENDED, &session.id).await? => Ok(None),
            session => Ok(session),
        }
    }

    /// Ends the session, for every copy of the cookie.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub(crate) async fn end<K: KeyValue>(&self, store: &Store<K>) -> Result<(), store::Error> {
        store
            .note_once(ENDED, &self.id, self.expires_at)
            .await
            .map(drop)
    }

    /// Returns the `Set-Cookie` value that removes the cookie.
    pub(crate) fn clear(base: &BaseUrl) -> HeaderValue {
        cookie(base).clear()
    }

    /// Returns the token that the account page's forms carry, which another site cannot know.
    pub(crate) fn form_token(&self, keys: &KeyRing) -> String {
        URL_SAFE_NO_PAD.encode(keys.mac(FORM, self.id.as_bytes()))
    }

    /// Whether a form carries this session's token.
    pub(crate) fn is_form_token(&self, keys: &KeyRing, token: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|token| keys.verify_mac(FORM, self.id.as_bytes(), &token))
    }
}

fn cookie(base: &BaseUrl) -> Cookie {
    Cookie {
        name: "gatehouse-account",
        https: base.is_https(),
    }
}
