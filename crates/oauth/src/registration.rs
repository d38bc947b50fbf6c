//! Dynamic client registration (RFC 7591) and its management (RFC 7592).

use crate::client::{Client, ClientMetadata};
use crate::client_metadata::{self, Fields, MetadataError, MetadataSource, Rules};
use crate::redirect_uri::PrivateUse;
use crate::secret;
use rand::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value};

/// Bytes that the body of a registration may have.
pub const MAX_BODY_BYTES: usize = 32 * 1024;

/// Why a registration is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RegistrationError {
    /// What the client says of itself is refused.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// An update does not say which client it is for (RFC 7592 section 2.2).
    #[error("client_id must be there, and be the client's own")]
    ClientId,
    /// An update names another secret than the client's (RFC 7592 section 2.2).
    #[error("client_secret must be the client's own, or left out")]
    Secret,
}

/// A new or changed client, and its secret, of which only the hash is kept.
#[derive(Debug)]
pub struct Registered {
    /// What is kept.
    pub client: Client,
    /// The secret that was made for it.
    pub secret: Option<String>,
}

/// Where a registration is managed, and what opens it (RFC 7592 section 3).
#[derive(Clone, Debug, Serialize)]
pub struct Management {
    /// The URL.
    pub registration_client_uri: String,
    /// The token.
    pub registration_access_token: String,
}

/// The answer to a registration (RFC 7591 section 3.2.1, RFC 7592 section 3).
#[derive(Serialize)]
pub struct RegistrationResponse<'a> {
    client_id: &'a str,
    client_id_issued_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    /// 0: never. Required where there is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    #[serde(flatten)]
    management: &'a Management,
    #[serde(flatten)]
    metadata: &'a ClientMetadata,
}

impl Registered {
    /// Returns the answer.
    pub fn response<'a>(&'a self, management: &'a Management) -> RegistrationResponse<'a> {
        RegistrationResponse {
            client_id: &self.client.client_id,
            client_id_issued_at: self.client.issued_at,
            client_secret: self.secret.as_deref(),
            client_secret_expires_at: self.client.secret_hash.as_ref().map(|_| 0),
            management,
            metadata: &self.client.metadata,
        }
    }
}

impl From<Client> for Registered {
    /// Returns a client as it is. Its secret cannot be told again: only a hash of it is kept.
    fn from(client: Client) -> Self {
        Self {
            client,
            secret: None,
        }
    }
}

/// Registers the client that `body` describes, at `now` (seconds since the Unix epoch).
/// `scopes` are the scopes that exist, `extra_origin` is as [`crate::document::check_url`] has it,
/// `private_use` as [`Rules`] has it.
///
/// # Errors
///
/// [`RegistrationError`], which names the field.
pub fn register(
    body: &[u8],
    scopes: &[String],
    extra_origin: Option<&str>,
    private_use: PrivateUse,
    now: u64,
    random: &mut impl CryptoRng,
) -> Result<Registered, RegistrationError> {
    let fields = object(body)?;
    let metadata = client_metadata::read(&fields, rules(scopes, extra_origin, private_use))?;
    let secret = new_secret(&metadata, random);
    Ok(Registered {
        client: Client {
            client_id: secret::random::<16>(random),
            issued_at: now,
            secret_hash: secret.as_deref().map(secret::hash),
            metadata,
            resource_server: false,
        },
        secret,
    })
}

/// Puts what `body` describes in place of what `client` said of itself (RFC 7592 section 2.2). A
/// client that did not need a secret and now does gets one.
///
/// # Errors
///
/// [`RegistrationError`].
pub fn update(
    client: Client,
    body: &[u8],
    scopes: &[String],
    extra_origin: Option<&str>,
    private_use: PrivateUse,
    random: &mut impl CryptoRng,
) -> Result<Registered, RegistrationError> {
    let fields = object(body)?;
    for field in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        if Fields(&fields).get(field).is_some() {
            return Err(MetadataError::Forbidden(field).into());
        }
    }
    if fields.get("client_id").and_then(Value::as_str) != Some(&client.client_id) {
        return Err(RegistrationError::ClientId);
    }
    if let Some(given) = Fields(&fields).get("client_secret") {
        let given = given.as_str().map(secret::hash).unwrap_or_default();
        let own = client.secret_hash.as_deref();
        if !own.is_some_and(|own| secret::equal(&given, own)) {
            return Err(RegistrationError::Secret);
        }
    }
    let metadata = client_metadata::read(&fields, rules(scopes, extra_origin, private_use))?;
    let (secret_hash, secret) = match client.secret_hash {
        Some(hash) if metadata.token_endpoint_auth_method.has_secret() => (Some(hash), None),
        _ => {
            let secret = new_secret(&metadata, random);
            (secret.as_deref().map(secret::hash), secret)
        }
    };
    Ok(Registered {
        client: Client {
            secret_hash,
            metadata,
            ..client
        },
        secret,
    })
}

