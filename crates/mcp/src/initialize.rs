//! The result of `initialize` (2025-11-25, Lifecycle, Initialization).

use crate::Revision;
use crate::capabilities::ServerCapabilities;
use serde::Serialize;

/// Who we are.
pub const SERVER: ServerInfo = ServerInfo {
    name: "gatehouse",
    title: "Gatehouse",
    version: env!("CARGO_PKG_VERSION"),
    json: concat!(
        r#"{"name":"gatehouse","title":"Gatehouse","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#""}"#
    ),
};

/// Who the server says it is.
#[derive(Clone, Copy, Debug)]
pub struct ServerInfo {
    /// For programs.
    pub name: &'static str,
    /// For people; from 2025-06-18 on.
    pub title: &'static str,
    /// Of the server.
    pub version: &'static str,
    /// All of it, as JSON.
    json: &'static str,
}

impl ServerInfo {
    /// An `Implementation` of 2025-06-18 and later, as JSON.
    pub fn as_json(&self) -> &'static str {
        self.json
    }
}

/// Returns the result of `initialize` in `revision`, as JSON.
pub fn initialize_result(
    revision: Revision,
    capabilities: &ServerCapabilities,
    instructions: Option<&str>,
) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        protocol_version: Revision,
        capabilities: &'a ServerCapabilities,
        server_info: Info,
        #[serde(skip_serializing_if = "Option::is_none")]
        instructions: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Info {
        name: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'static str>,
        version: &'static str,
    }
    let result = Wire {
        protocol_version: revision,
        capabilities,
        server_info: Info {
            name: SERVER.name,
            title: revision.has_structured_content().then_some(SERVER.title),
            version: SERVER.version,
        },
        instructions,
    };
    serde_json::to_string(&result).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::ListChanged;

    #[test]
    fn a_title_is_told_to_those_who_know_titles() {
        let capabilities = ServerCapabilities {
            tools: Some(ListChanged::default()),
            ..ServerCapabilities::default()
        };
        let result = |revision| initialize_result(revision, &capabilities, None);
        let version = SERVER.version;
        assert_eq!(
            result(Revision::V2025_03_26),
            format!(
                r#"{{"protocolVersion":"2025-03-26","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"gatehouse","version":"{version}"}}}}"#
            )
        );
        let told = result(Revision::V2025_06_18);
        assert!(told.contains(SERVER.as_json()), "{told}");
    }
}
