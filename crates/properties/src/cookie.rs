//! Cookie headers (RFC 6265).

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use web::cookie::Cookie;

/// The lines of a Cookie header: a cookie is read only if it is there once, under its whole name.
pub fn cookie(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    for (https, name) in [(true, "__Host-state"), (false, "state")] {
        let cookie = Cookie {
            name: "state",
            https,
        };
        let mut values = Vec::new();
        for value in headers.get_all(COOKIE) {
            let Ok(line) = value.to_str() else { continue };
            for pair in line.split(';') {
                if let Some((key, value)) = pair.trim().split_once('=')
                    && key == name
                {
                    values.push(value);
                }
            }
        }
        let expected = if let [only] = *values {
            Some(only)
        } else {
            None
        };
        assert_eq!(cookie.read(&headers), expected);
    }
    if let Ok(value) = std::str::from_utf8(data)
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        check_round_trip(value);
    }
}

/// What a browser is told to keep, it brings back.
fn check_round_trip(value: &str) {
    let cookie = Cookie {
        name: "state",
        https: true,
    };
    let set = cookie.set(value, 60);
    let set = set.to_str().expect("text");
    let (pair, attributes) = set.split_once("; ").expect("attributes");
    assert!(attributes.contains("HttpOnly") && attributes.contains("Secure"));
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(pair).expect("a header"));
    assert_eq!(cookie.read(&headers), Some(value));
}
