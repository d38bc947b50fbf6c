//! The plan of a deployment: files to write and commands to run, as data, and its execution.
//!
//! A secret is in no command line, where other users of the machine can read it, unless the operator says so; and it is
//! never printed. What implements `Debug` here has no secrets.

use super::tools::Tools;
use crate::environment::write_secret;
use crate::shell::{run, step};
use anyhow::Result;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// What a deployment does, in this order.
#[derive(Default)]
pub(super) struct Plan {
    /// What the commands read.
    pub(super) files: Vec<PlannedFile>,
    /// What is run.
    pub(super) commands: Vec<PlannedCommand>,
}

/// A file that may hold secrets: only its owner can read it.
pub(super) struct PlannedFile {
    /// Where; an absolute path.
    pub(super) path: PathBuf,
    /// What it says.
    pub(super) text: String,
    /// What it has, in words without secrets.
    pub(super) about: String,
    /// How long it is there.
    pub(super) life: FileLife,
}

/// How long a file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileLife {
    /// It stays: it is part of what the operator asked for.
    Kept,
    /// It is removed when the commands are over, whether they succeeded or not.
    WhileRunning,
}

/// A command.
pub(super) struct PlannedCommand {
    /// The program's name.
    pub(super) program: &'static str,
    /// Its arguments.
    pub(super) arguments: Vec<Argument>,
    /// Where it starts, from the project's folder.
    pub(super) folder: PathBuf,
}

/// An argument of a command.
pub(super) enum Argument {
    /// One that anyone may read.
    Plain(String),
    /// `name=value` with a secret value.
    Secret {
        /// The name, which is printed.
        name: String,
        /// The value, which is not.
        value: String,
    },
}

impl PlannedCommand {
    /// Returns a command without secrets that starts in the project's folder.
    pub(super) fn new<T: Into<String>>(
        program: &'static str,
        arguments: impl IntoIterator<Item = T>,
    ) -> Self {
        let arguments = arguments.into_iter().map(|one| Argument::Plain(one.into()));
        Self {
            program,
            arguments: arguments.collect(),
            folder: PathBuf::new(),
        }
    }

    /// Returns the command as one would type it, without secrets.
    pub(super) fn shown(&self) -> String {
        let mut shown = String::new();
        if !self.folder.as_os_str().is_empty() {
            let folder = self.folder.to_string_lossy();
            let _ = write!(shown, "cd {} && ", quoted(&folder));
        }
        shown.push_str(self.program);
        for argument in &self.arguments {
            shown.push(' ');
            match argument {
                Argument::Plain(text) => shown.push_str(&quoted(text)),
                Argument::Secret { name, .. } => {
                    let _ = write!(shown, "{name}=(secret)");
                }
            }
        }
        shown
    }

    fn command(&self, tools: &Tools) -> Command {
        let mut command = tools.command(self.program);
        command.current_dir(tools.folder().join(&self.folder));
        for argument in &self.arguments {
            match argument {
                Argument::Plain(text) => command.arg(text),
                Argument::Secret { name, value } => command.arg(format!("{name}={value}")),
            };
        }
        command
    }
}

impl Plan {
    /// Returns what [`Plan::run`] does, in words without secrets.
    pub(super) fn shown(&self) -> String {
        let mut shown = String::new();
        for file in &self.files {
            let life = match file.life {
                FileLife::Kept => "written",
                FileLife::WhileRunning => "written, and removed afterwards",
            };
            let path = file.path.display();
            let _ = writeln!(
                shown,
                "  {path}: {} ({life}; only its owner can read it)",
                file.about
            );
        }
        for command in &self.commands {
            let _ = writeln!(shown, "  {}", command.shown());
        }
        shown
    }

    /// Writes the files that stay.
    ///
    /// # Errors
    ///
    /// If one cannot be written.
    pub(super) fn write_kept_files(&self) -> Result<()> {
        let kept = self.files.iter().filter(|file| file.life == FileLife::Kept);
        for file in kept {
            write(file)?;
        }
        Ok(())
    }

    /// Returns the files that are there while the commands run.
    pub(super) fn temporary_files(&self) -> Vec<PathBuf> {
        let files = self.files.iter();
        let temporary = files.filter(|file| file.life == FileLife::WhileRunning);
        temporary.map(|file| file.path.clone()).collect()
    }

    /// Writes every file and runs every command, one after the other.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, or at the first command that fails; those after it are not run.
    pub(super) fn run(&self, tools: &Tools) -> Result<()> {
        let _removed = Removed(self.temporary_files());
        for file in &self.files {
            write(file)?;
        }
        for command in &self.commands {
            step(&command.shown());
            run(&mut command.command(tools))?;
        }
        Ok(())
    }
}

fn write(file: &PlannedFile) -> Result<()> {
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_secret(&file.path, &file.text)
}

/// Files that are removed when this is dropped.
struct Removed(Vec<PathBuf>);

impl Drop for Removed {
    fn drop(&mut self) {
        remove_files(&self.0);
    }
}

/// Removes files, as far as they are there.
pub(super) fn remove_files(paths: &[PathBuf]) {
    for path in paths {
        let _ = std::fs::remove_file(path);
    }
}

/// Returns an argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "@%+=:,./_-".contains(character);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_shell_takes_it_and_without_secrets() {
        let mut command = PlannedCommand::new("spin", ["deploy", "a b", "it's"]);
        command.folder = "target/akamai".into();
        command.arguments.push(Argument::Secret {
            name: "encryption_key".to_owned(),
            value: "top-secret".to_owned(),
        });
        assert_eq!(
            command.shown(),
            r"cd target/akamai && spin deploy 'a b' 'it'\''s' encryption_key=(secret)"
        );
    }
}
