//! The components with resources: which of them a URI, a cursor or a second round belongs to.

use mcpserver::{Caller, ResourceOffer};
use serde_json::json;
use std::cmp::Reverse;

/// A component with resources.
#[derive(Clone, Debug)]
pub(crate) struct ResourceSource {
    /// The index of the component.
    pub(crate) source: usize,
    /// The scopes without which it is not asked.
    pub(crate) scopes: Vec<String>,
    pub(crate) wants_credential: bool,
    templates: Vec<String>,
}

impl ResourceSource {
    pub(crate) fn new(source: usize, offer: &ResourceOffer) -> Self {
        let templates = offer.templates.iter();
        Self {
            source,
            scopes: offer.scopes.clone(),
            wants_credential: offer.wants_credential,
            templates: templates
                .map(|template| template.uri_template.clone())
                .collect(),
        }
    }

    pub(crate) fn allows(&self, caller: &Caller) -> bool {
        self.scopes
            .iter()
            .all(|scope| caller.scopes.contains(scope))
    }

    /// Returns the caller as this component sees it: with the credential only if it wants it.
    pub(crate) fn caller(&self, caller: &Caller) -> Caller {
        Caller {
            credential: caller.credential.clone().filter(|_| self.wants_credential),
            ..caller.clone()
        }
    }

    /// Returns how well the best of its templates fits a URI; `None` if none does.
    fn fit(&self, uri: &str) -> Option<usize> {
        let fits = self.templates.iter();
        fits.filter_map(|template| fit(template, uri)).max()
    }
}

/// Returns the components in the order in which they are asked for a URI: first those that have a template for it, the
/// one that says most of it before the others.
pub(crate) fn in_order<'a>(sources: &'a [ResourceSource], uri: &str) -> Vec<&'a ResourceSource> {
    let mut sources: Vec<_> = sources.iter().collect();
    sources.sort_by_cached_key(|source| Reverse(source.fit(uri)));
    sources
}

/// Returns how much of a URI an RFC 6570 template says literally, if it may have expanded to the URI, or is it: its
/// literals before the first expression and after the last are compared.
fn fit(template: &str, uri: &str) -> Option<usize> {
    if template == uri {
        return Some(usize::MAX);
    }
    let (first, last) = (template.find('{')?, template.rfind('}')?);
    let (before, after) = (&template[..first], &template[last + 1..]);
    let literal = before.len() + after.len();
    let may_match = uri.len() >= literal && uri.starts_with(before) && uri.ends_with(after);
    may_match.then_some(literal)
}

/// A cursor, or the state of a round, with the component that it is of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    /// The component's id.
    pub(crate) id: String,
    /// What the component gave; `None`: nothing yet.
    pub(crate) value: Option<String>,
}

impl Owned {
    pub(crate) fn to_text(&self) -> String {
        json!([self.id, self.value]).to_string()
    }

    /// Reads what [`to_text`](Self::to_text) gave; `None` if it is anything else.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (id, value) = serde_json::from_str(text).ok()?;
        Some(Self { id, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_may_match_what_begins_and_ends_as_it_does() {
        for (template, uri, matches) in [
            ("weather://{city}", "weather://oslo", true),
            ("weather://{city}", "crm://oslo", false),
            ("crm://{id}/card", "crm://7/card", true),
            ("crm://{id}/card", "crm://7/notes", false),
            ("crm://{id}/card", "crm://card", false),
            ("crm://all", "crm://all", true),
            ("crm://all", "crm://all/7", false),
            ("}{", "x", false),
            ("}x{", "x", false),
        ] {
            assert_eq!(fit(template, uri).is_some(), matches, "{template} {uri}");
        }
    }

    #[test]
    fn the_component_that_says_most_of_a_uri_is_asked_first() {
        let source = |(source, template): (usize, &&str)| ResourceSource {
            source,
            scopes: Vec::new(),
            wants_credential: false,
            templates: vec![(*template).to_owned()],
        };
        let templates = [
            "other:{x}",
            "{+x}",
            "crm:{x}",
            "crm:{x}/card",
            "crm:7/card",
            "crm:{y}",
        ];
        let sources: Vec<_> = templates.iter().enumerate().map(source).collect();
        let asked = |uri: &str| {
            let asked = in_order(&sources, uri).into_iter();
            asked.map(|one| one.source).collect::<Vec<_>>()
        };
        assert_eq!(asked("crm:7/card"), [4, 3, 2, 5, 1, 0]);
        assert_eq!(asked("crm:8/card"), [3, 2, 5, 1, 0, 4]);
        assert_eq!(asked("other:1"), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_owned_is_read_as_it_was_and_nothing_else_is() {
        for value in [None, Some("next \"page\"\n".to_owned())] {
            let owned = Owned {
                id: "crm".to_owned(),
                value,
            };
            assert_eq!(Owned::from_text(&owned.to_text()), Some(owned));
        }
        for text in ["", "crm", "[\"crm\"]", "{}", "[1,2]"] {
            assert_eq!(Owned::from_text(text), None, "{text}");
        }
    }
}
