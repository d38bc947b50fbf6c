//! The description that a server gives of itself: the results of `initialize` (2025-11-25, Lifecycle) and
//! `server/discover` (2026-07-28, Discovery).

use crate::content::{WireIcon, icons};
use crate::json::{self, Items};
use crate::text::excerpt;
use mcp::Revision;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tools_export::ServerInfo;

/// What a server says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Discovered {
    pub(crate) server: ServerInfo,
    pub(crate) instructions: Option<String>,
    pub(crate) capabilities: Capabilities,
}

/// What a server has.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Capabilities {
    pub(crate) tools: Option<IgnoredAny>,
    pub(crate) prompts: Option<IgnoredAny>,
    pub(crate) resources: Option<IgnoredAny>,
    pub(crate) completions: Option<IgnoredAny>,
    pub(crate) logging: Option<IgnoredAny>,
}

impl Discovered {
    /// Reads the result of `initialize`, and the revision that it settles.
    ///
    /// # Errors
    ///
    /// If it is malformed, or the revision is not one with sessions.
    pub(crate) fn of_initialize(result: &RawValue) -> Result<(Self, Revision), &'static str> {
        let wire: Wire<'_> = json::read(result, "the result of initialize is malformed")?;
        let revision = wire.protocol_version.as_deref().and_then(Revision::parse);
        let revision = revision.filter(|revision| !revision.is_stateless());
        let revision =
            revision.ok_or("initialize settled a revision that this component does not speak")?;
        let server = wire.server_info.map(server).transpose()?;
        Ok((
            Self::new(server, wire.instructions, wire.capabilities),
            revision,
        ))
    }

    /// Reads the result of `server/discover`, and the revisions that it names.
    ///
    /// # Errors
    ///
    /// If it is malformed.
    pub(crate) fn of_discover(result: &RawValue) -> Result<(Self, Vec<String>), &'static str> {
        const PROBLEM: &str = "the result of server/discover is malformed";
        let wire: Wire<'_> = json::read(result, PROBLEM)?;
        let versions = wire.supported_versions.ok_or(PROBLEM)?.first;
        // A name is all that is lost if there is none.
        let info = wire.meta.and_then(|meta| meta.server_info);
        let server = info.and_then(|info| server(info).ok());
        Ok((
            Self::new(server, wire.instructions, wire.capabilities),
            versions,
        ))
    }

    fn new(
        server: Option<ServerInfo>,
        instructions: Option<String>,
        capabilities: Capabilities,
    ) -> Self {
        Self {
            server: server.unwrap_or_else(unnamed),
            instructions,
            capabilities,
        }
    }
}

fn unnamed() -> ServerInfo {
    ServerInfo {
        name: "mcp".to_owned(),
        title: None,
        version: "0".to_owned(),
        description: None,
        icons: Vec::new(),
        website: None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    protocol_version: Option<String>,
    supported_versions: Option<Items<String>>,
    #[serde(default)]
    capabilities: Capabilities,
    instructions: Option<String>,
    #[serde(borrow)]
    server_info: Option<&'a RawValue>,
    #[serde(rename = "_meta", borrow)]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/serverInfo", borrow)]
    server_info: Option<&'a RawValue>,
}

fn server(raw: &RawValue) -> Result<ServerInfo, &'static str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Implementation {
        name: String,
        title: Option<String>,
        #[serde(default)]
        version: String,
        description: Option<String>,
        icons: Option<Items<WireIcon>>,
        website_url: Option<String>,
    }
    let wire: Implementation = json::read(raw, "what the server says of itself cannot be read")?;
    let text = |text: Option<String>| text.map(|text| excerpt(&text));
    Ok(ServerInfo {
        name: excerpt(&wire.name),
        title: text(wire.title),
        version: excerpt(&wire.version),
        description: text(wire.description),
        icons: icons(wire.icons),
        website: text(wire.website_url).filter(|url| url.starts_with("https://")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json, value::to_raw_value};

    fn initialize(result: Value) -> Result<(Discovered, Revision), &'static str> {
        Discovered::of_initialize(&to_raw_value(&result).unwrap())
    }

    #[test]
    fn the_revision_of_a_session_is_the_one_that_the_server_settles() {
        for revision in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
            let result = json!({
                "protocolVersion": revision,
                "capabilities": {"tools": {"listChanged": true}, "prompts": {}, "logging": {}},
                "serverInfo": {"name": "s", "version": "1", "websiteUrl": "javascript:x"},
            });
            let (discovered, settled) = initialize(result).unwrap();
            assert_eq!(settled.as_str(), revision);
            let has = discovered.capabilities;
            assert!(has.tools.is_some() && has.prompts.is_some() && has.logging.is_some());
            assert!(has.resources.is_none() && has.completions.is_none());
            assert_eq!(discovered.server.website, None);
        }
        for revision in ["2026-07-28", "1.0", ""] {
            assert!(initialize(json!({"protocolVersion": revision, "capabilities": {}})).is_err());
        }
        assert!(initialize(json!({})).is_err());
        assert!(initialize(json!("2025-11-25")).is_err());
    }

    #[test]
    fn discovery_names_the_revisions_and_may_leave_out_the_server() {
        let result = json!({"supportedVersions": ["2026-07-28"], "capabilities": {}});
        let (discovered, versions) =
            Discovered::of_discover(&to_raw_value(&result).unwrap()).unwrap();
        assert_eq!(
            (&*discovered.server.name, versions),
            ("mcp", vec!["2026-07-28".to_owned()])
        );
        let none = to_raw_value(&json!({"capabilities": {}})).unwrap();
        assert!(Discovered::of_discover(&none).is_err());
    }
}
