//! The parser of the policy's variables. An entry that it does not understand is an error that names the entry
//! by its number: an error must never mean everyone, and a value may be a person's email address.

use crate::condition::{AnyOf, Condition};
use crate::person::address;
use crate::scope_rule::ScopeRule;
use serde_json::Value;

/// What is wrong with `allowed`.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AllowedError {
    /// It begins as a JSON array and is not valid JSON.
    #[error("it begins with `[` and is not a JSON array")]
    Json,
    /// It is an array without elements.
    #[error("it lists no one")]
    Empty,
    /// An entry, counted from one, is wrong.
    #[error("entry {0}: {1}")]
    Entry(String, EntryError),
}

/// What is wrong with `scope_rules`.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RulesError {
    /// It is not a JSON array.
    #[error("it is not a JSON array")]
    Json,
    /// It is an array without elements.
    #[error("it has no rule")]
    Empty,
    /// A rule, counted from one, is not an object with exactly these two members.
    #[error("rule {0} is not an object with `who` and `scopes` and nothing else")]
    Shape(usize),
    /// The `scopes` of a rule are not a text of scopes.
    #[error("rule {0}: `scopes` is not a text with scopes and spaces between them")]
    Scopes(usize),
    /// A rule has a scope that does not exist.
    #[error("rule {0}: a scope in `scopes` is not in the variable `scopes`")]
    UnknownScope(usize),
    /// The `who` of a rule lists no one.
    #[error("rule {0}: `who` lists no one")]
    EmptyWho(usize),
    /// An entry of the `who` of a rule is wrong.
    #[error("rule {0}, entry {1} of `who`: {2}")]
    Entry(usize, String, EntryError),
}

/// What is wrong with an entry, and what to write instead.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EntryError {
    /// It is blank.
    #[error("it is empty; take it out, and the comma with it")]
    Blank,
    /// It is neither a text nor a list of texts.
    #[error("it is neither a text nor a list of texts")]
    NotText,
    /// It is a list without elements.
    #[error("it is a list without entries; take it out")]
    EmptyList,
    /// It begins with none of the kinds.
    #[error("it begins with none of `email:`, `domain:`, `subject:` and `claim:`")]
    Kind,
    /// `anyone`, where that means nothing.
    #[error("`anyone` belongs into scope_rules alone; leave allowed empty to let everyone in")]
    Anyone,
    /// It is not an email address.
    #[error("`email:` needs one whole email address, such as email:ann@example.com")]
    Email,
    /// It is not a domain.
    #[error(
        "`domain:` needs one domain such as domain:example.com, without `@`, `*` and a dot at either end"
    )]
    Domain,
    /// The domain has characters beyond ASCII.
    #[error(
        "the domain has characters beyond ASCII; write it as the mail server has it, with xn--"
    )]
    Unicode,
    /// It names no subject.
    #[error("`subject:` needs the subject as the identity provider has it, without spaces around")]
    Subject,
    /// The path is not a JSON Pointer.
    #[error(
        "`claim:` needs a JSON Pointer (RFC 6901) such as claim:/roles=admin, in which ~1 stands for a slash in a name and ~0 for a tilde"
    )]
    Pointer,
    /// There is an equals sign and nothing behind it.
    #[error("nothing comes after `=`; leave that out too to ask whether the claim is there")]
    NoValue,
}

/// Returns who may come in; `None` if the text is blank.
pub(crate) fn allowed(text: &str) -> Result<Option<AnyOf>, AllowedError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('[') {
        let Ok(Value::Array(elements)) = serde_json::from_str(text) else {
            return Err(AllowedError::Json);
        };
        if elements.is_empty() {
            return Err(AllowedError::Empty);
        }
        let entries = any_of(&elements).map_err(|(at, error)| AllowedError::Entry(at, error))?;
        return Ok(Some(entries));
    }
    let entries = text.split(',').enumerate().map(|(index, entry)| {
        let condition = condition(entry)
            .map_err(|error| AllowedError::Entry((index + 1).to_string(), error))?;
        Ok(vec![condition])
    });
    Ok(Some(AnyOf(entries.collect::<Result<_, _>>()?)))
}

/// Returns who gets which of the `existing` scopes; `None` if the text is blank.
pub(crate) fn scope_rules(
    text: &str,
    existing: &[String],
) -> Result<Option<Vec<ScopeRule>>, RulesError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let Ok(Value::Array(rules)) = serde_json::from_str(text) else {
        return Err(RulesError::Json);
    };
    if rules.is_empty() {
        return Err(RulesError::Empty);
    }
    let rules = rules.iter().zip(1..);
    let rules = rules.map(|(rule, number)| scope_rule(rule, number, existing));
    rules.collect::<Result<_, _>>().map(Some)
}

