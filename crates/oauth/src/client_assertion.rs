//! Client assertions: JWTs by which a client shows that it holds a key, each for this server and for one use
//! (RFC 7523 section 3, OpenID Connect Core section 9).

use crate::client::Client;
use crate::secret;
use jwt::{Algorithm, KeySet, Unverified};
use serde_json::{Map, Value};

/// The one `client_assertion_type` (RFC 7523 section 2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds that an assertion may be good for, and so remembered.
pub const MAX_LIFETIME: u64 = 600;

/// Seconds by which the client's clock may differ from ours.
const LEEWAY: u64 = 60;

/// Bytes that `jti` may have.
const MAX_ID_BYTES: usize = 512;

/// Why an assertion is not believed.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AssertionError {
    /// It is no JWT.
    #[error("client_assertion: {0}")]
    Token(#[from] jwt::Error),
    /// It is of another type than this server knows.
    #[error("client_assertion_type must be {TYPE}")]
    Type,
    /// It does not say whose it is, or contradicts itself.
    #[error("client_assertion: iss and sub must both be the client_id")]
    Subject,
    /// It has another audience: another server could have passed it on.
    #[error("client_assertion: aud must be the issuer of this server, or its token endpoint")]
    Audience,
    /// It says no times, or has expired, or is not good yet, or is good for too long.
    #[error(
        "client_assertion: exp must be there and at most {MAX_LIFETIME} seconds ahead, iat and nbf not ahead"
    )]
    Time,
    /// It cannot be told from another.
    #[error("client_assertion: jti is missing or too long")]
    Id,
    /// The client is registered for another algorithm.
    #[error("client_assertion: it is not signed with the algorithm that is registered")]
    Algorithm,
    /// The client has no such key.
    #[error("client_assertion: the client has no key of that kid and algorithm")]
    UnknownKey,
    /// It was used before.
    #[error("client_assertion: it was used before")]
    Replayed,
}

/// What an assertion has to fit.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Our issuer.
    pub issuer: &'a str,
    /// The URL of our token endpoint.
    pub token_endpoint: &'a str,
    /// Seconds since the Unix epoch.
    pub now: u64,
}

/// The single use of an assertion, which the server claims when it accepts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleUse {
    /// Stands for the client and its `jti`: URL-safe Base64.
    pub id: String,
    /// Until when it has to be remembered, in seconds since the Unix epoch.
    pub forget_at: u64,
}

/// Whose assertion it is, as it says itself.
///
/// # Errors
///
/// [`AssertionError::Token`] and [`AssertionError::Subject`].
pub fn client_id(assertion: &str) -> Result<String, AssertionError> {
    let unverified = Unverified::parse(assertion)?;
    let text = |name: &str| unverified.claims().get(name).and_then(Value::as_str);
    match (text("iss"), text("sub")) {
        (Some(issuer), Some(subject)) if issuer == subject && !issuer.is_empty() => {
            Ok(issuer.to_owned())
        }
        _ => Err(AssertionError::Subject),
    }
}

/// Checks all but the signature, before anybody goes to fetch a key for it.
///
/// # Errors
///
/// [`AssertionError`].
pub fn check(
    assertion: &str,
    client: &Client,
    expected: Expected<'_>,
) -> Result<SingleUse, AssertionError> {
    let unverified = Unverified::parse(assertion)?;
    let registered = client.metadata.token_endpoint_auth_signing_alg.as_deref();
    if registered.is_some_and(|name| Algorithm::parse(name) != Some(unverified.header().algorithm))
    {
        return Err(AssertionError::Algorithm);
    }
    let claims = unverified.claims();
    for name in ["iss", "sub"] {
        if claims.get(name).and_then(Value::as_str) != Some(&client.client_id) {
            return Err(AssertionError::Subject);
        }
    }
    if !is_for_us(claims.get("aud"), expected) {
        return Err(AssertionError::Audience);
    }
    let expires_at = check_times(claims, expected.now)?;
    let id = claims
        .get("jti")
        .and_then(Value::as_str)
        .filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()))
        .ok_or(AssertionError::Id)?;
    Ok(SingleUse {
        id: secret::hash(&format!("{} {id}", client.client_id)),
        forget_at: expires_at + LEEWAY,
    })
}

