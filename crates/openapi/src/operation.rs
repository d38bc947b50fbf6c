//! An operation of the API (Operation Object), with what the configuration says of it.

use crate::body::{MAX_MEDIA_TYPE_BYTES, body, is_any_json, json_rank};
use crate::credential::{Credentials, Secret, SecretLocation, find_location, is_public};
use crate::document::{Document, object};
use crate::entry::Entry;
use crate::input::inputs;
use crate::location::Location;
use crate::parameter::{Parameter, parameters};
use crate::request::path::{Template, has_dot_segment};
use crate::request::{ArgumentError, Prepared, Shape, prepare};
use crate::routes::{is_hidden, is_of_another};
use crate::schema::{bounded, input_schema, output_schema, text};
use crate::server_url::server_url;
use crate::settings::Settings;
use crate::tool::{Hints, Tool};
use crate::unusable::Unusable;
use crate::{Credential, pattern::Subject};
use http::{HeaderValue, Method};
use serde_json::{Map, Value};
use strict_json::excerpt;
use url::Url;

/// An operation that can be called.
#[derive(Debug)]
pub struct Operation<'d> {
    document: &'d Document,
    /// Those of the document.
    entries: &'d [Entry],
    entry: &'d Entry,
    value: &'d Value,
    shape: Shape<'d>,
    access: Access,
}

/// Which credential the requests of an operation have.
#[derive(Clone, Debug)]
enum Access {
    None,
    Secret(SecretLocation, Secret),
    Upstream,
}

/// The credential that the person brings, as far as the operation wants one.
#[derive(Clone, Copy, Debug)]
pub enum PersonsToken<'a> {
    /// The access token that the identity provider issued for them.
    Upstream(&'a str),
    /// A token that they pasted into their client, and that was issued for this server.
    Presented,
    /// None is left.
    Absent,
}

/// Why an operation cannot be called.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CallError {
    /// The arguments are wrong.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The person has to sign in again.
    #[error(
        "The API is called with your own token of the identity provider, and none is left. Sign in again."
    )]
    NoToken,
    /// The person's token is not for the API.
    #[error(
        "The API is called with your own token of the identity provider. A token that was pasted into the client is for this server \
         and is not passed on. Let the client sign you in instead."
    )]
    PresentedToken,
}

impl<'d> Operation<'d> {
    pub(crate) fn read(
        document: &'d Document,
        entries: &'d [Entry],
        entry: &'d Entry,
        settings: &Settings,
    ) -> Result<Self, Unusable> {
        let paths = document.get("paths").unwrap_or(&Value::Null);
        let path_item = paths.get(&entry.path).unwrap_or(&Value::Null);
        let path_item = document.resolve(path_item)?;
        let method = entry.method.as_str().to_ascii_lowercase();
        let value = path_item.get(&method).unwrap_or(&Value::Null);
        let template = Template::read(&entry.path)?;
        let access = access(document, value, &settings.credentials)?;
        let mut parameters = parameters(document, path_item, value)?;
        parameters.retain(|parameter| !access.fills(parameter));
        let is_described = |name: &str| {
            parameters
                .iter()
                .any(|parameter| parameter.location == Location::Path && parameter.name == name)
        };
        let mut undescribed: Vec<&str> = Vec::new();
        for name in template.variables().filter(|name| !is_described(name)) {
            if !undescribed.contains(&name) {
                undescribed.push(name);
            }
        }
        // What the path has no place for says nothing.
        parameters.retain(|parameter| {
            parameter.location != Location::Path
                || template.variables().any(|name| name == parameter.name)
        });
        let body = body(document, value)?;
        let shape = Shape {
            method: entry.method.clone(),
            base: base(document, path_item, value, settings)?,
            inputs: inputs(document, parameters, undescribed.into_iter(), body.as_ref())?,
            template,
            body,
            accept: accept(document, value),
        };
        Ok(Self {
            document,
            entries,
            entry,
            value,
            shape,
            access,
        })
    }

    /// Returns the operation as a tool.
    ///
    /// # Errors
    ///
    /// Fails with [`Unusable::TooLarge`] or [`Unusable::Reference`].
    pub(crate) fn tool(&self, settings: &Settings) -> Result<Tool, Unusable> {
        Ok(Tool {
            name: self.entry.name.clone(),
            title: self.text("summary").map(|text| bounded(text, 100)),
            description: self.description(),
            input_schema: input_schema(
                self.document,
                &self.shape.inputs,
                self.shape.body.as_ref(),
            )?,
            output_schema: self.output_schema(settings).cloned(),
            hints: Hints::of(&self.shape.method),
            scopes: settings.scopes.of(self.subject()),
            wants_token: matches!(self.access, Access::Upstream),
        })
    }

