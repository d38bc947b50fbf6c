//! The rules of grants, over the memory store.

use super::*;
use futures::executor::block_on;
use identity::{Profile, UpstreamTokens};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{Entry, KeyValue, MemoryKeyValue};

mod without_atomics;

pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const NEW_KEY: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
pub(crate) const NOW: u64 = 1_000_000;
const TERMS: ReuseTerms = ReuseTerms {
    grace: 120,
    is_proven: false,
};
const THUMBPRINT: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct Fixture {
    pub(crate) store: Store<MemoryKeyValue>,
    pub(crate) keys: KeyRing,
    random: StdRng,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::over(MemoryKeyValue::default())
    }

    pub(crate) fn over(backend: MemoryKeyValue) -> Self {
        Self {
            store: Store::new(backend, ""),
            keys: KeyRing::parse(KEY).unwrap(),
            random: StdRng::seed_from_u64(7),
        }
    }

    pub(crate) fn grants(&self) -> Grants<'_, MemoryKeyValue> {
        Grants::new(&self.store, &self.keys)
    }

    fn begin(&mut self) -> NewGrant {
        self.begin_for("person-1", NOW)
    }

    pub(crate) fn begin_for(&mut self, subject: &str, now: u64) -> NewGrant {
        self.begin_with(subject, now, now + 86_400)
    }

    pub(crate) fn begin_with(&mut self, subject: &str, now: u64, expires_at: u64) -> NewGrant {
        let client_id = grant().client_id;
        self.begin_as(&client_id, subject, now, expires_at)
    }

    pub(crate) fn begin_of_client(&mut self, id: &str, subject: &str, now: u64) -> NewGrant {
        self.begin_as(id, subject, now, now + 86_400)
    }

    fn begin_as(&mut self, client_id: &str, subject: &str, now: u64, expires_at: u64) -> NewGrant {
        self.try_begin(client_id, subject, now, expires_at).unwrap()
    }

    pub(crate) fn try_begin(
        &mut self,
        client_id: &str,
        subject: &str,
        now: u64,
        expires_at: u64,
    ) -> Result<NewGrant, BeginError> {
        let mut grant = grant();
        grant.client_id = client_id.into();
        grant.profile.subject = subject.into();
        grant.created_at = now;
        grant.expires_at = expires_at;
        let grants = Grants::new(&self.store, &self.keys);
        block_on(grants.begin(&grant, &tokens(), &mut self.random))
    }

    /// Returns a client's own grant, which lives for a day.
    pub(crate) fn begin_for_client(&mut self, client_id: &str, now: u64) -> (String, Grant) {
        let grants = Grants::new(&self.store, &self.keys);
        let (scopes, resources) = (["tools".to_owned()], ["r".to_owned()]);
        let expires_at = now + 86_400;
        let random = &mut self.random;
        let begun =
            grants.begin_for_client(client_id, &scopes, &resources, now, expires_at, random);
        block_on(begun).unwrap()
    }

    pub(crate) fn redeem(&self, code: &str, now: u64) -> Result<Redeemed, Error> {
        self.redeem_bound(code, None, now)
    }

    fn redeem_bound(&self, code: &str, key: Option<&str>, now: u64) -> Result<Redeemed, Error> {
        block_on(async {
            let code = self.grants().code(code, now).await?;
            let key = key.map(str::to_owned);
            self.grants().redeem(code, key, now).await
        })
    }

    pub(crate) fn refresh(&self, token: &str, now: u64) -> Result<Refreshed, Error> {
        block_on(async {
            let token = self.grants().refresh_token(token, now).await?;
            self.grants().refresh(token, TERMS, now).await
        })
    }

    fn refresh_proven(&self, token: &str, now: u64) -> Result<Refreshed, Error> {
        let terms = ReuseTerms {
            is_proven: true,
            ..TERMS
        };
        block_on(async {
            let token = self.grants().refresh_token(token, now).await?;
            self.grants().refresh(token, terms, now).await
        })
    }

    fn refresh_now(&self, token: &str) -> Result<Refreshed, Error> {
        self.refresh(token, NOW)
    }

    fn is_current(&self, token: &str) -> bool {
        self.is_current_at(token, NOW)
    }

    fn is_current_at(&self, token: &str, now: u64) -> bool {
        block_on(async {
            let token = self.grants().refresh_token(token, now).await.unwrap();
            let current = self.grants().is_current(&token, TERMS.grace, now).await;
            current.unwrap()
        })
    }

    /// Returns the keys that name a grant, those of the ledger apart.
    fn keys_of(&self, id: &str) -> Vec<String> {
        let keys = self.store.backend().keys().into_iter();
        keys.filter(|key| key.contains(id)).collect()
    }

    /// Sweeps, the ledgers of a year back included.
    pub(crate) fn sweep(&self, now: u64) {
        while block_on(self.store.sweep(now, 10_000)).unwrap().more {}
    }

    pub(crate) fn is_alive(&self, id: &str) -> bool {
        block_on(self.grants().find(id, NOW)).unwrap().is_some()
    }
}

