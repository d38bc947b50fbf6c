//! Responses of Descope: tokens, claims about a person, and errors.

use crate::settings::App;
use bytes::Bytes;
use http::{Response, StatusCode};
use identity::Error;
use oidc::answer::{self, TokenAnswer, redacted};
use oidc::misconfiguration;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What a request was about: the meaning of some responses depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To trade a code.
    Exchange,
    /// To trade a refresh token.
    Refresh,
    /// To revoke a token.
    Revoke,
    /// For userinfo.
    UserInfo,
    /// For the project's keys.
    Keys,
}

/// Reads the answer to a token request that was sent at `now`.
pub(crate) fn tokens(
    response: &Response<Bytes>,
    asked: Asked,
    app: &App,
    now: u64,
) -> Result<TokenAnswer, Error> {
    check_status(response, asked, Some(app))?;
    answer::tokens(response.body(), WHO, now)
}

/// Reads the answer of the revocation endpoint (RFC 7009 section 2.2).
pub(crate) fn revoked(response: &Response<Bytes>, app: &App) -> Result<(), Error> {
    check_status(response, Asked::Revoke, Some(app))
}

/// Reads the answer of the userinfo endpoint (OpenID Connect Core section 5.3.2).
pub(crate) fn userinfo(response: &Response<Bytes>) -> Result<Map<String, Value>, Error> {
    check_status(response, Asked::UserInfo, None)?;
    answer::userinfo(response.body(), WHO)
}

/// Returns the body of the answer to the request for keys.
pub(crate) fn keys(response: Response<Bytes>) -> Result<Bytes, Error> {
    check_status(&response, Asked::Keys, None)?;
    Ok(response.into_body())
}

/// Descope's error envelope, and RFC 6749 section 5.2's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorFields {
    #[serde(rename = "errorCode")]
    code: Option<String>,
    #[serde(rename = "errorDescription")]
    description: Option<String>,
    #[serde(rename = "errorMessage")]
    message: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// The one place where an answer that is no success gets its meaning.
fn check_status(response: &Response<Bytes>, asked: Asked, app: Option<&App>) -> Result<(), Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let what = match asked {
        Asked::Exchange => "the code",
        Asked::Refresh => "the refresh token",
        Asked::Revoke => "the token to revoke",
        Asked::UserInfo => "the access token",
        Asked::Keys => "the request for the project's keys",
    };
    if answer::is_trouble(status) {
        return Err(Error::Unavailable(format!(
            "Descope answered {what} with status {}",
            status.as_u16()
        )));
    }
    let fields: Option<ErrorFields> = serde_json::from_slice(response.body()).ok();
    let is_envelope = fields
        .as_ref()
        .is_some_and(|fields| fields.code.is_some() || fields.error.is_some());
    let fields = fields.unwrap_or_default();
    if asked == Asked::Keys {
        return Err(misconfiguration::of(
            "descope_project_id",
            format!(
                "Descope has no keys for a project with this id (status {})",
                status.as_u16()
            ),
            "Copy the project id from Project Settings in the Descope console, and set descope_base_url if the project has a custom domain or is in another region",
        ));
    }
    if status == StatusCode::NOT_FOUND && !is_envelope {
        return Err(misconfiguration::of(
            "descope_base_url",
            "what answers there does not know Descope's endpoints",
            "Set it to https://api.descope.com or to the custom domain of your Descope project",
        ));
    }
    if let Some(app) = app {
        let text = fields.lowercase_text();
        if text.contains("scope") {
            return Err(misconfiguration::of(
                "descope_scopes",
                "Descope does not accept the scopes",
                "List only scopes that are defined on the app in the Descope console",
            ));
        }
        if fields.is_about_credentials(status, asked, &text) {
            return Err(misconfiguration::of(
                app.credentials.secret_variable(),
                format!(
                    "Descope does not accept it with the id that goes with it (status {})",
                    status.as_u16()
                ),
                "Copy the id and the secret from the same place in the Descope console; a secret may have been rotated there",
            ));
        }
    }
    Err(Error::Refused(format!(
        "Descope refused {what} (status {}{})",
        status.as_u16(),
        fields.for_the_log()
    )))
}

impl ErrorFields {
    /// Everything it says, in lower case.
    fn lowercase_text(&self) -> String {
        [
            &self.error,
            &self.error_description,
            &self.description,
            &self.message,
        ]
        .into_iter()
        .flatten()
        .map(|text| text.to_lowercase())
        .collect::<Vec<_>>()
        .join(" ")
    }

