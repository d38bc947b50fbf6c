//! A three-way merge of TOML: what has changed between two documents, done to a third that was made of the first.
//!
//! What the third has as the first has it becomes what the second has. What it has otherwise, or no more, stays so.

use std::fmt;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

/// Something that was changed.
#[derive(Debug)]
pub struct Change {
    /// The keys that lead to it, with dots between them.
    pub path: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The key is new.
    Key,
    /// The key has this value now.
    Value(String),
    /// What is there several times has this one besides.
    Added(String),
    /// The key, or this one of what is there several times, is there no more.
    Removed(Option<String>),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            Kind::Key => write!(formatter, "has now {path}"),
            Kind::Value(value) => write!(formatter, "has now {path} = {value}"),
            Kind::Added(value) => write!(formatter, "has now {value} in {path}"),
            Kind::Removed(None) => write!(formatter, "has no {path} any more"),
            Kind::Removed(Some(value)) => write!(formatter, "has no {value} in {path} any more"),
        }
    }
}

/// Does to `own` what has changed from `old` to `new`, in keys of tables, entries of arrays, and tables of arrays.
pub fn merge(own: &mut DocumentMut, old: &DocumentMut, new: &DocumentMut) -> Vec<Change> {
    let mut changes = Vec::new();
    table(
        &mut changes,
        own.as_table_mut(),
        old.as_table(),
        new.as_table(),
        "",
    );
    changes
}

fn table(
    changes: &mut Vec<Change>,
    own: &mut dyn TableLike,
    old: &dyn TableLike,
    new: &dyn TableLike,
    path: &str,
) {
    let path_of = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    for (key, new) in new.iter() {
        let path = path_of(key);
        match (own.get_mut(key), old.get(key)) {
            (Some(own), old) => item(changes, own, old.unwrap_or(&Item::None), new, &path),
            // The project took it away.
            (None, Some(_)) => {}
            (None, None) => {
                let mut added = new.clone();
                without_place(&mut added);
                own.insert(key, added);
                changes.push(Change {
                    path,
                    kind: Kind::Key,
                });
            }
        }
    }
    for (key, old) in old.iter().filter(|(key, _)| !new.contains_key(key)) {
        if own.get(key).is_some_and(|own| is_same(own, old)) {
            own.remove(key);
            let kind = Kind::Removed(None);
            changes.push(Change {
                path: path_of(key),
                kind,
            });
        }
    }
}

fn item(changes: &mut Vec<Change>, own: &mut Item, old: &Item, new: &Item, path: &str) {
    if let (Some(own), Some(new)) = (own.as_array_of_tables_mut(), new.as_array_of_tables()) {
        let none = ArrayOfTables::new();
        tables(
            changes,
            own,
            old.as_array_of_tables().unwrap_or(&none),
            new,
            path,
        );
    } else if let (Some(own), Some(new)) = (own.as_array_mut(), new.as_array()) {
        let none = Array::new();
        array(changes, own, old.as_array().unwrap_or(&none), new, path);
    } else if let (Some(own), Some(new)) = (own.as_table_like_mut(), new.as_table_like()) {
        let none = Table::new();
        table(
            changes,
            own,
            old.as_table_like().unwrap_or(&none),
            new,
            path,
        );
    } else if is_same(own, old)
        && !is_same(own, new)
        && let (Some(own), Some(new)) = (own.as_value_mut(), new.as_value())
    {
        let decor = own.decor().clone();
        *own = new.clone();
        *own.decor_mut() = decor;
        let kind = Kind::Value(bare(new));
        changes.push(Change {
            path: path.to_owned(),
            kind,
        });
    }
}

fn array(changes: &mut Vec<Change>, own: &mut Array, old: &Array, new: &Array, path: &str) {
    let has = |array: &Array, text: &str| array.iter().any(|value| bare(value) == text);
    for value in new {
        let text = bare(value);
        if !has(own, &text) && !has(old, &text) {
            let mut value = value.clone();
            value.decor_mut().clear();
            own.push(value);
            let kind = Kind::Added(text);
            changes.push(Change {
                path: path.to_owned(),
                kind,
            });
        }
    }
    for text in old.iter().map(bare) {
        if !has(new, &text) && has(own, &text) {
            own.retain(|value| bare(value) != text);
            let kind = Kind::Removed(Some(text));
            changes.push(Change {
                path: path.to_owned(),
                kind,
            });
        }
    }
}

/// Tables are the same if their route and their component are: more there is not in triggers.
fn tables(
    changes: &mut Vec<Change>,
    own: &mut ArrayOfTables,
    old: &ArrayOfTables,
    new: &ArrayOfTables,
    path: &str,
) {
    let has = |tables: &ArrayOfTables, text: &str| tables.iter().any(|table| route(table) == text);
    for table in new {
        let text = route(table);
        if !has(own, &text) && !has(old, &text) {
            let mut added = table.clone();
            added.set_position(None);
            own.push(added);
            let kind = Kind::Added(text);
            changes.push(Change {
                path: path.to_owned(),
                kind,
            });
        }
    }
    for text in old.iter().map(route) {
        if !has(new, &text) && has(own, &text) {
            own.retain(|table| route(table) != text);
            let kind = Kind::Removed(Some(text));
            changes.push(Change {
                path: path.to_owned(),
                kind,
            });
        }
    }
}

/// What a trigger leads from and to.
fn route(table: &Table) -> String {
    let value = |key| table.get(key).and_then(Item::as_value).map(bare);
    let (route, component) = (value("route"), value("component"));
    format!(
        "{} for {}",
        route.unwrap_or_default(),
        component.unwrap_or_default()
    )
}

/// Whether two items say the same, whatever space and comments are around them.
fn is_same(one: &Item, other: &Item) -> bool {
    match (one.as_table_like(), other.as_table_like()) {
        (Some(one), Some(other)) => {
            let is_there = |(key, item)| other.get(key).is_some_and(|other| is_same(item, other));
            one.len() == other.len() && one.iter().all(is_there)
        }
        _ => match (one.as_value(), other.as_value()) {
            (Some(one), Some(other)) => bare(one) == bare(other),
            _ => false,
        },
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
