//! Composition: a component and what satisfies its imports become one component.
//!
//! A dependency gets the host's capabilities that it inherits and no others. What it does not inherit is denied:
//! by the embedded host, which answers such imports itself, or by a component of denials in front of it, for
//! hosts that know nothing of inheriting.

mod compose;
mod denial;
mod dependency_name;
mod grants;
pub mod identifier_case;
mod interface;

pub use compose::{ComposeError, Denials, Dependency, compose, read};
pub use denial::REFUSALS;
pub use dependency_name::DependencyName;
pub use grants::Inherit;
pub use interface::Interface;