fn grant() -> Grant {
    Grant {
        client_id: "client".into(),
        client: ShownClient {
            name: "Client".into(),
            destination: "client.example".into(),
        },
        scopes: vec!["tools".into()],
        resources: vec!["https://mcp.example.com/mcp".into()],
        profile: Profile {
            subject: "person-1".into(),
            name: Some("Ada".into()),
            email: None,
            email_verified: None,
            picture: None,
            claims: "{}".into(),
        },
        created_at: NOW,
        expires_at: NOW + 86_400,
        code: Some(CodeBinding {
            redirect_uri: Some("http://127.0.0.1/callback".into()),
            challenge: "challenge".into(),
            dpop_jkt: None,
            expires_at: NOW + 60,
        }),
    }
}

fn tokens() -> UpstreamTokens {
    UpstreamTokens {
        access_token: "upstream-access".into(),
        refresh_token: Some("upstream-refresh".into()),
        expires_at: Some(NOW + 600),
    }
}

#[test]
fn a_code_is_redeemed_once_and_its_replay_ends_the_grant() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let redeemed = fixture.redeem(&new.code, NOW).unwrap();
    assert_eq!(redeemed.grant, grant());
    let replayed = fixture.redeem(&new.code, NOW + 10);
    assert!(matches!(replayed, Err(Error::Reused)));
    assert!(!fixture.is_alive(&new.id));
    assert!(matches!(
        fixture.refresh_now(&redeemed.refresh_token),
        Err(Error::Invalid)
    ));
}

#[test]
fn a_replay_long_after_the_code_expired_still_ends_the_grant() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    fixture.redeem(&new.code, NOW).unwrap();
    let late = fixture.redeem(&new.code, NOW + 3600);
    assert!(matches!(late, Err(Error::Reused)));
    assert!(!fixture.is_alive(&new.id));
}

#[test]
fn a_code_repeated_within_ten_seconds_is_refused_and_the_grant_lives() {
    let mut fixture = Fixture::new();
    for redeemed_at in [NOW, NOW + 3, NOW + 59] {
        let new = fixture.begin();
        let redeemed = fixture.redeem(&new.code, redeemed_at).unwrap();
        for later in [0, 1, 9] {
            let repeated = fixture.redeem(&new.code, redeemed_at + later);
            assert!(matches!(repeated, Err(Error::Repeated)), "{later}");
        }
        assert!(fixture.is_alive(&new.id));
        assert!(fixture.refresh_now(&redeemed.refresh_token).is_ok());
        // That it was repeated does not put it off.
        let replayed = fixture.redeem(&new.code, redeemed_at + 10);
        assert!(matches!(replayed, Err(Error::Reused)));
        assert!(!fixture.is_alive(&new.id));
    }
}

#[test]
fn a_code_is_dead_after_its_lifetime() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let late = fixture.redeem(&new.code, NOW + 60);
    assert!(matches!(late, Err(Error::Invalid)));
}

#[test]
fn looking_at_a_code_or_a_token_uses_nothing_up() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let seen = block_on(fixture.grants().code(&new.code, NOW)).unwrap();
    assert_eq!((&seen.grant, Some(seen.binding)), (&grant(), grant().code));
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    assert!(block_on(fixture.grants().refresh_token(&token, NOW)).is_ok());
    assert!(fixture.refresh_now(&token).is_ok());
}

#[test]
fn a_refresh_token_keeps_its_key_through_every_rotation() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let mut token = fixture
        .redeem_bound(&new.code, Some(THUMBPRINT), NOW)
        .unwrap()
        .refresh_token;
    for _ in 0..3 {
        let seen = block_on(fixture.grants().refresh_token(&token, NOW)).unwrap();
        assert_eq!(seen.key(), Some(THUMBPRINT));
        token = fixture.refresh_now(&token).unwrap().refresh_token;
    }
    let unbound = fixture.begin();
    let token = fixture.redeem(&unbound.code, NOW).unwrap().refresh_token;
    let seen = block_on(fixture.grants().refresh_token(&token, NOW)).unwrap();
    assert_eq!(seen.key(), None);
}

