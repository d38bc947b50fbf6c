//! JSON Schema for tools: whether arguments and structured content fit, said so that a model can
//! mend them; and which arguments a client repeats in headers.
//!
//! A schema comes from a tool and an instance from a client, or from a tool's work, so neither is
//! trusted to be small. A [`Schema`] is taken only if it is bounded in size and depth, names a
//! dialect that is known, and refers to nothing outside of itself: nothing is ever fetched
//! (2026-07-28, Overview, JSON Schema Usage). An [`Instance`] is bounded as well, and so is the work
//! of holding the two against each other, even where a schema repeats itself in ways that would make
//! it grow with every level of the instance.

mod defaults;
mod error;
mod instance;
mod mirror;
mod plain;
mod references;
mod schema;
mod subschemas;
mod words;
mod work;

pub use error::SchemaError;
pub use instance::{Instance, Unreadable};
pub use mirror::{Mirrored, Mismatch};
pub use schema::{Schema, Unfit};
