//! Application variables. Reading one is slow on Spin: read them once per instance.

#[cfg(portable)]
use crate::wasi2::variables::get;
#[cfg(not(portable))]
use crate::wasi3::variables::get;
use std::collections::HashMap;

/// What a variable has in place of nothing if it is the address of a host in the manifest: Spin before 4.1 starts no
/// application with an empty one. No name ends with `.invalid` (RFC 6761 section 6.4).
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
/// that what checks the configuration can say which one is missing. Spin logs an error for each,
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
