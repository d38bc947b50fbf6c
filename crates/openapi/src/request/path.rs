//! Path templates (section 4.8.8 of 3.1), and what an argument may do in one.

use super::style::encode;
use crate::unusable::Unusable;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str};
use strict_json::excerpt;

/// The template of a path.
#[derive(Clone, Debug)]
pub(crate) struct Template<'d>(Vec<Part<'d>>);

#[derive(Clone, Copy, Debug)]
enum Part<'d> {
    Literal(&'d str),
    Variable(&'d str),
}

/// Bytes of a template.
const MAX_BYTES: usize = 2000;

/// What is encoded in the literal parts of a template. Not `%`: they may be encoded already.
const LITERAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'|');

impl<'d> Template<'d> {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Fails with [`Unusable::Path`] if it is no path, has a part `.` or `..`, or its braces do not match.
    pub(crate) fn read(path: &'d str) -> Result<Self, Unusable> {
        let wrong = || Unusable::Path(excerpt(path));
        if path.len() > MAX_BYTES
            || !path.starts_with('/')
            || path.contains(['?', '#'])
            || has_dot_segment(path)
        {
            return Err(wrong());
        }
        let mut parts = Vec::new();
        let mut rest = path;
        while let Some((literal, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').ok_or_else(wrong)?;
            if name.is_empty() || name.contains(['{', '/']) || literal.contains('}') {
                return Err(wrong());
            }
            parts.extend([Part::Literal(literal), Part::Variable(name)]);
            rest = behind;
        }
        if rest.contains('}') {
            return Err(wrong());
        }
        parts.push(Part::Literal(rest));
        Ok(Self(parts))
    }

    /// Returns the names of the variables, in their order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &'d str> {
        self.0.iter().filter_map(|part| match *part {
            Part::Variable(name) => Some(name),
            Part::Literal(_) => None,
        })
    }

    /// Returns the path with each variable replaced by what `value` returns for it, which has to be encoded.
    pub(crate) fn fill<'v>(&self, value: impl Fn(&str) -> &'v str) -> String {
        let part = |part: &Part<'_>| match *part {
            Part::Literal(text) => encode(text, LITERAL),
            Part::Variable(name) => value(name).to_owned(),
        };
        self.0.iter().map(part).collect()
    }
}

/// Returns whether a server could take a part of this path for `.` or `..` (RFC 3986 section 3.3): behind a slash or a backslash,
/// before a path parameter, and decoded however often.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    decoded(path)
        .split(['/', '\\'])
        .any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}

/// Returns a path decoded as often as that changes it, but not more often than any server does.
pub(crate) fn decoded(path: &str) -> String {
    const MAX_TIMES: usize = 64;
    let mut path = path.to_owned();
    for _ in 0..MAX_TIMES {
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if decoded == path {
            break;
        }
        path = decoded;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_literals_and_variables() {
        let template = Template::read("/a b/{id}.{ext}/%7Ec").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["id", "ext"]);
        let path = template.fill(|name| if name == "id" { "1%2F2" } else { "json" });
        assert_eq!(path, "/a%20b/1%2F2.json/%7Ec");
    }

    #[test]
    fn a_template_is_a_path_and_nothing_else() {
        for wrong in [
            "",
            "a",
            "https://a.example/",
            "/a?b=c",
            "/a#b",
            "/{",
            "/}",
            "/{}",
            "/{a{b}}",
            "/a}/{b}",
            "/{a/b}",
            "/a/../b",
            "/%2e%2E/a",
        ] {
            assert!(
                matches!(Template::read(wrong), Err(Unusable::Path(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_dot_segment_is_seen_however_it_is_written() {
        for dotted in [
            "/..",
            "/.",
            "/a/../b",
            "/a/..%2Fb",
            "/%2e%2e",
            "/%252e%252E/",
            "/..%5Cb",
            "/a%2f..",
            "/..;x=1/b",
            "/%2e.",
            "/a/%25252e%25252e%25252fb",
        ] {
            assert!(has_dot_segment(dotted), "{dotted}");
        }
        for plain in [
            "/",
            "/a",
            "/...",
            "/a..b",
            "/.well-known",
            "/1.0",
            "/a%2Fb",
            "/..a/b..",
            "/%E0%A4%A",
        ] {
            assert!(!has_dot_segment(plain), "{plain}");
        }
    }
}