#[test]
fn a_refresh_tokens_key_cannot_be_cut_off_or_put_on() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture
        .redeem_bound(&new.code, Some(THUMBPRINT), NOW)
        .unwrap()
        .refresh_token;
    let bytes = URL_SAFE_NO_PAD.decode(&token[4..]).unwrap();
    let without = [&bytes[..20], &bytes[52..]].concat();
    let mut other = bytes.clone();
    other[20] ^= 1;
    let longer = [&bytes[..52], &[0; 32], &bytes[52..]].concat();
    for changed in [without, other, longer] {
        let text = format!("ghr_{}", URL_SAFE_NO_PAD.encode(changed));
        assert!(matches!(fixture.refresh_now(&text), Err(Error::Invalid)));
    }
    assert!(fixture.refresh_now(&token).is_ok());
}

#[test]
fn a_refresh_token_is_current_until_its_successors_successor_is_there() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    assert!(fixture.is_current(&first));
    let second = fixture.refresh_now(&first).unwrap().refresh_token;
    assert!(fixture.is_current(&first) && fixture.is_current(&second));
    let third = fixture.refresh_now(&second).unwrap().refresh_token;
    assert!(!fixture.is_current(&first) && fixture.is_current(&third));
    assert!(fixture.is_alive(&new.id), "asking ends nothing");
}

#[test]
fn a_clients_own_grant_is_its_own_subject_and_has_no_code() {
    let mut fixture = Fixture::new();
    let grants = Grants::new(&fixture.store, &fixture.keys);
    let (id, grant) = block_on(grants.begin_for_client(
        "machine",
        &["tools".into()],
        &["https://mcp.example.com/mcp".into()],
        NOW,
        NOW + 900,
        &mut fixture.random,
    ))
    .unwrap();
    assert_eq!(
        block_on(grants.find(&id, NOW)).unwrap(),
        Some(grant.clone())
    );
    assert_eq!(grant.profile.subject, "client:machine");
    let code = token_format::TokenParts {
        grant_id: id.clone(),
        generation: 0,
        key: None,
    };
    let code = code.write(&token_format::CODE, &fixture.keys);
    assert!(matches!(fixture.redeem(&code, NOW), Err(Error::Invalid)));
    assert_eq!(block_on(grants.find(&id, NOW + 900)).unwrap(), None);
}

#[test]
fn a_lost_refresh_may_be_repeated_until_its_successor_is_used() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let second = fixture.refresh_now(&first).unwrap().refresh_token;
    assert_eq!(fixture.refresh_now(&first).unwrap().refresh_token, second);
    let third = fixture.refresh_now(&second).unwrap().refresh_token;
    assert_ne!(third, second);
    assert!(matches!(fixture.refresh_now(&first), Err(Error::Reused)));
    assert!(!fixture.is_alive(&new.id));
    assert!(matches!(fixture.refresh_now(&third), Err(Error::Invalid)));
}

#[test]
fn a_replaced_refresh_token_is_answered_within_its_grace_and_then_ends_the_grant() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    // However long the first was in use.
    let second = fixture.refresh(&first, NOW + 500).unwrap().refresh_token;
    for later in [500, 560, 619] {
        assert!(fixture.is_current_at(&first, NOW + later));
        let repeated = fixture.refresh(&first, NOW + later).unwrap();
        assert_eq!(repeated.refresh_token, second);
    }
    // Repeating has not prolonged it.
    assert!(!fixture.is_current_at(&first, NOW + 620));
    let late = fixture.refresh(&first, NOW + 620);
    assert!(matches!(late, Err(Error::Reused)));
    assert!(!fixture.is_alive(&new.id));
}

#[test]
fn a_replaced_refresh_token_of_a_proven_client_is_refused_and_the_grant_stays() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let second = fixture.refresh_proven(&first, NOW).unwrap().refresh_token;
    let again = fixture.refresh_proven(&first, NOW + 119).unwrap();
    assert_eq!(again.refresh_token, second);
    let late = fixture.refresh_proven(&first, NOW + 120);
    assert!(matches!(late, Err(Error::Replaced)));
    let third = fixture.refresh_proven(&second, NOW).unwrap().refresh_token;
    let older = fixture.refresh_proven(&first, NOW);
    assert!(matches!(older, Err(Error::Replaced)));
    assert!(fixture.is_alive(&new.id));
    assert!(fixture.refresh_proven(&third, NOW + 500).is_ok());
}

