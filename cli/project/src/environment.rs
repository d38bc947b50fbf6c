//! The variables of an application, as Spin finds them: in the environment, in `.env`, and the
//! defaults of `spin.toml`.

use crate::identity_component::Identity;
use crate::project::Project;
use anyhow::{Context, Result};
use rand::TryRng;
use rand::rngs::SysRng;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// What the name of a variable starts with in the environment.
pub const PREFIX: &str = "SPIN_VARIABLE_";

/// The file of variables that Spin reads, too.
const ENV_FILE: &str = ".env";

/// Every variable of `spin.toml`, with the value it has now.
pub struct Variables {
    values: BTreeMap<String, String>,
    set: BTreeMap<String, String>,
    /// Those of the manifest, and whether each is secret.
    declared: BTreeMap<String, bool>,
    identity: Identity,
}

/// A variable of `spin.toml` that was set.
#[derive(Clone, Copy)]
pub struct SetVariable<'a> {
    /// The name in the manifest.
    pub name: &'a str,
    /// What it was set to.
    pub value: &'a str,
    /// Whether the manifest says that it is secret.
    pub is_secret: bool,
}

impl Variables {
    /// Reads `spin.toml`, `.env` and the environment, which wins.
    ///
    /// # Errors
    ///
    /// If `spin.toml` or `.env` cannot be read; a message names the line of `.env`.
    pub fn read(project: &Project) -> Result<Self> {
        let mut variables = Self::defaults(project)?;
        let file = project.path(ENV_FILE);
        if file.is_file() {
            for entry in dotenvy::from_path_iter(&file).context(".env cannot be read")? {
                let (name, value) = entry.context(".env has a line that is not NAME=VALUE")?;
                if let Some(name) = name.strip_prefix(PREFIX) {
                    variables.set(&name.to_ascii_lowercase(), value);
                }
            }
        }
        for (name, value) in std::env::vars() {
            if let Some(name) = name.strip_prefix(PREFIX) {
                variables.set(&name.to_ascii_lowercase(), value);
            }
        }
        Ok(variables)
    }

    /// Those of `spin.toml`, with its defaults.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn defaults(project: &Project) -> Result<Self> {
        Ok(Self::of(&project.manifest()?))
    }

    /// Those of this manifest, with its defaults.
    pub fn of(manifest: &toml::Table) -> Self {
        let mut values = BTreeMap::new();
        let mut declared = BTreeMap::new();
        if let Some(variables) = manifest.get("variables").and_then(toml::Value::as_table) {
            for (name, variable) in variables {
                let default = variable.get("default").and_then(toml::Value::as_str);
                values.insert(name.clone(), default.unwrap_or_default().to_owned());
                let secret = variable.get("secret").and_then(toml::Value::as_bool);
                declared.insert(name.clone(), secret.unwrap_or_default());
            }
        }
        Self {
            values,
            set: BTreeMap::new(),
            declared,
            identity: Identity::of(manifest),
        }
    }

    /// Returns how people sign in.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Returns the value of a variable: what was set, or else its default.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether the variable has a value that is not blank.
    pub fn is_set(&self, name: &str) -> bool {
        self.set
            .get(name)
            .is_some_and(|value| !value.trim().is_empty())
    }

    /// Sets a variable for what is started from here.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        self.values.insert(name.to_owned(), value.clone());
        self.set.insert(name.to_owned(), value);
    }

    /// Gives variables other defaults, as a flavour of the application has them.
    pub fn change_defaults(&mut self, defaults: &[(&str, &str)]) {
        for (name, default) in defaults {
            if !self.set.contains_key(*name) {
                self.values
                    .insert((*name).to_owned(), (*default).to_owned());
            }
        }
    }

    /// Gives variables that were set to nothing the defaults of this manifest: hosts before Spin 4.1 take no empty address, and
    /// one that keeps values would keep an earlier one.
    pub fn fill_blank(&mut self, manifest: &toml::Table) {
        let defaults = manifest.get("variables");
        let default = |name: &str| defaults?.get(name)?.get("default")?.as_str();
        for (name, value) in &mut self.set {
            if value.trim().is_empty()
                && let Some(default) = default(name)
            {
                default.clone_into(value);
            }
        }
    }

    /// Returns the variables of `spin.toml` that were set, by their names.
    pub fn set_variables(&self) -> impl Iterator<Item = SetVariable<'_>> {
        self.set.iter().filter_map(|(name, value)| {
            let is_secret = *self.declared.get(name)?;
            Some(SetVariable {
                name,
                value,
                is_secret,
            })
        })
    }

    /// Returns what was set and is no variable of `spin.toml`.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let names = self.set.keys().map(String::as_str);
        names.filter(|name| !self.declared.contains_key(*name))
    }

    /// Returns the environment for the host: every variable that is set.
    pub fn environment(&self) -> impl Iterator<Item = (String, &str)> {
        self.set
            .iter()
            .map(|(name, value)| (environment_name(name), value.as_str()))
    }

    /// Makes an `encryption_key` if there is none and keeps it in `.env`. Says whether it did.
    ///
    /// # Errors
    ///
    /// If there is no randomness or `.env` cannot be written.
    pub fn ensure_encryption_key(&mut self, project: &Project) -> Result<bool> {
        if self.is_set("encryption_key") {
            return Ok(false);
        }
        let key = new_encryption_key()?;
        let line = format!(
            "# Gatehouse's master secret. A holder of it can sign in as anyone: keep it to yourself.\n{}={key}\n",
            environment_name("encryption_key")
        );
        append(&project.path(ENV_FILE), &line).context(".env cannot be written")?;
        self.set("encryption_key", key);
        Ok(true)
    }
}

