//! The programs that build a project: those of its `build` commands.

use project::Project;
use project::builds;
use project::report::Report;
use std::path::Path;
use std::process::{Command, Stdio};
use toml::Table;

/// Adds whether the programs are there that build the components, and Spin.
pub fn describe(report: &mut Report, project: &Project, manifest: &Table) {
    match builds::of_manifest(project, manifest, None) {
        Err(error) => report.bad(&error.to_string()),
        Ok(builds) => {
            for build in builds {
                for command in &build.commands {
                    let program = command.split_whitespace().next().unwrap_or_default();
                    if is_there(program, &build.folder) {
                        report.good(&format!("{} is built by `{program}`", build.component));
                    } else {
                        report.bad(&format!(
                            "{} is built by `{program}`, which is not there. README.md says what to install first",
                            build.component
                        ));
                    }
                }
            }
        }
    }
    let spin = Command::new("spin").arg("--version").output();
    match spin {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout);
            report.good(&format!(
                "{} (it has to be 4.1 or later to serve this)",
                version.trim()
            ));
        }
        _ => report.good("spin is not installed; `gatehouse up` does without"),
    }
}

/// Whether a program of a command can be started in this folder: one of the `PATH`, or one at a path.
fn is_there(program: &str, folder: &Path) -> bool {
    if program.contains('/') {
        return folder.join(program).is_file();
    }
    let started = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_builds_and_is_missing_is_named() {
        let manifest = "[component.one]\nsource = ''\n[component.one.build]\n\
             command = [\"cargo build\", \".venv/bin/python -m x\", \"no-such-program x\"]";
        let mut report = Report::default();
        let project = Project::new(std::env::temp_dir().join("no-such-folder"));
        describe(&mut report, &project, &manifest.parse().unwrap());
        let printed = report.print("this").unwrap_err().to_string();
        assert!(printed.starts_with("2 to mend"), "{printed}");
    }
}
