//! The operation that a server finds for a path.
//!
//! Servers differ: many decode a path before they look for its operation, ignore case, or drop path parameters, and most prefer a
//! literal to a variable. So `/users/export` may be another operation than `/users/{id}`, one that is not offered or takes other scopes.

use crate::entry::Entry;
use crate::request::path::decoded;
use http::Method;
use tool_adapters::fits;

/// The segments of a path as the most lenient server reads them. In a template's, `*` stands for a variable.
struct Segments(Vec<String>);

impl Segments {
    fn of(path: &str) -> Self {
        let path = decoded(path).to_lowercase();
        let segments = path.split(['/', '\\']);
        // What is behind these signs is a path parameter, a query or a fragment.
        let segments = segments.map(|segment| segment.split([';', '?', '#']).next());
        let segments = segments.flatten().map(str::trim);
        Self(
            segments
                .filter(|segment| !segment.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    fn of_template(template: &str) -> Self {
        let mut path = String::new();
        let mut rest = template;
        while let Some((literal, behind)) = rest.split_once('{') {
            path.push_str(literal);
            path.push('*');
            rest = behind.split_once('}').map_or("", |(_, rest)| rest);
        }
        Self::of(&(path + rest))
    }

    fn fits(&self, path: &Self) -> bool {
        let mut both = self.0.iter().zip(&path.0);
        self.0.len() == path.0.len() && both.all(|(pattern, segment)| fits(pattern, segment))
    }

    /// The characters of each segment that are no variable.
    fn literals(&self) -> impl Iterator<Item = usize> {
        let count = |segment: &String| segment.chars().filter(|c| *c != '*').count();
        self.0.iter().map(count)
    }
}

/// Returns whether a server could take `path`, which was made of the template `own`, for that of another operation.
pub(crate) fn is_of_another(entries: &[Entry], method: &Method, own: &str, path: &str) -> bool {
    let (own, path) = (Segments::of_template(own), Segments::of(path));
    let fits_own = own.fits(&path);
    templates(entries, method).any(|(_, other)| {
        let mut literals = other.literals().zip(own.literals());
        other.fits(&path) && (!fits_own || literals.any(|(other, own)| other > own))
    })
}

/// Returns whether a server finds an operation for a path that is not offered: the most literal of those that fit.
pub(crate) fn is_hidden(entries: &[Entry], method: &Method, path: &str) -> bool {
    let path = Segments::of(path);
    let fitting = templates(entries, method).filter(|(_, template)| template.fits(&path));
    let found = fitting
        .max_by_key(|(entry, template)| (template.literals().sum::<usize>(), !entry.is_offered));
    found.is_some_and(|(entry, _)| !entry.is_offered)
}

/// Returns the templates of the operations that a method reaches: a server answers HEAD as it does GET (RFC 9110 section 9.3.2).
fn templates<'a>(
    entries: &'a [Entry],
    method: &'a Method,
) -> impl Iterator<Item = (&'a Entry, Segments)> {
    let entries = entries.iter().filter(move |entry| {
        entry.method == method || method == Method::HEAD && entry.method == Method::GET
    });
    entries.map(|entry| (entry, Segments::of_template(&entry.path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(paths: &[(&Method, &str)]) -> Vec<Entry> {
        let entry = |(method, path): &(&Method, &str)| Entry {
            name: String::new(),
            method: (*method).clone(),
            path: (*path).to_owned(),
            is_offered: true,
            output_schema: std::sync::OnceLock::new(),
        };
        paths.iter().map(entry).collect()
    }

    #[test]
    fn a_path_that_a_server_could_find_another_operation_for_is_told() {
        let entries = entries(&[
            (&Method::GET, "/users/{id}"),
            (&Method::GET, "/users/export"),
            (&Method::GET, "/users/{id}/keys"),
            (&Method::GET, "/users/{id}:revoke"),
            (&Method::GET, "/{kind}/all"),
            (&Method::GET, "/users/{name}"),
            (&Method::POST, "/users/import"),
        ]);
        for (path, expected) in [
            ("/users/export", true),
            ("/users/EXPORT", true),
            ("/users/%65xport", true),
            ("/users/%2565xport%3bx=1", true),
            ("/users/export%20", true),
            ("/users/export%3Fa", true),
            ("/users/7%2Fkeys", true),
            ("/users/7%5Ckeys%2F", true),
            ("/users/7%3Arevoke", true),
            ("/users/all", true),
            ("/users/7", false),
            ("/users/exports", false),
            ("/users/import", false),
            ("/users/a%2Fb", false),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let is = is_of_another(&entries, &method, "/users/{id}", path);
                assert_eq!(is, expected, "{method} {path}");
            }
        }
        let own = |method, own, path| is_of_another(&entries, method, own, path);
        assert!(!own(&Method::GET, "/users/export", "/users/export"));
        assert!(!own(&Method::GET, "/users/{id}/keys", "/users/export/keys"));
        assert!(!own(&Method::POST, "/users/{id}", "/users/export"));
    }
}
