//! The identity provider of a project: the component that `spin.toml` has for it, the variables that this needs, and
//! the emulator that stands in where nothing is configured.

use crate::environment::Variables;
use crate::identity_component::Identity;
use config::{AuthorizationServer, Problem};
use std::net::SocketAddr;

/// Whether there is no word of a real provider, so that the emulator stands in.
pub fn wants_emulator(variables: &Variables) -> bool {
    let is_any_set = |names: &[&str]| names.iter().any(|name| variables.is_set(name));
    match variables.identity() {
        Identity::Descope => !is_any_set(DESCOPE_VARIABLES),
        Identity::OpenId => !is_any_set(DESCOPE_VARIABLES) && !is_any_set(OIDC_VARIABLES),
        Identity::Own => false,
    }
}

/// The emulator listens on loopback, on the port after the application's.
pub fn emulator_address(listen: SocketAddr) -> SocketAddr {
    let port = listen.port().checked_add(1).unwrap_or(3001);
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Whether clients sign in at Descope itself.
pub fn is_descope_mode(variables: &Variables) -> bool {
    let mode = variables.get("authorization_server").unwrap_or_default();
    mode.trim() == "descope"
}

/// Points the application at the emulator, which plays either provider.
pub fn configure_emulator(variables: &mut Variables, address: SocketAddr) {
    let base = format!("http://{address}");
    if variables.identity() == Identity::OpenId {
        variables.set("oidc_issuer", format!("{base}/openid"));
        variables.set("oidc_host", base);
        variables.set("oidc_client_id", EMULATOR_CLIENT);
        variables.set("oidc_client_secret", EMULATOR_SECRET);
        return;
    }
    variables.set("descope_base_url", base);
    variables.set("descope_project_id", EMULATOR_PROJECT);
    if is_descope_mode(variables) {
        variables.set("descope_mcp_server_id", EMULATOR_MCP_SERVER);
    }
    variables.set("descope_client_id", EMULATOR_CLIENT);
    variables.set("descope_client_secret", EMULATOR_SECRET);
}

/// Returns what is wrong with the variables about the provider.
pub fn problems(variables: &Variables) -> Vec<Problem> {
    let values = |name: &str| variables.get(name);
    // What is wrong with it is named with the other variables.
    let Ok(server) = AuthorizationServer::read(&values) else {
        return Vec::new();
    };
    let is_built_in = server == AuthorizationServer::BuiltIn;
    match variables.identity() {
        Identity::Descope if is_emulated(variables) && variables.is_set("oidc_issuer") => {
            vec![Problem::new(
                "oidc_issuer",
                "it is set, but spin.toml has Descope's component",
                "In spin.toml, under [component.identity], take the source that stands there as a comment: gatehouse_identity_oidc.wasm",
            )]
        }
        Identity::OpenId if !is_built_in => vec![Problem::new(
            "authorization_server",
            "clients are to sign in at Descope, but spin.toml has another provider's component",
            "Set it to built-in, or in spin.toml, under [component.identity], take the other source: gatehouse_identity_descope.wasm",
        )],
        Identity::OpenId => oidc::Settings::read(values).err().unwrap_or_default(),
        // Clients that sign in elsewhere need no credentials of ours, and the rest is read with the
        // authorization server.
        Identity::Descope if is_built_in => descope::Settings::read(values).problems(),
        Identity::Descope | Identity::Own => Vec::new(),
    }
}

fn is_emulated(variables: &Variables) -> bool {
    variables.get("descope_client_secret") == Some(EMULATOR_SECRET)
}

const DESCOPE_VARIABLES: &[&str] = &[
    "descope_project_id",
    "descope_mcp_server_id",
    "descope_client_id",
    "descope_client_secret",
    "descope_management_key",
];

const OIDC_VARIABLES: &[&str] = &[
    "oidc_issuer",
    "oidc_host",
    "oidc_client_id",
    "oidc_client_secret",
];

/// The emulator's project.
pub const EMULATOR_PROJECT: &str = "P_LOCAL";
/// The emulator's MCP server, which stands for us where clients sign in there.
pub const EMULATOR_MCP_SERVER: &str = "MS_LOCAL";
/// The emulator's inbound app.
pub const EMULATOR_CLIENT: &str = "local-client";
/// The secret of the emulator's inbound app; it guards nothing.
pub const EMULATOR_SECRET: &str = "local-secret-not-for-production";

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: &str = "127.0.0.1:3000";

    fn variables(component: &str, set: &[(&str, &str)]) -> Variables {
        let manifest = include_str!("../../../spin.toml")
            .replace("gatehouse_identity_descope.wasm", component);
        let mut variables = Variables::of(&manifest.parse().unwrap());
        for (name, value) in set {
            variables.set(name, *value);
        }
        variables
    }

    const DESCOPE: &str = "gatehouse_identity_descope.wasm";
    const OPEN_ID: &str = "gatehouse_identity_oidc.wasm";

    #[test]
    fn the_manifest_says_which_component_it_is() {
        for (component, identity) in [
            (DESCOPE, Identity::Descope),
            (OPEN_ID, Identity::OpenId),
            ("ours.wasm", Identity::Own),
        ] {
            assert_eq!(variables(component, &[]).identity(), identity);
        }
    }

    #[test]
    fn the_emulator_stands_in_for_either_provider_until_one_is_configured() {
        for component in [DESCOPE, OPEN_ID] {
            let mut variables = variables(component, &[]);
            assert!(wants_emulator(&variables));
            assert!(!problems(&variables).is_empty());
            configure_emulator(&mut variables, LISTEN.parse().unwrap());
            assert!(!wants_emulator(&variables));
            assert_eq!(problems(&variables), []);
        }
        assert!(!wants_emulator(&variables("ours.wasm", &[])));
        assert!(!wants_emulator(&variables(
            DESCOPE,
            &[("descope_project_id", "P1")]
        )));
        assert!(!wants_emulator(&variables(
            OPEN_ID,
            &[("oidc_client_id", "id")]
        )));
    }

    #[test]
    fn a_configured_provider_that_is_not_in_the_manifest_is_named() {
        let set = [
            ("oidc_issuer", "https://id.example.com/tenant"),
            ("oidc_host", "https://id.example.com"),
            ("oidc_client_id", "gatehouse"),
        ];
        assert_eq!(problems(&variables(OPEN_ID, &set)), []);
        let mut wrong = variables(DESCOPE, &set);
        configure_emulator(&mut wrong, LISTEN.parse().unwrap());
        let found = problems(&wrong);
        assert_eq!(found[0].variable, "oidc_issuer");
        assert!(found[0].to_string().contains(OPEN_ID));
        let named = |variables: &Variables| {
            let problems = problems(variables);
            problems
                .iter()
                .map(|problem| problem.variable)
                .collect::<Vec<_>>()
        };
        let descope = variables(OPEN_ID, &[("descope_project_id", "P1")]);
        assert!(named(&descope).contains(&"oidc_issuer"));
    }

    #[test]
    fn descope_as_the_authorization_server_needs_its_component() {
        let set = [
            ("authorization_server", "descope"),
            ("descope_project_id", "P1"),
        ];
        assert_eq!(problems(&variables(DESCOPE, &set)), []);
        let found = problems(&variables(OPEN_ID, &set));
        assert_eq!(found[0].variable, "authorization_server");
    }
}
