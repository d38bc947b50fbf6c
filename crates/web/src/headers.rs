//! The one place that sets security headers.

use http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use std::fmt::Write;

/// What a page may load and where its forms may lead (CSP Level 3). Everything else is forbidden.
#[derive(Clone, Debug, Default)]
pub struct ContentSecurityPolicy {
    style_hash: Option<String>,
    script_hash: Option<String>,
    form_action: Vec<String>,
    any_form_action: bool,
    inline_images: bool,
    image_sources: Vec<String>,
}

impl ContentSecurityPolicy {
    /// Allows the inline style sheet with this hash (`sha256-…`), and images inside the page's own
    /// text.
    pub(crate) fn style(&mut self, hash: &str) {
        self.style_hash = Some(hash.to_owned());
        self.inline_images = true;
    }

    /// Allows the inline script with this hash (`sha256-…`).
    pub(crate) fn script(&mut self, hash: &str) {
        self.script_hash = Some(hash.to_owned());
    }

    /// Allows images from an origin. One that cannot stand in a policy is left out.
    pub(crate) fn image_source(&mut self, origin: &str) {
        if fits(origin) {
            self.image_sources.push(origin.to_owned());
        }
    }

    /// Allows forms to lead to `source`: `'self'`, an origin, or a scheme with its colon. Browsers
    /// hold every redirect that follows to the same list. A source that cannot stand in a policy is
    /// left out.
    pub(crate) fn form_action(&mut self, source: &str) {
        if fits(source) && !self.form_action.iter().any(|known| known == source) {
            self.form_action.push(source.to_owned());
        }
    }

    /// Leaves out `form-action`.
    pub(crate) fn any_form_action(&mut self) {
        self.any_form_action = true;
    }

    fn to_value(&self) -> HeaderValue {
        let mut text = String::from("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
        if let Some(hash) = &self.style_hash {
            let _ = write!(text, "; style-src '{hash}'");
        }
        if let Some(hash) = &self.script_hash {
            let _ = write!(text, "; script-src '{hash}'");
        }
        if self.inline_images {
            text.push_str("; img-src data:");
            for origin in &self.image_sources {
                let _ = write!(text, " {origin}");
            }
        }
        if self.any_form_action {
            // The directive is not there: `default-src` does not stand in for it.
        } else if self.form_action.is_empty() {
            text.push_str("; form-action 'none'");
        } else {
            let _ = write!(text, "; form-action {}", self.form_action.join(" "));
        }
        // Only graphic ASCII and spaces went in.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; form-action 'none'",
        ))
    }
}

/// Whether a source can stand in a policy without adding to it.
fn fits(source: &str) -> bool {
    !source.is_empty()
        && source
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b','))
}

/// Seconds that a browser comes back by https alone: a year, as the preload lists have it.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Returns the response with `Strict-Transport-Security` (RFC 6797 section 6.1) if https is `required`.
/// The header has neither `includeSubDomains` nor `preload`: these bind hosts that are not this server,
/// and whether they may is for the owner of the domain to say.
pub fn require_https<B>(required: bool, mut response: http::Response<B>) -> http::Response<B> {
    if required {
        let headers = response.headers_mut();
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// Sets the headers that every response of ours has.
pub(crate) fn secure(headers: &mut HeaderMap, policy: &ContentSecurityPolicy) {
    headers.insert(CONTENT_SECURITY_POLICY, policy.to_value());
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        HeaderName::from_static("x-frame-options"),
        HeaderValue::from_static("DENY"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_forbids_everything_that_was_not_asked_for() {
        let value = ContentSecurityPolicy::default().to_value();
        assert_eq!(
            value,
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
        );
    }

    #[test]
    fn strict_transport_security_is_sent_for_a_year_where_https_is_required() {
        let header = |required| {
            let response = require_https(required, http::Response::new(()));
            response.headers().get(STRICT_TRANSPORT_SECURITY).cloned()
        };
        assert_eq!(header(true).unwrap(), "max-age=31536000");
        assert_eq!(header(false), None);
    }

    #[test]
    fn images_come_from_the_page_and_from_what_it_names_alone() {
        let mut policy = ContentSecurityPolicy::default();
        policy.style("sha256-x");
        policy.image_source("https://a.example");
        policy.image_source("https://b.example; script-src *");
        let value = policy.to_value();
        let text = value.to_str().unwrap_or_default();
        assert!(
            text.contains("; img-src data: https://a.example; form-action"),
            "{text}"
        );
    }

    #[test]
    fn nothing_breaks_out_of_the_form_action_list() {
        let mut policy = ContentSecurityPolicy::default();
        policy.form_action("'self'");
        policy.form_action("https://a.example;script-src *");
        policy.form_action("https://b.example https:");
        policy.form_action("cursor:");
        let value = policy.to_value();
        let text = value.to_str().unwrap_or_default();
        assert!(text.ends_with("; form-action 'self' cursor:"), "{text}");
    }
}
