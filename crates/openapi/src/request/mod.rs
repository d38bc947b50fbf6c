//! The request that a call becomes.
//!
//! An argument is a value and nothing else: it does not end the part of the request that it is in, and decides neither the host
//! nor the path beyond its own part, nor a header or a parameter of another name.

mod argument_error;
mod file;
mod form;
mod member;
mod multipart;
pub(crate) mod path;
pub(crate) mod scalar;
pub(crate) mod style;

pub use argument_error::ArgumentError;

use crate::body::{Body, BodyKind};
use crate::credential::{Credential, SecretLocation};
use crate::input::{Content, Input, Source};
use crate::location::Location;
use crate::parameter::{Format, Parameter};
use bytes::Bytes;
use file::File;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use member::Member;
use path::{Template, has_dot_segment};
use scalar::scalar;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use strict_json::excerpt;
use style::{Pair, RESERVED_ALLOWED, STRICT, encode, of_another};
use url::Url;

/// What the requests of an operation have in common.
#[derive(Debug)]
pub(crate) struct Shape<'d> {
    pub(crate) method: Method,
    /// What the path is appended to.
    pub(crate) base: Url,
    pub(crate) template: Template<'d>,
    pub(crate) inputs: Vec<Input<'d>>,
    pub(crate) body: Option<Body<'d>>,
    /// The value of the Accept header.
    pub(crate) accept: String,
}

/// A request without its credentials.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) credential: Option<Credential>,
}

impl Prepared {
    /// Returns the request as it is sent.
    pub fn to_http(&self) -> Request<Bytes> {
        let (mut url, mut headers) = (self.url.clone(), self.headers.clone());
        if let Some(credential) = &self.credential {
            credential.apply(&mut url, &mut headers);
        }
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = url.as_str().parse().unwrap_or_default();
        *request.headers_mut() = headers;
        request
    }
}

/// Bytes of a URL, which most servers take.
pub(crate) const MAX_URL_BYTES: usize = 8 * 1024;

/// Returns the request of a call.
///
/// # Errors
///
/// See [`ArgumentError`].
pub(crate) fn prepare(
    shape: &Shape<'_>,
    arguments: &Map<String, Value>,
    credential: Option<Credential>,
) -> Result<Prepared, ArgumentError> {
    let arguments = Arguments::of(&shape.inputs, arguments)?;
    let url = url(shape, &arguments, credential.as_ref())?;
    let mut headers = headers(&arguments)?;
    headers.insert(USER_AGENT, HeaderValue::from_static("gatehouse"));
    if let Ok(accept) = HeaderValue::from_str(&shape.accept) {
        headers.insert(ACCEPT, accept);
    }
    if let Some(cookies) = cookies(&arguments, credential.as_ref())? {
        headers.insert(COOKIE, cookies);
    }
    let body = match &shape.body {
        Some(body) => body_bytes(body, &arguments)?,
        None => None,
    };
    let body = body.map_or_else(Bytes::new, |(media_type, bytes)| {
        if let Ok(media_type) = HeaderValue::from_str(&media_type) {
            headers.insert(CONTENT_TYPE, media_type);
        }
        bytes.into()
    });
    let method = shape.method.clone();
    Ok(Prepared {
        method,
        url,
        headers,
        body,
        credential,
    })
}

/// The arguments of a call.
struct Arguments<'a> {
    /// Those that the tool has.
    inputs: &'a [Input<'a>],
    /// Those that the call has.
    given: Vec<(&'a Input<'a>, &'a Value)>,
}

impl<'a> Arguments<'a> {
    fn of(
        inputs: &'a [Input<'a>],
        arguments: &'a Map<String, Value>,
    ) -> Result<Self, ArgumentError> {
        if let Some(unknown) = arguments
            .keys()
            .find(|name| !inputs.iter().any(|input| input.name == **name))
        {
            return Err(ArgumentError::Unknown(excerpt(unknown)));
        }
        let mut given = Vec::new();
        for input in inputs {
            match arguments.get(&input.name) {
                Some(value) => given.push((input, value)),
                None if input.required => return Err(ArgumentError::Missing(input.name.clone())),
                None => {}
            }
        }
        Ok(Self { inputs, given })
    }

    fn parameters(
        &self,
        location: Location,
    ) -> impl Iterator<Item = (&str, &Parameter<'a>, &'a Value)> {
        self.given
            .iter()
            .filter_map(move |(input, value)| match &input.source {
                Source::Parameter(parameter) if parameter.location == location => {
                    Some((input.name.as_str(), parameter, *value))
                }
                _ => None,
            })
    }
}