/// Checks the signature, by the key that the assertion names of those that are the client's.
///
/// # Errors
///
/// [`AssertionError::UnknownKey`], on which cached keys may be fetched again, and
/// [`AssertionError::Token`].
pub fn verify(assertion: &str, keys: &KeySet) -> Result<(), AssertionError> {
    let unverified = Unverified::parse(assertion)?;
    let header = unverified.header();
    let key = keys
        .find(header.key_id.as_deref(), header.algorithm)
        .ok_or(AssertionError::UnknownKey)?
        .clone();
    unverified.verify(&key)?;
    Ok(())
}

/// An audience besides us could pass the assertion on, so there must be none.
fn is_for_us(audience: Option<&Value>, expected: Expected<'_>) -> bool {
    let ours = |value: &Value| {
        value
            .as_str()
            .is_some_and(|aud| aud == expected.issuer || aud == expected.token_endpoint)
    };
    match audience {
        Some(Value::Array(several)) => !several.is_empty() && several.iter().all(ours),
        Some(one) => ours(one),
        None => false,
    }
}

/// Until when the assertion is good.
fn check_times(claims: &Map<String, Value>, now: u64) -> Result<u64, AssertionError> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => seconds(value).map(Some).ok_or(AssertionError::Time),
    };
    let expires_at = time("exp")?.ok_or(AssertionError::Time)?;
    let latest = now.saturating_add(LEEWAY);
    let good = expires_at.saturating_add(LEEWAY) > now
        && expires_at <= latest.saturating_add(MAX_LIFETIME)
        && time("nbf")?.is_none_or(|not_before| not_before <= latest)
        && time("iat")?.is_none_or(|issued_at| issued_at <= latest);
    good.then_some(expires_at).ok_or(AssertionError::Time)
}

