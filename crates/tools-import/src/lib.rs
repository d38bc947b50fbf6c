//! Tools components, as the MCP endpoint calls them: the one that it is composed with, and others of the application.
//!
//! Those others stand on their own, with variables, stores and hosts that the MCP endpoint's component does not share
//! with them: each is composed with a tool server ([`serve::router`]), which the MCP endpoint calls by service chaining.

mod component;
#[cfg(not(feature = "portable"))]
mod contract;
#[cfg(feature = "portable")]
#[path = "contract_portable.rs"]
mod contract;
mod conversions;
mod remote;
pub mod serve;
mod wire;

pub use component::{CallEvents, ToolsComponent};
pub use remote::{Remote, RemoteEvents};

impl ToolsComponent {
    /// Returns the component of this name: [`COMPOSED`](config::COMPOSED), or the id of another one in the manifest.
    pub fn named(name: &str) -> Self {
        if name == config::COMPOSED {
            Self::Composed
        } else {
            Self::Remote(Remote::new(name.to_owned()))
        }
    }
}
