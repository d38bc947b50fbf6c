//! URIs of resources, as far as patterns need them (RFC 3986, sections 3.1 and 6.2.2).

use percent_encoding::percent_decode_str;

/// Times that escapes may be escaped.
const MAX_DECODINGS: usize = 3;

/// Returns whether a text begins with a whole scheme: a template otherwise stands for URIs of any.
pub(crate) fn has_scheme(text: &str) -> bool {
    scheme(text).is_some()
}

fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some(scheme)
}

/// Returns whether a server may read a URI as that of another resource than it looks like: by `.` or `..` between
/// separators, however these are written, or by control characters, which some readers drop.
pub(crate) fn is_ambiguous(uri: &str) -> bool {
    let mut text = uri.to_owned();
    for _ in 0..=MAX_DECODINGS {
        let mut parts = text.split(['/', '\\', ':', '?', '#']);
        if parts.any(|part| matches!(part, "." | "..")) || text.contains(|c: char| c.is_control()) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    true
}

/// Returns the form that all spellings of a URI, or of a pattern of URIs, have in common: with a lower-case scheme and
/// without escapes of characters that need none.
pub(crate) fn normal(text: &str) -> String {
    let (scheme, mut rest) = text.split_at(scheme(text).map_or(0, str::len));
    let mut normal = scheme.to_ascii_lowercase();
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let hex = after.get(..2).filter(|hex| !hex.starts_with('+'));
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                normal.push(byte.into());
                rest = &after[2..];
            }
            Some(byte) => {
                normal.push_str(&format!("%{byte:02X}"));
                rest = &after[2..];
            }
            None => {
                normal.push('%');
                rest = after;
            }
        }
    }
    normal + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_scheme_stands_before_a_colon() {
        for text in ["file:///{+path}", "x-1.a+b:", "note:{name}"] {
            assert!(has_scheme(text), "{text}");
        }
        for text in ["{+x}", "{scheme}:a", "fi{le}:", ":a", "1a:b", "a/b", ""] {
            assert!(!has_scheme(text), "{text}");
        }
    }

    #[test]
    fn dot_segments_are_seen_however_they_are_written() {
        for uri in [
            "file:///public/../private",
            "file:///public/..",
            "file:///./a",
            "file:///public/%2e%2E/private",
            "file:///public/.%2e/private",
            "file:///public%2f..%2fprivate",
            "file:///public/%252e%252e/private",
            "file:///public/%25252e%25252e/private",
            "file:///public/%2525252525252e/private",
            "file:///public\\..\\private",
            "file:..",
            "file:///public/.\t./private",
            "file:///public/.%0a./private",
        ] {
            assert!(is_ambiguous(uri), "{uri}");
        }
        for uri in [
            "file:///a/.b/..c/d..",
            "note:a%20b",
            "note:100%",
            "note:%zz",
            "a:b?c=%2Fd",
        ] {
            assert!(!is_ambiguous(uri), "{uri}");
        }
    }

    #[test]
    fn spellings_of_one_uri_have_one_form() {
        for (uri, expected) in [
            ("FILE:///A", "file:///A"),
            ("file:///%61%2Db", "file:///a-b"),
            ("file:///a%2fb", "file:///a%2Fb"),
            ("file:///ü%", "file:///ü%"),
            ("file:///%+1%é", "file:///%+1%é"),
            ("{+X}:a", "{+X}:a"),
            ("File:*", "file:*"),
        ] {
            assert_eq!(normal(uri), expected);
        }
    }
}
