//! Media types (RFC 9110 section 8.3.1).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The media type that a `Content-Type` field names. Types and parameter names are compared without
/// regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    essence: &'a str,
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// Returns the media type of a message with these headers; `None` if none is named.
    pub fn of(headers: &'a HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
        Some(Self {
            essence: essence.trim(),
            parameters,
        })
    }

    /// Whether this is `essence` (`text/html`), with any parameters.
    pub fn is(self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// Whether this is `application/json`, with any parameters.
    pub fn is_json(self) -> bool {
        self.is("application/json")
    }

    /// Whether this is `application/json`, or another `application` type with the suffix `+json` (RFC
    /// 6839 section 3.1).
    pub fn is_json_based(self) -> bool {
        let essence = self.essence.to_ascii_lowercase();
        self.is_json() || (essence.starts_with("application/") && essence.ends_with("+json"))
    }

    /// Whether no parameter names another charset than UTF-8.
    pub fn is_utf8(self) -> bool {
        self.parameters.split(';').all(|parameter| {
            parameter.split_once('=').is_none_or(|(name, value)| {
                !name.trim().eq_ignore_ascii_case("charset")
                    || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn holds(value: &'static str, rule: impl Fn(MediaType<'_>) -> bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
        MediaType::of(&headers).is_some_and(rule)
    }

    #[test]
    fn a_media_type_is_compared_without_case_and_parameters() {
        assert!(holds("Text/HTML; charset=utf-8", |of| of.is("text/html")));
        assert!(holds(" application/json ;x=y", |of| of.is_json()));
        assert!(!holds("application/jsonp", |of| of.is_json()));
        assert!(!holds("application/problem+json", |of| of.is_json()));
        assert!(MediaType::of(&HeaderMap::new()).is_none());
    }

    #[test]
    fn a_type_with_the_suffix_json_is_json_based() {
        assert!(holds("application/json", |of| of.is_json_based()));
        assert!(holds("Application/X+JSON", |of| of.is_json_based()));
        assert!(!holds("text/x+json", |of| of.is_json_based()));
    }

    #[test]
    fn another_charset_than_utf_8_is_told_apart() {
        assert!(holds("application/json", |of| of.is_utf8()));
        assert!(holds("a/b; q=1; Charset=\"UTF-8\"", |of| of.is_utf8()));
        assert!(!holds("application/json; charset=latin1", |of| of.is_utf8()));
    }
}
