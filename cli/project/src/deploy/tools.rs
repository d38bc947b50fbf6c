//! The programs that deploy: whether they are installed, and how to get them.

use crate::project::Project;
use crate::shell::output;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// Spin, of at least this version.
    Spin(u32, u32),
    /// A plugin of Spin.
    SpinPlugin(&'static str),
    /// The client of Kubernetes.
    Kubectl,
}

/// The programs of this machine.
pub(super) struct Tools {
    /// Where they start.
    folder: PathBuf,
    /// Where they are looked for, in place of the `PATH` of this process.
    path: Option<OsString>,
}

impl Tools {
    /// Returns the programs for a project.
    pub(super) fn of(project: &Project) -> Self {
        Self {
            folder: project.path(""),
            path: None,
        }
    }

    /// Returns the programs of this `PATH`.
    #[cfg(test)]
    pub(super) fn in_path(path: impl Into<OsString>) -> Self {
        Self {
            folder: std::env::temp_dir(),
            path: Some(path.into()),
        }
    }

    /// Returns where they start.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a program that starts in the project's folder.
    pub(super) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.current_dir(&self.folder);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command
    }

    /// Returns what is missing of these programs and how to get it, in words.
    pub(super) fn missing(&self, tools: &[Tool]) -> Vec<String> {
        let missing = tools.iter().filter_map(|tool| self.missing_tool(*tool));
        missing.collect()
    }

    fn missing_tool(&self, tool: Tool) -> Option<String> {
        match tool {
            Tool::Spin(major, minor) => {
                let version = output(self.command("spin").arg("--version"));
                match version.as_deref().map(read_version) {
                    Some(Some(version)) if version >= (major, minor) => None,
                    None => Some(format!(
                        "`spin` is missing. Install Spin {major}.{minor} or later: https://spinframework.dev/install"
                    )),
                    Some(_) => Some(format!(
                        "`spin` is {}, and has to be {major}.{minor} or later: https://spinframework.dev/install",
                        version.unwrap_or_default()
                    )),
                }
            }
            Tool::SpinPlugin(name) => {
                let list = output(
                    self.command("spin")
                        .args(["plugins", "list", "--installed"]),
                );
                let is_there = list.is_some_and(|list| lists_plugin(&list, name));
                (!is_there).then(|| {
                    format!(
                        "Spin's plugin `{name}` is missing. Install it with `spin plugins update` and `spin plugins install {name}`, and sign in with `spin {name} login`"
                    )
                })
            }
            Tool::Kubectl => {
                let version = output(self.command("kubectl").args(["version", "--client"]));
                version.is_none().then(|| {
                    "`kubectl` is missing. Install it: https://kubernetes.io/docs/tasks/tools"
                        .to_owned()
                })
            }
        }
    }
}

/// Reads what `spin --version` prints, such as `spin 4.1.0 (2cf4b7c 2026-08-26)`.
fn read_version(printed: &str) -> Option<(u32, u32)> {
    let version = printed.split_whitespace().nth(1)?;
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Whether `spin plugins list` has a plugin: a line begins with its name.
fn lists_plugin(list: &str, name: &str) -> bool {
    let mut names = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names.any(|listed| listed == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_spin_prints() {
        for (printed, version) in [
            ("spin 4.1.0 (2cf4b7c 2026-08-26)", Some((4, 1))),
            ("spin 3.6.3", Some((3, 6))),
            ("spin 4.1.0-pre0 (2cf4b7c 2026-08-21)", Some((4, 1))),
            ("spin", None),
            ("another program", None),
        ] {
            assert_eq!(read_version(printed), version, "{printed}");
        }
    }

    #[test]
    fn a_plugin_is_there_if_it_is_listed_by_its_whole_name() {
        let list = "aka 0.7.6 [installed]\ncloud-gpu 0.1.0 [installed]";
        assert!(lists_plugin(list, "aka"));
        assert!(!lists_plugin(list, "cloud"));
        assert!(!lists_plugin("No plugins found", "aka"));
    }

    #[test]
    fn what_is_missing_is_named_with_the_way_to_get_it() {
        let empty = tempfile::tempdir().unwrap();
        let tools = Tools::in_path(empty.path());
        let missing = tools.missing(&[Tool::Spin(3, 0), Tool::SpinPlugin("aka"), Tool::Kubectl]);
        assert_eq!(missing.len(), 3);
        assert!(missing[0].contains("Spin 3.0 or later"));
        assert!(missing[1].contains("spin plugins install aka"));
        assert!(missing[1].contains("spin aka login"));
        assert!(missing[2].contains("kubectl"));
    }
}
