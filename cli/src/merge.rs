//! A three-way merge of TOML: what has changed between two documents, done to a third that was made of the first.
//!
//! An entry that the third has as the first has it becomes that of the second. One that differs, or is gone, stays so.

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

/// What to do to what is there several times.
struct Difference {
    /// Places in the new ones.
    added: Vec<usize>,
    removed: Vec<String>,
}

/// Returns what has changed from `old` to `new` and concerns `own`, by the texts that the entries are told apart by.
fn difference(
    changes: &mut Vec<Change>,
    own: &[String],
    old: &[String],
    new: &[String],
    path: &str,
) -> Difference {
    let is_new = |(at, text): &(usize, &String)| {
        let known = [own, old, &new[..*at]];
        !known.iter().any(|texts| texts.contains(text))
    };
    let is_gone = |(at, text): &(usize, &String)| {
        own.contains(text) && !new.contains(text) && !old[..*at].contains(text)
    };
    let added: Vec<usize> = new
        .iter()
        .enumerate()
        .filter(is_new)
        .map(|(at, _)| at)
        .collect();
    let removed = old.iter().enumerate().filter(is_gone);
    let removed: Vec<String> = removed.map(|(_, text)| text.clone()).collect();
    let added_kinds = added.iter().map(|&at| Kind::Added(new[at].clone()));
    let removed_kinds = removed.iter().map(|text| Kind::Removed(Some(text.clone())));
    changes.extend(added_kinds.chain(removed_kinds).map(|kind| Change {
        path: path.to_owned(),
        kind,
    }));
    Difference { added, removed }
}

fn array(changes: &mut Vec<Change>, own: &mut Array, old: &Array, new: &Array, path: &str) {
    let texts = |array: &Array| array.iter().map(bare).collect::<Vec<_>>();
    let Difference { added, removed } =
        difference(changes, &texts(own), &texts(old), &texts(new), path);
    for mut value in added.into_iter().filter_map(|at| new.get(at).cloned()) {
        value.decor_mut().clear();
        own.push(value);
    }
    own.retain(|value| !removed.contains(&bare(value)));
}

/// Tables are the same if their route and their component are: more there is not in triggers.
fn tables(
    changes: &mut Vec<Change>,
    own: &mut ArrayOfTables,
    old: &ArrayOfTables,
    new: &ArrayOfTables,
    path: &str,
) {
    let texts = |tables: &ArrayOfTables| tables.iter().map(route).collect::<Vec<_>>();
    let Difference { added, removed } =
        difference(changes, &texts(own), &texts(old), &texts(new), path);
    for mut table in added.into_iter().filter_map(|at| new.get(at).cloned()) {
        table.set_position(None);
        own.push(table);
    }
    own.retain(|table| !removed.contains(&route(table)));
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
