//! Names of tests: a rule each, short enough to be read in a list.

use super::sources;

/// The name of a function, of which tests have the longest.
const MAX_NAME_CHARS: usize = 80;

/// Returns the names of functions that are too long.
fn too_long(text: &str) -> impl Iterator<Item = &str> {
    let names = text.lines().filter_map(|line| {
        let (before, after) = line.split_once("fn ")?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = after.split(|c: char| !is_name(c)).next()?;
        (!before.contains("//")).then_some(name)
    });
    names.filter(|name| name.len() > MAX_NAME_CHARS)
}

#[test]
fn no_test_has_a_name_of_more_than_80_characters() {
    let sources = sources(&["rs"]);
    let names = sources
        .iter()
        .flat_map(|source| too_long(&source.text).map(|name| (source.path.as_str(), name)));
    assert_eq!(names.collect::<Vec<_>>(), Vec::new());
    let (good, long) = ("a".repeat(MAX_NAME_CHARS), "a".repeat(MAX_NAME_CHARS + 1));
    let text = format!("async fn {good}() {{}}\nfn {long}(\n");
    assert_eq!(too_long(&text).collect::<Vec<_>>(), [long]);
}
