//! Consents that a browser remembers, in a sealed cookie, because the person ticked the box.
//!
//! An entry holds a fingerprint of everything that the consent page showed and of the client's
//! metadata as a whole, and another of the person who then signed in. So it counts only for the very
//! same request by the very same person; whatever changes, they are asked again. Nothing is stored
//! at the server.
//!
//! A third fingerprint is of the client, its metadata and the redirect URI alone. It grants nothing:
//! it lets an error go back to a redirect URI that has received codes from this browser before (RFC 9700
//! section 4.11.2), though the request with the error is another one than was allowed.
//!
//! Only clients whose answers go to a web host of theirs can be remembered: any program can pass
//! itself off as one that listens on the person's machine (RFC 8252 section 8.6, RFC 6749 section
//! 10.2).

use crate::fingerprint::Fingerprint;
use config::BaseUrl;
use http::{HeaderMap, HeaderValue};
use keys::{KeyRing, Purpose};
use oauth::authorization_request::Target;
use oauth::redirect_uri::{Destination, destination};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use web::cookie::Cookie;

/// Seconds that a consent is remembered.
pub(crate) const REMEMBERED_TTL: u64 = 30 * 86_400;

/// Entries that the cookie holds; with more, browsers would drop it.
const MAX_CONSENTS: usize = 20;

const REMEMBERED: Purpose = Purpose("remembered consents");

/// The consents that a browser remembers, the newest first.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RememberedConsents(Vec<Entry>);

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "c")]
    consent: Fingerprint,
    /// Of the client and its redirect URI alone. Not in cookies of an earlier version.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    destination: Option<Fingerprint>,
    #[serde(rename = "s")]
    subject: Fingerprint,
    #[serde(rename = "e")]
    expires_at: u64,
}

/// Whether a consent may be remembered at all.
pub(crate) fn may_be_remembered(target: &Target) -> bool {
    matches!(destination(&target.redirect_uri), Destination::Host(_))
}

impl RememberedConsents {
    /// Reads the cookie. Returns no consents for a cookie that was not sealed here.
    pub(crate) fn read(keys: &KeyRing, base: &BaseUrl, headers: &HeaderMap, now: u64) -> Self {
        let sealed = cookie(base).read(headers);
        let plain = sealed.and_then(|sealed| keys.open(REMEMBERED, b"", sealed).ok());
        let mut read: Self = plain
            .and_then(|plain| serde_json::from_slice(&plain).ok())
            .unwrap_or_default();
        read.0.retain(|entry| entry.expires_at > now);
        read
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether any person has allowed this in this browser.
    pub(crate) fn has(&self, consent: &Fingerprint) -> bool {
        self.0.iter().any(|entry| entry.consent == *consent)
    }

    /// Whether any person has allowed this client with this redirect URI in this browser, with any scopes.
    pub(crate) fn has_destination(&self, destination: &Fingerprint) -> bool {
        self.0
            .iter()
            .any(|entry| entry.destination.as_ref() == Some(destination))
    }

    /// Whether the person with this subject has allowed this in this browser.
    pub(crate) fn has_of(&self, consent: &Fingerprint, subject: &str) -> bool {
        let subject = Fingerprint::of(subject);
        self.0
            .iter()
            .any(|entry| entry.consent == *consent && entry.subject == subject)
    }

    /// Adds a consent of a person.
    pub(crate) fn add(
        &mut self,
        consent: Fingerprint,
        destination: Fingerprint,
        subject: &str,
        now: u64,
    ) {
        let subject = Fingerprint::of(subject);
        self.0
            .retain(|entry| entry.consent != consent || entry.subject != subject);
        let entry = Entry {
            consent,
            destination: Some(destination),
            subject,
            expires_at: now + REMEMBERED_TTL,
        };
        self.0.insert(0, entry);
        self.0.truncate(MAX_CONSENTS);
    }

    /// Returns the `Set-Cookie` value that stores them in the browser.
    pub(crate) fn set(
        &self,
        keys: &KeyRing,
        base: &BaseUrl,
        random: &mut impl CryptoRng,
    ) -> HeaderValue {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        cookie(base).set(&keys.seal(REMEMBERED, b"", &plain, random), REMEMBERED_TTL)
    }

    /// Returns the `Set-Cookie` value that removes them.
    pub(crate) fn forget(base: &BaseUrl) -> HeaderValue {
        cookie(base).clear()
    }
}

fn cookie(base: &BaseUrl) -> Cookie {
    Cookie {
        name: "gatehouse-remembered",
        https: base.is_https(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::PublicUrl;
    use http::header::COOKIE;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn the_cookie_keeps_the_newest_and_stays_small_enough_for_any_browser() {
        let keys = KeyRing::parse(KEY).unwrap();
        let public_url = PublicUrl::read(|_| Some("https://mcp.example.com")).unwrap();
        let base = public_url.base(&HeaderMap::new()).unwrap();
        let mut remembered = RememberedConsents::default();
        let consent = |n: usize| Fingerprint::of(&n.to_string());
        for n in 0..50 {
            remembered.add(consent(n), consent(n + 100), "ada", 1_000_000_000);
        }
        remembered.add(consent(49), consent(149), "ada", 1_000_000_000);
        let random = &mut StdRng::seed_from_u64(1);
        let set = remembered.set(&keys, &base, random);
        let text = set.to_str().unwrap();
        assert!(text.len() < 4000, "{} bytes", text.len());
        assert!(text.starts_with("__Host-gatehouse-remembered="));
        let mut headers = HeaderMap::new();
        let pair = text.split(';').next().unwrap();
        headers.insert(COOKIE, HeaderValue::from_str(pair).unwrap());
        let read = RememberedConsents::read(&keys, &base, &headers, 1_000_000_001);
        assert_eq!(read.len(), MAX_CONSENTS);
        assert!(read.has_of(&consent(49), "ada") && !read.has_of(&consent(49), "eve"));
        assert!(read.has(&consent(30)) && !read.has(&consent(29)));
        assert!(read.has_destination(&consent(130)) && !read.has_destination(&consent(129)));
        let later =
            RememberedConsents::read(&keys, &base, &headers, 1_000_000_000 + REMEMBERED_TTL);
        assert_eq!(later.len(), 0);
    }
}
