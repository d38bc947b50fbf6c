//! What one step of a sign-in hands to the next: sealed, bound to one browser, and dead after a
//! while.

use config::Base;
use http::HeaderMap;
use keys::{KeyRing, Purpose};
use oauth::authorization_request::{AuthorizationRequest, Target};
use oauth::secret;
use rand::CryptoRng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use web::cookie::Cookie;

/// Seconds that a consent page may stay open.
pub(crate) const CONSENT_LIFETIME: u64 = 1800;

/// Seconds that a person may take to sign in.
pub(crate) const LOGIN_LIFETIME: u64 = 600;

const CONSENT: Purpose = Purpose("consent");
const LOGIN: Purpose = Purpose("login");

/// A request that waits for the person's yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingConsent {
    pub(crate) client_id: String,
    pub(crate) target: Target,
    pub(crate) request: AuthorizationRequest,
    expires_at: u64,
}

/// A request that the person has allowed and that waits for the identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingLogin {
    /// Names the sign-in, which can be completed once.
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) target: Target,
    pub(crate) request: AuthorizationRequest,
    /// Ours towards the identity provider.
    pub(crate) nonce: String,
    /// Likewise.
    pub(crate) code_verifier: String,
    pub(crate) expires_at: u64,
}

impl PendingConsent {
    pub(crate) fn new(
        client_id: String,
        target: Target,
        request: AuthorizationRequest,
        now: u64,
    ) -> Self {
        Self {
            client_id,
            target,
            request,
            expires_at: now + CONSENT_LIFETIME,
        }
    }

    pub(crate) fn seal(
        &self,
        keys: &KeyRing,
        browser: &Browser,
        random: &mut impl CryptoRng,
    ) -> Option<String> {
        seal(keys, CONSENT, browser, self, random)
    }

    /// `None` for what was not sealed here for this browser, and for what has expired.
    pub(crate) fn open(keys: &KeyRing, browser: &Browser, sealed: &str, now: u64) -> Option<Self> {
        open::<Self>(keys, CONSENT, browser, sealed).filter(|pending| pending.expires_at > now)
    }
}

impl PendingLogin {
    pub(crate) fn new(consent: PendingConsent, now: u64, random: &mut impl CryptoRng) -> Self {
        Self {
            id: secret::random::<16>(random),
            client_id: consent.client_id,
            target: consent.target,
            request: consent.request,
            nonce: secret::random::<16>(random),
            code_verifier: secret::random::<32>(random),
            expires_at: now + LOGIN_LIFETIME,
        }
    }

    pub(crate) fn seal(
        &self,
        keys: &KeyRing,
        browser: &Browser,
        random: &mut impl CryptoRng,
    ) -> Option<String> {
        seal(keys, LOGIN, browser, self, random)
    }

    /// `None` for what was not sealed here for this browser. Whether it has expired is the caller's
    /// to ask: the client can be told.
    pub(crate) fn open(keys: &KeyRing, browser: &Browser, sealed: &str) -> Option<Self> {
        open(keys, LOGIN, browser, sealed)
    }
}

/// What tells one browser from another: a random value in a cookie. One value serves all the tabs
/// of a browser.
pub(crate) struct Browser(String);

impl Browser {
    /// The cookie that binds a consent page to its browser.
    pub(crate) fn consent_cookie(base: &Base) -> Cookie {
        Cookie {
            name: "gatehouse-consent",
            https: base.is_https(),
        }
    }

    /// The cookie that binds a sign-in to the browser in which it was allowed.
    pub(crate) fn login_cookie(base: &Base) -> Cookie {
        Cookie {
            name: "gatehouse-login",
            https: base.is_https(),
        }
    }

    /// The browser that brings this cookie.
    pub(crate) fn read(cookie: &Cookie, headers: &HeaderMap) -> Option<Self> {
        cookie
            .read(headers)
            .filter(|value| value.len() == 43)
            .map(|value| Self(value.to_owned()))
    }

    /// The browser that brings this cookie, or a new one.
    pub(crate) fn read_or_new(
        cookie: &Cookie,
        headers: &HeaderMap,
        random: &mut impl CryptoRng,
    ) -> Self {
        Self::read(cookie, headers).unwrap_or_else(|| Self(secret::random::<32>(random)))
    }

    /// The cookie's value.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn seal(
    keys: &KeyRing,
    purpose: Purpose,
    browser: &Browser,
    value: &impl Serialize,
    random: &mut impl CryptoRng,
) -> Option<String> {
    let plain = serde_json::to_vec(value).ok()?;
    Some(keys.seal(purpose, browser.0.as_bytes(), &plain, random))
}

fn open<T: DeserializeOwned>(
    keys: &KeyRing,
    purpose: Purpose,
    browser: &Browser,
    sealed: &str,
) -> Option<T> {
    let plain = keys.open(purpose, browser.0.as_bytes(), sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}
