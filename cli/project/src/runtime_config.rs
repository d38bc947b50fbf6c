//! The runtime configuration that `up` serves with.
//!
//! `runtime-config.toml` keeps every outbound call out of private networks, and this machine is one
//! of them. Where what is called is on this machine, `up` serves with a copy that leaves them open.

use crate::environment::Variables;
use crate::project::Project;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Returns the variable that names a host on this machine, if one does.
pub fn local_host(variables: &Variables) -> Option<&'static str> {
    [
        "descope_base_url",
        "oidc_host",
        "oidc_other_host",
        "client_metadata_origin",
        "redis_host",
    ]
    .into_iter()
    .find(|name| {
        let value = variables.get(name).unwrap_or_default();
        // Only a URL of a scheme such as http has an address for a host, and not a name.
        let value = value.trim().replacen("redis://", "http://", 1);
        let value = value.replacen("rediss://", "https://", 1);
        url::Url::parse(&value).is_ok_and(|url| config::is_loopback(&url))
    })
}

/// Returns the file to serve with; none where the application has none.
///
/// # Errors
///
/// If `runtime-config.toml` cannot be read, or its copy cannot be written.
pub fn file(project: &Project, variables: &Variables) -> Result<Option<PathBuf>> {
    if local_host(variables).is_none() {
        let path = project.path(FILE);
        return Ok(path.exists().then_some(path));
    }
    let Some(config) = read(project)? else {
        return Ok(None);
    };
    // Beside the original, since relative paths in it start from its folder.
    let copy = project.path(".runtime-config.local.toml");
    let open = open_private_networks(config).to_string();
    crate::environment::write_secret(&copy, &open)?;
    Ok(Some(copy))
}

/// Returns what `runtime-config.toml` has; `None` where there is no such file.
fn read(project: &Project) -> Result<Option<toml::Table>> {
    let path = project.path(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("{FILE} cannot be read"))?;
    let config = text.parse();
    Ok(Some(
        config.with_context(|| format!("{FILE} is not valid TOML"))?,
    ))
}

/// The name of the runtime configuration.
pub const FILE: &str = "runtime-config.toml";

/// Networks of IPv6 that carry addresses of IPv4, which `private` does not cover.
const TRANSLATED: [&str; 4] = ["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"];

/// Those of [`TRANSLATED`] that `runtime-config.toml` does not block.
///
/// # Errors
///
/// If `runtime-config.toml` cannot be read.
pub fn missing_networks(project: &Project) -> Result<Vec<&'static str>> {
    Ok(missing(&read(project)?.unwrap_or_default()))
}

fn missing(config: &toml::Table) -> Vec<&'static str> {
    let listed = config
        .get("outbound_networking")
        .and_then(|networking| networking.get("block_networks"))
        .and_then(toml::Value::as_array);
    let is_listed = |network: &str| {
        let mut listed = listed.into_iter().flatten();
        listed.any(|entry| entry.as_str() == Some(network))
    };
    let missing = TRANSLATED.into_iter().filter(|network| !is_listed(network));
    missing.collect()
}

/// Returns the names of the key-value stores that `runtime-config.toml` keeps in Redis.
///
/// # Errors
///
/// If `runtime-config.toml` cannot be read.
pub fn redis_stores(project: &Project) -> Result<Vec<String>> {
    let config = read(project)?.unwrap_or_default();
    let stores = config
        .get("key_value_store")
        .and_then(toml::Value::as_table);
    let is_redis = |store: &toml::Value| {
        let kind = store.get("type").and_then(toml::Value::as_str);
        kind == Some("redis")
    };
    let redis = stores
        .into_iter()
        .flatten()
        .filter(|(_, store)| is_redis(store));
    Ok(redis.map(|(name, _)| name.clone()).collect())
}

/// Returns the same configuration, in which `private` is not among the blocked networks.
fn open_private_networks(mut config: toml::Table) -> toml::Table {
    let blocked = config
        .get_mut("outbound_networking")
        .and_then(|networking| networking.get_mut("block_networks"))
        .and_then(toml::Value::as_array_mut);
    if let Some(blocked) = blocked {
        blocked.retain(|network| network.as_str() != Some("private"));
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(set: &[(&str, &str)]) -> Variables {
        let mut variables = Variables::of(&include_str!("../../../spin.toml").parse().unwrap());
        for (name, value) in set {
            variables.set(name, *value);
        }
        variables
    }

    #[test]
    fn a_host_on_this_machine_is_one_that_a_variable_names() {
        assert_eq!(local_host(&variables(&[])), None);
        for (name, value) in [
            ("descope_base_url", "http://127.0.0.1:3001"),
            ("oidc_host", "http://localhost:8080"),
            ("client_metadata_origin", "http://[::1]:4000"),
            ("redis_host", "redis://127.0.0.1:6379"),
        ] {
            assert_eq!(local_host(&variables(&[(name, value)])), Some(name));
        }
        let elsewhere = [("oidc_host", "https://id.example.com")];
        assert_eq!(local_host(&variables(&elsewhere)), None);
    }

    #[test]
    fn the_copy_blocks_what_the_original_does_but_private_networks() {
        let table = |text: &str| text.parse::<toml::Table>().unwrap();
        let blocked = |config: &toml::Table| {
            let list = config["outbound_networking"]["block_networks"].as_array();
            let list = list.unwrap().iter().filter_map(toml::Value::as_str);
            list.map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        let shipped = table(include_str!("../../../runtime-config.toml"));
        assert_eq!(blocked(&shipped), [&["private"][..], &TRANSLATED].concat());
        assert!(missing(&shipped).is_empty());
        assert_eq!(blocked(&open_private_networks(shipped)), TRANSLATED);
        let private = table("[outbound_networking]\nblock_networks = [\"private\"]");
        assert_eq!(missing(&private), TRANSLATED);
        let copy = open_private_networks(table(
            "[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://127.0.0.1\"\n\
             [outbound_networking]\nblock_networks = [\"203.0.113.0/24\", \"private\"]\nmax_total_connections = 9\n",
        ));
        let expected = "[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://127.0.0.1\"\n\
             [outbound_networking]\nblock_networks = [\"203.0.113.0/24\"]\nmax_total_connections = 9\n";
        assert_eq!(copy, table(expected));
    }
}
