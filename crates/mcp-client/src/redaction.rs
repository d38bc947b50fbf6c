//! What authorizes a request, taken out of what the server answers: servers that show a request show its headers.

use crate::credentials::Header;

const CREDENTIAL: &[u8] = b"[credential]";

/// Bytes below which a credential is too short to be told from other text.
const MIN_BYTES: usize = 6;

/// Returns a JSON text without these credentials, in whatever way its strings write their characters.
pub(crate) fn without<'a>(
    mut text: Vec<u8>,
    headers: impl IntoIterator<Item = &'a Header>,
) -> Vec<u8> {
    for header in headers {
        let value = header.value.as_bytes();
        // Behind the name of a scheme, such as `Bearer`.
        let space = value.iter().position(|&byte| byte == b' ');
        let secret = space.map_or(value, |space| &value[space + 1..]);
        if secret.len() >= MIN_BYTES {
            text = without_secret(text, secret);
        }
    }
    text
}

fn without_secret(text: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    let mut left = Vec::new();
    let (mut at, mut kept) = (0, 0);
    let mut is_string = false;
    while at < text.len() {
        if is_string && let Some(length) = length_of(secret, &text[at..]) {
            left.extend_from_slice(&text[kept..at]);
            left.extend_from_slice(CREDENTIAL);
            at += length;
            kept = at;
            continue;
        }
        match text[at] {
            b'"' => is_string = !is_string,
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    if kept == 0 {
        return text;
    }
    left.extend_from_slice(&text[kept..]);
    left
}

/// Returns how many bytes a secret takes at the beginning of a part of a JSON string, if it is there.
fn length_of(secret: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for &byte in secret {
        at += match *text.get(at..)? {
            [b'\\', b'u', ref rest @ ..] => {
                let hex = std::str::from_utf8(rest.get(..4)?).ok()?;
                (u32::from_str_radix(hex, 16).ok()? == u32::from(byte)).then_some(6)?
            }
            [b'\\', escaped, ..] => (escaped == byte).then_some(2)?,
            [written, ..] => (written == byte && byte != b'"').then_some(1)?,
            [] => return None,
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    fn redacted(text: &str, value: &str) -> String {
        let header = Header {
            name: AUTHORIZATION,
            value: HeaderValue::from_str(value).unwrap(),
        };
        String::from_utf8(without(text.into(), [&header])).unwrap()
    }

    #[test]
    fn a_credential_is_taken_out_however_a_string_writes_it() {
        for written in ["a+b/c=d", "a+b\\/c=d", "\\u0061\\u002Bb/c=\\u0064"] {
            for value in ["Bearer a+b/c=d", "a+b/c=d"] {
                let text = format!(r#"{{"{written}":["Bearer {written}, {written}",1]}}"#);
                let expected = r#"{"[credential]":["Bearer [credential], [credential]",1]}"#;
                assert_eq!(redacted(&text, value), expected);
            }
        }
        let quoted = r#"{"a":"x\"y\\zzz"}"#;
        assert_eq!(redacted(quoted, r#"x"y\zzz"#), r#"{"a":"[credential]"}"#);
    }

    #[test]
    fn what_is_no_credential_in_a_string_stays() {
        for text in [
            r#"{"a":123456,"b":"12345"}"#,
            r#"["\\u0031\u003", "\""#,
            r#""\"#,
            "",
        ] {
            assert_eq!(redacted(text, "Basic 123456"), text);
        }
        assert_eq!(redacted(r#"["short"]"#, "Bearer short"), r#"["short"]"#);
    }
}
