//! JSON Schema validation with bounds, with messages from which a model can correct its arguments.
//!
//! The schema comes from a tool, and the instance from a client or from the tool's result, so neither is
//! trusted to be small. A [`Schema`] is bounded in size and depth, has a supported dialect, and refers to
//! nothing outside of itself: nothing is ever fetched (MCP 2026-07-28, Overview, JSON Schema Usage). An
//! [`Instance`] is bounded as well, and so is the cost of validation, which in a schema that refers to
//! itself can double with every level of the instance.

mod certainly_valid;
mod cost;
mod defaults;
mod error;
mod error_message;
mod instance;
mod limits;
mod references;
mod schema;
mod subschemas;
mod trusted_subset;

pub use error::SchemaError;
pub use instance::{Instance, InvalidInstance};
pub use schema::{Schema, ValidationError};
pub use subschemas::{Applies, Subschema, subschemas};