fn url(
    shape: &Shape<'_>,
    arguments: &Arguments<'_>,
    credential: Option<&Credential>,
) -> Result<Url, ArgumentError> {
    let mut values = HashMap::new();
    for (argument, name, text) in path_values(arguments) {
        if text.is_empty() {
            return Err(ArgumentError::Empty(argument.to_owned()));
        }
        // Before it is decoded as often as it can be.
        if text.len() > MAX_URL_BYTES {
            return Err(ArgumentError::TooLong(MAX_URL_BYTES));
        }
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
        if has_dot_segment(&text) || decoded.chars().any(char::is_control) {
            return Err(ArgumentError::Dots(argument.to_owned()));
        }
        values.insert(name, text);
    }
    let path = shape
        .template
        .fill(|name| values.get(name).map_or("", String::as_str));
    let base = shape.base.as_str().trim_end_matches('/');
    let mut text = format!("{base}{path}");
    let reserved = match credential.map(|credential| &credential.location) {
        Some(SecretLocation::Query(name)) => Some(name.as_str()),
        _ => None,
    };
    let query = pairs(arguments, Location::Query, reserved)?;
    if !query.is_empty() {
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        text = format!("{text}?{}", query.join("&"));
    }
    if text.len() > MAX_URL_BYTES {
        return Err(ArgumentError::TooLong(MAX_URL_BYTES));
    }
    // Two values beside each other could make a segment that neither is.
    let url = Url::parse(&text).map_err(|_| ArgumentError::Url)?;
    let leads_elsewhere = has_dot_segment(&path)
        || url.as_str().parse::<Uri>().is_err()
        || url.origin() != shape.base.origin()
        || !url
            .path()
            .starts_with(shape.base.path().trim_end_matches('/'));
    if leads_elsewhere {
        return Err(ArgumentError::Url);
    }
    Ok(url)
}

/// Returns the arguments in the path: their names, those of the variables, and their encoded values.
fn path_values<'a>(
    arguments: &'a Arguments<'_>,
) -> impl Iterator<Item = (&'a str, &'a str, String)> {
    arguments.given.iter().filter_map(|(input, value)| {
        let (name, text) = match &input.source {
            Source::PathVariable(name) => (*name, encode(&scalar(value), STRICT)),
            Source::Parameter(parameter) if parameter.location == Location::Path => {
                (parameter.name, path_value(parameter, value))
            }
            _ => return None,
        };
        Some((input.name.as_str(), name, text))
    })
}

fn path_value(parameter: &Parameter<'_>, value: &Value) -> String {
    match parameter.format {
        // An empty text leaves only the style's own sign.
        _ if matches!(value, Value::Null) || value == "" => String::new(),
        Format::Json => encode(&value.to_string(), STRICT),
        Format::Styled { style, explode, .. } => {
            style::in_path(style, explode, parameter.name, value)
        }
    }
}

/// Returns the pairs of a query or of cookies. The name `reserved` is the credential's.
///
/// # Errors
///
/// Fails with [`ArgumentError::Member`] if a member of an object would be a pair with the name of another parameter.
fn pairs(
    arguments: &Arguments<'_>,
    location: Location,
    reserved: Option<&str>,
) -> Result<Vec<Pair>, ArgumentError> {
    let mut pairs = Vec::new();
    for (argument, parameter, value) in arguments.parameters(location) {
        let (style, explode, allow_reserved) = match parameter.format {
            Format::Json => {
                pairs.push((
                    encode(parameter.name, STRICT),
                    encode(&value.to_string(), STRICT),
                ));
                continue;
            }
            Format::Styled {
                style,
                explode,
                allow_reserved,
            } => (style, explode, allow_reserved),
        };
        let set = if allow_reserved {
            RESERVED_ALLOWED
        } else {
            STRICT
        };
        let own = style::pairs(style, explode, parameter.name, value, set);
        let others = arguments
            .inputs
            .iter()
            .filter_map(|input| match &input.source {
                Source::Parameter(other) if other.location == location => Some(other.name),
                _ => None,
            });
        if let Some(name) = of_another(&own, parameter.name, others.chain(reserved)) {
            return Err(ArgumentError::Member(argument.to_owned(), excerpt(&name)));
        }
        pairs.extend(own);
    }
    Ok(pairs)
}

