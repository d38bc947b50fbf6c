//! The parts that a host supplies to the server: tools, an identity provider, and the platform.

pub(crate) mod environment;
pub(crate) mod identity;
pub(crate) mod tools;
