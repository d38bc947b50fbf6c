//! Patterns that select operations, and give scopes to them.

use crate::methods::METHODS;
use http::Method;
use std::fmt;
use strict_json::excerpt;
use tool_adapters::fits;

/// A pattern of operations: a text in which `*` stands for any text, held against an operation's name, its
/// `operationId` and its path; behind a method and a colon (`DELETE:*`) for operations of that method alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    method: Option<Method>,
    text: String,
}

/// What patterns are held against.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// As the document has it.
    pub operation_id: Option<&'a str>,
    /// The method.
    pub method: &'a Method,
    /// The path's template, as the document has it.
    pub path: &'a str,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method}:")?;
        }
        f.write_str(&excerpt(&self.text))
    }
}

impl Pattern {
    /// Reads a pattern; `None` if it has a comma in it, or before its colon a word that is no method: it would fit nothing.
    pub fn read(text: &str) -> Option<Self> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_alphabetic());
        let (method, rest) = match text.split_once(':') {
            Some((word, rest)) if is_word(word) => {
                let mut methods = METHODS.iter();
                let method = methods.find(|method| method.as_str().eq_ignore_ascii_case(word))?;
                (Some(method.clone()), rest)
            }
            _ => (None, text),
        };
        (!text.contains(',')).then(|| Self {
            method,
            text: rest.to_owned(),
        })
    }

    /// Returns whether the operation fits.
    pub fn fits(&self, subject: Subject<'_>) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| method == subject.method)
            && [Some(subject.name), subject.operation_id, Some(subject.path)]
                .into_iter()
                .flatten()
                .any(|text| fits(&self.text, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_held_against_name_operation_id_and_path() {
        let subject = Subject {
            name: "pets_list",
            operation_id: Some("pets/list"),
            method: &Method::GET,
            path: "/v1/pets",
        };
        for pattern in ["pets_*", "pets/*", "/v1/*", "GET:*", "get:/v1/*"] {
            assert!(Pattern::read(pattern).unwrap().fits(subject), "{pattern}");
        }
        for pattern in ["list", "POST:*", "GET:/v2/*", "GET"] {
            assert!(!Pattern::read(pattern).unwrap().fits(subject), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_can_only_be_a_mistake_is_none() {
        for wrong in ["delet:*", "TRACE:*", "a*,", "a*,b*", "GET:a,b"] {
            assert_eq!(Pattern::read(wrong), None, "{wrong}");
        }
        for path in ["/v1/{name}:cancel", "*:cancel", ":a"] {
            assert_eq!(Pattern::read(path).unwrap().to_string(), path);
        }
    }
}
