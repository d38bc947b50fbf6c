//! The contracts for WASI 0.2, derived from those of the main build.
//!
//! `async` is part of a function's type in the component model, so hosts of WASI 0.2 need contracts of their
//! own. What differs follows from rules, so that there is one text to write:
//!
//! 1. The package gets a name of its own: `gatehouse:tools` becomes `gatehouse:tools-portable`. The version stays.
//! 2. `async func` becomes `func`.
//! 3. `stream<event>` becomes `event-stream`, a resource whose `next` waits for the next item. Dropping it does
//!    what dropping the stream does.
//!
//! Records, variants, names and documentation stay.

use crate::shell::{root, step};
use anyhow::{Context, Result, bail, ensure};
use project::flavours::portable_package;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The contracts, by their names below `wit/`.
pub const CONTRACTS: [&str; 2] = ["identity", "tools"];

/// The contracts of tools and the interfaces of Spin for WASI 0.3, and their copies in the SDKs: a package of a registry has
/// all of its files.
const COPIES: [(&str, &[&str]); 4] = [
    (
        "wit/tools/tools.wit",
        &[
            "sdk/rust/wit/tools.wit",
            "sdk/python/src/gatehouse/wit/main/deps/tools/tools.wit",
            "sdk/js/wit/main/deps/tools/tools.wit",
        ],
    ),
    (
        "wit/portable/tools.wit",
        &[
            "sdk/rust/wit/portable/tools.wit",
            "sdk/python/src/gatehouse/wit/portable/deps/tools/tools.wit",
            "sdk/js/wit/portable/deps/tools/tools.wit",
        ],
    ),
    (
        "host/wit/deps/spin-key-value/package.wit",
        &[
            "sdk/rust/wit/platform-main/deps/spin-key-value/package.wit",
            "sdk/python/src/gatehouse/wit/main/deps/spin-key-value/package.wit",
        ],
    ),
    (
        "host/wit/deps/spin-variables/package.wit",
        &[
            "sdk/rust/wit/platform-main/deps/spin-variables/package.wit",
            "sdk/python/src/gatehouse/wit/main/deps/spin-variables/package.wit",
        ],
    ),
];

/// The packages of WASI 0.2, and of Spin with it, that the SDKs call by, below `wit/platform/deps`.
const PACKAGES: [&str; 4] = ["clocks", "http", "io", "spin"];

/// What the SDKs have no use for.
const NOT_COPIED: [&str; 1] = ["redis.wit"];

/// The folders with copies of [`PACKAGES`], and the namespace that WASI has there: the compiler of components in JavaScript
/// refuses `wasi`, so that SDK puts the name in afterwards.
const PACKAGE_COPIES: [(&str, &str); 4] = [
    ("sdk/rust/wit/platform/deps", "wasi:"),
    ("sdk/python/src/gatehouse/wit/portable/deps", "wasi:"),
    ("sdk/js/wit/main/deps", "gasi:"),
    ("sdk/js/wit/portable/deps", "gasi:"),
];