fn headers(arguments: &Arguments<'_>) -> Result<HeaderMap, ArgumentError> {
    let mut headers = HeaderMap::new();
    for (argument, parameter, value) in arguments.parameters(Location::Header) {
        let text = match parameter.format {
            Format::Json => Some(value.to_string()),
            Format::Styled { explode, .. } => style::in_header(explode, value),
        };
        let (Some(text), Ok(name)) = (text, parameter.name.parse::<HeaderName>()) else {
            continue;
        };
        // Tabs as well: some servers take a line that begins with one for a part of the line before.
        let value = HeaderValue::from_bytes(text.trim().as_bytes()).ok();
        let value = value.filter(|_| !text.chars().any(char::is_control));
        headers.insert(
            name,
            value.ok_or_else(|| ArgumentError::Control(argument.to_owned()))?,
        );
    }
    Ok(headers)
}

fn cookies(
    arguments: &Arguments<'_>,
    credential: Option<&Credential>,
) -> Result<Option<HeaderValue>, ArgumentError> {
    let reserved = match credential.map(|credential| &credential.location) {
        Some(SecretLocation::Cookie(name)) => Some(name.as_str()),
        _ => None,
    };
    let cookies = pairs(arguments, Location::Cookie, reserved)?;
    let cookies: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    // Encoded, they are ASCII.
    Ok(HeaderValue::from_str(&cookies.join("; "))
        .ok()
        .filter(|_| !cookies.is_empty()))
}

/// Returns the body with its media type; `None` if there is none.
fn body_bytes(
    body: &Body<'_>,
    arguments: &Arguments<'_>,
) -> Result<Option<(String, Vec<u8>)>, ArgumentError> {
    let mut members = Vec::new();
    for (input, value) in &arguments.given {
        let argument = input.name.as_str();
        match &input.source {
            Source::Body { members, .. } => {
                return whole(body, members, argument, value).map(Some);
            }
            Source::Property { name, content, .. } => members.push(Member {
                name,
                argument,
                content: *content,
                value,
            }),
            _ => {}
        }
    }
    if members.is_empty() && !body.required {
        return Ok(None);
    }
    let inputs = arguments.inputs.iter();
    let names: Vec<_> = inputs
        .filter_map(|input| match &input.source {
            Source::Property { name, .. } => Some(*name),
            _ => None,
        })
        .collect();
    form(body, &members, &names).map(Some)
}

/// Returns the media type and the bytes of a body that is one argument. `members` are what its schema names.
fn whole(
    body: &Body<'_>,
    members: &BTreeMap<&str, Content>,
    argument: &str,
    value: &Value,
) -> Result<(String, Vec<u8>), ArgumentError> {
    let media_type = body.media_type.to_owned();
    let kind = |kind| ArgumentError::Kind(argument.to_owned(), kind);
    Ok(match (body.kind, value) {
        (BodyKind::Json, value) => (media_type, value.to_string().into_bytes()),
        (BodyKind::Text, Value::String(text)) => (text_type(media_type), text.clone().into_bytes()),
        (BodyKind::Text, _) => return Err(kind("a text")),
        (BodyKind::Binary, file) => (media_type, File::read(argument, file)?.bytes),
        (BodyKind::Form | BodyKind::Multipart, Value::Object(given)) => {
            let names = members
                .keys()
                .copied()
                .chain(given.keys().map(String::as_str));
            let names: Vec<_> = names.collect();
            let given = given.iter().map(|(name, value)| Member {
                name,
                argument,
                content: members
                    .get(name.as_str())
                    .copied()
                    .unwrap_or(Content::Value),
                value,
            });
            form(body, &given.collect::<Vec<_>>(), &names)?
        }
        (BodyKind::Form | BodyKind::Multipart, _) => return Err(kind("an object")),
    })
}

/// Returns the media type and the bytes of a body of these members. `names` are those of all its properties.
fn form(
    body: &Body<'_>,
    members: &[Member<'_>],
    names: &[&str],
) -> Result<(String, Vec<u8>), ArgumentError> {
    let media_type = body.media_type.to_owned();
    Ok(match body.kind {
        BodyKind::Form => (media_type, form::encoded(members, names, body.encoding)?),
        BodyKind::Multipart => multipart::encoded(members, body.encoding)?,
        _ => {
            let members = members.iter();
            let members = members.map(|member| (member.name.to_owned(), member.value.clone()));
            let object = Value::Object(members.collect());
            (media_type, object.to_string().into_bytes())
        }
    })
}

/// Returns a media type of text with the charset in which it is sent.
fn text_type(media_type: String) -> String {
    match media_type.contains(';') || !media_type.starts_with("text/") {
        true => media_type,
        false => format!("{media_type}; charset=utf-8"),
    }
}

#[cfg(test)]
mod tests;
