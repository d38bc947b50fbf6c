//! The styles in which parameters are written (OpenAPI 3.1 section 4.8.12.3, RFC 6570).

use super::scalar::scalar;
use crate::location::Location;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use std::collections::HashSet;

/// A style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

impl Style {
    pub(crate) fn read(name: &str) -> Option<Self> {
        Some(match name {
            "simple" => Self::Simple,
            "label" => Self::Label,
            "matrix" => Self::Matrix,
            "form" => Self::Form,
            "spaceDelimited" => Self::SpaceDelimited,
            "pipeDelimited" => Self::PipeDelimited,
            "deepObject" => Self::DeepObject,
            _ => return None,
        })
    }

    pub(crate) fn default_of(location: Location) -> Self {
        match location {
            Location::Path | Location::Header => Self::Simple,
            Location::Query | Location::Cookie => Self::Form,
        }
    }

    pub(crate) fn may_be_in(self, location: Location) -> bool {
        match self {
            Self::Simple => matches!(location, Location::Path | Location::Header),
            Self::Label | Self::Matrix => location == Location::Path,
            Self::Form => matches!(location, Location::Query | Location::Cookie),
            Self::SpaceDelimited | Self::PipeDelimited | Self::DeepObject => {
                location == Location::Query
            }
        }
    }
}

/// What is percent-encoded in a value: everything but the unreserved characters (RFC 3986 section 2.3).
pub(crate) const STRICT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What is percent-encoded in the value of a query parameter with `allowReserved`: also the reserved characters that would end
/// the value there or begin another parameter (`#`, `&`, `+`, `;`), and `%`, since an argument is never encoded already.
pub(crate) const RESERVED_ALLOWED: &AsciiSet = &STRICT
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b'=');

/// Percent-encodes a text.
pub(crate) fn encode(text: &str, set: &'static AsciiSet) -> String {
    utf8_percent_encode(text, set).to_string()
}

/// Returns the text of a value in a path, for `simple`, `label` and `matrix`. An absent value is an empty text.
pub(crate) fn in_path(style: Style, explode: bool, name: &str, value: &Value) -> String {
    let name = encode(name, STRICT);
    let strict = |text: &str| encode(text, STRICT);
    let items = Items::of(value, strict, strict);
    match style {
        Style::Label => {
            let delimiter = if explode { "." } else { "," };
            items
                .joined(explode, delimiter)
                .map(|text| format!(".{text}"))
        }
        Style::Matrix => match (&items, explode) {
            (Items::Members(members), true) => joined(
                members.iter().map(|(key, value)| format!(";{key}={value}")),
                "",
            ),
            (Items::List(texts), true) => {
                joined(texts.iter().map(|text| format!(";{name}={text}")), "")
            }
            _ => items.joined(false, ",").map(|text| match text.is_empty() {
                true => format!(";{name}"),
                false => format!(";{name}={text}"),
            }),
        },
        _ => items.joined(explode, ","),
    }
    .unwrap_or_default()
}

/// Returns the text of a header's value, in the style `simple`. Nothing is encoded.
pub(crate) fn in_header(explode: bool, value: &Value) -> Option<String> {
    Items::of(value, str::to_owned, str::to_owned).joined(explode, ",")
}

/// A name and a value of a query, a cookie or a form, both encoded.
pub(crate) type Pair = (String, String);

/// Returns the pairs of a value in a query, cookie or form, for the other styles.
pub(crate) fn pairs(
    style: Style,
    explode: bool,
    name: &str,
    value: &Value,
    set: &'static AsciiSet,
) -> Vec<Pair> {
    let encoded = encode(name, STRICT);
    if style == Style::DeepObject {
        let mut pairs = Vec::new();
        deep(&encoded, value, set, &mut pairs);
        return pairs;
    }
    let key = |text: &str| encode(text, STRICT);
    let items = Items::of(value, key, |text| encode(text, set));
    match items {
        Items::List(texts) if explode => texts
            .into_iter()
            .map(|text| (encoded.clone(), text))
            .collect(),
        Items::Members(members) if explode => members,
        items => {
            let delimiter = match style {
                Style::SpaceDelimited => "%20",
                Style::PipeDelimited => "%7C",
                _ => ",",
            };
            let text = items.joined(false, delimiter);
            text.into_iter()
                .map(|text| (encoded.clone(), text))
                .collect()
        }
    }
}

