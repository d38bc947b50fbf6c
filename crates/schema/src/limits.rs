//! The limits of schemas and instances.

/// Bytes of a schema.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Levels of objects and arrays, in a schema and in an instance.
pub(crate) const MAX_DEPTH: usize = 64;

/// Bytes of the message about an instance.
pub(crate) const MAX_ERROR_BYTES: usize = 2048;
