//! Documentation of modules: every file has it, and it begins with a noun phrase.

use super::{Source, sources};

/// Words that begin a question, not the name of a thing.
const QUESTIONS: [&str; 7] = ["How", "What", "Where", "Whether", "Which", "Who", "Why"];

/// Returns what is wrong with the documentation of a file.
fn faults(source: &Source) -> Vec<String> {
    let path = &source.path;
    let is_for_tests = path.contains("tests") || path.starts_with("fuzz/");
    let is_documented = source.text.lines().any(|line| line.starts_with("//!"));
    let missing = (!is_for_tests && path.contains("src/") && !is_documented)
        .then(|| format!("{path}: no module documentation"));
    let lines = source.text.lines().filter_map(|line| {
        let first = line.strip_prefix("//! ")?.split(' ').next()?;
        QUESTIONS
            .contains(&first)
            .then(|| format!("{path}: {line}"))
    });
    missing.into_iter().chain(lines).collect()
}

#[test]
fn module_documentation_begins_with_a_noun_phrase() {
    let faults: Vec<String> = sources(&["rs"]).iter().flat_map(faults).collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_module_whose_documentation_is_a_question_is_named() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let faults: Vec<String> = [
        source("crates/one/src/caller.rs", "//! Who calls.\nuse two;\n"),
        source("crates/one/src/bare.rs", "use two;\n"),
        source("crates/one/src/tests.rs", "use two;\n"),
        source("crates/one/src/good.rs", "//! The caller.\n"),
    ]
    .iter()
    .flat_map(faults)
    .collect();
    assert_eq!(
        faults,
        [
            "crates/one/src/caller.rs: //! Who calls.",
            "crates/one/src/bare.rs: no module documentation",
        ]
    );
}
