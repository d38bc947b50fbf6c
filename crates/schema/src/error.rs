//! The reasons why a schema is refused.

use crate::limits::{MAX_BYTES, MAX_DEPTH};

/// What is wrong with a schema, for the author of the tool. The log puts "the schema of the tool is not taken:"
/// before it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SchemaError {
    /// It is not JSON, or not an object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// Longer than [`Schema::MAX_BYTES`](crate::Schema::MAX_BYTES) bytes.
    #[error("it has more than {largest} bytes", largest = MAX_BYTES)]
    TooLarge,
    /// Nested deeper than [`Schema::MAX_DEPTH`](crate::Schema::MAX_DEPTH).
    #[error("it is nested more than {deepest} deep", deepest = MAX_DEPTH)]
    TooDeep,
    /// Its `$schema` is not a supported dialect.
    #[error(
        "its $schema is {0}, which is not supported; 2020-12, 2019-09 and drafts 7, 6 and 4 are"
    )]
    Dialect(String),
    /// A `$ref` leads out of it.
    #[error("it refers to {0}, which is not inside of it, and nothing is ever fetched")]
    Foreign(String),
    /// A subschema is a resource of its own (Core section 9.3).
    #[error("a part of it has an $id of its own; refer to it by its location instead")]
    Embedded,
    /// Its references lead in a circle without leaving the value.
    #[error("it refers to itself without end, at {0}")]
    Endless(String),
    /// It is not valid by the meta-schema of its dialect.
    #[error("it is not a valid schema: {0}")]
    Invalid(String),
}
