//! Why a schema is not taken.

/// What is wrong with a schema, for whoever wrote the tool: it goes on after "the schema of the tool
/// is not taken:".
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SchemaError {
    /// Not JSON, or no object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// Longer than [`Schema::LARGEST`](crate::Schema::LARGEST) bytes.
    #[error("it has more than {largest} bytes", largest = crate::Schema::LARGEST)]
    TooLarge,
    /// Nested deeper than [`Schema::DEEPEST`](crate::Schema::DEEPEST).
    #[error("it is nested more than {deepest} deep", deepest = crate::Schema::DEEPEST)]
    TooDeep,
    /// Its `$schema` is none of the known dialects.
    #[error(
        "its $schema is {0}, which is not supported; 2020-12, 2019-09 and drafts 7, 6 and 4 are"
    )]
    Dialect(String),
    /// A `$ref` leads out of it.
    #[error("it refers to {0}, which is not inside of it, and nothing is ever fetched")]
    Foreign(String),
    /// A part of it is a schema resource of its own.
    #[error("a part of it has an $id of its own; refer to it by its place instead")]
    Embedded,
    /// Following its references never comes to an end.
    #[error("it refers to itself without end, at {0}")]
    Endless(String),
    /// The validator cannot make anything of it.
    #[error("it is not a valid schema: {0}")]
    Invalid(String),
    /// An `x-mcp-header` breaks one of its rules.
    #[error("its x-mcp-header {0}")]
    Header(&'static str),
}

/// A piece of foreign text that is fit for a message: bounded, on one line.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 64;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
