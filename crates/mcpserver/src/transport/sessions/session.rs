//! Session ids of Streamable HTTP (2025-11-25, Transports, Session Management), which are sealed and not
//! stored.
//!
//! An id opens for its person alone, has what was negotiated, and expires. What changes during a session is
//! in its `SessionState`, a record that most sessions never have.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cache::Cache;
use keys::{KeyRing, Purpose};
use mcp::{ClientCapabilities, Revision};
use rand::{CryptoRng, RngExt};

const SESSION: Purpose = Purpose("mcp session");

/// Seconds that a session lives.
const SESSION_TTL: u64 = 30 * 86_400;

/// Bytes of an id: more than any sealed id has.
const MAX_ID_BYTES: usize = 256;

/// The sessions whose ids were opened before, so that each is opened once per instance.
pub(crate) struct Sessions(Cache<String, Session>);

/// A session, as its id has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The name of the session in keys of the store.
    pub(crate) name: String,
    pub(crate) revision: Revision,
    pub(crate) capabilities: ClientCapabilities,
    /// In seconds since the Unix epoch.
    pub(crate) ends_at: u64,
    subject: String,
}

/// The session is unknown, ended, or another person's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotFound;

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(Cache::new(1024))
    }

    /// Returns a new session id for a person, with what was negotiated.
    pub(crate) fn begin(
        keys: &KeyRing,
        subject: &str,
        revision: Revision,
        capabilities: ClientCapabilities,
        now: u64,
        random: &mut impl CryptoRng,
    ) -> String {
        let ends_at = now.saturating_add(SESSION_TTL);
        let name: [u8; 12] = random.random();
        let plain = [
            name.as_slice(),
            &ends_at.to_be_bytes(),
            &[capabilities.to_bits()],
            revision.as_str().as_bytes(),
        ]
        .concat();
        keys.seal(SESSION, subject.as_bytes(), &plain, random)
    }

    /// Returns the session with this id, if it is this person's.
    pub(crate) fn find(
        &self,
        keys: &KeyRing,
        subject: &str,
        id: &str,
        now: u64,
    ) -> Result<Session, NotFound> {
        let session = match self.0.get(id) {
            Some(session) => session,
            None => {
                let session = open(keys, subject, id).ok_or(NotFound)?;
                self.0.insert(id.to_owned(), session.clone());
                session
            }
        };
        if session.subject == subject && session.ends_at > now {
            Ok(session)
        } else {
            Err(NotFound)
        }
    }
}

fn open(keys: &KeyRing, subject: &str, id: &str) -> Option<Session> {
    if id.len() > MAX_ID_BYTES {
        return None;
    }
    let plain = keys.open(SESSION, subject.as_bytes(), id).ok()?;
    let (name, rest) = plain.split_at_checked(12)?;
    let (ends_at, rest) = rest.split_first_chunk::<8>()?;
    let (capabilities, revision) = rest.split_first()?;
    Some(Session {
        name: URL_SAFE_NO_PAD.encode(name),
        subject: subject.to_owned(),
        revision: Revision::parse(std::str::from_utf8(revision).ok()?)?,
        capabilities: ClientCapabilities::from_bits(*capabilities),
        ends_at: u64::from_be_bytes(*ends_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_session_is_its_persons_alone_and_ends() {
        let keys = KeyRing::parse(KEY).unwrap();
        let random = &mut StdRng::seed_from_u64(1);
        let capabilities = ClientCapabilities {
            samples: true,
            ..ClientCapabilities::default()
        };
        let mut begin = || {
            Sessions::begin(
                &keys,
                "ann",
                Revision::V2025_06_18,
                capabilities,
                100,
                random,
            )
        };
        let id = begin();
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()));
        let sessions = Sessions::new();
        // Twice: opened, then cached.
        for _ in 0..2 {
            let find = |subject, now| {
                let found = sessions.find(&keys, subject, &id, now);
                found.map(|session| (session.revision, session.capabilities))
            };
            assert_eq!(find("bob", 101), Err(NotFound));
            assert_eq!(find("ann", 101), Ok((Revision::V2025_06_18, capabilities)));
            assert_eq!(find("bob", 101), Err(NotFound));
            assert_eq!(find("ann", 100 + SESSION_TTL), Err(NotFound));
        }
        for id in ["", "nonsense", &id[1..]] {
            assert_eq!(sessions.find(&keys, "ann", id, 101), Err(NotFound));
        }
        let other = begin();
        assert_ne!(id, other);
    }
}
