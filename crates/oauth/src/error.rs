//! Errors as the wire has them, and the one place that maps every error of this crate to it.

use crate::authorization_request::RequestError;
use crate::client_authentication::ClientAuthenticationError;
use crate::client_metadata::MetadataError;
use crate::parameters::ParameterError;
use crate::pkce::PkceError;
use crate::registration::RegistrationError;
use crate::resource::ResourceError;
use crate::scope::ScopeError;
use crate::token::TokenRequestError;
use serde::Serialize;

/// An error code of RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7591 section
/// 3.2.2, RFC 8707 section 2, RFC 9449 sections 5 and 8, and OpenID Connect Core section 3.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the standards' own words")]
pub enum ErrorCode {
    AccessDenied,
    InvalidClient,
    InvalidClientMetadata,
    InvalidDpopProof,
    InvalidGrant,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    InvalidToken,
    LoginRequired,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    ServerError,
    TemporarilyUnavailable,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    UseDpopNonce,
}

impl ErrorCode {
    /// Returns the code as the wire has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::InvalidClient => "invalid_client",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::LoginRequired => "login_required",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }

    /// Returns the HTTP status of a JSON answer with this code (RFC 6749 section 5.2).
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

/// An error as JSON answers and redirects carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct Error {
    /// The code.
    #[serde(rename = "error")]
    pub code: ErrorCode,
    /// What was wrong and with what, for the client's developer: printable ASCII without quotes and
    /// backslashes (RFC 6749 section 5.2).
    #[serde(rename = "error_description")]
    pub description: String,
}

impl Error {
    /// Returns an error. Characters that a description cannot have are replaced, and it is cut at 300.
    pub fn new(code: ErrorCode, description: impl AsRef<str>) -> Self {
        let description = description
            .as_ref()
            .chars()
            .take(300)
            .map(|char| match char {
                '"' => '\'',
                ' '..='~' if char != '\\' => char,
                _ => '?',
            })
            .collect();
        Self { code, description }
    }
}

impl From<ParameterError> for Error {
    fn from(error: ParameterError) -> Self {
        Self::new(ErrorCode::InvalidRequest, error.to_string())
    }
}

impl From<PkceError> for Error {
    fn from(error: PkceError) -> Self {
        let code = match error {
            PkceError::Mismatch => ErrorCode::InvalidGrant,
            _ => ErrorCode::InvalidRequest,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ScopeError> for Error {
    fn from(error: ScopeError) -> Self {
        let code = match error {
            // The client signs the person in again, which is what helps.
            ScopeError::NothingLeft => ErrorCode::InvalidGrant,
            _ => ErrorCode::InvalidScope,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ResourceError> for Error {
    fn from(error: ResourceError) -> Self {
        Self::new(ErrorCode::InvalidTarget, error.to_string())
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        let code = match &error {
            RequestError::MissingResponseType
            | RequestError::ResponseMode
            | RequestError::Prompt
            | RequestError::MaxAge
            | RequestError::StateTooLong
            | RequestError::DpopJkt => ErrorCode::InvalidRequest,
            RequestError::ResponseType => ErrorCode::UnsupportedResponseType,
            RequestError::ClientGrant => ErrorCode::UnauthorizedClient,
            RequestError::RequestObject => ErrorCode::RequestNotSupported,
            RequestError::RequestUri => ErrorCode::RequestUriNotSupported,
            RequestError::Registration => ErrorCode::RegistrationNotSupported,
            RequestError::NoPrompt => ErrorCode::LoginRequired,
            RequestError::Parameter(error) => return error.clone().into(),
            RequestError::Pkce(error) => return error.clone().into(),
            RequestError::Resource(error) => return error.clone().into(),
            RequestError::Scope(error) => return error.clone().into(),
        };
        Self::new(code, error.to_string())
    }
}

impl From<ClientAuthenticationError> for Error {
    fn from(error: ClientAuthenticationError) -> Self {
        let code = match error {
            ClientAuthenticationError::SeveralMethods
            | ClientAuthenticationError::DifferentClients => ErrorCode::InvalidRequest,
            _ => ErrorCode::InvalidClient,
        };
        Self::new(code, error.to_string())
    }
}

impl From<TokenRequestError> for Error {
    fn from(error: TokenRequestError) -> Self {
        let code = match error {
            TokenRequestError::Missing(_) => ErrorCode::InvalidRequest,
            TokenRequestError::GrantType => ErrorCode::UnsupportedGrantType,
            TokenRequestError::ClientGrant(_) => ErrorCode::UnauthorizedClient,
            TokenRequestError::OtherClient
            | TokenRequestError::RedirectUri
            | TokenRequestError::NoProof
            | TokenRequestError::OtherKey => ErrorCode::InvalidGrant,
            TokenRequestError::Pkce(error) => return error.into(),
            TokenRequestError::Resource(error) => return error.into(),
            TokenRequestError::Scope(error) => return error.into(),
        };
        Self::new(code, error.to_string())
    }
}

impl From<RegistrationError> for Error {
    fn from(error: RegistrationError) -> Self {
        let code = match &error {
            RegistrationError::Metadata(
                MetadataError::NoRedirectUri
                | MetadataError::TooManyRedirectUris
                | MetadataError::RedirectUri(..)
                | MetadataError::Type("redirect_uris", _),
            ) => ErrorCode::InvalidRedirectUri,
            _ => ErrorCode::InvalidClientMetadata,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_only_the_characters_that_rfc_6749_allows() {
        let error = Error::new(ErrorCode::InvalidRequest, "a \"b\" \\ \u{e9}\n");
        assert_eq!(error.description, "a 'b' ? ??");
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"error":"invalid_request","error_description":"a 'b' ? ??"}"#
        );
    }
}
