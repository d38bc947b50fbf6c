//! The imports and exports of a component.

use anyhow::Result;
use wit_component::DecodedWasm;
use wit_parser::WorldKey;

/// The names of what a component imports and exports, as in `wasi:http/types@0.2.0`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// What the host has to have.
    pub imports: Vec<String>,
    /// What the host may call.
    pub exports: Vec<String>,
}

impl Interface {
    /// Reads a component.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn of(component: &[u8]) -> Result<Self> {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
            anyhow::bail!("a package of WIT, and not a component");
        };
        let world = &resolve.worlds[world];
        let name = |key: &WorldKey| resolve.name_world_key(key);
        Ok(Self {
            imports: world.imports.keys().map(name).collect(),
            exports: world.exports.keys().map(name).collect(),
        })
    }
}
