//! The names of what is offered: which of the server's are, and how they are called here.

use crate::pattern::{Kind, Pattern};
use crate::uri;

/// Which of the server's names are offered, with what in front, and which scopes they take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// In front of the names of tools and prompts.
    pub(crate) prefix: String,
    /// Without any, everything is allowed that is not denied.
    pub(crate) allow: Vec<Pattern>,
    pub(crate) deny: Vec<Pattern>,
    /// The first that fits says which scopes a name takes.
    pub(crate) scopes: Vec<(Pattern, Vec<String>)>,
}

impl Names {
    /// Returns whether what the server calls by this name is offered. A URI is, however it is spelled, if all that it may
    /// mean is.
    pub(crate) fn is_offered(&self, kind: Kind, name: &str) -> bool {
        let uri = (kind == Kind::Resource).then(|| uri::normal(name));
        if uri.is_some() && uri::is_ambiguous(name) {
            return false;
        }
        let name = uri.as_deref().unwrap_or(name);
        let fits = |pattern: &Pattern| pattern.matches(kind, name);
        (self.allow.is_empty() || self.allow.iter().any(fits)) && !self.deny.iter().any(fits)
    }

    /// Returns the name here of what the server calls by this name.
    pub(crate) fn here(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Returns the server's name of a tool or a prompt that is offered by this name here.
    pub(crate) fn without_prefix<'a>(&self, here: &'a str) -> &'a str {
        here.strip_prefix(&*self.prefix).unwrap_or(here)
    }

    /// Returns the server's name of what is called by this name here; `None` if it is not offered.
    pub(crate) fn there<'a>(&self, kind: Kind, name: &'a str) -> Option<&'a str> {
        let name = name.strip_prefix(&*self.prefix)?;
        self.is_offered(kind, name).then_some(name)
    }

    /// Returns the scopes that the server's name takes.
    pub(crate) fn scopes(&self, kind: Kind, name: &str) -> Vec<String> {
        let rule = self.scopes.iter();
        let rule = rule
            .clone()
            .find(|(pattern, _)| pattern.matches(kind, name));
        rule.map_or_else(
            || vec![DEFAULT_SCOPE.to_owned()],
            |(_, scopes)| scopes.clone(),
        )
    }
}

/// The scope of what no rule fits.
const DEFAULT_SCOPE: &str = "tools";

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    fn names() -> Names {
        Names {
            prefix: "crm_".to_owned(),
            allow: Pattern::parse_all("get_* delete_* resource:crm:*").unwrap(),
            deny: Pattern::parse_all("*_secret resource:crm:secret/*").unwrap(),
            scopes: vec![
                (pattern("delete_*"), vec!["tools.write".to_owned()]),
                (pattern("get_free"), Vec::new()),
            ],
        }
    }

    #[test]
    fn what_is_not_allowed_or_is_denied_has_no_name_here() {
        let names = names();
        assert_eq!(names.there(Kind::Tool, "crm_get_all"), Some("get_all"));
        for name in [
            "get_all",
            "crm_put_all",
            "crm_get_secret",
            "crm_",
            "crm_crm_get_all",
            "",
        ] {
            assert_eq!(names.there(Kind::Tool, name), None, "{name}");
        }
        assert!(names.is_offered(Kind::Resource, "crm:1"));
        assert!(!names.is_offered(Kind::Resource, "file:///etc/passwd"));
        assert!(
            !names.is_offered(Kind::Prompt, "get_all"),
            "a list of tools allows no prompt"
        );
    }

    #[test]
    fn no_spelling_of_a_uri_gets_around_a_pattern() {
        let names = names();
        assert!(names.is_offered(Kind::Resource, "CRM:1"));
        for uri in [
            "crm:secret/1",
            "Crm:secret/1",
            "crm:%73ecret/1",
            "crm:a/../secret/1",
            "crm:a/%2e%2e/secret/1",
        ] {
            assert!(!names.is_offered(Kind::Resource, uri), "{uri}");
        }
    }

    #[test]
    fn without_a_list_everything_is_offered_that_is_not_denied() {
        let names = Names {
            deny: Pattern::parse_all("prompt:*").unwrap(),
            ..Names::default()
        };
        assert!(names.is_offered(Kind::Tool, "any") && names.is_offered(Kind::Resource, "any:"));
        assert!(!names.is_offered(Kind::Prompt, "any"));
    }

    #[test]
    fn the_first_rule_that_fits_says_which_scopes_a_name_takes() {
        let names = names();
        assert_eq!(names.scopes(Kind::Tool, "delete_all"), ["tools.write"]);
        assert_eq!(names.scopes(Kind::Tool, "get_free"), [""; 0]);
        assert_eq!(names.scopes(Kind::Tool, "get_all"), ["tools"]);
        assert_eq!(names.scopes(Kind::Prompt, "delete_all"), ["tools"]);
    }
}