fn object(body: &[u8]) -> Result<Map<String, Value>, MetadataError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(MetadataError::NotAnObject),
    }
}

fn rules<'a>(
    scopes: &'a [String],
    extra_origin: Option<&'a str>,
    private_use: PrivateUse,
) -> Rules<'a> {
    Rules {
        source: MetadataSource::Registration,
        scopes,
        extra_origin,
        private_use,
    }
}

fn new_secret(metadata: &ClientMetadata, random: &mut impl CryptoRng) -> Option<String> {
    metadata
        .token_endpoint_auth_method
        .has_secret()
        .then(|| format!("ghs_{}", secret::random::<32>(random)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use serde_json::json;

    fn random() -> StdRng {
        StdRng::seed_from_u64(1)
    }

    fn registered(body: &Value) -> Registered {
        let body = body.to_string();
        register(
            body.as_bytes(),
            &[],
            None,
            PrivateUse::Listed,
            7,
            &mut random(),
        )
        .unwrap()
    }

    fn updated(client: &Client, body: &Value) -> Result<Registered, RegistrationError> {
        let body = body.to_string();
        let private_use = PrivateUse::Listed;
        update(
            client.clone(),
            body.as_bytes(),
            &[],
            None,
            private_use,
            &mut random(),
        )
    }

    fn response(registered: &Registered) -> Value {
        let management = Management {
            registration_client_uri: "https://m.example/register/x".into(),
            registration_access_token: "token".into(),
        };
        serde_json::to_value(registered.response(&management)).unwrap()
    }

    #[test]
    fn a_confidential_client_gets_a_secret_of_which_only_the_hash_is_kept() {
        let registered = registered(&json!({ "redirect_uris": ["https://a.example/cb"] }));
        let secret = registered.secret.clone().unwrap();
        assert_eq!(
            registered.client.secret_hash.as_deref(),
            Some(secret::hash(&secret).as_str())
        );
        assert!(
            !serde_json::to_string(&registered.client)
                .unwrap()
                .contains(&secret)
        );
        let answer = response(&registered);
        assert_eq!(answer["client_secret"], json!(secret));
        assert_eq!(answer["client_secret_expires_at"], json!(0));
        assert_eq!(answer["client_id_issued_at"], json!(7));
        assert_eq!(answer["registration_access_token"], "token");
        let read = response(&registered.client.into());
        assert!(read.get("client_secret").is_none());
        assert_eq!(read["client_secret_expires_at"], json!(0));
    }

    #[test]
    fn dpop_bound_access_tokens_is_echoed_and_resource_server_is_not_the_clients_to_say() {
        let uris = json!(["https://a.example/cb"]);
        for value in [json!(true), json!(false)] {
            let registered = registered(&json!({
                "redirect_uris": uris, "dpop_bound_access_tokens": value, "resource_server": true,
            }));
            assert_eq!(registered.client.requires_dpop(), value == true);
            assert!(!registered.client.resource_server);
            assert_eq!(response(&registered)["dpop_bound_access_tokens"], value);
        }
        let silent = registered(&json!({ "redirect_uris": uris }));
        assert!(response(&silent).get("dpop_bound_access_tokens").is_none());
        let wrong = json!({ "redirect_uris": uris, "dpop_bound_access_tokens": "true" });
        let refused = register(
            wrong.to_string().as_bytes(),
            &[],
            None,
            PrivateUse::Listed,
            0,
            &mut random(),
        );
        let error = refused.unwrap_err().to_string();
        assert!(error.starts_with("dpop_bound_access_tokens"), "{error}");
    }

    #[test]
    fn a_client_without_a_secret_is_told_of_none() {
        let registered = registered(&json!({
            "redirect_uris": ["https://a.example/cb"],
            "token_endpoint_auth_method": "none",
        }));
        let answer = response(&registered);
        assert!(registered.secret.is_none() && answer.get("client_secret").is_none());
        assert!(answer.get("client_secret_expires_at").is_none());
    }

    #[test]
    fn an_update_replaces_everything_but_the_id_the_date_and_the_secret() {
        let before = registered(&json!({
            "redirect_uris": ["https://a.example/cb"],
            "client_name": "A",
            "client_uri": "https://a.example/",
        }));
        let id = &before.client.client_id;
        let fields = json!({
            "client_id": id,
            "client_secret": before.secret,
            "redirect_uris": ["https://b.example/cb"],
            "client_name": "B",
        });
        let after = updated(&before.client, &fields).unwrap();
        assert_eq!(after.secret, None);
        assert_eq!(after.client.secret_hash, before.client.secret_hash);
        assert_eq!(&after.client.client_id, id);
        assert_eq!(after.client.issued_at, 7);
        assert_eq!(after.client.metadata.client_uri, None);
        assert_eq!(
            after.client.metadata.redirect_uris,
            ["https://b.example/cb"]
        );
    }

    #[test]
    fn an_update_to_another_way_of_authenticating_drops_the_secret_or_makes_one() {
        let before = registered(&json!({ "redirect_uris": ["https://a.example/cb"] }));
        let fields = json!({
            "client_id": before.client.client_id,
            "redirect_uris": ["https://a.example/cb"],
            "token_endpoint_auth_method": "none",
        });
        let public = updated(&before.client, &fields).unwrap();
        assert_eq!(
            (public.secret, public.client.secret_hash.clone()),
            (None, None)
        );
        let mut fields = fields;
        fields["token_endpoint_auth_method"] = json!("client_secret_post");
        let again = updated(&public.client, &fields).unwrap();
        assert_eq!(
            again.client.secret_hash,
            again.secret.as_deref().map(secret::hash)
        );
        assert!(again.secret.is_some());
    }

    #[test]
    fn an_update_of_another_client_or_with_what_only_the_server_says_is_refused() {
        let client = registered(&json!({ "redirect_uris": ["https://a.example/cb"] })).client;
        let good = json!({
            "client_id": client.client_id,
            "redirect_uris": ["https://a.example/cb"],
        });
        assert!(updated(&client, &good).is_ok());
        for (field, value) in [
            ("client_id", json!("other")),
            ("client_id", Value::Null),
            ("client_secret", json!("other")),
            ("client_secret", json!(1)),
            ("registration_access_token", json!("x")),
            ("registration_client_uri", json!("x")),
            ("client_secret_expires_at", json!(0)),
            ("client_id_issued_at", json!(7)),
        ] {
            let mut fields = good.clone();
            fields[field] = value;
            let error = updated(&client, &fields).unwrap_err().to_string();
            assert!(error.starts_with(field), "{field}: {error}");
        }
    }

    #[test]
    fn a_scheme_that_hands_a_url_to_a_browser_is_refused_at_registration_and_update() {
        let client = registered(&json!({ "redirect_uris": ["cursor://a/cb"] })).client;
        let uri = "microsoft-edge:https://evil.example/";
        let error = updated(
            &client,
            &json!({ "client_id": client.client_id, "redirect_uris": [uri] }),
        )
        .unwrap_err();
        assert!(error.to_string().starts_with("redirect_uris[0]"), "{error}");
        let body = json!({ "redirect_uris": [uri] }).to_string();
        let registered =
            |private_use| register(body.as_bytes(), &[], None, private_use, 0, &mut random());
        assert!(registered(PrivateUse::Listed).is_err());
        let body = json!({ "redirect_uris": ["cursor://a/cb"] }).to_string();
        let switched_off = register(
            body.as_bytes(),
            &[],
            None,
            PrivateUse::Off,
            0,
            &mut random(),
        )
        .unwrap_err();
        assert!(switched_off.to_string().contains("switched off"));
    }

    #[test]
    fn what_is_no_object_is_no_registration() {
        for body in ["", "[]", "{", "null", "\"a\""] {
            let error = register(
                body.as_bytes(),
                &[],
                None,
                PrivateUse::Listed,
                0,
                &mut random(),
            )
            .unwrap_err();
            assert_eq!(error, MetadataError::NotAnObject.into());
        }
    }
}
