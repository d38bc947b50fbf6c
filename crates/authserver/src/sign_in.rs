//! The state of a sign-in between its steps: sealed, bound to one browser, and of limited lifetime.

use crate::fingerprint::Fingerprint;
use config::BaseUrl;
use http::{HeaderMap, HeaderValue};
use keys::{KeyRing, Purpose};
use oauth::authorization_request::{AuthorizationRequest, Target};
use oauth::{Client, secret};
use rand::CryptoRng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;
use web::cookie::Cookie;

/// Seconds that a consent page may stay open.
pub(crate) const CONSENT_TTL: u64 = 1800;

/// Seconds that a person may take to sign in.
pub(crate) const LOGIN_TTL: u64 = 600;

const CONSENT: Purpose = Purpose("consent");
const LOGIN: Purpose = Purpose("login");
const ACCOUNT_LOGIN: Purpose = Purpose("account login");

/// The claim that completes a sign-in. It is on the id that a consent form has, so that a form leads
/// to one sign-in, however often it is sent.
pub(crate) const COMPLETED: &str = "login";

/// The kind of notes that a provider takes long with the code of a sign-in.
pub(crate) const EXCHANGING: &str = "login-exchange";

/// A request that waits for the person's yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingConsent {
    /// Names the form.
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) target: Target,
    pub(crate) request: AuthorizationRequest,
    /// Of what the page shows.
    pub(crate) shown: Fingerprint,
    expires_at: u64,
}

/// How the person has said yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Consented {
    /// On a page just now, to be remembered or not.
    Now { remember: bool },
    /// Earlier in this browser. Whether it was this person shows when they have signed in.
    Before,
}

/// A request that the person has allowed and that waits for the identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingLogin {
    pub(crate) consent: PendingConsent,
    pub(crate) consented: Consented,
    pub(crate) provider: ProviderLogin,
}

/// A person who wants to see their account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingAccount {
    /// Names the sign-in, which can be completed once.
    pub(crate) id: String,
    pub(crate) provider: ProviderLogin,
}

/// The `nonce` and the PKCE verifier of this server's own request to the identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProviderLogin {
    pub(crate) nonce: String,
    pub(crate) code_verifier: String,
    pub(crate) expires_at: u64,
}

/// A sign-in that came back from the identity provider.
pub(crate) enum Pending {
    Login(Box<PendingLogin>),
    Account(PendingAccount),
}

