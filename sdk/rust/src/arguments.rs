//! The reading of arguments.

use crate::error::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

/// All arguments of a tool in one struct, whose fields are the properties of its input schema.
///
/// ```
/// use gatehouse_sdk::{Arguments, data, tool};
///
/// #[data]
/// struct Booking {
///     /// Such as `Oslo`
///     city: String,
///     nights: u8,
/// }
///
/// /// Books a room.
/// #[tool]
/// fn book(Arguments(booking): Arguments<Booking>) -> String {
///     format!("{} nights in {}", booking.nights, booking.city)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments<T>(pub T);

impl<T: JsonSchema> JsonSchema for Arguments<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Reads the arguments of a tool, which fit its schema.
///
/// # Errors
///
/// What is wrong, for the model: a number may fit its schema and not its type.
pub fn read<T: DeserializeOwned>(arguments: &str) -> Result<T> {
    serde_json::from_str(arguments).map_err(|error| {
        let text = error.to_string();
        let at = text.rfind(" at line ").unwrap_or(text.len());
        Error::InvalidArguments(text[..at].to_owned())
    })
}

/// Reads an argument of a prompt.
///
/// # Errors
///
/// If it is not there, or cannot be read.
pub fn text<T: FromStr<Err: Display>>(arguments: &[(String, String)], name: &str) -> Result<T> {
    optional_text(arguments, name)?
        .ok_or_else(|| Error::InvalidArguments(format!("`{name}` is missing")))
}

/// Reads an argument of a prompt that may be left out.
///
/// # Errors
///
/// If it cannot be read.
pub fn optional_text<T: FromStr<Err: Display>>(
    arguments: &[(String, String)],
    name: &str,
) -> Result<Option<T>> {
    let given = arguments.iter().find(|(given, _)| given == name);
    let read = given.map(|(_, value)| value.parse());
    read.transpose()
        .map_err(|error: T::Err| Error::InvalidArguments(format!("`{name}`: {error}")))
}

/// Reads a variable of a URI. One that cannot be read is the URI of no resource.
///
/// # Errors
///
/// [`Error::NotFound`].
pub fn variable<T: FromStr>(variables: &[(String, String)], name: &str) -> Result<T> {
    let given = variables.iter().find(|(given, _)| given == name);
    let (_, value) = given.ok_or(Error::NotFound)?;
    value.parse().map_err(|_| Error::NotFound)
}
