//! How a client says who it is at `/token` and `/revoke` (RFC 6749 section 2.3).

use crate::client::{AuthMethod, Client};
use crate::secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use web::Parameters;

/// Why a client is not believed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClientAuthenticationError {
    /// Nothing says which client it is.
    #[error("the client is not named: send client_id, or HTTP Basic authentication")]
    Missing,
    /// The `Authorization` header is not one of HTTP Basic.
    #[error("the Authorization header is not a valid one of HTTP Basic authentication")]
    Malformed,
    /// More than one way at once (RFC 6749 section 2.3).
    #[error("the client authenticates in more than one way")]
    SeveralMethods,
    /// The header and the form name different clients.
    #[error("client_id is not the client of the Authorization header")]
    DifferentClients,
    /// A way that is not supported.
    #[error("client_assertion is not supported")]
    Assertion,
    /// There is no such client.
    #[error("the client is not known here; register again")]
    UnknownClient,
    /// The client is registered for another way.
    #[error("the client is registered for {0}")]
    OtherMethod(&'static str),
    /// The secret is another one.
    #[error("the client secret is wrong")]
    WrongSecret,
}

/// What a request says of its client.
pub struct Presented {
    /// The client.
    pub client_id: String,
    method: AuthMethod,
    secret: Option<String>,
}

/// Reads the `Authorization` header and the form.
///
/// # Errors
///
/// [`ClientAuthenticationError`].
pub fn read(
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Presented, ClientAuthenticationError> {
    use ClientAuthenticationError as Error;
    if form.get("client_assertion").is_some() || form.get("client_assertion_type").is_some() {
        return Err(Error::Assertion);
    }
    let client_id = form.get("client_id");
    let client_secret = form.get("client_secret");
    let mut authorizations = headers.get_all(AUTHORIZATION).iter();
    let Some(authorization) = authorizations.next() else {
        return Ok(Presented {
            client_id: client_id.ok_or(Error::Missing)?.to_owned(),
            method: match client_secret {
                Some(_) => AuthMethod::ClientSecretPost,
                None => AuthMethod::None,
            },
            secret: client_secret.map(str::to_owned),
        });
    };
    if authorizations.next().is_some() || client_secret.is_some() {
        return Err(Error::SeveralMethods);
    }
    let authorization = authorization.to_str().map_err(|_| Error::Malformed)?;
    let (basic_id, secret) = read_basic(authorization).ok_or(Error::Malformed)?;
    // Some clients send both; only a contradiction is wrong.
    if client_id.is_some_and(|client_id| client_id != basic_id) {
        return Err(Error::DifferentClients);
    }
    Ok(Presented {
        client_id: basic_id,
        method: AuthMethod::ClientSecretBasic,
        secret: Some(secret),
    })
}

impl Presented {
    /// Checks that the request authenticates exactly as `client` is registered.
    ///
    /// # Errors
    ///
    /// [`ClientAuthenticationError`].
    pub fn check(&self, client: &Client) -> Result<(), ClientAuthenticationError> {
        let registered = client.metadata.token_endpoint_auth_method;
        if self.method != registered {
            return Err(ClientAuthenticationError::OtherMethod(registered.as_str()));
        }
        if registered == AuthMethod::None {
            return Ok(());
        }
        match (&self.secret, &client.secret_hash) {
            (Some(secret), Some(hash)) if secret::equal(&secret::hash(secret), hash) => Ok(()),
            _ => Err(ClientAuthenticationError::WrongSecret),
        }
    }
}

/// Client id and secret, each encoded as a form value (RFC 6749 section 2.3.1).
fn read_basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(credentials.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let id = form_decode(id);
    (!id.is_empty()).then(|| (id, form_decode(secret)))
}

fn form_decode(text: &str) -> String {
    // A value alone, so that neither `&` nor `=` in it has a meaning.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientMetadata, GrantType};
    use ClientAuthenticationError as Error;

    fn basic(id: &str, secret: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    fn client(method: AuthMethod) -> Client {
        Client {
            client_id: "id".into(),
            issued_at: 0,
            secret_hash: (method != AuthMethod::None).then(|| secret::hash("s&= +")),
            metadata: ClientMetadata {
                redirect_uris: vec![],
                token_endpoint_auth_method: method,
                grant_types: vec![GrantType::AuthorizationCode],
                response_types: vec![],
                client_name: None,
                client_uri: None,
                logo_uri: None,
                policy_uri: None,
                tos_uri: None,
                scope: None,
                contacts: vec![],
                application_type: None,
                software_id: None,
                software_version: None,
            },
        }
    }

    fn check(
        headers: &HeaderMap,
        form: &Parameters,
        method: AuthMethod,
    ) -> Result<(), ClientAuthenticationError> {
        read(headers, form)?.check(&client(method))
    }

    #[test]
    fn basic_credentials_are_form_encoded_and_may_come_with_a_matching_client_id() {
        let headers = basic("id", "s%26%3D+%2B");
        for form in [[].into(), [("client_id", "id")].into()] {
            assert_eq!(
                check(&headers, &form, AuthMethod::ClientSecretBasic),
                Ok(())
            );
        }
        assert_eq!(
            check(
                &headers,
                &[("client_id", "other")].into(),
                AuthMethod::ClientSecretBasic
            ),
            Err(Error::DifferentClients)
        );
    }

    #[test]
    fn a_client_authenticates_exactly_as_registered() {
        let none = Parameters::from([("client_id", "id")]);
        let post = Parameters::from([("client_id", "id"), ("client_secret", "s&= +")]);
        let empty = HeaderMap::new();
        let header = basic("id", "s%26%3D+%2B");
        for (headers, form, used) in [
            (&empty, &none, AuthMethod::None),
            (&empty, &post, AuthMethod::ClientSecretPost),
            (&header, &none, AuthMethod::ClientSecretBasic),
        ] {
            for registered in AuthMethod::ALL {
                let expected = if used == registered {
                    Ok(())
                } else {
                    Err(Error::OtherMethod(registered.as_str()))
                };
                assert_eq!(check(headers, form, registered), expected);
            }
        }
    }

    #[test]
    fn a_wrong_secret_is_refused() {
        let method = AuthMethod::ClientSecretBasic;
        assert_eq!(
            check(&basic("id", "wrong"), &[].into(), method),
            Err(Error::WrongSecret)
        );
        assert_eq!(
            check(&basic("id", ""), &[].into(), method),
            Err(Error::WrongSecret)
        );
    }

    #[test]
    fn two_ways_at_once_or_none_are_refused() {
        let form = Parameters::from([("client_secret", "x")]);
        let error = |headers: &HeaderMap, form: &Parameters| read(headers, form).err();
        assert_eq!(error(&basic("id", "x"), &form), Some(Error::SeveralMethods));
        assert_eq!(error(&HeaderMap::new(), &form), Some(Error::Missing));
        let assertion = [("client_id", "id"), ("client_assertion", "x")].into();
        assert_eq!(error(&HeaderMap::new(), &assertion), Some(Error::Assertion));
    }

    #[test]
    fn anything_but_basic_in_the_header_is_refused() {
        for value in ["Bearer x", "Basic", "Basic !", "Basic aWQ=", "Basic Ong="] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            let error = read(&headers, &[("client_id", "id")].into()).err();
            assert_eq!(error, Some(Error::Malformed), "{value}");
        }
    }
}