impl PendingConsent {
    /// `provider_scopes` are those that are asked of the identity provider.
    pub(crate) fn new(
        client: &Client,
        target: Target,
        request: AuthorizationRequest,
        provider_scopes: &[String],
        now: u64,
        random: &mut impl CryptoRng,
    ) -> Self {
        Self {
            id: secret::random::<16>(random),
            client_id: client.client_id.clone(),
            shown: Fingerprint::of_consent(client, &target, &request, provider_scopes),
            target,
            request,
            expires_at: now + CONSENT_TTL,
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

    /// Returns the same request once more, for another account at the identity provider (`prompt` of OpenID
    /// Connect Core section 3.1.2.1): a link of the client's own, which is checked as any is.
    pub(crate) fn with_another_account(&self, base: &BaseUrl) -> String {
        let (target, request) = (&self.target, &self.request);
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("code_challenge", &request.challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "select_account");
        let redirect_uri = target.in_request.then_some(&target.redirect_uri);
        let scope = Some(request.scopes.join(" ")).filter(|scope| !scope.is_empty());
        for (name, value) in [
            ("redirect_uri", redirect_uri),
            ("state", target.state.as_ref()),
            ("scope", scope.as_ref()),
            ("dpop_jkt", request.dpop_jkt.as_ref()),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        for resource in &request.resources {
            query.append_pair("resource", resource);
        }
        format!("{}?{}", base.join("/authorize"), query.finish())
    }

    /// Returns when no sign-in that this form leads to can be completed any more.
    pub(crate) fn forget_at(&self) -> u64 {
        self.expires_at + LOGIN_TTL
    }
}

impl PendingLogin {
    pub(crate) fn seal(
        &self,
        keys: &KeyRing,
        browser: &Browser,
        random: &mut impl CryptoRng,
    ) -> Option<String> {
        seal(keys, LOGIN, browser, self, random)
    }
}

impl PendingAccount {
    pub(crate) fn seal(
        &self,
        keys: &KeyRing,
        browser: &Browser,
        random: &mut impl CryptoRng,
    ) -> Option<String> {
        seal(keys, ACCOUNT_LOGIN, browser, self, random)
    }
}

impl ProviderLogin {
    pub(crate) fn new(now: u64, random: &mut impl CryptoRng) -> Self {
        Self {
            nonce: secret::random::<16>(random),
            code_verifier: secret::random::<32>(random),
            expires_at: now + LOGIN_TTL,
        }
    }
}

impl Pending {
    /// `None` for what was not sealed here for this browser. Whether it has expired is the caller's
    /// to ask: the client can be told.
    pub(crate) fn open(keys: &KeyRing, browser: &Browser, sealed: &str) -> Option<Self> {
        open(keys, LOGIN, browser, sealed)
            .map(|login| Self::Login(Box::new(login)))
            .or_else(|| open(keys, ACCOUNT_LOGIN, browser, sealed).map(Self::Account))
    }
}

/// The cookie that binds consent pages to their browser: what tells the browser, and behind it the
/// forms that were answered with no. A form that was answered with yes is used up in the store, when
/// the sign-in that it led to is complete.
pub(crate) struct ConsentCookie {
    pub(crate) browser: Browser,
    refused: Vec<String>,
}

/// Refused forms that the cookie remembers: more tabs than a person answers within half an hour.
const MAX_REFUSED: usize = 16;

impl ConsentCookie {
    pub(crate) fn read(base: &BaseUrl, headers: &HeaderMap) -> Option<Self> {
        let mut parts = Self::cookie(base).read(headers)?.split('.');
        Some(Self {
            browser: Browser::parse(parts.next()?)?,
            refused: parts.take(MAX_REFUSED).map(str::to_owned).collect(),
        })
    }

    /// Returns what the browser brings, or a new one.
    pub(crate) fn read_or_new(
        base: &BaseUrl,
        headers: &HeaderMap,
        random: &mut impl CryptoRng,
    ) -> Self {
        Self::read(base, headers).unwrap_or_else(|| Self {
            browser: Browser(secret::random::<32>(random)),
            refused: Vec::new(),
        })
    }

    /// Whether a form was answered with no.
    pub(crate) fn has_refused(&self, id: &str) -> bool {
        self.refused.iter().any(|refused| refused == id)
    }

    /// Remembers that a form was answered with no.
    pub(crate) fn refuse(&mut self, id: &str) {
        self.refused.insert(0, id.to_owned());
        self.refused.truncate(MAX_REFUSED);
    }

    /// Returns the `Set-Cookie` value.
    pub(crate) fn set(&self, base: &BaseUrl) -> HeaderValue {
        let parts: Vec<&str> = std::iter::once(self.browser.as_str())
            .chain(self.refused.iter().map(String::as_str))
            .collect();
        Self::cookie(base).set(&parts.join("."), CONSENT_TTL)
    }

    fn cookie(base: &BaseUrl) -> Cookie {
        Cookie {
            name: "gatehouse-consent",
            https: base.is_https(),
        }
    }
}

/// What tells one browser from another: a random value in a cookie. One value serves all the tabs
/// of a browser.
pub(crate) struct Browser(String);

impl Browser {
    /// Returns the cookie that binds a sign-in to the browser in which it was allowed.
    pub(crate) fn login_cookie(base: &BaseUrl) -> Cookie {
        Cookie {
            name: "gatehouse-login",
            https: base.is_https(),
        }
    }

    /// Returns the browser that brings this cookie.
    pub(crate) fn read(cookie: &Cookie, headers: &HeaderMap) -> Option<Self> {
        cookie.read(headers).and_then(Self::parse)
    }

    fn parse(value: &str) -> Option<Self> {
        (value.len() == 43).then(|| Self(value.to_owned()))
    }

    /// Returns the browser that brings this cookie, or a new one.
    pub(crate) fn read_or_new(
        cookie: &Cookie,
        headers: &HeaderMap,
        random: &mut impl CryptoRng,
    ) -> Self {
        Self::read(cookie, headers).unwrap_or_else(|| Self(secret::random::<32>(random)))
    }

    /// Returns the cookie's value.
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