/// Returns the name of the first pair that a server may take for another parameter than `own`, one of `others`.
pub(crate) fn of_another<'a>(
    pairs: &[Pair],
    own: &str,
    others: impl Iterator<Item = &'a str>,
) -> Option<String> {
    // Some servers ignore case, and take `a[b]` for a part of `a`.
    let parameter = |name: &str| {
        let name = name.to_lowercase();
        name.split_once('[')
            .map_or(name.clone(), |(name, _)| name.to_owned())
    };
    let own = parameter(own);
    let others: HashSet<_> = others
        .map(parameter)
        .filter(|other| *other != own)
        .collect();
    let mut names = pairs
        .iter()
        .map(|(name, _)| percent_decode_str(name).decode_utf8_lossy());
    names
        .find(|name| others.contains(&parameter(name)))
        .map(Into::into)
}

/// `deepObject` for nested objects and for arrays too, which the specification leaves open: as most servers read them.
fn deep(name: &str, value: &Value, set: &'static AsciiSet, pairs: &mut Vec<Pair>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (key, value) in members {
                deep(
                    &format!("{name}%5B{}%5D", encode(key, STRICT)),
                    value,
                    set,
                    pairs,
                );
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        deep(&format!("{name}%5B{n}%5D"), value, set, pairs);
                    }
                    value => deep(&format!("{name}%5B%5D"), value, set, pairs),
                }
            }
        }
        value => pairs.push((name.to_owned(), encode(&scalar(value), set))),
    }
}

/// A value as styles see it: encoded texts.
enum Items {
    None,
    One(String),
    List(Vec<String>),
    Members(Vec<Pair>),
}

impl Items {
    /// Null is no value (RFC 6570 section 2.3), and what is nested deeper is its JSON.
    ///
    /// A name is encoded by `key`, as in a query it may stand for itself.
    fn of(value: &Value, key: impl Fn(&str) -> String, encode: impl Fn(&str) -> String) -> Self {
        let text = |value: &Value| (!value.is_null()).then(|| encode(&scalar(value)));
        match value {
            Value::Null => Self::None,
            Value::Array(items) => Self::List(items.iter().filter_map(text).collect()),
            Value::Object(members) => {
                let members = members.iter().filter(|(_, value)| !value.is_null());
                let members = members.map(|(name, value)| (key(name), encode(&scalar(value))));
                Self::Members(members.collect())
            }
            value => Self::One(encode(&scalar(value))),
        }
    }

    fn joined(&self, explode: bool, delimiter: &str) -> Option<String> {
        match self {
            Self::None => None,
            Self::One(text) => Some(text.clone()),
            Self::List(texts) => joined(texts.iter().cloned(), delimiter),
            Self::Members(members) => {
                let assign = if explode { "=" } else { delimiter };
                let members = members
                    .iter()
                    .map(|(key, value)| format!("{key}{assign}{value}"));
                joined(members, delimiter)
            }
        }
    }
}