#[test]
fn a_late_write_of_an_older_generation_loses_no_grant() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let second = fixture.refresh_now(&first).unwrap().refresh_token;
    let key = fixture.store.key("refresh", &new.id);
    let late = block_on(fixture.store.backend().get(&key))
        .unwrap()
        .unwrap();
    let third = fixture.refresh_now(&second).unwrap().refresh_token;
    let fourth = fixture.refresh_now(&third).unwrap().refresh_token;
    block_on(fixture.store.backend().set(&key, &late, None)).unwrap();
    assert!(fixture.refresh_now(&fourth).is_ok());
    assert!(matches!(fixture.refresh_now(&second), Err(Error::Reused)));
}

#[test]
fn a_handle_is_of_one_kind_and_cannot_be_made_up() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let swapped = token.replacen("ghr_", "ghc_", 1);
    assert!(matches!(fixture.redeem(&swapped, NOW), Err(Error::Invalid)));
    for text in ["", "ghr_", "ghr_AAAA", "ghr_=", &token[..token.len() - 2]] {
        assert!(matches!(fixture.refresh_now(text), Err(Error::Invalid)));
    }
}

#[test]
fn an_ended_grant_leaves_nothing_that_lives() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.refresh_now(&token).unwrap();
    block_on(fixture.grants().end(&new.id, NOW)).unwrap();
    assert!(!fixture.is_alive(&new.id));
    assert!(matches!(fixture.refresh_now(&token), Err(Error::Invalid)));
    let upstream = block_on(fixture.grants().upstream_records().find(&new.id, NOW)).unwrap();
    assert_eq!(upstream, None);
}

#[test]
fn an_ended_grants_upstream_tokens_are_queued_for_revocation_once() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let queue = RevocationQueue::default();
    let grants = fixture.grants().with_revocations(&queue);
    block_on(grants.end(&new.id, NOW)).unwrap();
    assert_eq!(queue.take(), [tokens()]);
    block_on(grants.end(&new.id, NOW)).unwrap();
    assert_eq!(queue.take(), []);
}

/// As a kill leaves it: the grant's record is gone, and nothing else.
#[test]
fn an_end_that_is_repeated_removes_what_a_kill_left() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.refresh_now(&token).unwrap();
    let grant = fixture.store.key("grant", &new.id);
    block_on(fixture.store.backend().delete(&grant)).unwrap();
    assert_eq!(fixture.keys_of(&new.id).len(), 3);
    let queue = RevocationQueue::default();
    let grants = fixture.grants().with_revocations(&queue);
    block_on(grants.end(&new.id, NOW)).unwrap();
    assert_eq!(fixture.keys_of(&new.id), [format!("code:{}", new.id)]);
    assert_eq!(queue.take(), [tokens()]);
}

/// A store that is gone from some write on, as for a machine that is killed.
struct Killed {
    inner: MemoryKeyValue,
    writes: std::sync::atomic::AtomicI64,
}

impl Killed {
    fn write(&self) -> Result<&MemoryKeyValue, store::Error> {
        use std::sync::atomic::Ordering;
        match self.writes.fetch_sub(1, Ordering::Relaxed) {
            ..=0 => Err(store::Error::Unavailable("killed".into())),
            _ => Ok(&self.inner),
        }
    }
}

impl KeyValue for Killed {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, store::Error> {
        self.inner.get(key).await
    }
    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), store::Error> {
        self.write()?.set(key, value, until).await
    }
    async fn set_many(&self, entries: Vec<Entry>) -> Result<(), store::Error> {
        self.write()?.set_many(entries).await
    }
    async fn delete(&self, key: &str) -> Result<(), store::Error> {
        self.write()?.delete(key).await
    }
    async fn exists(&self, key: &str) -> Result<bool, store::Error> {
        self.inner.exists(key).await
    }
    async fn increment(
        &self,
        key: &str,
        delta: i64,
        until: Option<u64>,
    ) -> Result<i64, store::Error> {
        self.write()?.increment(key, delta, until).await
    }
}

