//! Parts of a URL.

use super::error::Error;

/// An `http:` or `https:` URL, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    pub(super) is_https: bool,
    /// Host and port.
    pub(super) authority: &'a str,
    /// With the query; empty: `/`.
    pub(super) path: &'a str,
}

impl<'a> Url<'a> {
    pub(super) fn parse(url: &'a str) -> Result<Self, Error> {
        let invalid = || Error::InvalidUrl(without_query(url).to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
        let is_https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(invalid()),
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // A password in a URL would show in errors.
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c.is_ascii();
        if authority.is_empty() || authority.contains('@') || !rest.chars().all(is_plain) {
            return Err(invalid());
        }
        Ok(Self {
            is_https,
            authority,
            path,
        })
    }

    /// Returns the path with its query, which begins with a slash.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn path_with_query(&self) -> String {
        if self.path.starts_with('/') {
            self.path.to_owned()
        } else {
            format!("/{}", self.path)
        }
    }

    /// Returns the host, for messages and for `allowed_outbound_hosts`.
    pub(super) fn host(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }
}

/// A query may have a secret.
fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(url, _)| url)
}

/// Adds a parameter to the query.
pub(super) fn add_query(url: &mut String, name: &str, value: &str) {
    let fragment = url.find('#').map(|at| url.split_off(at));
    url.push(if url.contains('?') { '&' } else { '?' });
    encode(url, name);
    url.push('=');
    encode(url, value);
    url.push_str(fragment.as_deref().unwrap_or_default());
}

fn encode(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Url, add_query};

    #[test]
    fn a_url_is_taken_apart() {
        for (url, expected) in [
            (
                "https://a.example/b?c=d#e",
                Some((true, "a.example", "/b?c=d")),
            ),
            ("http://127.0.0.1:3000", Some((false, "127.0.0.1:3000", ""))),
            ("https://a.example?c", Some((true, "a.example", "?c"))),
            ("ftp://a.example", None),
            ("https:///b", None),
            ("https://user:password@a.example", None),
            ("https://a.example/b c", None),
            ("a.example", None),
        ] {
            let parts = Url::parse(url).ok();
            let parts = parts.map(|url| (url.is_https, url.authority, url.path));
            assert_eq!(parts, expected, "{url}");
        }
    }

    #[test]
    fn a_query_is_encoded() {
        let mut url = "https://a.example/b#c".to_owned();
        add_query(&mut url, "city", "São Paulo");
        add_query(&mut url, "n&m", "1");
        assert_eq!(url, "https://a.example/b?city=S%C3%A3o%20Paulo&n%26m=1#c");
    }
}
