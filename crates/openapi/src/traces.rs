//! Credentials in what an API gives back: some APIs repeat the request in their responses.

use serde_json::Value;

/// Characters below which a credential is too short to be told from other text.
const MIN_CHARS: usize = 6;

const SUBSTITUTE: &str = "[credential]";

/// Returns a text without these credentials, as they are and as URLs, forms and JSON encode them.
pub(crate) fn without(text: &str, traces: &[String]) -> String {
    let traces = traces.iter().filter(|trace| trace.len() >= MIN_CHARS);
    traces.fold(text.to_owned(), |text, trace| {
        let mut kept = String::new();
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            match trace.chars().try_fold(rest, behind) {
                Some(behind) => {
                    kept.push_str(SUBSTITUTE);
                    rest = behind;
                }
                None => {
                    kept.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        kept
    })
}

/// Returns what is behind a character that stands at the beginning of a text, in whatever encoding.
fn behind(text: &str, c: char) -> Option<&str> {
    let percent = || {
        let mut code = text.strip_prefix('%')?;
        loop {
            match behind_hex(code, 2, c) {
                None => code = code.strip_prefix("25")?,
                found => return found,
            }
        }
    };
    let json = || {
        let escaped = text.strip_prefix('\\')?;
        let code = || behind_hex(escaped.strip_prefix('u')?, 4, c);
        let sign = || escaped.strip_prefix(c).filter(|_| "\"\\/".contains(c));
        code().or_else(sign)
    };
    let form = || text.strip_prefix('+').filter(|_| c == ' ');
    percent()
        .or_else(json)
        .or_else(form)
        .or_else(|| text.strip_prefix(c))
}

fn behind_hex(text: &str, digits: usize, c: char) -> Option<&str> {
    let (code, rest) = text.split_at_checked(digits)?;
    let code = u32::from_str_radix(code, 16).ok()?;
    (code == u32::from(c)).then_some(rest)
}

/// Takes these credentials out of all texts, names and numbers of a value.
pub(crate) fn remove(value: &mut Value, traces: &[String]) {
    match value {
        Value::String(text) => *text = without(text, traces),
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, traces)),
        Value::Object(members) => {
            let named: Vec<_> = std::mem::take(members).into_iter().collect();
            members.extend(named.into_iter().map(|(name, mut value)| {
                remove(&mut value, traces);
                (without(&name, traces), value)
            }));
        }
        Value::Number(number) => {
            // A long one has lost its last digits.
            let is = |trace: &String| trace.parse().ok() == number.as_f64();
            let is_one = traces
                .iter()
                .any(|trace| trace.len() >= MIN_CHARS && is(trace));
            if is_one || without(&number.to_string(), traces).contains(SUBSTITUTE) {
                *value = SUBSTITUTE.into();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_credential_is_taken_out_however_it_is_encoded() {
        let traces = ["abc+d f/\"gh==".to_owned(), "short".to_owned()];
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
            assert_eq!(without(&text, &traces), expected, "{encoded}");
        }
        for other in ["abc+d f/\"gh=", "abc%2", "abc\\u00", "%é", "\\"] {
            assert_eq!(without(other, &traces), other);
        }
    }

    #[test]
    fn a_credential_that_is_a_number_is_taken_out_of_numbers() {
        let traces = ["12345678901234567890123".to_owned(), "0123456".to_owned()];
        let text = r#"{"a": 12345678901234567890123, "b": [123456], "c": 123457, "123456": 1}"#;
        let mut value = serde_json::from_str(text).unwrap();
        remove(&mut value, &traces);
        let expected =
            json!({"a": "[credential]", "b": ["[credential]"], "c": 123457, "123456": 1});
        assert_eq!(value, expected);
    }
}
