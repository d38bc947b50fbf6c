//! Cookies (RFC 6265bis): host-only, invisible to scripts, not sent with foreign sub-requests.

use http::header::{COOKIE, HeaderMap, HeaderValue};

/// The name of a cookie and how it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Cookie {
    /// The name without prefix: letters, digits, `-` and `_`.
    pub name: &'static str,
    /// Whether the site is an https one. The name then has the prefix `__Host-`, which no
    /// neighbouring host and no plain http answer can set.
    pub https: bool,
}

impl Cookie {
    /// Returns the value that the request brings, if any. Several of the same name count as none: one of
    /// them is planted.
    pub fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let name = self.full_name();
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// Returns the `Set-Cookie` value that keeps `value` (URL-safe Base64) for `seconds`.
    pub fn set(&self, value: &str, seconds: u64) -> HeaderValue {
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{}",
            self.full_name(),
            if self.https { "; Secure" } else { "" }
        );
        // A value that cannot be a header's sets no cookie.
        HeaderValue::from_str(&text).unwrap_or_else(|_| self.clear())
    }

    /// Returns the `Set-Cookie` value that removes the cookie.
    pub fn clear(&self) -> HeaderValue {
        let text = format!(
            "{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}",
            self.full_name(),
            if self.https { "; Secure" } else { "" }
        );
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }

    fn full_name(&self) -> String {
        let prefix = if self.https { "__Host-" } else { "" };
        format!("{prefix}{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Cookie = Cookie {
        name: "state",
        https: true,
    };
    const HTTP: Cookie = Cookie {
        name: "state",
        https: false,
    };

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn on_https_a_cookie_has_the_host_prefix_and_is_secure() {
        assert_eq!(
            HTTPS.set("abc", 600),
            "__Host-state=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure"
        );
        assert_eq!(
            HTTP.set("abc", 600),
            "state=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"
        );
    }

    #[test]
    fn a_cookie_is_found_among_others_and_in_any_line() {
        let headers = headers(&["a=1; stated=2", "__Host-state=abc ;b=3"]);
        assert_eq!(HTTPS.read(&headers), Some("abc"));
        assert_eq!(HTTP.read(&headers), None);
    }

    #[test]
    fn a_cookie_that_comes_twice_is_none() {
        let headers = headers(&["state=abc; state=def"]);
        assert_eq!(HTTP.read(&headers), None);
    }

    #[test]
    fn a_value_cannot_add_a_header_line() {
        assert_eq!(HTTP.set("a\r\nx: y", 1), HTTP.clear());
    }
}
