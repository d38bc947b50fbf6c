//! Conditions of the policy about a person.

use crate::person::Person;
use serde_json::Value;

/// What holds for a person or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The verified email address. ASCII letters are compared without regard to case: no provider of
    /// mail keeps two boxes apart by it. Others have to be the same.
    Email { local: String, domain: String },
    /// The domain of the verified email address, compared likewise.
    Domain(String),
    /// The subject.
    Subject(String),
    /// The claim at this JSON Pointer: this value, or a list with it; without a value, that it is
    /// there.
    Claim {
        pointer: String,
        value: Option<String>,
    },
}

impl Condition {
    fn holds_for(&self, person: &Person<'_>) -> bool {
        match self {
            Self::Email { local, domain } => person.email.is_some_and(|(own_local, own_domain)| {
                own_local.eq_ignore_ascii_case(local) && own_domain.eq_ignore_ascii_case(domain)
            }),
            Self::Domain(domain) => person
                .email
                .is_some_and(|(_, own_domain)| own_domain.eq_ignore_ascii_case(domain)),
            Self::Subject(subject) => person.subject == subject,
            Self::Claim { pointer, value } => {
                person
                    .claims
                    .pointer(pointer)
                    .is_some_and(|claim| match value {
                        Some(value) => has_value(claim, value),
                        None => is_there(claim),
                    })
            }
        }
    }

    fn needs_email(&self) -> bool {
        matches!(self, Self::Email { .. } | Self::Domain(_))
    }
}

/// Whether a claim is `value`, or a list with it.
fn has_value(claim: &Value, value: &str) -> bool {
    match claim {
        Value::Array(elements) => elements.iter().any(|element| is_value(element, value)),
        claim => is_value(claim, value),
    }
}

fn is_value(claim: &Value, value: &str) -> bool {
    match claim {
        Value::String(text) => text == value,
        Value::Number(number) => number.to_string() == value,
        Value::Bool(bool) => bool.to_string() == value,
        _ => false,
    }
}

/// Whether a claim says something: `false`, zero, an empty text and an empty list are said of
/// those whom it is not true of. An empty object is a key with nothing below it, as Descope's
/// `tenants` have for who is in a tenant without a role.
fn is_there(claim: &Value) -> bool {
    match claim {
        Value::Null => false,
        Value::Bool(bool) => *bool,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(_) => true,
    }
}

/// Alternatives, each of which is conditions that hold together. Neither is ever empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnyOf(pub(crate) Vec<Vec<Condition>>);

impl AnyOf {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn holds_for(&self, person: &Person<'_>) -> bool {
        let all = |conditions: &Vec<Condition>| {
            !conditions.is_empty()
                && conditions
                    .iter()
                    .all(|condition| condition.holds_for(person))
        };
        self.0.iter().any(all)
    }

    pub(crate) fn needs_email(&self) -> bool {
        self.0.iter().flatten().any(Condition::needs_email)
    }
}
