//! A tool, as the contract describes it.

use http::Method;
use serde_json::Value;

/// What an operation is as a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// 1 to 64 of `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// For the model.
    pub description: String,
    /// The JSON Schema (2020-12) of the arguments.
    pub input_schema: Value,
    /// The JSON Schema of the structured content.
    pub output_schema: Option<Value>,
    /// What the method says.
    pub hints: Hints,
    /// The scopes that a call requires.
    pub scopes: Vec<String>,
    /// Whether a call needs the person's token.
    pub wants_token: bool,
}

impl Tool {
    /// Returns about how many bytes the tool has in the contract.
    pub(crate) fn bytes(&self) -> usize {
        let schemas = [Some(&self.input_schema), self.output_schema.as_ref()];
        let schemas = schemas.into_iter().flatten();
        let schemas: usize = schemas.map(|schema| schema.to_string().len()).sum();
        self.description.len() + schemas
    }
}

/// What the method of an operation says of it (RFC 9110 section 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
    /// Whether nothing is changed.
    pub read_only: bool,
    /// Whether something may be lost; absent where the method does not say.
    pub destructive: Option<bool>,
    /// Whether a second call changes nothing more; absent where the method does not say.
    pub idempotent: Option<bool>,
}

impl Hints {
    pub(crate) fn of(method: &Method) -> Self {
        Self {
            read_only: method.is_safe(),
            destructive: match *method {
                Method::DELETE => Some(true),
                _ if method.is_safe() => Some(false),
                _ => None,
            },
            idempotent: method.is_idempotent().then_some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_gives_the_hints() {
        for (method, read_only, destructive, idempotent) in [
            (Method::GET, true, Some(false), Some(true)),
            (Method::HEAD, true, Some(false), Some(true)),
            (Method::DELETE, false, Some(true), Some(true)),
            (Method::PUT, false, None, Some(true)),
            (Method::POST, false, None, None),
            (Method::PATCH, false, None, None),
        ] {
            assert_eq!(
                Hints::of(&method),
                Hints {
                    read_only,
                    destructive,
                    idempotent
                },
                "{method}"
            );
        }
    }
}
