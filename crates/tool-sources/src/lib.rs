//! Several tools components as one [`ToolProvider`]: what they offer, merged, and each request to the component that it
//! belongs to.
//!
//! | | goes to |
//! | --- | --- |
//! | tool, prompt | the component that offers the name. A name that several offer is each component's with its id before it: `weather_forecast` |
//! | resource | the components whose templates the URI may match, then the others in order, until one has it |
//! | page of resources | the component that its cursor names; when that has no more, the next |
//! | second round of a resource | the component that asked |
//!
//! A component that cannot be described is missing from the offer, and costs the others nothing. One that was described
//! before keeps its part. A component that does not want the person's credential does not get it.

mod merge;
mod names;
mod resources;
mod sources;

#[cfg(test)]
mod tests;

pub use sources::{Source, Sources};
