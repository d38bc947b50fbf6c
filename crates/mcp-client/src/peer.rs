//! For whom a request is made.

use crate::credentials::Header;
use mcp::{ClientCapabilities, LogLevel};
use serde_json::{Map, Value, json};

/// For whom a request is made, and what the server may ask and tell them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// The caller; `None` for the lists, which all callers share.
    pub(crate) subject: Option<String>,
    pub(crate) authorization: Option<Header>,
    pub(crate) capabilities: ClientCapabilities,
    pub(crate) log_level: Option<LogLevel>,
}

/// Returns the capabilities as a client declares them.
pub(crate) fn declared(capabilities: &ClientCapabilities) -> Value {
    let mut declared = Map::new();
    let mut elicitation = Map::new();
    for (name, is_there) in [
        ("form", capabilities.elicits_forms),
        ("url", capabilities.elicits_urls),
    ] {
        if is_there {
            elicitation.insert(name.to_owned(), json!({}));
        }
    }
    if !elicitation.is_empty() {
        declared.insert("elicitation".to_owned(), elicitation.into());
    }
    if capabilities.samples {
        let sampling = match capabilities.samples_with_tools {
            true => json!({ "tools": {} }),
            false => json!({}),
        };
        declared.insert("sampling".to_owned(), sampling);
    }
    if capabilities.lists_roots {
        declared.insert("roots".to_owned(), json!({}));
    }
    declared.into()
}

/// Returns the client as servers are told of it.
pub(crate) fn client_info() -> Value {
    json!({ "name": "gatehouse", "title": "Gatehouse", "version": env!("CARGO_PKG_VERSION") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_what_is_read() {
        for bits in 0..32 {
            let is = |bit: u8| bits & (1 << bit) != 0;
            let capabilities = ClientCapabilities {
                elicits_forms: is(0),
                elicits_urls: is(1),
                samples: is(2),
                samples_with_tools: is(2) && is(3),
                lists_roots: is(4),
                knows_tasks: false,
            };
            assert_eq!(
                ClientCapabilities::read(&declared(&capabilities)),
                capabilities
            );
        }
    }
}