    /// Returns the output schema with which the tool was announced.
    pub(crate) fn output_schema(&self, settings: &Settings) -> Option<&'d Value> {
        let made = || output_schema(self.document, self.value);
        let schema = self.entry.output_schema.get_or_init(|| {
            let made = settings.output_schemas.then(made);
            made.flatten()
        });
        schema.as_ref()
    }

    /// Returns the request of a call with these arguments.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub fn request(
        &self,
        arguments: &Map<String, Value>,
        token: PersonsToken<'_>,
    ) -> Result<Prepared, CallError> {
        let credential = match (&self.access, token) {
            (Access::None, _) => None,
            (Access::Secret(location, secret), _) => Some(Credential {
                location: location.clone(),
                secret: secret.clone(),
            }),
            (Access::Upstream, PersonsToken::Upstream(token)) => {
                let secret = Secret::read(token).ok_or(CallError::NoToken)?;
                Some(Credential {
                    location: SecretLocation::Bearer,
                    secret,
                })
            }
            (Access::Upstream, PersonsToken::Presented) => return Err(CallError::PresentedToken),
            (Access::Upstream, PersonsToken::Absent) => return Err(CallError::NoToken),
        };
        let request = prepare(&self.shape, arguments, credential)?;
        let path = self.below_base(&request.url).unwrap_or_default();
        if is_of_another(self.entries, &request.method, &self.entry.path, path) {
            return Err(ArgumentError::OtherOperation.into());
        }
        Ok(request)
    }

    /// Returns whether the requests have a credential.
    pub(crate) fn has_credential(&self) -> bool {
        !matches!(self.access, Access::None)
    }

    /// Returns whether a redirect of a call may be followed: below the base, and not to an operation that is not offered.
    pub(crate) fn may_redirect(&self, method: &Method, url: &Url) -> bool {
        let below = self.below_base(url);
        below.is_some_and(|path| !has_dot_segment(path) && !is_hidden(self.entries, method, path))
    }

    /// Returns the path behind that of the base.
    fn below_base<'u>(&self, url: &'u Url) -> Option<&'u str> {
        let base = self.shape.base.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base)?;
        (path.is_empty() || path.starts_with('/')).then_some(path)
    }

    /// The tool's name.
    pub(crate) fn name(&self) -> &str {
        &self.entry.name
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.entry.name,
            operation_id: operation_id(self.value),
            method: &self.entry.method,
            path: &self.entry.path,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        text(self.value.get(key).and_then(Value::as_str))
    }

    fn description(&self) -> String {
        /// The model reads all of them before it chooses.
        const MAX_CHARS: usize = 2000;
        let mut parts = Vec::new();
        if self.value.get("deprecated") == Some(&Value::Bool(true)) {
            parts.push("Deprecated.".to_owned());
        }
        match (self.text("summary"), self.text("description")) {
            (Some(summary), Some(description)) if !description.starts_with(summary) => {
                parts.push(bounded(summary, MAX_CHARS));
                parts.push(bounded(description, MAX_CHARS));
            }
            (_, Some(description)) => parts.push(bounded(description, MAX_CHARS)),
            (Some(summary), None) => parts.push(bounded(summary, MAX_CHARS)),
            (None, None) => parts.push(format!(
                "{} {}",
                self.shape.method,
                excerpt(&self.entry.path)
            )),
        }
        parts.join("\n\n")
    }
}

impl Access {
    /// Returns whether a parameter is where the credential goes, and so is not for the caller to set.
    fn fills(&self, parameter: &Parameter<'_>) -> bool {
        let Self::Secret(location, _) = self else {
            return false;
        };
        match (location, parameter.location) {
            (SecretLocation::Header(name), Location::Header) => {
                name.as_str().eq_ignore_ascii_case(parameter.name)
            }
            (SecretLocation::Query(name), Location::Query)
            | (SecretLocation::Cookie(name), Location::Cookie) => name == parameter.name,
            _ => false,
        }
    }
}

/// Returns an operation's `operationId`.
pub(crate) fn operation_id(operation: &Value) -> Option<&str> {
    text(operation.get("operationId").and_then(Value::as_str))
}

/// Returns the value of the Accept header: JSON where the operation has it, else everything that it says it gives.
fn accept(document: &Document, operation: &Value) -> String {
    const ANYTHING: &str = "application/json, text/*;q=0.8, */*;q=0.5";
    const MAX_TYPES: usize = 8;
    let responses = operation.get("responses").map(object).into_iter().flatten();
    let successes = responses.filter(|(status, _)| status.starts_with('2'));
    let responses = successes.filter_map(|(_, response)| document.resolve_object(response).ok());
    let contents = responses.filter_map(|response| response.get("content"));
    let (mut json, mut types): (Option<&str>, Vec<&str>) = (None, Vec::new());
    for name in contents.flat_map(|content| object(content).keys()) {
        if name.len() > MAX_MEDIA_TYPE_BYTES || HeaderValue::from_str(name).is_err() {
            continue;
        }
        if is_any_json(name) {
            json = json
                .into_iter()
                .chain([name.as_str()])
                .min_by_key(|name| json_rank(name));
        } else if types.len() < MAX_TYPES && !types.contains(&name.as_str()) {
            types.push(name);
        }
    }
    match json {
        Some(json) => json.to_owned(),
        None if types.is_empty() => ANYTHING.to_owned(),
        None => types.join(", "),
    }
}

fn access(
    document: &Document,
    operation: &Value,
    credentials: &Credentials,
) -> Result<Access, Unusable> {
    Ok(match credentials {
        Credentials::None => Access::None,
        Credentials::Secret { secret, location } => {
            match find_location(document, operation, location)? {
                Some(location) => Access::Secret(location, secret.clone()),
                None => Access::None,
            }
        }
        Credentials::Upstream if is_public(document, operation) => Access::None,
        Credentials::Upstream => Access::Upstream,
    })
}

/// Returns what the path is appended to. Where there are credentials, all operations that the document's servers lead to are at the
/// origin of its first server: a document does not send them to several hosts.
fn base(
    document: &Document,
    path_item: &Value,
    operation: &Value,
    settings: &Settings,
) -> Result<Url, Unusable> {
    if let Some(base) = &settings.base_url {
        return Ok(base.clone());
    }
    let base = server_url(document, path_item, operation)?;
    let root = server_url(document, &Value::Null, &Value::Null);
    let is_bound = !matches!(settings.credentials, Credentials::None);
    if is_bound && root?.origin() != base.origin() {
        return Err(Unusable::OtherOrigin(excerpt(base.as_str())));
    }
    Ok(base)
}
