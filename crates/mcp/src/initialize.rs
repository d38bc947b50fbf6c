//! The result of `initialize` (2025-11-25, Lifecycle, Initialization).

use crate::capabilities::ServerCapabilities;
use crate::{Revision, ServerInfo};
use serde::Serialize;

/// Returns the result of `initialize` in `revision`, as JSON.
pub fn initialize_result(
    revision: Revision,
    server: &ServerInfo,
    capabilities: &ServerCapabilities,
    instructions: Option<&str>,
) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        protocol_version: Revision,
        capabilities: &'a ServerCapabilities,
        server_info: ServerInfo,
        #[serde(skip_serializing_if = "Option::is_none")]
        instructions: Option<&'a str>,
    }
    let result = Wire {
        protocol_version: revision,
        capabilities,
        server_info: server.adapted(revision),
        instructions,
    };
    serde_json::to_string(&result).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::ListChanged;

    #[test]
    fn a_result_has_what_the_revision_knows_of_the_server() {
        let capabilities = ServerCapabilities {
            tools: Some(ListChanged::default()),
            ..ServerCapabilities::default()
        };
        let server = ServerInfo {
            name: "shop".into(),
            title: Some("The shop".into()),
            version: "2.1".into(),
            ..ServerInfo::default()
        };
        let result = |revision| initialize_result(revision, &server, &capabilities, None);
        assert_eq!(
            result(Revision::V2025_03_26),
            r#"{"protocolVersion":"2025-03-26","capabilities":{"tools":{}},"serverInfo":{"name":"shop","version":"2.1"}}"#
        );
        let told = result(Revision::V2025_06_18);
        assert!(told.contains(r#""title":"The shop""#), "{told}");
    }
}
