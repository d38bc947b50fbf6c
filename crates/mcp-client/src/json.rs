//! JSON that passes through, read as far as needed.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Items that are taken of one list, and members of one object: what is short to write may be long to keep.
pub(crate) const MAX_ITEMS: usize = 1000;

/// Reads a value.
///
/// # Errors
///
/// Fails with `problem`.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    raw: &'a RawValue,
    problem: &'static str,
) -> Result<T, &'static str> {
    serde_json::from_str(raw.get()).map_err(|_| problem)
}

/// Returns a `_meta`, without what is said of the connection with the server: that ends here. One that does not fit into
/// a [`Value`] is left out, as others cannot read it.
pub(crate) fn meta(raw: Option<&RawValue>) -> Option<String> {
    let Members(mut members) = serde_json::from_str(raw?.get()).ok()?;
    members.retain(|name, _| !is_reserved(name));
    let meta = serde_json::to_string(&members).ok()?;
    let is_value = serde_json::from_str::<Value>(&meta).is_ok();
    (!members.is_empty() && is_value).then_some(meta)
}

/// Returns whether the protocol gives a name in `_meta` its meaning (2025-11-25 and 2026-07-28, General Fields, `_meta`).
fn is_reserved(name: &str) -> bool {
    let prefix = name.split_once('/').map(|(prefix, _)| prefix);
    let second = prefix.and_then(|prefix| prefix.split('.').nth(1));
    matches!(second, Some("modelcontextprotocol" | "mcp"))
}

/// The first [`MAX_ITEMS`] of a list.
#[derive(Debug)]
pub(crate) struct Items<T> {
    pub(crate) first: Vec<T>,
    /// Whether there are more.
    pub(crate) is_more: bool,
}

impl<T> Items<T> {
    /// Returns all items.
    ///
    /// # Errors
    ///
    /// If there are more than the first.
    pub(crate) fn all(self) -> Result<Vec<T>, &'static str> {
        const PROBLEM: &str = "a list in a result has more than 1000 items";
        (!self.is_more).then_some(self.first).ok_or(PROBLEM)
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self {
            first: Vec::new(),
            is_more: false,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Items<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items<T>, A::Error> {
                let mut items = Items::default();
                while items.first.len() < MAX_ITEMS {
                    match list.next_element()? {
                        Some(item) => items.first.push(item),
                        None => return Ok(items),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    items.is_more = true;
                }
                Ok(items)
            }
        }
        deserializer.deserialize_seq(Reader(PhantomData))
    }
}

/// The members of an object, [`MAX_ITEMS`] at most.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(pub(crate) BTreeMap<String, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "an object of at most {MAX_ITEMS} members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = object.next_entry()? {
                    members.insert(name, value);
                    if members.len() > MAX_ITEMS {
                        return Err(A::Error::custom("too many members"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta_of(text: &str) -> Option<String> {
        meta(Some(&RawValue::from_string(text.to_owned()).unwrap()))
    }

    #[test]
    fn metadata_that_others_cannot_read_are_left_out() {
        let deep = "[".repeat(130) + &"]".repeat(130);
        for value in ["\"\\ud800\"", "1e999", &deep] {
            assert_eq!(meta_of(&format!("{{\"a\":{value}}}")), None, "{value}");
        }
        let many: Vec<_> = (0..=MAX_ITEMS).map(|n| format!("\"{n}\":1")).collect();
        assert_eq!(meta_of(&format!("{{{}}}", many.join(","))), None);
    }

    #[test]
    fn a_list_is_read_so_far_and_no_further() {
        for (length, first, is_more) in [(0, 0, false), (1000, 1000, false), (1001, 1000, true)] {
            let list = format!("[{}]", vec!["7"; length].join(","));
            let items: Items<&RawValue> = serde_json::from_str(&list).unwrap();
            assert_eq!((items.first.len(), items.is_more), (first, is_more));
            assert_eq!(items.all().is_err(), is_more);
        }
        assert!(serde_json::from_str::<Items<u8>>("[1").is_err());
    }

    #[test]
    fn metadata_pass_but_for_what_is_the_protocols() {
        assert_eq!(meta_of(r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        let mixed = r#"{"io.modelcontextprotocol/serverInfo":{"name":"forged"},"a":[1.50]}"#;
        assert_eq!(meta_of(mixed).as_deref(), Some(r#"{"a":[1.50]}"#));
        let others = r#"{"com.example.mcp/a":1,"mcp.dev/b":1,"mcp/c":1,"modelcontextprotocol":1}"#;
        assert_eq!(meta_of(others).as_deref(), Some(others));
        let escaped = r#"{"\u0069o.modelcontextprotocol/serverInfo":{}}"#;
        assert_eq!(meta_of(escaped), None);
        for nothing in [
            "{}",
            "null",
            "[]",
            "1",
            r#"{"io.modelcontextprotocol/x":1}"#,
            r#"{"dev.mcp/x":1,"com.mcp.tools/y":2,"org.modelcontextprotocol.api/z":3}"#,
        ] {
            assert_eq!(meta_of(nothing), None, "{nothing}");
        }
    }
}
