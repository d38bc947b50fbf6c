//! The policy, `allowed` and `scope_rules`: people who may use the server, and their scopes.

use crate::Problem;
use policy::{Policy, RulesError};

const ALLOWED: &str = "allowed";
const SCOPE_RULES: &str = "scope_rules";

/// The variables with the policy.
const VARIABLES: [&str; 2] = [ALLOWED, SCOPE_RULES];

/// Reads both variables. `existing` are the scopes that exist; where those are not known, because
/// their variable is wrong itself, that rules are about such ones is not checked.
///
/// # Errors
///
/// Every [`Problem`] there is.
pub(crate) fn read_policy<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
    existing: Option<&[String]>,
) -> Result<Policy, Vec<Problem>> {
    let value = |name| values(name).unwrap_or_default();
    let known = existing.unwrap_or_default();
    let parsed = Policy::parse(value(ALLOWED), value(SCOPE_RULES), known);
    parsed.map_err(|(allowed, rules)| {
        let is_unknown = |error: &RulesError| matches!(error, RulesError::UnknownScope(_));
        let rules = rules.filter(|error| existing.is_some() || !is_unknown(error));
        let allowed = allowed.map(|error| {
            Problem::new(
                ALLOWED,
                error.to_string(),
                "List entries such as domain:example.com or claim:/roles=staff with commas between them, or in a JSON array as the README shows; no one is let in until then",
            )
        });
        let rules = rules.map(|error| {
            Problem::new(
                SCOPE_RULES,
                error.to_string(),
                "Set it to a JSON array such as [{\"who\": \"claim:/roles=admin\", \"scopes\": \"tools\"}], as the README shows; no one is let in until then",
            )
        });
        allowed.into_iter().chain(rules).collect()
    })
}

/// Returns the policy's variables among the `granted` ones that could not be read, where `is_read` tells of
/// each whether it was: unlike others they have no default, since what cannot be read might keep
/// a person out.
pub fn unread_policy(granted: &[&'static str], is_read: impl Fn(&str) -> bool) -> Vec<Problem> {
    let unread = |name: &&str| granted.contains(name) && !is_read(name);
    let problem = |name| {
        Problem::new(
            name,
            "it cannot be read, so that it is not known who may come in",
            "Let spin.toml have it in [variables] and in those of the component, as the one of this version does, and see that what provides variables answers",
        )
    };
    VARIABLES.into_iter().filter(unread).map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::granted;

    fn read(allowed: &'static str, rules: &'static str) -> Result<Policy, Vec<Problem>> {
        let existing = ["tools".to_owned()];
        let values = |name: &str| match name {
            "allowed" => Some(allowed),
            "scope_rules" => Some(rules),
            _ => None,
        };
        read_policy(&values, Some(&existing))
    }

    #[test]
    fn blank_variables_are_no_policy_and_wrong_ones_are_each_named() {
        assert!(!read(" ", "").unwrap().is_set());
        assert!(read("domain:example.com", "").unwrap().is_set());
        let named = |allowed, rules| {
            let problems = read(allowed, rules).unwrap_err();
            assert!(!format!("{problems:?}").contains("bad-value"));
            problems
                .iter()
                .map(|problem| problem.variable)
                .collect::<Vec<_>>()
        };
        assert_eq!(named("bad-value", "bad-value"), VARIABLES);
        assert_eq!(named("bad-value", ""), ["allowed"]);
        let unknown = r#"[{"who": "subject:x", "scopes": "bad-value"}]"#;
        assert_eq!(named("subject:x", unknown), ["scope_rules"]);
    }

    #[test]
    fn a_policy_that_a_component_needs_and_cannot_read_is_a_problem() {
        let read_all_but = |left_out: &'static str| move |name: &str| name != left_out;
        for component in [granted::AUTHORIZE, granted::MCP] {
            assert_eq!(unread_policy(component, |_| true), []);
            for name in VARIABLES {
                let problems = unread_policy(component, read_all_but(name));
                assert_eq!(problems.len(), 1);
                assert_eq!(problems[0].variable, name);
            }
        }
        assert_eq!(unread_policy(granted::METADATA, |_| false), []);
    }
}
