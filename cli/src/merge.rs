//! Adding to one TOML document what another one has besides. What is in both stays as it is in the first.

use std::fmt;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, TableLike, Value};

/// Something that was added.
#[derive(Debug)]
pub struct Addition {
    /// The keys that lead to it.
    path: String,
    /// What was added there, if that is one of several.
    value: Option<String>,
}

impl fmt::Display for Addition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            None => write!(formatter, "{}", self.path),
            Some(value) => write!(formatter, "{value} in {}", self.path),
        }
    }
}

/// Adds to `document` what `other` has besides: keys of tables, entries of arrays, and tables of arrays. What contains
/// `left_out` is not added.
pub fn merge(document: &mut DocumentMut, other: &DocumentMut, left_out: &str) -> Vec<Addition> {
    let mut merge = Merge {
        left_out,
        additions: Vec::new(),
    };
    merge.table(document.as_table_mut(), other.as_table(), "");
    merge.additions
}

struct Merge<'a> {
    left_out: &'a str,
    additions: Vec<Addition>,
}

impl Merge<'_> {
    fn table(&mut self, own: &mut dyn TableLike, other: &dyn TableLike, path: &str) {
        for (key, theirs) in other.iter() {
            let path = match path {
                "" => key.to_owned(),
                path => format!("{path}.{key}"),
            };
            match own.get_mut(key) {
                Some(item) => self.item(item, theirs, &path),
                None if self.is_left_out(theirs) => {}
                None => {
                    let mut added = theirs.clone();
                    without_place(&mut added);
                    own.insert(key, added);
                    self.note(path, None);
                }
            }
        }
    }

    fn item(&mut self, own: &mut Item, theirs: &Item, path: &str) {
        if let (Some(own), Some(theirs)) =
            (own.as_array_of_tables_mut(), theirs.as_array_of_tables())
        {
            self.tables(own, theirs, path);
        } else if let (Some(own), Some(theirs)) = (own.as_array_mut(), theirs.as_array()) {
            self.array(own, theirs, path);
        } else if let (Some(own), Some(theirs)) = (own.as_table_like_mut(), theirs.as_table_like())
        {
            self.table(own, theirs, path);
        }
    }

    fn array(&mut self, own: &mut Array, theirs: &Array, path: &str) {
        for value in theirs {
            let text = bare(value);
            let is_there = own.iter().any(|own| bare(own) == text);
            if !is_there && !text.contains(self.left_out) {
                let mut value = value.clone();
                value.decor_mut().clear();
                own.push(value);
                self.note(path.to_owned(), Some(text));
            }
        }
    }

    fn tables(&mut self, own: &mut ArrayOfTables, theirs: &ArrayOfTables, path: &str) {
        for table in theirs {
            let identity = |table: &toml_edit::Table| {
                let value = |key| table.get(key).and_then(Item::as_value).map(bare);
                (value("route"), value("component"))
            };
            if !own.iter().any(|own| identity(own) == identity(table)) {
                let mut added = table.clone();
                added.set_position(None);
                own.push(added);
                let (route, component) = identity(table);
                let text = format!(
                    "{} for {}",
                    route.unwrap_or_default(),
                    component.unwrap_or_default()
                );
                self.note(path.to_owned(), Some(text));
            }
        }
    }

    fn is_left_out(&self, item: &Item) -> bool {
        item.as_value()
            .is_some_and(|value| value.to_string().contains(self.left_out))
    }

    fn note(&mut self, path: String, value: Option<String>) {
        self.additions.push(Addition { path, value });
    }
}

/// A value without the space and the comments around it.
fn bare(value: &Value) -> String {
    let mut value = value.clone();
    value.decor_mut().clear();
    value.to_string()
}

/// Takes away where tables stood in their document, so that they come to stand at the end of the other.
fn without_place(item: &mut Item) {
    if let Some(table) = item.as_table_mut() {
        table.set_position(None);
        for (_, item) in table.iter_mut() {
            without_place(item);
        }
    }
}
