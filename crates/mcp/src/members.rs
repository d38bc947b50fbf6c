//! Members of a JSON object in a message, read one by one, so that an error names the member that is invalid.
//!
//! `[]` counts as an object without members, because PHP writes one so.

use crate::Error;
use crate::json::Text;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// The members of one object.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    /// What the object is called in errors.
    name: &'static str,
    members: Pairs<'a>,
}

/// The names and values of an object's members, in order.
#[derive(Debug, Default)]
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl<'a> Members<'a> {
    /// The members of the `params` of a message, which may be absent.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if they are no object.
    pub(crate) fn of_params(params: Option<&'a RawValue>) -> Result<Self, Error> {
        Self::read("params", params)
    }

    /// The members of an object that may be absent.
    fn read(name: &'static str, object: Option<&'a RawValue>) -> Result<Self, Error> {
        let members = match object {
            None => Pairs::default(),
            Some(object) if is_empty_array(object) => Pairs::default(),
            Some(object) => serde_json::from_str(object.get())
                .map_err(|_| Error::invalid_params(format!("`{name}` must be an object.")))?,
        };
        Ok(Self { name, members })
    }

    /// The value of a member that is there, which may be null.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is there twice.
    pub(crate) fn present(&self, name: &str) -> Result<Option<&'a RawValue>, Error> {
        let mut values = self.members.0.iter().filter(|(known, _)| known == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Error::invalid_params(format!(
                "`{name}` must not come twice."
            ))),
            (value, None) => Ok(value.map(|(_, value)| *value)),
        }
    }

    /// The value of a member that is there and not null.
    ///
    /// # Errors
    ///
    /// As [`present`](Self::present).
    pub(crate) fn get(&self, name: &str) -> Result<Option<&'a RawValue>, Error> {
        let value = self.present(name)?;
        Ok(value.filter(|value| value.get() != "null"))
    }

    /// A string that may be absent.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is anything else.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        self.typed(name, "a string")
            .map(|text: Option<Text<'a>>| text.map(|text| text.0))
    }

    /// A string that has to be there.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is not.
    pub(crate) fn required_text(&self, name: &str) -> Result<Cow<'a, str>, Error> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A boolean that may be absent, which is `false`.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is anything else.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        Ok(self.typed(name, "true or false")?.unwrap_or_default())
    }

    /// An array of strings that may be absent.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is anything else.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let texts = self.typed(name, "an array of strings")?;
        Ok(texts.unwrap_or_default())
    }

    /// The members of an object that may be absent.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is anything else.
    pub(crate) fn object(&self, name: &'static str) -> Result<Option<Self>, Error> {
        let object = self.get(name)?;
        object
            .map(|object| Self::read(name, Some(object)))
            .transpose()
    }

    /// The members of an object that has to be there.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is not.
    pub(crate) fn required_object(&self, name: &'static str) -> Result<Self, Error> {
        self.object(name)?.ok_or_else(|| self.missing(name))
    }

    /// The JSON text of an object that may be absent.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if it is anything else.
    pub(crate) fn object_text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        match self.get(name)? {
            None => Ok(None),
            Some(object) if is_empty_array(object) => Ok(Some("{}")),
            Some(object) if object.get().starts_with('{') => Ok(Some(object.get())),
            Some(_) => Err(Error::invalid_params(format!(
                "`{name}` must be an object."
            ))),
        }
    }

    /// All of them, which have to be strings, by name.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if one of them is not.
    pub(crate) fn into_texts(self) -> Result<BTreeMap<String, String>, Error> {
        let name = self.name;
        let members = self.members.0.into_iter();
        members
            .map(|(key, value)| match serde_json::from_str(value.get()) {
                Ok(Text(text)) => Ok((key.into_owned(), text.into_owned())),
                Err(_) => Err(Error::invalid_params(format!(
                    "Each value in `{name}` must be a string."
                ))),
            })
            .collect()
    }

    /// All of them as JSON texts, which have to be objects, in the order of their names.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if one of them is not.
    pub(crate) fn into_object_texts(self) -> Result<Vec<(String, &'a str)>, Error> {
        let name = self.name;
        let members = self.members.0.into_iter();
        let objects: Result<BTreeMap<_, _>, _> = members
            .map(|(key, value)| match value.get() {
                _ if is_empty_array(value) => Ok((key.into_owned(), "{}")),
                text if text.starts_with('{') => Ok((key.into_owned(), text)),
                _ => Err(Error::invalid_params(format!(
                    "Each value in `{name}` must be an object."
                ))),
            })
            .collect();
        Ok(objects?.into_iter().collect())
    }

    /// The error that a member is missing.
    pub(crate) fn missing(&self, name: &str) -> Error {
        Error::invalid_params(format!("`{}` must have `{name}`.", self.name))
    }

    fn typed<T: Deserialize<'a>>(&self, name: &str, what: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        match serde_json::from_str(value.get()) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Error::invalid_params(format!("`{name}` must be {what}."))),
        }
    }
}

/// Whether the value is `[]`.
pub(crate) fn is_empty_array(value: &RawValue) -> bool {
    value.get().starts_with('[') && serde_json::from_str::<[IgnoredAny; 0]>(value.get()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn an_empty_array_is_an_object_without_members_and_no_other_is() {
        for text in ["[]", "[ ]", "[\n]", "{}"] {
            let params = raw(text);
            let members = Members::of_params(Some(&params)).unwrap();
            assert!(members.get("a").unwrap().is_none(), "{text}");
        }
        for text in ["[1]", "[[]]", "[null]", "[{}]", "1", "\"[]\"", "true"] {
            let params = raw(text);
            let error = Members::of_params(Some(&params)).unwrap_err();
            assert_eq!(error.message, "`params` must be an object.", "{text}");
        }
    }

    #[test]
    fn an_error_names_the_member_and_what_it_must_be() {
        let params = raw(
            r#"{"n":1,"a":["x"],"o":{"b":"c","d":2},"e":[],"twice":1,"twice":2,"nothing":null,"\u0061b":"x"}"#,
        );
        let members = Members::of_params(Some(&params)).unwrap();
        let message = |error: Error| error.message.into_owned();
        for (error, told) in [
            (members.text("n").err(), "`n` must be a string."),
            (members.flag("n").err(), "`n` must be true or false."),
            (members.texts("n").err(), "`n` must be an array of strings."),
            (members.object("a").err(), "`a` must be an object."),
            (members.object_text("a").err(), "`a` must be an object."),
            (members.required_text("x").err(), "`params` must have `x`."),
            (
                members.required_text("nothing").err(),
                "`params` must have `nothing`.",
            ),
            (members.get("twice").err(), "`twice` must not come twice."),
            (
                members.required_object("o").unwrap().into_texts().err(),
                "Each value in `o` must be a string.",
            ),
            (
                members
                    .required_object("o")
                    .unwrap()
                    .required_text("x")
                    .err(),
                "`o` must have `x`.",
            ),
        ] {
            assert_eq!(error.map(message).as_deref(), Some(told));
        }
        assert_eq!(members.object_text("e").unwrap(), Some("{}"));
        assert_eq!(members.required_text("ab").unwrap(), "x");
    }
}
