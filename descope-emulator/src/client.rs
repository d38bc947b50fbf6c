//! Client authentication at the token and revocation endpoints, in both of Descope's credential styles.
//!
//! A client that registered itself with an MCP server proves what its registration says: its secret likewise, or
//! nothing but its `client_id` if it is a public one.
//!
//! An inbound app sends `client_id` and `client_secret` as parameters (form or JSON) or by HTTP Basic; a project's own
//! server sends `Authorization: Bearer {project id}:{management key}` and has the project id as its client id.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::config::Config;
use crate::error::DescopeError;
use crate::params::Params;
use crate::state::hash;

/// Returns the client id that the request proved.
///
/// # Errors
/// [`DescopeError::Credentials`] if the credentials are missing, wrong or of two kinds that differ.
pub(crate) fn authenticate(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
) -> Result<String, DescopeError> {
    let authorization = match headers.get(header::AUTHORIZATION) {
        Some(value) => Some(value.to_str().map_err(|_| DescopeError::Credentials)?),
        None => None,
    };
    let proven = match authorization.map(split_scheme) {
        Some((scheme, value)) if scheme.eq_ignore_ascii_case("bearer") => {
            by_key(&app.config, value)?
        }
        Some((scheme, value)) if scheme.eq_ignore_ascii_case("basic") => {
            let (client_id, secret) = basic(value).ok_or(DescopeError::Credentials)?;
            by_secret(app, &client_id, Some(&secret))?
        }
        Some(_) => return Err(DescopeError::Credentials),
        None => by_secret(
            app,
            params.require("client_id")?,
            params.get("client_secret"),
        )?,
    };
    match params.get("client_id") {
        Some(claimed) if claimed != proven => Err(DescopeError::Credentials),
        _ => Ok(proven),
    }
}

fn by_key(config: &Config, value: &str) -> Result<String, DescopeError> {
    let (project_id, key) = value.split_once(':').ok_or(DescopeError::Credentials)?;
    let right = same(project_id, &config.project_id) & same(key, &config.management_key);
    if right {
        Ok(config.project_id.clone())
    } else {
        Err(DescopeError::Credentials)
    }
}

fn by_secret(app: &App, client_id: &str, secret: Option<&str>) -> Result<String, DescopeError> {
    let registered = app.state().clients.get(client_id).cloned();
    let right = match (registered.map(|client| client.secret), secret) {
        (Some(None), given) => given.is_none(),
        (Some(Some(expected)), Some(given)) => same(&hash(given), &expected),
        (None, Some(given)) => {
            same(client_id, &app.config.client_id) & same(given, &app.config.client_secret)
        }
        (_, None) => false,
    };
    if right {
        Ok(client_id.to_owned())
    } else {
        Err(DescopeError::Credentials)
    }
}

/// Returns the two halves of a Basic header's value (RFC 6749 section 2.3.1: form-encoded each).
fn basic(value: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    Some((form_decoded(client_id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
}

fn split_scheme(value: &str) -> (&str, &str) {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    (scheme, rest.trim_start())
}

fn same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basic_header_is_form_decoded_in_both_halves() {
        let value = STANDARD.encode("my%20app:se%3Acret+x");
        let expected = ("my app".to_owned(), "se:cret x".to_owned());
        assert_eq!(basic(&value), Some(expected));
        assert_eq!(basic("!!"), None);
        assert_eq!(basic(&STANDARD.encode("no colon")), None);
    }
}