/// Returns how many writes of the store `operation` takes, and what it returns.
fn writes<T>(fixture: &mut Fixture, operation: impl FnOnce(&mut Fixture) -> T) -> (u64, T) {
    let before = fixture.store.backend().writes();
    let outcome = operation(fixture);
    (fixture.store.backend().writes() - before, outcome)
}

#[test]
fn a_redemption_and_a_refresh_each_take_one_write() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let (taken, redeemed) = writes(&mut fixture, |fixture| fixture.redeem(&new.code, NOW));
    assert_eq!(taken, 1);
    let mut token = redeemed.unwrap().refresh_token;
    for _ in 0..3 {
        let (taken, refreshed) = writes(&mut fixture, |fixture| fixture.refresh_now(&token));
        token = refreshed.unwrap().refresh_token;
        assert_eq!(taken, 1);
    }
}

#[test]
fn a_grant_is_written_in_two_steps_of_which_one_numbers_it() {
    let mut fixture = Fixture::new();
    // Which begin the person's index, and take numbers of ledger lines.
    fixture.begin();
    fixture.begin();
    assert_eq!(writes(&mut fixture, Fixture::begin).0, 2);
}

/// Writes a grant and leaves it unconfirmed.
fn begin_unconfirmed(fixture: &mut Fixture) -> UnconfirmedGrant {
    let grants = Grants::new(&fixture.store, &fixture.keys);
    let (batch, random) = (fixture.store.batch(), &mut fixture.random);
    block_on(grants.begin_unconfirmed(&grant(), &tokens(), batch, random)).unwrap()
}

#[test]
fn a_grant_that_is_taken_back_is_seen_by_no_one_and_its_tokens_are_not_revoked() {
    let mut fixture = Fixture::new();
    let kept = fixture.begin().id;
    let unconfirmed = begin_unconfirmed(&mut fixture);
    let queue = RevocationQueue::default();
    let grants = fixture.grants().with_revocations(&queue);
    block_on(grants.take_back(unconfirmed, NOW)).unwrap();
    assert_eq!(queue.take(), []);
    let page = block_on(grants.of_subject("person-1", None, NOW)).unwrap();
    let listed: Vec<_> = page.grants.iter().map(|listed| &listed.id).collect();
    assert_eq!(listed, [&kept]);
    let keys = fixture.store.backend().keys();
    let of_grants = keys.iter().filter(|key| {
        ["grant:", "upstream:", "refresh:", "code:"]
            .iter()
            .any(|kind| key.starts_with(kind))
    });
    assert_eq!(of_grants.count(), 2, "{keys:?}");
}

#[test]
fn an_unconfirmed_grant_ends_no_other() {
    let mut fixture = Fixture::new();
    let first = fixture.begin().id;
    for _ in 1..MAX_GRANTS_PER_CLIENT {
        fixture.begin();
    }
    let unconfirmed = begin_unconfirmed(&mut fixture);
    assert!(fixture.is_alive(&first));
    let confirmed = block_on(fixture.grants().confirm(unconfirmed, NOW)).unwrap();
    assert_eq!(confirmed.replaced, 1);
    assert!(!fixture.is_alive(&first) && fixture.is_alive(&confirmed.id));
}

#[test]
fn what_belongs_to_an_ended_grant_is_swept_within_hours_wherever_a_kill_came() {
    for writes in 0..9 {
        let mut fixture = Fixture::new();
        let new = fixture.begin();
        let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
        fixture.refresh_now(&token).unwrap();
        let index = |fixture: &Fixture| {
            let keys = fixture.store.backend().keys();
            keys.iter().any(|key| key.starts_with("subject-grant:"))
        };
        assert!(index(&fixture));
        let Fixture { store, keys, .. } = fixture;
        let backend = store.into_backend();
        let killed = Store::new(
            Killed {
                inner: backend,
                writes: writes.into(),
            },
            "",
        );
        let ended = block_on(Grants::new(&killed, &keys).end(&new.id, NOW));
        fixture = Fixture::new();
        fixture.store = Store::new(killed.into_backend().inner, "");
        let is_alive = fixture.is_alive(&new.id);
        assert!(!(is_alive && ended.is_ok()));
        fixture.sweep(NOW + 2 * 3600);
        assert_eq!(fixture.is_alive(&new.id), is_alive, "{writes}");
        if !is_alive {
            assert_eq!(fixture.keys_of(&new.id), [""; 0], "{writes}");
            assert!(!index(&fixture), "{writes}");
        }
    }
}

