//! Patterns of names, in which `*` stands for any characters.

use crate::uri;
use std::fmt;
use tool_adapters::fits;

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
        self.kind == kind && fits(&self.text, name)
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
