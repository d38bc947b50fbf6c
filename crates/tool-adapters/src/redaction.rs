//! Credentials in what a server gives back: some servers repeat the request in their responses. They are recognized as they
//! are, and as URLs, forms and JSON encode them.

use serde_json::Value;

/// Bytes below which a credential is too short to be told from other text.
const MIN_BYTES: usize = 6;

const SUBSTITUTE: &str = "[credential]";

/// The text in which credentials are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextFormat {
    /// Any text, anywhere in it.
    Plain,
    /// JSON, in its strings, so that it stays JSON.
    Json,
}

/// Returns a text without these credentials.
pub fn without(text: &str, credentials: &[String]) -> String {
    let redacted = redacted(text.as_bytes().to_vec(), credentials, TextFormat::Plain);
    // What is taken out of a text are whole characters.
    String::from_utf8_lossy(&redacted).into_owned()
}

/// Returns a JSON text without these credentials in its strings.
pub fn without_in_json<C: AsRef<[u8]>>(text: Vec<u8>, credentials: &[C]) -> Vec<u8> {
    redacted(text, credentials, TextFormat::Json)
}

/// Takes these credentials out of all texts, names and numbers of a value.
pub fn remove(value: &mut Value, credentials: &[String]) {
    match value {
        Value::String(text) => *text = without(text, credentials),
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, credentials)),
        Value::Object(members) => {
            let named: Vec<_> = std::mem::take(members).into_iter().collect();
            members.extend(named.into_iter().map(|(name, mut value)| {
                remove(&mut value, credentials);
                (without(&name, credentials), value)
            }));
        }
        Value::Number(number) => {
            // A long one has lost its last digits.
            let is = |credential: &String| credential.parse().ok() == number.as_f64();
            let is_one = credentials
                .iter()
                .any(|credential| credential.len() >= MIN_BYTES && is(credential));
            if is_one || without(&number.to_string(), credentials).contains(SUBSTITUTE) {
                *value = SUBSTITUTE.into();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn redacted<C: AsRef<[u8]>>(text: Vec<u8>, credentials: &[C], format: TextFormat) -> Vec<u8> {
    let credentials = credentials.iter().map(AsRef::as_ref);
    let credentials = credentials.filter(|credential| credential.len() >= MIN_BYTES);
    credentials.fold(text, |text, credential| {
        let (mut left, mut rest) = (Vec::with_capacity(text.len()), text.as_slice());
        let mut is_inside = format == TextFormat::Plain;
        while let [first, after @ ..] = rest {
            if is_inside && let Some(behind) = behind(rest, credential, format) {
                left.extend_from_slice(SUBSTITUTE.as_bytes());
                rest = behind;
                continue;
            }
            left.push(*first);
            rest = after;
            match (format, first) {
                (TextFormat::Json, b'"') => is_inside = !is_inside,
                // A quotation mark behind it ends no string.
                (TextFormat::Json, b'\\') => left.extend(rest.split_off_first()),
                _ => {}
            }
        }
        left
    })
}

/// Returns what is behind a credential that stands at the beginning of a text.
fn behind<'t>(text: &'t [u8], credential: &[u8], format: TextFormat) -> Option<&'t [u8]> {
    credential
        .iter()
        .try_fold(text, |text, &byte| behind_byte(text, byte, format))
}

/// Returns what is behind a byte that stands at the beginning of a text, in whatever encoding.
fn behind_byte(text: &[u8], byte: u8, format: TextFormat) -> Option<&[u8]> {
    let percent = || {
        let mut code = text.strip_prefix(b"%")?;
        loop {
            match behind_hex(code, 2, byte) {
                None => code = code.strip_prefix(b"25")?,
                found => return found,
            }
        }
    };
    let json = || {
        let escaped = text.strip_prefix(b"\\")?;
        let code = || behind_hex(escaped.strip_prefix(b"u")?, 4, byte);
        let sign = || {
            escaped
                .strip_prefix(&[byte])
                .filter(|_| b"\"\\/".contains(&byte))
        };
        code().or_else(sign)
    };
    let form = || text.strip_prefix(b"+").filter(|_| byte == b' ');
    // Where a string of JSON ends, so does what is in it.
    let is_end = format == TextFormat::Json && byte == b'"';
    let plain = || text.strip_prefix(&[byte]).filter(|_| !is_end);
    percent().or_else(json).or_else(form).or_else(plain)
}

fn behind_hex(text: &[u8], digits: usize, byte: u8) -> Option<&[u8]> {
    let (code, rest) = text.split_at_checked(digits)?;
    let code = u32::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?;
    (code == u32::from(byte)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn in_json(text: &str, credential: &str) -> String {
        String::from_utf8(without_in_json(text.into(), &[credential])).unwrap()
    }

    #[test]
    fn a_credential_is_taken_out_however_it_is_encoded() {
        let credentials = ["abc+d f/\"gh==".to_owned(), "short".to_owned()];
        for encoded in [
            "abc+d f/\"gh==",
            "abc%2Bd%20f%2F%22gh%3D%3D",
            "abc%2bd+f/%22gh%3d=",
            "abc%252Bd%25252520f%2F%22gh%3D%3D",
            "abc+d f\\/\\\"gh==",
            "abc\\u002bd f\\u002F\\u0022gh==",
        ] {
            let text = format!("é {encoded}{encoded} short");
            let expected = "é [credential][credential] short";
            assert_eq!(without(&text, &credentials), expected, "{encoded}");
        }
        for other in ["abc+d f/\"gh=", "abc%2", "abc\\u00", "%é", "\\"] {
            assert_eq!(without(other, &credentials), other);
        }
    }

    #[test]
    fn a_credential_is_taken_out_of_the_strings_of_a_json_text() {
        for written in [
            "a+b/c=d",
            "a+b\\/c=d",
            "\\u0061\\u002Bb/c=\\u0064",
            "a%2Bb%2Fc%3Dd",
        ] {
            let text = format!(r#"{{"{written}":["Bearer {written}, {written}",1]}}"#);
            let expected = r#"{"[credential]":["Bearer [credential], [credential]",1]}"#;
            assert_eq!(in_json(&text, "a+b/c=d"), expected);
        }
        let quoted = r#"{"a":"x\"y\\zzz"}"#;
        assert_eq!(in_json(quoted, r#"x"y\zzz"#), r#"{"a":"[credential]"}"#);
    }

    #[test]
    fn what_is_no_credential_in_a_string_stays() {
        for text in [
            r#"{"a":123456,"b":"12345"}"#,
            r#"["\\u0031\u003", "\""#,
            r#""\"#,
            "",
        ] {
            assert_eq!(in_json(text, "123456"), text);
        }
        assert_eq!(in_json(r#"["short"]"#, "short"), r#"["short"]"#);
        assert_eq!(
            in_json(r#"{"a":"b","c":"d"}"#, r#"b","c":"d"#),
            r#"{"a":"b","c":"d"}"#
        );
    }

    #[test]
    fn a_credential_that_is_a_number_is_taken_out_of_numbers() {
        let credentials = ["12345678901234567890123".to_owned(), "0123456".to_owned()];
        let text = r#"{"a": 12345678901234567890123, "b": [123456], "c": 123457, "123456": 1}"#;
        let mut value = serde_json::from_str(text).unwrap();
        remove(&mut value, &credentials);
        let expected =
            json!({"a": "[credential]", "b": ["[credential]"], "c": 123457, "123456": 1});
        assert_eq!(value, expected);
    }
}
