//! The cache of another issuer's keys: how long they are kept, and how often they are fetched.

use crate::{Algorithm, KeySet, PublicKey};

/// The keys that an issuer publishes, remembered for a while.
///
/// It fetches nothing: [`look_up`](Self::look_up) says when to ask for the keys, and
/// [`store`](Self::store) takes the answer. Keys serve for ten minutes without a question, and for
/// an hour while the issuer does not answer. An unknown key id leads to one fetch in thirty
/// seconds, whichever client sends it.
#[derive(Debug, Default)]
pub struct KeyCache {
    keys: KeySet,
    /// When `keys` came, and when they were last asked for, in seconds since the Unix epoch.
    fetched_at: Option<u64>,
    asked_at: Option<u64>,
}

/// What to do for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Use this key.
    Found(PublicKey),
    /// Ask for the keys, then look again.
    Ask,
    /// There is no such key, or was none a moment ago.
    Unknown,
    /// The keys were asked for a moment ago and have not come.
    Unanswered,
}

impl KeyCache {
    /// How long keys are used while the issuer does not answer, in seconds.
    pub const MAX_STALE: u64 = 3600;

    /// How often at most an unknown key id or old keys lead to a question, in seconds.
    pub const REFRESH_INTERVAL: u64 = 30;

    /// Looks for the key of this id and algorithm at `now` (as [`KeySet::find`] does), and notes
    /// that the keys are asked for where it says so.
    pub fn look_up(&mut self, key_id: Option<&str>, algorithm: Algorithm, now: u64) -> Lookup {
        let age = self.fetched_at.map(|at| now.saturating_sub(at));
        let known = age
            .filter(|age| *age < Self::MAX_STALE)
            .and_then(|_| self.keys.find(key_id, algorithm).cloned());
        let asked_lately = self
            .asked_at
            .is_some_and(|at| now.saturating_sub(at) < Self::REFRESH_INTERVAL);
        let is_fresh = age.is_some_and(|age| age < MAX_AGE);
        match known {
            Some(key) if is_fresh || asked_lately => Lookup::Found(key),
            // With no keys at all, every caller may ask: there is nothing to fall back on.
            None if asked_lately && age.is_some_and(|age| age < Self::MAX_STALE) => {
                if self.asked_at > self.fetched_at {
                    Lookup::Unanswered
                } else {
                    Lookup::Unknown
                }
            }
            _ => {
                self.asked_at = Some(now);
                Lookup::Ask
            }
        }
    }

    /// Takes the keys that the issuer answered with at `now`.
    pub fn store(&mut self, keys: KeySet, now: u64) {
        self.keys = keys;
        self.fetched_at = Some(now);
    }

    /// Takes the keys that another instance was answered with at `fetched_at`, and returns whether they are newer
    /// than those here. They are as old here as they were there.
    pub fn adopt(&mut self, keys: KeySet, fetched_at: u64) -> bool {
        let is_newer = self.fetched_at.is_none_or(|at| at < fetched_at);
        if is_newer {
            self.keys = keys;
            self.fetched_at = Some(fetched_at);
            self.asked_at = Some(fetched_at);
        }
        is_newer
    }

    /// Notes that the keys are not asked for at `now` although [`look_up`](Self::look_up) said so: another instance asks.
    /// It says so again a second later.
    pub fn leave_to_others(&mut self, now: u64) {
        self.asked_at = Some(now.saturating_sub(Self::REFRESH_INTERVAL - 1));
    }

    /// Returns whether there are keys that may be used at `now` while the issuer does not answer.
    pub fn has_keys(&self, now: u64) -> bool {
        self.fetched_at
            .is_some_and(|at| now.saturating_sub(at) < Self::MAX_STALE)
    }

    /// Returns the key when asking has just been tried: an old one if it is not too old.
    pub fn get(&self, key_id: Option<&str>, algorithm: Algorithm, now: u64) -> Option<PublicKey> {
        let age = now.saturating_sub(self.fetched_at?);
        if age < Self::MAX_STALE {
            self.keys.find(key_id, algorithm).cloned()
        } else {
            None
        }
    }
}

