//! The limits of schemas and instances.

/// Bytes of a schema.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Levels of objects and arrays, in a schema and in an instance.
pub(crate) const MAX_DEPTH: usize = 64;

/// Nested visits of a subschema to a value, so that a stack of half a megabyte is enough.
pub(crate) const MAX_NESTED_VISITS: usize = 160;

/// Bytes of the message about an instance.
pub(crate) const MAX_ERROR_BYTES: usize = 2048;