/// Returns a fresh value for `encryption_key`.
///
/// # Errors
///
/// If there is no randomness.
pub fn new_encryption_key() -> Result<String> {
    let mut secret = [0; 32];
    SysRng
        .try_fill_bytes(&mut secret)
        .context("The system gives no randomness")?;
    Ok(secret.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns the name of a variable in the environment.
fn environment_name(variable: &str) -> String {
    format!("{PREFIX}{}", variable.to_ascii_uppercase())
}

/// Writes a file that may hold secrets: only its owner can read it, also where there was one that others could.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_secret(path: &Path, text: &str) -> Result<()> {
    let write = || {
        // The permissions of a file count when it is made.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = for_the_owner().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// Makes a file that no other user can read.
fn for_the_owner() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Adds a line to a file with secrets.
fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = for_the_owner();
    options.append(true);
    let needs_newline =
        std::fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
    let mut file = options.open(path)?;
    if needs_newline {
        writeln!(file)?;
    }
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_known_with_its_secrecy_and_what_is_no_variable_is_named() {
        let manifest = include_str!("../../../spin.toml").parse().unwrap();
        let mut variables = Variables::of(&manifest);
        variables.set("public_url", "https://mcp.example.com");
        variables.set("encryption_key", "key");
        variables.set("publc_url", "https://mcp.example.com");
        let set = variables
            .set_variables()
            .map(|variable| (variable.name, variable.is_secret));
        assert_eq!(
            set.collect::<Vec<_>>(),
            [("encryption_key", true), ("public_url", false)]
        );
        assert_eq!(variables.unknown().collect::<Vec<_>>(), ["publc_url"]);
    }

    #[test]
    fn a_default_gives_way_to_what_was_set() {
        let manifest = include_str!("../../../spin.toml").parse().unwrap();
        let mut variables = Variables::of(&manifest);
        variables.set("call_timeout", "10");
        variables.change_defaults(&[("call_timeout", "25"), ("stream_seconds", "25")]);
        assert_eq!(variables.get("call_timeout"), Some("10"));
        assert_eq!(variables.get("stream_seconds"), Some("25"));
        assert!(!variables.is_set("stream_seconds"));
    }

    #[test]
    fn what_is_set_to_nothing_has_the_default_of_the_manifest_on_a_host() {
        let manifest = include_str!("../../../spin.toml").parse().unwrap();
        let mut variables = Variables::of(&manifest);
        for (name, value) in [("redis_host", " "), ("allowed", ""), ("call_timeout", "10")] {
            variables.set(name, value);
        }
        let flavoured = "variables.redis_host.default = 'https://unset.invalid'\nvariables.allowed.default = ''\nvariables.call_timeout.default = '25'";
        variables.fill_blank(&flavoured.parse().unwrap());
        let set = variables.set_variables().map(|set| (set.name, set.value));
        assert_eq!(
            set.collect::<Vec<_>>(),
            [
                ("allowed", ""),
                ("call_timeout", "10"),
                ("redis_host", "https://unset.invalid")
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_secrets_is_its_owners_also_where_there_was_an_open_one() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets");
        std::fs::write(&path, "longer than what comes").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        write_secret(&path, "secret").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
