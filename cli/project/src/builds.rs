//! Builds of the components of a manifest: the commands of their `build` sections, as `spin build` runs them.

use crate::project::Project;
use crate::shell::step;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;
use toml::{Table, Value};

/// The profile of a manifest whose commands build for hosts of WASI 0.2.
pub const PORTABLE: &str = "portable";

/// How a component is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The component's name.
    pub component: String,
    /// Shell commands, run in this order.
    pub commands: Vec<String>,
    /// The folder to run them in.
    pub folder: PathBuf,
    /// The patterns of the files that it is built from, from the folder.
    pub watch: Vec<String>,
}

/// Returns how the components of a manifest are built, with the commands of this profile where a component has it.
///
/// # Errors
///
/// If a `build` section has no command.
pub fn of_manifest(
    project: &Project,
    manifest: &Table,
    profile: Option<&str>,
) -> Result<Vec<Build>> {
    let components = manifest.get("component").and_then(Value::as_table);
    let mut builds = Vec::new();
    for (id, component) in components.into_iter().flatten() {
        let of_profile = profile.and_then(|name| component.get("profile")?.get(name)?.get("build"));
        let Some(build) = component.get("build") else {
            continue;
        };
        let command = of_profile.unwrap_or(build).get("command");
        let commands = command.map(commands).unwrap_or_default();
        if commands.is_empty() {
            bail!("spin.toml, component {id:?}: `build` has no `command`");
        }
        let workdir = build.get("workdir").and_then(Value::as_str);
        let folder = project.path(workdir.unwrap_or_default());
        let watch = build.get("watch").and_then(Value::as_array);
        let watch = watch.into_iter().flatten().filter_map(Value::as_str);
        builds.push(Build {
            component: id.clone(),
            watch: watch.map(str::to_owned).collect(),
            commands,
            folder,
        });
    }
    Ok(builds)
}

impl Build {
    /// Runs the commands, with their output shown.
    ///
    /// # Errors
    ///
    /// At the first command that fails.
    pub fn run(&self) -> Result<()> {
        for command in &self.commands {
            step(&format!("Building {}: {command}", self.component));
            let status = shell(command)
                .current_dir(&self.folder)
                .status()
                .with_context(|| format!("{} cannot be built: no shell", self.component))?;
            if status.code() == Some(NOT_FOUND) {
                bail!(
                    "{} cannot be built: a program of `{command}` is not there. README.md says what to install first",
                    self.component
                );
            }
            if !status.success() {
                bail!(
                    "{} does not build: `{command}` failed ({status}); what it said is above",
                    self.component
                );
            }
        }
        Ok(())
    }
}

/// What a shell exits with that does not find a program (POSIX, `sh`, "Exit status").
const NOT_FOUND: i32 = 127;

fn shell(command: &str) -> Command {
    let (shell, option) = match cfg!(windows) {
        true => ("cmd", "/C"),
        false => ("sh", "-c"),
    };
    let mut shell = Command::new(shell);
    shell.arg(option).arg(command);
    shell
}

/// A command, or a list of them.
fn commands(value: &Value) -> Vec<String> {
    match value {
        Value::String(command) => vec![command.clone()],
        Value::Array(commands) => {
            let commands = commands.iter().filter_map(Value::as_str);
            commands.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(text: &str, profile: Option<&str>) -> Result<Vec<Build>> {
        of_manifest(&Project::new("/a"), &text.parse().unwrap(), profile)
    }

    const MANIFEST: &str = r#"
        [component.one]
        source = "one.wasm"
        [component.one.build]
        command = ["first", "second"]
        workdir = "sub"
        watch = ["src/**/*.rs", "/elsewhere/*"]
        [component.one.profile.portable.build]
        command = "third"
        [component.two]
        source = { url = "", digest = "" }
        [component.three]
        source = "three.wasm"
        [component.three.build]
        command = "fourth"
    "#;

    #[test]
    fn every_build_section_is_read_with_its_folder_and_patterns() {
        let [one, three] = &builds(MANIFEST, None).unwrap()[..] else {
            panic!("two components");
        };
        assert_eq!(one.commands, ["first", "second"]);
        assert_eq!(one.folder, PathBuf::from("/a/sub"));
        assert_eq!(one.watch, ["src/**/*.rs", "/elsewhere/*"]);
        assert_eq!(
            (&*three.component, &three.commands[..]),
            ("three", &["fourth".to_owned()][..])
        );
        assert!(three.watch.is_empty());
    }

    #[test]
    fn a_profile_has_commands_of_its_own_where_a_component_names_it() {
        let builds = builds(MANIFEST, Some(PORTABLE)).unwrap();
        assert_eq!(builds[0].commands, ["third"]);
        assert_eq!(builds[1].commands, ["fourth"]);
    }

    #[test]
    fn a_build_without_a_command_is_named() {
        for wrong in ["watch = []", "command = []", "command = 7"] {
            let text = format!("[component.one]\nsource = ''\n[component.one.build]\n{wrong}");
            let error = builds(&text, None).unwrap_err().to_string();
            assert!(error.contains("\"one\""), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn commands_run_in_order_until_one_fails() {
        let folder = tempfile::tempdir().unwrap();
        let build = |commands: &[&str]| Build {
            component: "one".to_owned(),
            commands: commands.iter().map(|one| (*one).to_owned()).collect(),
            folder: folder.path().to_owned(),
            watch: Vec::new(),
        };
        build(&["echo a > a", "cat a > b"]).run().unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("b")).unwrap(),
            "a\n"
        );
        let error = build(&["exit 3", "echo c > c"])
            .run()
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("exit 3") && !folder.path().join("c").exists(),
            "{error}"
        );
        let missing = build(&["./no-such-program"]).run().unwrap_err().to_string();
        assert!(missing.contains("README.md"), "{missing}");
    }
}
