//! The result of `server/discover` (2026-07-28, Discovery).

use crate::capabilities::ServerCapabilities;
use crate::result_envelope::{Freshness, complete, server_info};
use crate::{Revision, ServerInfo};
use serde::Serialize;

/// Returns the result of `server/discover` in `revision`, as JSON. It says everything of the `server`.
pub fn discover_result(
    revision: Revision,
    server: &ServerInfo,
    capabilities: &ServerCapabilities,
    instructions: Option<&str>,
    freshness: Freshness,
) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        supported_versions: Vec<Revision>,
        capabilities: &'a ServerCapabilities,
        #[serde(skip_serializing_if = "Option::is_none")]
        instructions: Option<&'a str>,
    }
    let result = serde_json::to_string(&Wire {
        supported_versions: Revision::ALL.into_iter().rev().collect(),
        capabilities,
        instructions,
    });
    let server = server_info(&server.adapted(revision));
    complete(
        result.unwrap_or_default(),
        server.as_deref(),
        &revision.into(),
        Some(freshness),
    )
}
