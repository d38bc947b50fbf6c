//! Grants that no person gave: a client's own (RFC 6749 section 4.4).
//!
//! They live as long as the one access token that is issued for them, so that revoking the token,
//! and asking whether it is alive, go the same way as for every other.

use crate::grant::new_id;
use crate::{Grant, Grants, Profile, ShownClient};
use rand::CryptoRng;
use store::KeyValue;

/// What the subject of a client's own grant begins with. No person's does: one whose subject at the
/// identity provider did would have a client's name.
const PREFIX: &str = "client:";

/// The subject of the grants that the client `client_id` has for itself.
pub fn client_subject(client_id: &str) -> String {
    format!("{PREFIX}{client_id}")
}

/// Whether a subject is a client's, and so cannot be a person's.
pub fn is_client_subject(subject: &str) -> bool {
    subject.starts_with(PREFIX)
}

impl<K: KeyValue> Grants<'_, K> {
    /// Writes a grant for the client `client_id` itself, from `now` until `expires_at` (seconds
    /// since the Unix epoch), and gives it with its id. Its [subject](client_subject) is the client
    /// (RFC 9068 section 2.2). It has neither a code nor a refresh token, and an operator finds it
    /// as they find a person's.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn begin_for_client(
        &self,
        client_id: &str,
        scopes: &[String],
        resources: &[String],
        now: u64,
        expires_at: u64,
        random: &mut impl CryptoRng,
    ) -> Result<(String, Grant), store::Error> {
        let id = new_id(random);
        let grant = Grant {
            client_id: client_id.to_owned(),
            client: ShownClient::default(),
            scopes: scopes.to_vec(),
            resources: resources.to_vec(),
            profile: Profile {
                subject: client_subject(client_id),
                name: None,
                email: None,
                email_verified: None,
                picture: None,
                claims: "{}".to_owned(),
            },
            created_at: now,
            expires_at,
            code: None,
        };
        self.create(&id, &grant, None, random).await?;
        Ok((id, grant))
    }
}
