//! Client authentication at `/token` and `/revoke` (RFC 6749 section 2.3).

use crate::client::{AuthMethod, Client};
use crate::client_assertion::{self, AssertionError};
use crate::parameters::Parameters;
use crate::secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

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
    /// The assertion is not believed.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
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
    /// The secret or the assertion.
    credential: Option<String>,
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
    let client_id = form.get("client_id");
    let client_secret = form.get("client_secret");
    let mut authorizations = headers.get_all(AUTHORIZATION).iter();
    if form.get("client_assertion").is_some() || form.get("client_assertion_type").is_some() {
        if client_secret.is_some() || authorizations.next().is_some() {
            return Err(Error::SeveralMethods);
        }
        return read_assertion(form, client_id);
    }
    let Some(authorization) = authorizations.next() else {
        return Ok(Presented {
            client_id: client_id.ok_or(Error::Missing)?.to_owned(),
            method: match client_secret {
                Some(_) => AuthMethod::ClientSecretPost,
                None => AuthMethod::None,
            },
            credential: client_secret.map(str::to_owned),
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
        credential: Some(secret),
    })
}

/// The client may be named beside the assertion, which names it anyway (RFC 7523 section 3).
fn read_assertion(
    form: &Parameters,
    client_id: Option<&str>,
) -> Result<Presented, ClientAuthenticationError> {
    if form.get("client_assertion_type") != Some(client_assertion::TYPE) {
        return Err(AssertionError::Type.into());
    }
    let assertion = form
        .get("client_assertion")
        .ok_or(AssertionError::Subject)?;
    let asserted = client_assertion::client_id(assertion)?;
    if client_id.is_some_and(|client_id| client_id != asserted) {
        return Err(ClientAuthenticationError::DifferentClients);
    }
    Ok(Presented {
        client_id: asserted,
        method: AuthMethod::PrivateKeyJwt,
        credential: Some(assertion.to_owned()),
    })
}

impl Presented {
    /// Checks that the request authenticates as `client` is registered: with its secret in either
    /// place, by its key, or not at all.
    ///
    /// Gives the assertion of a client that authenticates by one: the caller has to check that,
    /// which takes the client's keys and the time, by [`client_assertion`].
    ///
    /// # Errors
    ///
    /// [`ClientAuthenticationError`].
    pub fn check(&self, client: &Client) -> Result<Option<&str>, ClientAuthenticationError> {
        if !client.may_authenticate_by(self.method) {
            let registered = client.metadata.token_endpoint_auth_method;
            return Err(ClientAuthenticationError::OtherMethod(registered.as_str()));
        }
        match (self.method, &self.credential, &client.secret_hash) {
            (AuthMethod::None, ..) => Ok(None),
            (AuthMethod::PrivateKeyJwt, Some(assertion), _) => Ok(Some(assertion)),
            (_, Some(secret), Some(hash)) if secret::equal(&secret::hash(secret), hash) => Ok(None),
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
    use crate::client::GrantType;
    use ClientAuthenticationError as Error;
    use serde_json::json;

    fn basic(id: &str, secret: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    fn client(method: AuthMethod) -> Client {
        let metadata = json!({
            "redirect_uris": [],
            "token_endpoint_auth_method": method,
            "grant_types": [GrantType::AuthorizationCode],
            "response_types": [],
        });
        Client {
            client_id: "id".into(),
            issued_at: 0,
            secret_hash: method.has_secret().then(|| secret::hash("s&= +")),
            metadata: serde_json::from_value(metadata).unwrap(),
            resource_server: false,
        }
    }

    fn assertion() -> String {
        let claims = json!({ "iss": "id", "sub": "id" });
        let key = jwt::SigningKey::ed25519(&[7; 32]);
        key.sign("JWT", &claims).unwrap()
    }

    fn check(
        headers: &HeaderMap,
        form: &Parameters,
        method: AuthMethod,
    ) -> Result<(), ClientAuthenticationError> {
        read(headers, form)?.check(&client(method)).map(|_| ())
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
    fn a_client_authenticates_as_registered_and_brings_a_secret_in_either_place() {
        let none = Parameters::from([("client_id", "id")]);
        let post = Parameters::from([("client_id", "id"), ("client_secret", "s&= +")]);
        let empty = HeaderMap::new();
        let header = basic("id", "s%26%3D+%2B");
        let signed = assertion();
        let assertion = Parameters::from([
            ("client_assertion_type", client_assertion::TYPE),
            ("client_assertion", &signed),
        ]);
        for (headers, form, used) in [
            (&empty, &none, AuthMethod::None),
            (&empty, &post, AuthMethod::ClientSecretPost),
            (&header, &none, AuthMethod::ClientSecretBasic),
            (&empty, &assertion, AuthMethod::PrivateKeyJwt),
        ] {
            for registered in AuthMethod::ALL {
                let by_secret = used.has_secret() && registered.has_secret();
                let expected = if used == registered || by_secret {
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
        let signed = assertion();
        let with = |name: &'static str, value: &'static str| {
            Parameters::from([
                ("client_assertion_type", client_assertion::TYPE),
                ("client_assertion", &signed),
                (name, value),
            ])
        };
        let form = with("client_secret", "x");
        assert_eq!(error(&HeaderMap::new(), &form), Some(Error::SeveralMethods));
        let form = with("client_id", "id");
        assert_eq!(error(&basic("id", "x"), &form), Some(Error::SeveralMethods));
        assert_eq!(error(&HeaderMap::new(), &form), None);
        let form = with("client_id", "other");
        assert_eq!(
            error(&HeaderMap::new(), &form),
            Some(Error::DifferentClients)
        );
    }

    #[test]
    fn an_assertion_of_an_unknown_type_or_none_at_all_is_refused() {
        let signed = assertion();
        for (kind, text) in [
            ("x", signed.as_str()),
            ("", &signed),
            (client_assertion::TYPE, ""),
        ] {
            let form = Parameters::from([
                ("client_id", "id"),
                ("client_assertion_type", kind),
                ("client_assertion", text),
            ]);
            let error = read(&HeaderMap::new(), &form).err();
            assert!(matches!(error, Some(Error::Assertion(_))), "{error:?}");
        }
    }

    #[test]
    fn a_document_may_allow_more_than_one_way() {
        let mut client = client(AuthMethod::PrivateKeyJwt);
        client.metadata.token_endpoint_auth_methods_supported = vec![AuthMethod::None];
        let form = [("client_id", "id")].into();
        let presented = read(&HeaderMap::new(), &form).unwrap();
        assert_eq!(presented.check(&client), Ok(None));
        let post = [("client_id", "id"), ("client_secret", "x")].into();
        let presented = read(&HeaderMap::new(), &post).unwrap();
        assert_eq!(
            presented.check(&client),
            Err(Error::OtherMethod("private_key_jwt"))
        );
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
