//! Names of tools and arguments, of the characters that models' APIs take.

use std::collections::{HashMap, HashSet};

/// Characters of a tool's or an argument's name. The contract takes 128 and MCP too, but the APIs that models are called by take
/// 64 of `A-Z a-z 0-9 _ -`, and refuse a whole list of tools for one name.
const MAX_CHARS: usize = 64;

/// Returns a name made of `text`.
fn sanitized(text: &str) -> String {
    let mut name = String::new();
    let mut ends_with_substitute = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            name.push(c);
            ends_with_substitute = false;
        } else if !name.is_empty() && !name.ends_with('_') {
            // One underscore for any number of other characters: `page[size]` becomes `page_size`.
            name.push('_');
            ends_with_substitute = true;
        }
    }
    if ends_with_substitute {
        name.pop();
    }
    name.truncate(MAX_CHARS);
    name
}

/// Names that are given once each.
#[derive(Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
    /// The last number behind each name that has some.
    numbers: HashMap<String, usize>,
}

impl Names {
    /// Returns a name made of the first of `texts` that makes one which is not taken; else the last one with a number.
    pub(crate) fn take(&mut self, texts: &[&str]) -> String {
        let candidates: Vec<_> = texts.iter().map(|text| sanitized(text)).collect();
        for name in &candidates {
            if !name.is_empty() && self.taken.insert(name.clone()) {
                return name.clone();
            }
        }
        let last = candidates.last().map_or("", String::as_str);
        let last = if last.is_empty() { "unnamed" } else { last };
        let number = self.numbers.entry(last.to_owned()).or_insert(1);
        loop {
            *number += 1;
            let suffix = format!("_{number}");
            let kept = &last[..last.len().min(MAX_CHARS - suffix.len())];
            let name = format!("{kept}{suffix}");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_characters_that_models_apis_take() {
        for (text, expected) in [
            ("getPetById", "getPetById"),
            ("repos/list-for-user", "repos_list-for-user"),
            ("page[size]", "page_size"),
            ("$top", "top"),
            ("X-Request-Id", "X-Request-Id"),
            ("_private", "_private"),
            ("in_", "in_"),
            ("a.b", "a_b"),
            ("Größe", "Gr_e"),
        ] {
            assert_eq!(Names::default().take(&[text]), expected);
        }
        let long = Names::default().take(&[&"x".repeat(200)]);
        assert_eq!(long, "x".repeat(MAX_CHARS));
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::default();
        assert_eq!(names.take(&["a/b"]), "a_b");
        assert_eq!(names.take(&["a.b"]), "a_b_2");
        assert_eq!(names.take(&["a b", "a b query"]), "a_b_query");
        assert_eq!(names.take(&["a_b"]), "a_b_3");
        assert_eq!(names.take(&["日本", "§"]), "unnamed_2");
        let long = "x".repeat(100);
        assert_eq!(names.take(&[&long]).len(), MAX_CHARS);
        assert_eq!(
            names.take(&[&long]),
            format!("{}_2", "x".repeat(MAX_CHARS - 2))
        );
    }

    #[test]
    fn many_names_that_are_alike_are_given_in_one_pass() {
        let mut names = Names::default();
        for _ in 0..200_000 {
            names.take(&["a/b", "a.b"]);
        }
        assert_eq!(names.take(&["a b"]), "a_b_200001");
    }
}