/// Writes `wit/portable/`, and the copies of the contracts.
///
/// # Errors
///
/// If a contract has what no rule knows, or a file cannot be written.
pub fn contracts() -> Result<()> {
    step("Deriving the contracts for WASI 0.2");
    for name in CONTRACTS {
        let path = portable_path(name);
        fs::write(&path, derived(name)?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    for (copy, text) in copies()? {
        fs::write(&copy, text).with_context(|| format!("{} cannot be written", copy.display()))?;
    }
    Ok(())
}

/// Returns the files of the SDKs that are copies, with what has to be in them.
fn copies() -> Result<Vec<(PathBuf, String)>> {
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let mut files = Vec::new();
    for (original, copies) in COPIES {
        let text = read(&root().join(original))?;
        files.extend(copies.iter().map(|copy| (root().join(copy), text.clone())));
    }
    for package in PACKAGES {
        let folder = root().join("wit/platform/deps").join(package);
        let entries = fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("{} cannot be read", folder.display()))? {
            let entry = entry?;
            if NOT_COPIED.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let text = read(&entry.path())?;
            for (copy, namespace) in PACKAGE_COPIES {
                let copy = root().join(copy).join(package).join(entry.file_name());
                files.push((copy, text.replace("wasi:", namespace)));
            }
        }
    }
    Ok(files)
}

fn portable_path(name: &str) -> PathBuf {
    root().join(format!("wit/portable/{name}.wit"))
}

fn derived(name: &str) -> Result<String> {
    let path = format!("wit/{name}/{name}.wit");
    let contract = fs::read_to_string(root().join(&path));
    let contract = contract.with_context(|| format!("{path} cannot be read"))?;
    let portable = derive(&contract).with_context(|| format!("{path} has no portable form"))?;
    let notice = "// Derived by `cargo xtask contracts`, which says by which rules, from\n//";
    Ok(format!("{notice} {path}: edit that.\n\n{portable}"))
}

/// Derives the portable form of a contract. Its items have to begin with four spaces, as rule 3 puts a
/// resource before the item that needs it first.
fn derive(contract: &str) -> Result<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut streams: Vec<String> = Vec::new();
    let mut has_package = false;
    for line in contract.lines() {
        let (code, comment) = match line.find("//") {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        let mut code = code.replace("async func", "func");
        if let Some(name) = code.strip_prefix("package ") {
            let (name, version) = name.split_once('@').context("the package has no version")?;
            code = format!("package {}@{version}", portable_package(name));
            has_package = true;
        }
        while let Some((before, item, after)) = first_stream(&code)? {
            let (replaced, item) = (format!("{before}{item}-stream{after}"), item.to_owned());
            code = replaced;
            if !streams.contains(&item) {
                let at = start_of_item(&lines, &code);
                lines.splice(at..at, resource(&item));
                streams.push(item);
            }
        }
        ensure!(!code.contains("future<"), "there is no rule for a future");
        lines.push(format!("{code}{comment}"));
    }
    ensure!(has_package, "there is no package statement");
    let mut portable = String::new();
    for line in lines {
        writeln!(portable, "{line}")?;
    }
    Ok(portable)
}

/// Splits at the first `stream<…>`: what is before, the name of its items, and what is after.
fn first_stream(code: &str) -> Result<Option<(&str, &str, &str)>> {
    let Some((before, rest)) = code.split_once("stream<") else {
        return Ok(None);
    };
    let (item, after) = rest.split_once('>').context("a stream is not closed")?;
    if !item
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    {
        bail!("there is no rule for a stream of {item}");
    }
    Ok(Some((before, item, after)))
}

/// Returns where the item begins, its documentation included, whose text is `current` or has it as its next line.
fn start_of_item(lines: &[String], current: &str) -> usize {
    let is_item = |line: &str| {
        line.strip_prefix("    ")
            .is_some_and(|rest| !rest.starts_with([' ', '/', '}']))
    };
    let mut start = lines.len();
    if !is_item(current) {
        start = lines
            .iter()
            .rposition(|line| is_item(line))
            .unwrap_or(start);
    }
    while start > 0 && lines[start - 1].trim_start().starts_with("///") {
        start -= 1;
    }
    start
}

fn resource(item: &str) -> Vec<String> {
    let text = format!(
        "    /// The items of a stream, one after the other. Dropping it ends the stream.
    resource {item}-stream {{
        /// Waits for the next item. Absent: there are no more.
        next: func() -> option<{item}>;
    }}
"
    );
    text.split('\n').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_contracts_are_what_the_rules_give() {
        for name in CONTRACTS {
            let checked_in = fs::read_to_string(portable_path(name)).unwrap();
            assert!(
                checked_in == derived(name).unwrap(),
                "wit/portable/{name}.wit is not what wit/{name} gives: cargo xtask contracts"
            );
        }
    }

    #[test]
    fn the_contracts_of_the_sdks_are_those_of_the_repository() {
        let copies = copies().unwrap();
        assert!(copies.len() > 2 * COPIES.len() + PACKAGES.len());
        for (copy, text) in copies {
            assert!(
                text == fs::read_to_string(&copy).unwrap_or_default(),
                "{} is no copy: cargo xtask contracts",
                copy.display()
            );
        }
    }

    #[test]
    fn a_stream_in_a_result_becomes_a_resource_before_its_function() {
        let contract = "\
/// An async func in words stays.
package a:b@1.2.3;

interface i {
    variant event { done }

    /// Calls. Dropping the stream cancels.
    call: async func(name: string) -> result<stream<event>, string>;

    again: async func() -> stream<event>;
}
";
        let portable = "\
/// An async func in words stays.
package a:b-portable@1.2.3;

interface i {
    variant event { done }

    /// The items of a stream, one after the other. Dropping it ends the stream.
    resource event-stream {
        /// Waits for the next item. Absent: there are no more.
        next: func() -> option<event>;
    }

    /// Calls. Dropping the stream cancels.
    call: func(name: string) -> result<event-stream, string>;

    again: func() -> event-stream;
}
";
        assert_eq!(derive(contract).unwrap(), portable);
    }

    #[test]
    fn a_stream_in_a_case_becomes_a_resource_before_the_variant() {
        let contract = "\
package a:b@1.2.3;

interface i {
    /// What a call brings.
    variant answer {
        /// All of it.
        done(output),
        /// Bit by bit.
        running(stream<event>),
    }
}
";
        let portable = derive(contract).unwrap();
        let (before, after) = portable.split_once("    resource event-stream {").unwrap();
        assert!(before.ends_with("interface i {\n    /// The items of a stream, one after the other. Dropping it ends the stream.\n"));
        assert!(after.contains("}\n\n    /// What a call brings.\n    variant answer {\n"));
        assert!(after.contains("        running(event-stream),\n"));
    }

    #[test]
    fn what_no_rule_knows_is_an_error() {
        for line in [
            "    f: func() -> stream<list<u8>>;",
            "    f: func() -> future<u8>;",
        ] {
            assert!(
                derive(&format!("package a:b@1.0.0;\n{line}\n")).is_err(),
                "{line}"
            );
        }
        assert!(derive("interface i {}\n").is_err());
    }
}