#[test]
fn a_refresh_after_the_end_of_its_grant_leaves_nothing() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let presented = block_on(fixture.grants().refresh_token(&token, NOW)).unwrap();
    let upstream = block_on(fixture.grants().upstream_records().find(&new.id, NOW)).unwrap();
    let upstream = upstream.unwrap();
    block_on(fixture.grants().end(&new.id, NOW)).unwrap();
    let grants = fixture.grants();
    let mut random = StdRng::seed_from_u64(8);
    let records = grants.upstream_records();
    let replaced = records.replace(&new.id, &upstream, grant().expires_at, &mut random);
    assert!(!block_on(replaced).unwrap());
    let refreshed = block_on(grants.refresh(presented, TERMS, NOW));
    assert!(matches!(refreshed, Err(Error::Invalid)));
    assert_eq!(fixture.keys_of(&new.id), [format!("code:{}", new.id)]);
}

#[test]
fn a_grant_that_expires_is_swept_with_all_that_belongs_to_it() {
    let mut fixture = Fixture::new();
    fixture.sweep(NOW);
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.refresh_now(&token).unwrap();
    assert_eq!(fixture.keys_of(&new.id).len(), 4);
    fixture.sweep(NOW + 86_400 + 2 * 3600);
    let left = fixture.store.backend().keys();
    assert!(
        left.iter().all(|key| key == "sweep:cursor"
            || key.contains("ledger:")
            || key.starts_with("subject:")),
        "{left:?}"
    );
}

#[test]
fn a_leaked_store_shows_no_person_no_token_and_no_code() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.refresh_now(&token).unwrap();
    let backend = fixture.store.backend();
    for key in backend.keys() {
        let value = block_on(backend.get(&key)).unwrap().unwrap();
        let entry = format!("{key} {}", String::from_utf8_lossy(&value));
        for secret in ["person-1", "Ada", "upstream-access", &token, &new.code] {
            assert!(!entry.contains(secret), "{secret} lies in {key}");
        }
    }
}

#[test]
fn a_sealed_record_moved_to_another_grant_does_not_open() {
    let mut fixture = Fixture::new();
    let (one, two) = (fixture.begin(), fixture.begin());
    let backend = fixture.store.backend();
    let value = block_on(backend.get(&format!("grant:{}", one.id))).unwrap();
    block_on(backend.set(&format!("grant:{}", two.id), &value.unwrap(), None)).unwrap();
    assert!(fixture.is_alive(&one.id));
    assert!(!fixture.is_alive(&two.id));
}

#[test]
fn rotating_the_master_key_logs_no_one_out_while_the_old_key_is_listed() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.keys = KeyRing::parse(&format!("{NEW_KEY},{KEY}")).unwrap();
    assert!(fixture.is_alive(&new.id));
    let next = fixture.refresh_now(&token).unwrap().refresh_token;
    assert!(fixture.refresh_now(&next).is_ok());
    fixture.keys = KeyRing::parse(NEW_KEY).unwrap();
    assert!(!fixture.is_alive(&new.id));
}

#[test]
fn one_caller_is_chosen_to_refresh_upstream_tokens_and_another_if_it_never_returns() {
    let mut fixture = Fixture::new();
    let id = fixture.begin().id;
    let claim = |generation, now| {
        block_on(
            fixture
                .grants()
                .upstream_records()
                .claim_refresh(&id, generation, now),
        )
        .unwrap()
    };
    assert!(claim(0, NOW));
    assert!(!claim(0, NOW));
    // Not because a time of the clock is over: the one who was chosen may have begun at its end.
    for seconds in [1, 30, 59] {
        assert!(!claim(0, NOW + seconds), "{seconds}");
    }
    assert!(claim(0, NOW + 2 * 60));
    assert!(claim(1, NOW));
    block_on(
        fixture
            .grants()
            .upstream_records()
            .release_refresh(&id, 1, NOW),
    )
    .unwrap();
    assert!(claim(1, NOW));
    let upstream = Upstream {
        tokens: UpstreamTokens {
            access_token: "newer".into(),
            ..tokens()
        },
        generation: 1,
        profile: None,
        outcome: RefreshOutcome::Complete,
    };
    let grants = fixture.grants();
    let records = grants.upstream_records();
    let mut random = StdRng::seed_from_u64(8);
    let kept = records.replace(&id, &upstream, grant().expires_at, &mut random);
    assert!(block_on(kept).unwrap());
    assert_eq!(block_on(records.find(&id, NOW)).unwrap(), Some(upstream));
}
