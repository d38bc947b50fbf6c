//! The message about an invalid instance, for a model to correct its arguments.

use crate::Instance;
use crate::limits::MAX_ERROR_BYTES;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value;
use strict_json::excerpt;

/// Problems in one message.
const MAX_PROBLEMS: usize = 5;

/// Values of an instance whose problems are described: the library collects all of them first.
const MAX_VALUES: usize = 1000;

/// Alternatives of an `anyOf` or `oneOf` in one message.
const MAX_ALTERNATIVES: usize = 4;

/// Bytes of the values of an `enum` in a message.
const MAX_LIST_BYTES: usize = 256;

/// Returns what is wrong with an invalid instance. `whole` is the name of the instance.
pub(crate) fn error_message(validator: &Validator, instance: &Instance, whole: &str) -> String {
    if instance.nodes() > MAX_VALUES {
        return format!("{whole} does not fit its schema, and is too large to say where");
    }
    let mut problems = validator.iter_errors(instance.value());
    let mut told: Vec<_> = problems
        .by_ref()
        .take(MAX_PROBLEMS)
        .map(|problem| Describer { whole, depth: 0 }.problem(&problem))
        .collect();
    let more = problems.count();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    cut(told.join("; "), MAX_ERROR_BYTES)
}

#[derive(Clone, Copy)]
struct Describer<'w> {
    whole: &'w str,
    /// The number of `anyOf`s, `oneOf`s and `propertyNames` around.
    depth: usize,
}

impl Describer<'_> {
    fn problem(self, error: &ValidationError<'_>) -> String {
        let place = self.place(error.instance_path());
        let has_to_be = |what: String| format!("{place} has to be {what}");
        let may_have = |limit: u64, what: &str, bound: &str| {
            format!("{place} may have {limit} {what} {bound}")
        };
        match error.kind() {
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                format!("`{}` is missing", self.below(error.instance_path(), name))
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let names: Vec<_> = unexpected
                    .iter()
                    .take(MAX_PROBLEMS)
                    .map(|name| format!("`{}`", self.below(error.instance_path(), name)))
                    .collect();
                format!("there is no {}", names.join(", "))
            }
            Kind::Type { kind } => has_to_be(format!(
                "{}, not {}",
                types(kind),
                article(JsonType::from(error.instance().as_ref()))
            )),
            Kind::Enum { options } => match options.as_array() {
                Some(options) => has_to_be(format!("one of {}", list(options))),
                None => has_to_be("another value".into()),
            },
            Kind::Constant { expected_value } => has_to_be(value(expected_value)),
            Kind::Minimum { limit } => has_to_be(format!("{} or more", value(limit))),
            Kind::Maximum { limit } => has_to_be(format!("{} or less", value(limit))),
            Kind::ExclusiveMinimum { limit } => has_to_be(format!("more than {}", value(limit))),
            Kind::ExclusiveMaximum { limit } => has_to_be(format!("less than {}", value(limit))),
            Kind::MultipleOf { multiple_of } => has_to_be(format!("a multiple of {multiple_of}")),
            Kind::MinLength { limit } => {
                format!("{place} has to have {limit} characters or more")
            }
            Kind::MaxLength { limit } => may_have(*limit, "characters", "at most"),
            Kind::MinItems { limit } => format!("{place} has to have {limit} items or more"),
            Kind::MaxItems { limit } => may_have(*limit, "items", "at most"),
            Kind::AdditionalItems { limit } => may_have(*limit as u64, "items", "at most"),
            Kind::MinProperties { limit } => {
                format!("{place} has to have {limit} properties or more")
            }
            Kind::MaxProperties { limit } => may_have(*limit, "properties", "at most"),
            Kind::UniqueItems => format!("{place} has an item twice"),
            Kind::Pattern { pattern } => {
                format!("{place} has to match the pattern {}", excerpt(pattern))
            }
            Kind::Contains => format!("{place} lacks an item that it has to have"),
            Kind::PropertyNames { error } => {
                format!(
                    "a name in {place} does not do: {}",
                    self.deeper().problem(error)
                )
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.alternatives(&place, context)
            }
            Kind::OneOfMultipleValid { .. } => {
                format!("{place} fits several of its kinds, and has to fit one alone")
            }
            Kind::Not { .. } => format!("{place} has a value that it must not have"),
            Kind::FalseSchema => format!("{place} must not be there"),
            kind => format!("{place} breaks the rule `{}`", excerpt(kind.keyword())),
        }
    }

    /// Describes why none of several alternatives matches.
    fn alternatives(self, place: &str, context: &[Vec<ValidationError<'static>>]) -> String {
        // Alternatives within alternatives would confuse more than help.
        if self.depth > 0 {
            return format!("{place} fits none of its kinds");
        }
        let reasons: Vec<_> = context
            .iter()
            .take(MAX_ALTERNATIVES)
            .filter_map(|errors| Some(self.deeper().problem(errors.first()?)))
            .collect();
        format!("{place} fits none of its kinds: {}", reasons.join("; or "))
    }

    fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }

    /// Returns the location, such as `a.b[2]`, in quotes, or the name of the whole.
    fn place(self, location: &Location) -> String {
        if location.is_empty() {
            self.whole.to_owned()
        } else {
            format!("`{}`", path(location))
        }
    }

    fn below(self, location: &Location, name: &str) -> String {
        let mut path = path(location);
        if !path.is_empty() {
            path.push('.');
        }
        path + &excerpt(name)
    }
}

/// Returns the location, or the end of a long one.
fn path(location: &Location) -> String {
    const MAX_STEPS: usize = 6;
    let steps: Vec<_> = location.segments().collect();
    let (mut path, steps) = match steps.len().checked_sub(MAX_STEPS) {
        Some(left_out @ 1..) => ("…".to_owned(), &steps[left_out..]),
        _ => (String::new(), &steps[..]),
    };
    for step in steps {
        match step {
            LocationSegment::Index(index) => path.push_str(&format!("[{index}]")),
            LocationSegment::Property(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&excerpt(name));
            }
        }
    }
    path
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => article(*kind).to_owned(),
        TypeKind::Multiple(kinds) => {
            let kinds: Vec<_> = kinds.iter().map(article).collect();
            kinds.join(" or ")
        }
    }
}

fn article(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}

/// Returns the first of `values` as JSON.
fn list(values: &[Value]) -> String {
    let mut list = String::new();
    for (n, one) in values.iter().enumerate() {
        let one = value(one);
        if list.len() + one.len() > MAX_LIST_BYTES && n > 0 {
            list.push_str(", …");
            break;
        }
        if n > 0 {
            list.push_str(", ");
        }
        list.push_str(&one);
    }
    list
}

fn value(value: &Value) -> String {
    excerpt(&value.to_string())
}

/// Returns at most `most` bytes of `text`.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most - '…'.len_utf8())
            .rev()
            .find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}
