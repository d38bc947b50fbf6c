//! The grants of a component, and the interfaces that each is used through.

use wac_graph::types::are_semver_compatible;

/// What a dependency shares of the grants of the component that it satisfies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// All of them.
    All,
    /// Those of these names, as a manifest has them.
    Only(Vec<String>),
}

impl Inherit {
    /// Returns whether an interface belongs to a grant that is not inherited.
    pub fn denies(&self, import: &str) -> bool {
        GRANTS.iter().any(|(grant, interfaces)| {
            let inherited = match self {
                Self::All => true,
                Self::Only(names) => names.iter().any(|name| name == grant),
            };
            !inherited
                && interfaces.iter().any(|interface| {
                    *interface == import || are_semver_compatible(interface, import)
                })
        })
    }
}

/// The grants of a component, as a manifest names them, and the interfaces that each is used through.
const GRANTS: &[(&str, &[&str])] = &[
    ("ai_models", &["fermyon:spin/llm", "fermyon:spin/llm@2.0.0"]),
    (
        "allowed_outbound_hosts",
        &[
            "fermyon:spin/http",
            "fermyon:spin/mqtt@2.0.0",
            "fermyon:spin/mysql",
            "fermyon:spin/mysql@2.0.0",
            "fermyon:spin/postgres",
            "fermyon:spin/postgres@2.0.0",
            "fermyon:spin/redis",
            "fermyon:spin/redis@2.0.0",
            "spin:mqtt/mqtt@3.0.0",
            "spin:mysql/mysql@3.0.0",
            "spin:postgres/postgres@3.0.0",
            "spin:postgres/postgres@4.2.0",
            "spin:redis/redis@3.0.0",
            "wasi:http/client@0.3.0",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:sockets/ip-name-lookup@0.2.6",
            "wasi:sockets/ip-name-lookup@0.3.0",
            "wasi:sockets/tcp-create-socket@0.2.6",
            "wasi:sockets/tcp@0.2.6",
            "wasi:sockets/udp-create-socket@0.2.6",
            "wasi:sockets/udp@0.2.6",
        ],
    ),
    (
        "environment",
        &["wasi:cli/environment@0.2.6", "wasi:cli/environment@0.3.0"],
    ),
    (
        "files",
        &[
            "wasi:filesystem/preopens@0.2.6",
            "wasi:filesystem/preopens@0.3.0",
        ],
    ),
    (
        "key_value_stores",
        &[
            "fermyon:spin/key-value",
            "fermyon:spin/key-value@2.0.0",
            "spin:key-value/key-value@3.0.0",
            "wasi:keyvalue/store@0.2.0-draft2",
        ],
    ),
    (
        "sqlite_databases",
        &[
            "fermyon:spin/sqlite",
            "fermyon:spin/sqlite@2.0.0",
            "spin:sqlite/sqlite@3.1.0",
        ],
    ),
    (
        "variables",
        &[
            "fermyon:spin/config",
            "fermyon:spin/variables@2.0.0",
            "spin:variables/variables@3.0.0",
            "wasi:config/store@0.2.0-draft-2024-09-27",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_denied_what_it_does_not_inherit() {
        let nothing = Inherit::Only(Vec::new());
        for import in [
            "spin:variables/variables@3.0.0",
            "wasi:http/client@0.3.0",
            "wasi:cli/environment@0.2.0",
        ] {
            assert!(nothing.denies(import), "{import}");
            assert!(!Inherit::All.denies(import), "{import}");
        }
        for import in [
            "wasi:http/types@0.3.0",
            "wasi:clocks/monotonic-clock@0.2.6",
            "wasi:random/random@0.2.6",
        ] {
            assert!(!nothing.denies(import), "{import}");
        }
        let variables = Inherit::Only(vec!["variables".to_owned()]);
        assert!(!variables.denies("spin:variables/variables@3.0.0"));
        assert!(variables.denies("spin:key-value/key-value@3.0.0"));
    }
}