/// Returns a NumericDate (RFC 7519 section 2), which may have a fraction.
fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        // Far beyond any date, and exact in the type.
        (0.0..1e12).contains(&number).then(|| number.floor() as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{AuthMethod, ClientMetadata};
    use jwt::SigningKey;
    use serde_json::json;

    const NOW: u64 = 1_000_000;
    const EXPECTED: Expected<'static> = Expected {
        issuer: "https://m.example",
        token_endpoint: "https://m.example/token",
        now: NOW,
    };

    fn client() -> Client {
        let metadata = json!({
            "redirect_uris": [],
            "token_endpoint_auth_method": AuthMethod::PrivateKeyJwt,
            "grant_types": [],
            "response_types": [],
        });
        let metadata: ClientMetadata = serde_json::from_value(metadata).unwrap();
        Client {
            client_id: "id".into(),
            issued_at: 0,
            secret_hash: None,
            metadata,
            resource_server: false,
        }
    }

    fn claims(changes: Value) -> Value {
        let mut claims = json!({
            "iss": "id", "sub": "id", "aud": "https://m.example", "jti": "1",
            "iat": NOW, "exp": NOW + 60,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        claims
    }

    fn key() -> SigningKey {
        SigningKey::ed25519(&[7; 32])
    }

    fn signed(changes: Value) -> String {
        key().sign("JWT", &claims(changes)).unwrap()
    }

    fn check(changes: Value) -> Result<SingleUse, AssertionError> {
        super::check(&signed(changes), &client(), EXPECTED)
    }

    #[test]
    fn an_assertion_is_for_us_alone_by_the_issuer_or_the_token_endpoint() {
        for aud in [
            json!("https://m.example"),
            json!("https://m.example/token"),
            json!(["https://m.example"]),
            json!(["https://m.example", "https://m.example/token"]),
        ] {
            assert!(check(json!({ "aud": aud })).is_ok());
        }
        for aud in [
            json!("https://other.example"),
            json!("https://m.example/"),
            json!([]),
            json!(["https://m.example", "https://other.example"]),
            json!(1),
            Value::Null,
        ] {
            assert_eq!(check(json!({ "aud": aud })), Err(AssertionError::Audience));
        }
    }

    #[test]
    fn an_assertion_is_of_its_client_by_issuer_and_subject() {
        for changes in [
            json!({ "iss": "other" }),
            json!({ "sub": "other" }),
            json!({ "iss": null }),
            json!({ "sub": 1 }),
        ] {
            assert_eq!(check(changes.clone()), Err(AssertionError::Subject));
            let named = client_id(&signed(changes));
            assert_eq!(named, Err(AssertionError::Subject));
        }
        assert_eq!(client_id(&signed(json!({}))).as_deref(), Ok("id"));
    }

    #[test]
    fn an_assertion_is_good_for_a_while_that_is_bounded() {
        for changes in [
            json!({ "exp": NOW + MAX_LIFETIME }),
            json!({ "exp": NOW - 30 }),
            json!({ "exp": NOW as f64 + 60.5 }),
            json!({ "iat": null }),
            json!({ "nbf": NOW }),
        ] {
            assert!(check(changes.clone()).is_ok(), "{changes}");
        }
        for changes in [
            json!({ "exp": null }),
            json!({ "exp": "soon" }),
            json!({ "exp": -1 }),
            json!({ "exp": NOW - LEEWAY }),
            json!({ "exp": NOW + MAX_LIFETIME + LEEWAY + 1 }),
            json!({ "exp": u64::MAX }),
            json!({ "nbf": NOW + LEEWAY + 1 }),
            json!({ "iat": NOW + LEEWAY + 1 }),
            json!({ "iat": "x" }),
        ] {
            assert_eq!(
                check(changes.clone()),
                Err(AssertionError::Time),
                "{changes}"
            );
        }
    }

    #[test]
    fn an_assertion_has_an_id_of_its_own_and_one_client_cannot_use_up_anothers() {
        let one = check(json!({})).unwrap();
        assert_eq!(one.forget_at, NOW + 60 + LEEWAY);
        assert_eq!(check(json!({ "exp": NOW + 90 })).unwrap().id, one.id);
        assert_ne!(check(json!({ "jti": "2" })).unwrap().id, one.id);
        let mut other = client();
        other.client_id = "other".into();
        let assertion = signed(json!({ "iss": "other", "sub": "other" }));
        let others = super::check(&assertion, &other, EXPECTED).unwrap();
        assert_ne!(others.id, one.id);
        for id in [
            json!(""),
            json!(1),
            Value::Null,
            json!("x".repeat(MAX_ID_BYTES + 1)),
        ] {
            assert_eq!(check(json!({ "jti": id })), Err(AssertionError::Id));
        }
    }

    #[test]
    fn an_assertion_is_signed_by_a_key_of_its_client_with_the_registered_algorithm() {
        let ours: KeySet = [key().public().clone()].into_iter().collect();
        let other: KeySet = [SigningKey::ed25519(&[8; 32]).public().clone()]
            .into_iter()
            .collect();
        let assertion = signed(json!({}));
        assert_eq!(verify(&assertion, &ours), Ok(()));
        assert!(verify(&assertion, &other).is_err());
        assert_eq!(
            verify(&assertion, &KeySet::default()),
            Err(AssertionError::UnknownKey)
        );
        let mut client = client();
        client.metadata.token_endpoint_auth_signing_alg = Some("EdDSA".into());
        assert!(super::check(&assertion, &client, EXPECTED).is_ok());
        client.metadata.token_endpoint_auth_signing_alg = Some("RS256".into());
        assert_eq!(
            super::check(&assertion, &client, EXPECTED),
            Err(AssertionError::Algorithm)
        );
    }
}
