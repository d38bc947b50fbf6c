//! Client credentials grants (RFC 6749 section 4.4): grants of a client itself, without a person.
//!
//! A grant lasts as long as the one access token that is issued for it, so that revocation and introspection
//! work as for every other token.

use crate::client_subject;
use crate::token_format::new_id;
use crate::{Grant, Grants, ShownClient};
use identity::Profile;
use rand::CryptoRng;
use store::KeyValue;

impl<K: KeyValue> Grants<'_, K> {
    /// Writes a grant of the client `client_id` itself, from `now` until `expires_at` (seconds since the Unix
    /// epoch), and returns it with its id. Its subject is [`client_subject`]. It has neither a code nor a
    /// refresh token, and an operator finds it by the subject, as a person's.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
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
            profile: Profile::new(client_subject(client_id)),
            created_at: now,
            expires_at,
            code: None,
        };
        self.create(&id, &grant, random).await?;
        Ok((id, grant))
    }
}