fn scope_rule(rule: &Value, number: usize, existing: &[String]) -> Result<ScopeRule, RulesError> {
    let rule = rule.as_object().filter(|rule| rule.len() == 2);
    let members = rule.and_then(|rule| Some((rule.get("who")?, rule.get("scopes")?)));
    let (who, scopes) = members.ok_or(RulesError::Shape(number))?;
    let scopes: Vec<String> = match scopes {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    if scopes.is_empty() {
        return Err(RulesError::Scopes(number));
    }
    if !scopes.iter().all(|scope| existing.contains(scope)) {
        return Err(RulesError::UnknownScope(number));
    }
    let who = match who {
        Value::String(text) if text == ANYONE => None,
        Value::Array(elements) if elements.is_empty() => return Err(RulesError::EmptyWho(number)),
        Value::Array(elements) => Some(elements.as_slice()),
        single => Some(std::slice::from_ref(single)),
    };
    let failed = |(at, error)| RulesError::Entry(number, at, error);
    Ok(ScopeRule {
        who: who.map(any_of).transpose().map_err(failed)?,
        scopes,
    })
}

/// Alternatives; an element that is a list is entries that hold together. An error comes with the
/// number of its entry.
fn any_of(elements: &[Value]) -> Result<AnyOf, (String, EntryError)> {
    let mut alternatives = Vec::with_capacity(elements.len());
    for (element, number) in elements.iter().zip(1..) {
        let number: u32 = number;
        alternatives.push(match element {
            Value::Array(together) if together.is_empty() => {
                return Err((number.to_string(), EntryError::EmptyList));
            }
            Value::Array(together) => {
                let conditions = together.iter().zip(1..).map(|(entry, inner): (_, u32)| {
                    text_condition(entry).map_err(|error| (format!("{number}.{inner}"), error))
                });
                conditions.collect::<Result<_, _>>()?
            }
            entry => {
                let condition = text_condition(entry);
                vec![condition.map_err(|error| (number.to_string(), error))?]
            }
        });
    }
    Ok(AnyOf(alternatives))
}

fn text_condition(entry: &Value) -> Result<Condition, EntryError> {
    condition(entry.as_str().ok_or(EntryError::NotText)?)
}

fn condition(entry: &str) -> Result<Condition, EntryError> {
    let entry = entry.trim();
    if entry.is_empty() {
        return Err(EntryError::Blank);
    }
    if entry == ANYONE {
        return Err(EntryError::Anyone);
    }
    let (kind, rest) = entry.split_once(':').ok_or(EntryError::Kind)?;
    match kind {
        "email" => {
            let (local, domain) = address(rest).ok_or(EntryError::Email)?;
            Ok(Condition::Email {
                local: (!local.contains('*'))
                    .then(|| local.to_owned())
                    .ok_or(EntryError::Email)?,
                domain: check_domain(domain)?.to_owned(),
            })
        }
        "domain" => Ok(Condition::Domain(check_domain(rest)?.to_owned())),
        "subject" if rest.is_empty() || rest.trim() != rest || rest.contains(char::is_control) => {
            Err(EntryError::Subject)
        }
        "subject" => Ok(Condition::Subject(rest.to_owned())),
        "claim" => {
            let (pointer, value) = match rest.split_once('=') {
                Some((pointer, value)) => (pointer, Some(value)),
                None => (rest, None),
            };
            if !is_pointer(pointer) {
                return Err(EntryError::Pointer);
            }
            if value.is_some_and(str::is_empty) {
                return Err(EntryError::NoValue);
            }
            Ok(Condition::Claim {
                pointer: pointer.to_owned(),
                value: value.map(str::to_owned),
            })
        }
        _ => Err(EntryError::Kind),
    }
}

/// Returns a host name of letters, digits and hyphens with a dot in it (RFC 5321 section 4.1.2).
fn check_domain(text: &str) -> Result<&str, EntryError> {
    if !text.is_ascii() {
        return Err(EntryError::Unicode);
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_domain = text.contains('.') && text.len() <= 255 && text.split('.').all(is_label);
    is_domain.then_some(text).ok_or(EntryError::Domain)
}

/// RFC 6901 section 3, with at least one name, none of which is empty.
fn is_pointer(text: &str) -> bool {
    let is_name = |name: &str| {
        let mut escapes = name.split('~').skip(1);
        !name.is_empty() && escapes.all(|rest| rest.starts_with(['0', '1']))
    };
    text.strip_prefix('/')
        .is_some_and(|names| names.split('/').all(is_name))
}

/// Everyone, in the `who` of a rule.
const ANYONE: &str = "anyone";
