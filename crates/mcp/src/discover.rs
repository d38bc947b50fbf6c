//! The result of `server/discover` (2026-07-28, Discovery).

use crate::Revision;
use crate::capabilities::ServerCapabilities;
use crate::result_envelope::{Freshness, complete};
use serde::Serialize;

/// Returns the result of `server/discover` in `revision`, as JSON.
pub fn discover_result(
    revision: Revision,
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
    complete(result.unwrap_or_default(), None, revision, Some(freshness))
}