/// How long keys are used without asking, in seconds.
const MAX_AGE: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    const ID: Option<&str> = Some("k1");

    fn look_up(cache: &mut KeyCache, key_id: &str, now: u64) -> Lookup {
        cache.look_up(Some(key_id), Algorithm::EdDsa, now)
    }

    fn cache(now: u64) -> KeyCache {
        let mut cache = KeyCache::default();
        assert_eq!(look_up(&mut cache, "k1", now), Lookup::Ask);
        let key = SigningKey::ed25519(&[1; 32])
            .public()
            .clone()
            .with_key_id("k1");
        cache.store([key].into_iter().collect(), now);
        cache
    }

    #[test]
    fn keys_are_remembered_for_ten_minutes() {
        let mut cache = cache(1000);
        assert!(matches!(look_up(&mut cache, "k1", 1599), Lookup::Found(_)));
        assert_eq!(look_up(&mut cache, "k1", 1600), Lookup::Ask);
    }

    #[test]
    fn an_unknown_key_id_leads_to_one_question_in_thirty_seconds() {
        let mut cache = cache(1000);
        assert_eq!(look_up(&mut cache, "new", 1029), Lookup::Unknown);
        assert_eq!(look_up(&mut cache, "new", 1030), Lookup::Ask);
        assert_eq!(look_up(&mut cache, "newer", 1059), Lookup::Unanswered);
        assert!(matches!(look_up(&mut cache, "k1", 1059), Lookup::Found(_)));
        assert_eq!(look_up(&mut cache, "newer", 1060), Lookup::Ask);
    }

    #[test]
    fn old_keys_serve_for_an_hour_while_the_issuer_does_not_answer() {
        let mut cache = cache(1000);
        assert_eq!(look_up(&mut cache, "k1", 2000), Lookup::Ask);
        assert!(cache.get(ID, Algorithm::EdDsa, 2000).is_some());
        assert!(matches!(look_up(&mut cache, "k1", 2029), Lookup::Found(_)));
        assert_eq!(look_up(&mut cache, "k1", 4600), Lookup::Ask);
        assert!(cache.get(ID, Algorithm::EdDsa, 4600).is_none());
    }

    #[test]
    fn adopted_keys_are_as_old_as_where_they_come_from() {
        let keys = || -> KeySet {
            let key = SigningKey::ed25519(&[1; 32]);
            [key.public().clone().with_key_id("k1")]
                .into_iter()
                .collect()
        };
        let mut cache = KeyCache::default();
        assert_eq!(look_up(&mut cache, "k1", 1500), Lookup::Ask);
        assert!(cache.adopt(keys(), 1000));
        assert!(!cache.adopt(keys(), 1000));
        assert!(matches!(look_up(&mut cache, "k1", 1500), Lookup::Found(_)));
        assert_eq!(look_up(&mut cache, "k1", 1600), Lookup::Ask);
        assert!(cache.has_keys(1600));
        assert!(!cache.has_keys(4600));
        // An unknown key id is asked for thirty seconds after the fetch, wherever that was.
        let mut cache = KeyCache::default();
        assert!(cache.adopt(keys(), 1000));
        assert_eq!(look_up(&mut cache, "new", 1029), Lookup::Unknown);
        assert_eq!(look_up(&mut cache, "new", 1030), Lookup::Ask);
        assert_eq!(look_up(&mut cache, "new", 1031), Lookup::Unanswered);
        cache.leave_to_others(1031);
        assert_eq!(look_up(&mut cache, "new", 1031), Lookup::Unanswered);
        assert!(matches!(look_up(&mut cache, "k1", 1031), Lookup::Found(_)));
        assert_eq!(look_up(&mut cache, "new", 1032), Lookup::Ask);
    }

    #[test]
    fn without_any_keys_each_caller_may_ask() {
        let mut cache = KeyCache::default();
        assert_eq!(look_up(&mut cache, "a", 1000), Lookup::Ask);
        assert_eq!(look_up(&mut cache, "a", 1000), Lookup::Ask);
    }
}
