//! Application variables. Reading one is slow on Spin: read them once per instance.

#[cfg(feature = "portable")]
use crate::wasi2::variables::get;
#[cfg(not(feature = "portable"))]
use crate::wasi3::variables::get;
use std::collections::HashMap;

/// The address that manifests of the portable flavours have as the default of a variable in `allowed_outbound_hosts` that is
/// not set: Spin before 4.1 refuses an empty one. No host has a name below `.invalid` (RFC 6761 section 6.4).
const UNSET_HOST: &str = "https://unset.invalid";

/// The variables that were read, by name.
pub struct Variables(HashMap<&'static str, String>);

impl Variables {
    /// Returns the value of a variable; `None` if it was not read, or is not granted to this component.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Reads the named variables.
///
/// A variable that the manifest does not grant to this component is left out of the result, so
/// that the check of the configuration can name it. Spin logs an error for each,
/// so nothing asks for one that the shipped manifest does not grant.
pub async fn read(names: &[&'static str]) -> Variables {
    let mut values = HashMap::with_capacity(names.len());
    for name in names {
        if let Some(mut value) = get(name).await {
            if value == UNSET_HOST {
                value.clear();
            }
            values.insert(*name, value);
        }
    }
    Variables(values)
}