    /// Whether it is we who were refused, and not what we brought.
    fn is_about_credentials(&self, status: StatusCode, asked: Asked, text: &str) -> bool {
        if self.error.as_deref() == Some("invalid_client")
            || self.code.as_deref() == Some(INVALID_CLIENT_ID)
        {
            return true;
        }
        let names_client = [
            "client id",
            "client_id",
            "client credentials",
            "secret",
            "management key",
        ]
        .iter()
        .any(|hint| text.contains(hint));
        // A bad code is a 400 (RFC 6749 section 5.2).
        (names_client && !text.contains("token"))
            || (asked == Asked::Exchange
                && status == StatusCode::UNAUTHORIZED
                && self.error.as_deref() != Some("invalid_grant"))
    }

    /// Code and message, without anything in them that might be a token or a code.
    fn for_the_log(&self) -> String {
        let code = self.code.as_ref().or(self.error.as_ref());
        let message = self
            .message
            .as_ref()
            .or(self.error_description.as_ref())
            .or(self.description.as_ref());
        let mut text = String::new();
        for (separator, part) in [(", ", code), (": ", message)] {
            if let Some(part) = part {
                text.push_str(separator);
                text.push_str(&redacted(part));
            }
        }
        text
    }
}

/// The name of the provider, for people.
pub(crate) const WHO: &str = "Descope";
/// "Invalid client id".
const INVALID_CLIENT_ID: &str = "E074130";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use jwt::MAX_TOKEN_BYTES;

    fn response(status: u16, body: &str) -> Response<Bytes> {
        Response::builder()
            .status(status)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    fn refusal(asked: Asked, status: u16, body: &str) -> Error {
        let app = fixtures::client_app();
        match tokens(&response(status, body), asked, &app, 0) {
            Ok(_) => panic!("accepted {status} {body}"),
            Err(error) => error,
        }
    }

    fn descope(code: &str, description: &str, message: &str) -> String {
        serde_json::json!({
            "errorCode": code,
            "errorDescription": description,
            "errorMessage": message,
            "message": message,
        })
        .to_string()
    }

    #[test]
    fn a_token_answer_is_read_with_its_end() {
        let body = r#"{"access_token":"a","token_type":"bearer","expires_in":600,"refresh_token":"r","id_token":"i","scope":"x"}"#;
        let answer = tokens(
            &response(200, body),
            Asked::Exchange,
            &fixtures::client_app(),
            1000,
        )
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.tokens.access_token, "a");
        assert_eq!(answer.tokens.refresh_token.as_deref(), Some("r"));
        assert_eq!(answer.tokens.expires_at, Some(1600));
        assert_eq!(answer.id_token.as_deref(), Some("i"));
    }

    #[test]
    fn what_is_absent_or_empty_in_a_token_answer_stays_absent() {
        for body in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","refresh_token":"","id_token":"","expires_in":0}"#,
            r#"{"access_token":"a","refresh_token":null,"id_token":null,"expires_in":null}"#,
            r#"{"access_token":"a","expires_in":-5}"#,
            r#"{"access_token":"a","expires_in":[]}"#,
        ] {
            let answer = tokens(
                &response(200, body),
                Asked::Refresh,
                &fixtures::client_app(),
                1000,
            )
            .unwrap_or_else(|error| panic!("{body} {error}"));
            assert_eq!(answer.tokens.refresh_token, None);
            assert_eq!(answer.tokens.expires_at, None, "{body}");
            assert_eq!(answer.id_token, None);
        }
        for expires_in in ["600", "600.0", "\"600\"", "6e2"] {
            let body = format!(r#"{{"access_token":"a","expires_in":{expires_in}}}"#);
            let answer = tokens(
                &response(200, &body),
                Asked::Refresh,
                &fixtures::client_app(),
                1000,
            )
            .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(answer.tokens.expires_at, Some(1600));
        }
        let body = r#"{"access_token":"a","expires_in":18446744073709551615}"#;
        let answer = tokens(
            &response(200, body),
            Asked::Refresh,
            &fixtures::client_app(),
            1000,
        )
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.tokens.expires_at, Some(u64::MAX));
    }

    #[test]
    fn nonsense_with_status_200_is_unavailable() {
        let long = format!(
            r#"{{"access_token":"{}"}}"#,
            "a".repeat(MAX_TOKEN_BYTES + 1)
        );
        for body in [
            "",
            "null",
            "[]",
            "<html>",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"a","refresh_token":"b\n"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            &long,
        ] {
            assert!(
                matches!(refusal(Asked::Exchange, 200, body), Error::Unavailable(_)),
                "{body}"
            );
        }
    }

    #[test]
    fn trouble_on_the_other_side_is_unavailable_whatever_the_body() {
        for status in [302, 408, 429, 500, 502, 503, 504] {
            let body = descope(
                "E011003",
                "Request is invalid",
                "Invalid client credentials",
            );
            assert!(matches!(
                refusal(Asked::Refresh, status, &body),
                Error::Unavailable(_)
            ));
        }
    }

    #[test]
    fn a_spent_code_or_refresh_token_is_refused_with_descopes_words() {
        let body = descope(
            "E011003",
            "Request is invalid",
            "The authorization code is not valid",
        );
        assert_eq!(
            refusal(Asked::Exchange, 400, &body).reason().to_owned(),
            "Descope refused the code (status 400, E011003: The authorization code is not valid)"
        );
        for (status, body) in [
            (
                401,
                descope("E061005", "Invalid token", "Invalid refresh token"),
            ),
            (
                404,
                descope("E063302", "Consent not found", "Cannot find consent by id"),
            ),
            (400, r#"{"error":"invalid_grant"}"#.to_owned()),
            (401, String::new()),
            (400, "<html>".to_owned()),
        ] {
            assert!(
                matches!(refusal(Asked::Refresh, status, &body), Error::Refused(_)),
                "{status} {body}"
            );
        }
        assert!(matches!(
            refusal(Asked::Exchange, 401, r#"{"error":"invalid_grant"}"#),
            Error::Refused(_)
        ));
    }

    #[test]
    fn refused_credentials_name_the_variable_of_the_secret() {
        for (status, body) in [
            (
                401,
                descope(
                    "E011003",
                    "Request is invalid",
                    "Invalid client credentials",
                ),
            ),
            (400, descope("E074130", "Invalid client id", "")),
            (
                400,
                descope(
                    "E011002",
                    "Request is missing required arguments",
                    "missing secret",
                ),
            ),
            (401, r#"{"error":"invalid_client"}"#.to_owned()),
        ] {
            for asked in [Asked::Exchange, Asked::Refresh] {
                let error = refusal(asked, status, &body);
                assert!(
                    matches!(&error, Error::Misconfigured(text) if text.starts_with("descope_client_secret: ")),
                    "{error:?}"
                );
            }
        }
        let answer = tokens(
            &response(401, &descope("E061005", "Invalid token", "Invalid token")),
            Asked::Exchange,
            &fixtures::key_app(),
            0,
        );
        assert!(
            matches!(answer.err(), Some(Error::Misconfigured(text)) if text.starts_with("descope_management_key: "))
        );
    }

    #[test]
    fn undefined_scopes_and_a_wrong_host_name_their_variables() {
        let body = descope("E011003", "Request is invalid", "Received invalid scope");
        assert!(
            refusal(Asked::Exchange, 400, &body)
                .to_string()
                .starts_with("descope_scopes: ")
        );
        assert!(
            refusal(Asked::Exchange, 404, "not here")
                .to_string()
                .starts_with("descope_base_url: ")
        );
    }

    #[test]
    fn an_error_text_repeats_nothing_that_could_be_a_secret() {
        let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
        let message = format!(
            "code {secret} of a@example.com is\nspent {}",
            "word ".repeat(90)
        );
        let error = refusal(Asked::Exchange, 400, &descope("E1", "", &message))
            .reason()
            .to_owned();
        assert!(!error.contains(secret) && !error.contains('@') && !error.contains('\n'));
        assert!(error.len() < 300 && error.contains("spent"), "{error}");
    }

    #[test]
    fn userinfo_is_read_bare_or_wrapped() {
        for body in [r#"{"sub":"U1"}"#, r#"{"userInfoClaims":{"sub":"U1"}}"#] {
            assert_eq!(userinfo(&response(200, body)).unwrap()["sub"], "U1");
        }
        for body in ["[]", "{}", r#"{"sub":7}"#, r#"{"userInfoClaims":{}}"#] {
            assert!(matches!(
                userinfo(&response(200, body)),
                Err(Error::Unavailable(_))
            ));
        }
        assert!(matches!(
            userinfo(&response(401, "{}")),
            Err(Error::Refused(_))
        ));
    }

    #[test]
    fn a_project_without_keys_names_the_project_id() {
        for status in [400, 404] {
            let error = keys(response(status, "")).unwrap_err().to_string();
            assert!(error.starts_with("descope_project_id: "), "{error}");
        }
        assert!(matches!(
            keys(response(503, "")),
            Err(Error::Unavailable(_))
        ));
    }
}
