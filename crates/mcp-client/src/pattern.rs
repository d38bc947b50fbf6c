//! Patterns of names, in which `*` stands for any characters.

use crate::uri;
use std::fmt;

/// What a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A tool. Its patterns have nothing in front.
    Tool,
    /// A prompt: `prompt:NAME`.
    Prompt,
    /// A resource, or a template: `resource:URI`.
    Resource,
}

/// A pattern of the names of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    kind: Kind,
    text: String,
}

impl Pattern {
    /// Reads a pattern: what stands before a `:` is the kind.
    ///
    /// # Errors
    ///
    /// If no name can fit it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (kind, text) = match text.split_once(':') {
            Some(("prompt", name)) => (Kind::Prompt, name.to_owned()),
            Some(("resource", uri)) => (Kind::Resource, uri::normal(uri)),
            _ => (Kind::Tool, text.to_owned()),
        };
        let is_of_tools = |byte: u8| byte == b'*' || is_of_names(byte);
        if text.is_empty() || (kind == Kind::Tool && !text.bytes().all(is_of_tools)) {
            return Err(
                "a pattern has characters of tools' names (A-Z a-z 0-9 _ - . / and *), or begins with prompt: or resource:",
            );
        }
        Ok(Self { kind, text })
    }

    /// Reads patterns that are separated by white space.
    ///
    /// # Errors
    ///
    /// If no name can fit one of them.
    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>, &'static str> {
        text.split_whitespace().map(Self::parse).collect()
    }

    /// Returns of what the names are.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns whether every name of the kind fits.
    pub(crate) fn is_everything(&self) -> bool {
        self.text == "*"
    }

    /// Returns whether the whole name fits; of a URI, its normal form.
    pub(crate) fn matches(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind && is_match(self.text.as_bytes(), name.as_bytes())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Tool => "",
            Kind::Prompt => "prompt:",
            Kind::Resource => "resource:",
        };
        write!(formatter, "{kind}{}", self.text)
    }
}

/// Returns whether names of tools may have this byte.
pub(crate) fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./".contains(&byte)
}

/// Returns whether `name` fits. It takes at most the product of their lengths, whatever they are: a `*` that did not lead to the end
/// is given up once there is a later one.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // The last `*`, and how much of the name it stands for if the rest is to fit.
    let mut star = None;
    while read < name.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, read));
            at += 1;
        } else if pattern.get(at) == Some(&name[read]) {
            at += 1;
            read += 1;
        } else if let Some((star_at, star_end)) = star {
            star = Some((star_at, star_end + 1));
            at = star_at + 1;
            read = star_end + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(Kind::Tool, name)
    }

    #[test]
    fn a_star_stands_for_any_characters_and_the_rest_for_itself() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "anything"),
            ("get_*", "get_"),
            ("get_*", "get_all"),
            ("*_all", "get_all"),
            ("g*t*l", "get_all"),
            ("**", "x"),
            ("a*bc", "abbc"),
            ("exact", "exact"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("get_*", "forget_"),
            ("*_all", "get_all_"),
            ("exact", "exactly"),
            ("exact", "Exact"),
            ("a.c", "abc"),
            ("a*b*c", "acb"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_is_of_one_kind() {
        let prompt = Pattern::parse("prompt:*").unwrap();
        assert!(prompt.matches(Kind::Prompt, "any"));
        assert!(!prompt.matches(Kind::Tool, "any"));
        let resource = Pattern::parse("resource:FILE:*").unwrap();
        assert!(resource.matches(Kind::Resource, "file:///a"));
        assert!(!resource.matches(Kind::Resource, "http://a"));
    }

    #[test]
    fn a_pattern_that_nothing_can_fit_is_refused() {
        for pattern in [
            "tool:delete_*",
            "Prompt:x",
            "löschen",
            "",
            "prompt:",
            "resource:",
            "a,b",
        ] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
        for pattern in ["delete_*", "a/b-c.d", "prompt:é b", "resource:file:*"] {
            assert_eq!(Pattern::parse(pattern).unwrap().to_string(), pattern);
        }
    }

    #[test]
    fn a_long_name_and_many_stars_take_no_longer_than_their_product() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!fits(&pattern, &"a".repeat(20_000)));
    }
}