fn joined(texts: impl Iterator<Item = String>, delimiter: &str) -> Option<String> {
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(delimiter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The table of section 4.8.12.4 of 3.1.
    #[test]
    fn every_style_is_written_as_the_specification_shows() {
        let values = [
            json!(""),
            json!("blue"),
            json!(["blue", "black", "brown"]),
            json!({"R": 100, "G": 200, "B": 150}),
        ];
        let in_path = |style, explode| {
            values
                .each_ref()
                .map(|value| in_path(style, explode, "color", value))
        };
        let query = |style, explode| {
            values.each_ref().map(|value| {
                let pairs = pairs(style, explode, "color", value, STRICT);
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                pairs.join("&")
            })
        };
        // Members are in the order of their names: this build keeps no other.
        assert_eq!(
            in_path(Style::Matrix, false),
            [
                ";color",
                ";color=blue",
                ";color=blue,black,brown",
                ";color=B,150,G,200,R,100"
            ]
        );
        assert_eq!(
            in_path(Style::Matrix, true),
            [
                ";color",
                ";color=blue",
                ";color=blue;color=black;color=brown",
                ";B=150;G=200;R=100"
            ]
        );
        assert_eq!(
            in_path(Style::Label, false),
            [".", ".blue", ".blue,black,brown", ".B,150,G,200,R,100"]
        );
        assert_eq!(
            in_path(Style::Label, true),
            [".", ".blue", ".blue.black.brown", ".B=150.G=200.R=100"]
        );
        assert_eq!(
            in_path(Style::Simple, false),
            ["", "blue", "blue,black,brown", "B,150,G,200,R,100"]
        );
        assert_eq!(
            in_path(Style::Simple, true),
            ["", "blue", "blue,black,brown", "B=150,G=200,R=100"]
        );
        assert_eq!(
            query(Style::Form, false),
            [
                "color=",
                "color=blue",
                "color=blue,black,brown",
                "color=B,150,G,200,R,100"
            ]
        );
        assert_eq!(
            query(Style::Form, true),
            [
                "color=",
                "color=blue",
                "color=blue&color=black&color=brown",
                "B=150&G=200&R=100"
            ]
        );
        assert_eq!(
            query(Style::SpaceDelimited, false)[2..],
            [
                "color=blue%20black%20brown",
                "color=B%20150%20G%20200%20R%20100"
            ]
        );
        assert_eq!(
            query(Style::PipeDelimited, false)[2..],
            [
                "color=blue%7Cblack%7Cbrown",
                "color=B%7C150%7CG%7C200%7CR%7C100"
            ]
        );
        assert_eq!(
            query(Style::DeepObject, true)[3],
            "color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100"
        );
        assert_eq!(in_header(false, &values[3]).unwrap(), "B,150,G,200,R,100");
        assert_eq!(in_header(true, &values[3]).unwrap(), "B=150,G=200,R=100");
    }

    #[test]
    fn nested_values_and_null_are_written_as_most_servers_read_them() {
        let value = json!({"a": {"b": 1, "c": null}, "d": [1, "x y"], "e": [{"f": true}]});
        let deep = pairs(Style::DeepObject, true, "q", &value, STRICT);
        let deep: Vec<_> = deep
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(
            deep,
            [
                "q%5Ba%5D%5Bb%5D=1",
                "q%5Bd%5D%5B%5D=1",
                "q%5Bd%5D%5B%5D=x%20y",
                "q%5Be%5D%5B0%5D%5Bf%5D=true"
            ]
        );
        let nested = pairs(Style::Form, true, "q", &json!([{"a": 1}, null]), STRICT);
        assert_eq!(nested, [("q".to_owned(), "%7B%22a%22%3A1%7D".to_owned())]);
        assert!(pairs(Style::Form, true, "q", &json!(null), STRICT).is_empty());
        assert!(pairs(Style::Form, false, "q", &json!([]), STRICT).is_empty());
        assert_eq!(in_path(Style::Label, false, "q", &json!([])), "");
    }

    #[test]
    fn no_value_ends_its_parameter() {
        let hostile = json!("a&b=c#d?e/f;g+h%26i,j k\"<>\u{e9}\r\n");
        let [(_, strict)] = &pairs(Style::Form, true, "q", &hostile, STRICT)[..] else {
            panic!()
        };
        assert_eq!(
            strict,
            "a%26b%3Dc%23d%3Fe%2Ff%3Bg%2Bh%2526i%2Cj%20k%22%3C%3E%C3%A9%0D%0A"
        );
        let [(_, reserved)] = &pairs(Style::Form, true, "q", &hostile, RESERVED_ALLOWED)[..] else {
            panic!()
        };
        assert_eq!(
            reserved,
            "a%26b=c%23d?e/f%3Bg%2Bh%2526i,j%20k%22%3C%3E%C3%A9%0D%0A"
        );
        let members = pairs(
            Style::Form,
            true,
            "q",
            &json!({"a=b": "c=d"}),
            RESERVED_ALLOWED,
        );
        assert_eq!(members, [("a%3Db".to_owned(), "c=d".to_owned())]);
    }
}
