//! The variables of [`Server`](crate::Server) that each component reads: those that `spin.toml`
//! grants it. Spin takes a question for any other one for an error, and each takes its time.

/// Of `metadata`.
pub const METADATA: &[&str] = &[
    "public_url",
    "encryption_key",
    "key_prefix",
    "redis_url",
    "scopes",
    "registrations_per_hour",
    "registrations_per_source",
    "client_address_header",
    "registration",
    "registration_token",
    "client_metadata",
    "client_metadata_origin",
    "private_use_schemes",
    "http_sse",
    "authorization_server",
    "descope_base_url",
    "descope_project_id",
    "descope_mcp_server_id",
    "events",
];

/// Of `authorize`.
pub const AUTHORIZE: &[&str] = &[
    "public_url",
    "encryption_key",
    "key_prefix",
    "redis_url",
    "scopes",
    "default_scopes",
    "allowed",
    "scope_rules",
    "access_token_lifetime",
    "grant_lifetime",
    "client_address_header",
    "refresh_grace",
    "clients",
    "client_metadata",
    "client_metadata_origin",
    "private_use_schemes",
    "dpop_nonces",
    "authorization_server",
    "show_logos",
    "descope_base_url",
    "descope_project_id",
    "descope_mcp_server_id",
    "events",
];

/// Of `account`.
pub const ACCOUNT: &[&str] = &[
    "public_url",
    "encryption_key",
    "key_prefix",
    "redis_url",
    "scopes",
    "admin_token",
    "authorization_server",
    "descope_base_url",
    "descope_project_id",
    "descope_mcp_server_id",
    "events",
];

/// Of `mcp`.
pub const MCP: &[&str] = &[
    "public_url",
    "encryption_key",
    "key_prefix",
    "redis_url",
    "scopes",
    "default_scopes",
    "allowed",
    "scope_rules",
    "presented_tokens",
    "presented_scopes",
    "clients",
    "client_metadata_origin",
    "allowed_origins",
    "http_sse",
    "tools",
    "grant_check",
    "call_timeout",
    "stream_seconds",
    "message_limit",
    "dpop_nonces",
    "authorization_server",
    "descope_base_url",
    "descope_project_id",
    "descope_mcp_server_id",
    "events",
];

/// Of `home`.
pub const HOME: &[&str] = &[
    "public_url",
    "http_sse",
    "authorization_server",
    "descope_base_url",
    "descope_project_id",
    "descope_mcp_server_id",
];

/// Of `client-metadata`.
pub const CLIENT_METADATA: &[&str] = &["public_url", "client_metadata_origin"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    /// Returns the variables that `spin.toml` grants to a component.
    fn granted(component: &str) -> Vec<&'static str> {
        let manifest = include_str!("../../../spin.toml");
        let section = format!("[component.{component}.variables]");
        let lines = manifest.lines().skip_while(|line| *line != section).skip(1);
        let names: Vec<_> = lines
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| Some(line.split_once(" = ")?.0))
            .collect();
        assert!(!names.is_empty(), "{component}");
        names
    }

    #[test]
    fn a_component_reads_the_variables_that_it_is_granted_and_no_others() {
        for (component, reads) in [
            ("metadata", METADATA),
            ("authorize", AUTHORIZE),
            ("account", ACCOUNT),
            ("mcp", MCP),
            ("home", HOME),
            ("client-metadata", CLIENT_METADATA),
        ] {
            // The others are those of the identity component, which inherits them.
            let mut granted = granted(component);
            granted.retain(|name| Server::VARIABLES.contains(name));
            let mut reads = reads.to_vec();
            granted.sort_unstable();
            reads.sort_unstable();
            assert_eq!(reads, granted, "{component}");
        }
    }
}
