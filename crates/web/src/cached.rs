//! JSON that caches may keep.

use crate::Response;
use crate::respond::{empty, respond};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A JSON text that is ready to be sent, and what tells it from every other (RFC 9110 section
/// 8.8.3).
pub struct CachedJson {
    text: Bytes,
    etag: HeaderValue,
}

impl CachedJson {
    /// Returns the text of `value`; `None` if that cannot be written as JSON.
    pub fn new(value: &impl Serialize) -> Option<Self> {
        let text = serde_json::to_vec(value).ok()?;
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..12]);
        Some(Self {
            text: text.into(),
            etag: HeaderValue::from_str(&format!("\"{hash}\"")).ok()?,
        })
    }

    /// Returns the response to a request with these headers, which caches may keep as `cache_control` says: 304 if the
    /// client has this version (RFC 9110 section 13.1.2).
    pub fn respond(&self, request: &HeaderMap, cache_control: &'static str) -> Response {
        let mut response = if self.is_known(request) {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            respond(StatusCode::OK, "application/json", self.text.clone())
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        headers.insert(ETAG, self.etag.clone());
        response
    }

    fn is_known(&self, request: &HeaderMap) -> bool {
        request
            .get_all(IF_NONE_MATCH)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(|known| known.trim_ascii())
            .map(|known| known.strip_prefix(b"W/").unwrap_or(known))
            .any(|known| known == b"*" || known == self.etag.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR_AN_HOUR: &str = "public, max-age=3600";

    fn ask(known: Option<&HeaderValue>, value: &str) -> Response {
        let known = known.map(|known| (IF_NONE_MATCH, known.clone()));
        let text = CachedJson::new(&value).unwrap();
        text.respond(&HeaderMap::from_iter(known), FOR_AN_HOUR)
    }

    #[test]
    fn a_client_that_has_the_text_gets_it_only_when_it_has_changed() {
        let first = ask(None, "a");
        let etag = &first.headers()[ETAG];
        assert_eq!(first.status(), 200);
        let again = ask(Some(etag), "a");
        assert_eq!(again.status(), 304);
        assert_eq!(&again.headers()[ETAG], etag);
        assert_eq!(again.headers()[CACHE_CONTROL], FOR_AN_HOUR);
        let several = format!("\"x\", W/{}", etag.to_str().unwrap_or_default());
        for known in [&several, "*"] {
            let known = HeaderValue::from_str(known).ok();
            assert_eq!(ask(known.as_ref(), "a").status(), 304);
        }
        let changed = ask(Some(etag), "b");
        assert_eq!(changed.status(), 200);
        assert_ne!(&changed.headers()[ETAG], etag);
    }
}
