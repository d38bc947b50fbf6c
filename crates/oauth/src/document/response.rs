//! Responses of a client's host: whether one may be read, and for how long it is fresh.

use http::header::{AGE, CACHE_CONTROL};
use http::{HeaderMap, StatusCode};
use http_fields::MediaType;

/// Seconds that an answer is good for at least, whatever it says: one sign-in asks twice.
pub const MIN_CACHED: u64 = 300;

/// Seconds that an answer is good for at most.
pub const MAX_CACHED: u64 = 86_400;

/// Why an answer is not read.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ResponseError {
    /// It is not 200; redirects are not followed (section 5 of the draft).
    #[error(
        "it answers with the status {0} where only 200 is good, and redirects are not followed"
    )]
    Status(u16),
    /// It is of another type.
    #[error("what it answers is not of the type application/json")]
    ContentType,
}

/// For how many seconds an answer is good (RFC 9111 section 4.2), at least [`MIN_CACHED`] and at
/// most [`MAX_CACHED`].
///
/// # Errors
///
/// [`ResponseError`] for an answer that must not be read.
pub fn read_response(status: StatusCode, headers: &HeaderMap) -> Result<u64, ResponseError> {
    if status != StatusCode::OK {
        return Err(ResponseError::Status(status.as_u16()));
    }
    // Section 4 of the draft.
    if !MediaType::of(headers).is_some_and(MediaType::is_json_based) {
        return Err(ResponseError::ContentType);
    }
    Ok(lifetime(headers).clamp(MIN_CACHED, MAX_CACHED))
}

fn lifetime(headers: &HeaderMap) -> u64 {
    let (mut max_age, mut shared) = (None, None);
    for line in headers.get_all(CACHE_CONTROL) {
        for directive in text(Some(line)).split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = || value.trim().trim_matches('"').parse::<u64>().ok();
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" | "private" => return 0,
                "max-age" => max_age = seconds(),
                "s-maxage" => shared = seconds(),
                _ => {}
            }
        }
    }
    let age = text(headers.get(AGE)).trim().parse::<u64>().unwrap_or(0);
    shared.or(max_age).unwrap_or(0).saturating_sub(age)
}

fn text(value: Option<&http::HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    fn read(pairs: &[(http::HeaderName, &'static str)]) -> Result<u64, ResponseError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in pairs {
            headers.insert(name, HeaderValue::from_static(value));
        }
        read_response(StatusCode::OK, &headers)
    }

    #[test]
    fn an_answer_is_cached_as_it_says_within_bounds() {
        for (cache_control, age, expected) in [
            ("public, max-age=3600", "0", 3600),
            ("max-age=3600", "600", 3000),
            ("max-age=60, s-maxage=\"7200\"", "", 7200),
            ("MAX-AGE=3600", "nonsense", 3600),
            ("no-store,no-cache,max-age=0", "0", MIN_CACHED),
            ("private, max-age=3600", "0", MIN_CACHED),
            ("max-age=99999999999", "0", MAX_CACHED),
            ("max-age=99999999999999999999999999", "0", MIN_CACHED),
            ("max-age=-1", "0", MIN_CACHED),
            ("", "", MIN_CACHED),
        ] {
            let read = read(&[(CACHE_CONTROL, cache_control), (AGE, age)]);
            assert_eq!(read, Ok(expected), "{cache_control}");
        }
    }

    #[test]
    fn only_a_json_answer_with_the_status_200_is_read() {
        for (content_type, good) in [
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
            ("application/cimd+json", true),
            ("application/jwk-set+json", true),
            ("text/html", false),
            ("text/json", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            let read = read(&[(CONTENT_TYPE, content_type)]);
            assert_eq!(read.is_ok(), good, "{content_type}");
        }
        for status in [201, 204, 301, 302, 304, 404, 500] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                read_response(status, &HeaderMap::new()),
                Err(ResponseError::Status(status.as_u16()))
            );
        }
    }
}
