//! Grants that `spin.toml` may not have: the rules of `manifest-rules`, before anything is built or served.
//!
//! The embedded host keeps them too, but for those about tool servers. Spin does not know those about tools, so this is
//! where who serves with Spin hears of them.

use crate::environment::Variables;
use crate::project::Project;
use anyhow::{Result, bail};
use config::COMPOSED;

/// What is wrong with `spin.toml`, and what is worth knowing about it, in words.
#[derive(Default)]
pub struct Findings {
    /// What keeps it from being served.
    pub refusals: Vec<String>,
    /// What is allowed, and opens something.
    pub warnings: Vec<String>,
}

impl Findings {
    /// Those of this manifest, in which these components have tools of their own.
    fn of(manifest: &toml::Table, tool_servers: &[&str]) -> Self {
        let words = |findings: Vec<manifest_rules::Finding>| {
            let lines = findings
                .iter()
                .map(|finding| format!("spin.toml, {finding}"));
            lines.collect()
        };
        let mut refusals = manifest_rules::refusals(manifest);
        refusals.extend(manifest_rules::tool_servers(manifest, tool_servers));
        Self {
            refusals: words(refusals),
            warnings: words(manifest_rules::warnings(manifest)),
        }
    }
}

/// Looks at `spin.toml`, with the variables that are set.
///
/// # Errors
///
/// If it, or `.env`, cannot be read.
pub fn findings(project: &Project) -> Result<Findings> {
    let variables = Variables::read(project)?;
    let tools = variables.get("tools").unwrap_or_default();
    let tool_servers = tools.split_whitespace().filter(|id| *id != COMPOSED);
    let tool_servers: Vec<&str> = tool_servers.collect();
    Ok(Findings::of(&project.manifest()?, &tool_servers))
}

/// Fails if `spin.toml` grants what it may not.
///
/// # Errors
///
/// Names each line, and says what to do.
pub fn check(project: &Project) -> Result<()> {
    let refusals = findings(project)?.refusals;
    if !refusals.is_empty() {
        bail!(
            "spin.toml has to be mended first:\n  {}",
            refusals.join("\n  ")
        );
    }
    Ok(())
}

/// Returns the shipped manifest with these fields of the composed tools' dependency besides its path, such as
/// `, inherit_configuration = true`.
#[cfg(test)]
pub(crate) fn shipped_with_tools(fields: &str) -> String {
    let shipped = include_str!("../../../spin.toml");
    let line = "gatehouse_tools.wasm\", inherit_configuration = [\"environment\"] }";
    assert!(shipped.contains(line));
    shipped.replace(line, &format!("gatehouse_tools.wasm\"{fields} }}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(fields: &str) -> Findings {
        Findings::of(&shipped_with_tools(fields).parse().unwrap(), &[])
    }

    #[test]
    fn the_shipped_manifest_has_nothing_to_mend() {
        let found = with("");
        assert_eq!((found.refusals.len(), found.warnings.len()), (0, 0));
    }

    #[test]
    fn tools_that_inherit_secrets_are_named_with_their_line() {
        for (value, count) in [
            ("[\"variables\"]", 1),
            ("[\"key_value_stores\"]", 1),
            ("true", 2),
        ] {
            let found = with(&format!(", inherit_configuration = {value}"));
            assert_eq!(found.refusals.len(), count, "{value}");
            for words in [
                "spin.toml",
                "\"mcp\"",
                "gatehouse:tools/tools@",
                "inherit_configuration",
            ] {
                assert!(found.refusals[0].contains(words), "{}", found.refusals[0]);
            }
        }
    }

    #[test]
    fn a_component_with_tools_that_the_endpoint_cannot_call_is_named() {
        let shipped = include_str!("../../../spin.toml").parse().unwrap();
        let found = Findings::of(&shipped, &["weather"]);
        assert_eq!(found.refusals.len(), 1);
        assert!(found.refusals[0].contains("\"weather\""));
    }

    /// Returns the variables that a component of this manifest is granted, in order.
    fn granted(manifest: &toml::Table, component: &str) -> Vec<String> {
        let granted = manifest["component"][component].get("variables");
        let names = granted
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten();
        names.map(|(name, _)| name.clone()).collect()
    }

    #[test]
    fn the_environment_that_dependencies_inherit_is_empty() {
        let shipped: toml::Table = include_str!("../../../spin.toml").parse().unwrap();
        let components = shipped["component"].as_table().unwrap();
        assert!(
            components
                .iter()
                .all(|(_, component)| component.get("environment").is_none())
        );
        let tools = &components["mcp"]["dependencies"]["gatehouse:tools/tools@0.3.0"];
        let inherited = tools["inherit_configuration"].as_array().unwrap();
        assert_eq!(*inherited, [toml::Value::from("environment")]);
    }

    #[test]
    fn who_has_the_identity_component_is_granted_its_variables_alone() {
        let shipped = include_str!("../../../spin.toml").parse().unwrap();
        for (component, own) in [
            ("authorize", config::granted::AUTHORIZE),
            ("account", config::granted::ACCOUNT),
            ("mcp", config::granted::MCP),
        ] {
            let identities = [
                descope::Settings::VARIABLES,
                oidc::Settings::VARIABLES,
                config::StoreSettings::VARIABLES,
            ];
            let mut reads = [own, &identities.concat()].concat();
            reads.sort_unstable();
            reads.dedup();
            let mut granted = granted(&shipped, component);
            granted.sort_unstable();
            assert_eq!(granted, reads, "{component}");
        }
    }

    #[test]
    fn the_sections_for_tools_without_code_have_every_variable_with_its_default() {
        let shipped = include_str!("../../../spin.toml");
        let start = shipped.find("# [[trigger.http]]").unwrap();
        let sections: String = shipped[start..]
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line)))
            .collect();
        let sections: toml::Table = sections.parse().unwrap();
        for (component, mut reads, need) in [
            ("api", openapi::Settings::VARIABLES.to_vec(), "document"),
            ("server", mcp_client::Settings::VARIABLES.to_vec(), "url"),
        ] {
            let mut granted = granted(&sections, component);
            granted.sort_unstable();
            reads.sort_unstable();
            assert_eq!(granted, reads, "{component}");
            let variables = &sections["component"][component]["variables"];
            let all = |name: &str| variables[name].as_str();
            let needed = |name: &str| all(name).filter(|_| name == need);
            let [with, without] = match component {
                "api" => [
                    format!("{:?}", openapi::Settings::read(all).unwrap()),
                    format!("{:?}", openapi::Settings::read(needed).unwrap()),
                ],
                _ => [
                    format!("{:?}", mcp_client::Settings::read(all).unwrap()),
                    format!("{:?}", mcp_client::Settings::read(needed).unwrap()),
                ],
            };
            assert_eq!(with, without, "{component}");
        }
    }

    #[test]
    fn tools_that_may_call_hosts_are_worth_a_warning() {
        let found = with(", inherit_configuration = [\"allowed_outbound_hosts\"]");
        assert_eq!((found.refusals.len(), found.warnings.len()), (0, 1));
    }
}
