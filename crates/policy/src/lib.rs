//! The policy: which people may use the server, and with which scopes. It comes from the variables
//! `allowed` and `scope_rules`.
//!
//! An entry is a condition about what the identity provider says of a person:
//!
//! | entry | holds for |
//! | --- | --- |
//! | `email:ann@example.com` | this email address, if the provider has verified it |
//! | `domain:example.com` | verified email addresses at this domain; its subdomains are other domains |
//! | `subject:U2abc` | this subject |
//! | `claim:/roles=admin` | a claim that is this value, or a list with it; the path is a JSON Pointer (RFC 6901) |
//! | `claim:/tenants/T2abc` | a claim that is there |
//!
//! Every condition is positive: a claim that is missing, has another type or cannot be read allows
//! no person and gives no scope.

mod condition;
mod parse;
mod person;
mod scope_rule;

pub use parse::{AllowedError, EntryError, RulesError};

use condition::AnyOf;
use identity::Profile;
use person::Person;
use scope_rule::ScopeRule;

/// The rules of one server. The default lets everyone in whom the identity provider knows, with
/// every scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Who may come in; `None`: everyone.
    allowed: Option<AnyOf>,
    /// Who gets which scopes; `None`: everyone gets all.
    rules: Option<Vec<ScopeRule>>,
    /// The scopes that exist, which are those that rules are about.
    existing: Vec<String>,
}

/// Why a person is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No entry of `allowed` holds for them.
    #[error("this account may not use this server")]
    NotAllowed,
    /// They may come in, and have none of the scopes that were asked for.
    #[error("this account has none of the scopes that were asked for")]
    NoScope,
}

impl Policy {
    /// Reads both variables. `existing` are the scopes that exist.
    ///
    /// # Errors
    ///
    /// What is wrong with each of them. No text repeats a value.
    pub fn parse(
        allowed: &str,
        scope_rules: &str,
        existing: &[String],
    ) -> Result<Self, (Option<AllowedError>, Option<RulesError>)> {
        match (
            parse::allowed(allowed),
            parse::scope_rules(scope_rules, existing),
        ) {
            (Ok(allowed), Ok(rules)) => Ok(Self {
                allowed,
                rules,
                existing: existing.to_vec(),
            }),
            (allowed, rules) => Err((allowed.err(), rules.err())),
        }
    }

    /// Whether there are any rules: without, [`decide`](Self::decide) refuses no one and takes no
    /// scope away.
    pub fn is_set(&self) -> bool {
        self.allowed.is_some() || self.rules.is_some()
    }

    /// Returns how many entries `allowed` has; `None` if everyone may come in.
    pub fn allowed_entries(&self) -> Option<usize> {
        self.allowed.as_ref().map(AnyOf::len)
    }

    /// Returns how many rules about scopes there are.
    pub fn scope_rules(&self) -> usize {
        self.rules.as_ref().map_or(0, Vec::len)
    }

    /// Whether any entry is about a verified email address.
    pub fn needs_email(&self) -> bool {
        let rules = self.rules.iter().flatten();
        let conditions = rules.filter_map(|rule| rule.who.as_ref());
        self.allowed
            .iter()
            .chain(conditions)
            .any(AnyOf::needs_email)
    }

    /// Returns what a person has of the scopes that were `asked` for, in their order: all that the rules
    /// give the person. Scopes that do not exist, such as `offline_access`, are under no rule: they
    /// are kept, and do not count as something that the person has.
    ///
    /// # Errors
    ///
    /// [`Refusal`]. Where nothing was asked for that is under the rules, no person is refused for it.
    pub fn decide(&self, person: &Profile, asked: &[String]) -> Result<Vec<String>, Refusal> {
        if !self.is_set() {
            return Ok(asked.to_vec());
        }
        let person = Person::new(person);
        if let Some(allowed) = &self.allowed
            && !allowed.holds_for(&person)
        {
            return Err(Refusal::NotAllowed);
        }
        let Some(rules) = &self.rules else {
            return Ok(asked.to_vec());
        };
        let given: Vec<&String> = rules
            .iter()
            .filter(|rule| rule.who.as_ref().is_none_or(|who| who.holds_for(&person)))
            .flat_map(|rule| &rule.scopes)
            .collect();
        let (ruled, free): (Vec<_>, Vec<_>) = asked
            .iter()
            .partition(|scope| self.existing.contains(*scope));
        let has_some = ruled.iter().any(|scope| given.contains(scope));
        if !ruled.is_empty() && !has_some {
            return Err(Refusal::NoScope);
        }
        let keeps = |scope: &&String| given.contains(scope) || free.contains(scope);
        Ok(asked.iter().filter(keeps).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
