//! The rules of grants, over the memory store.

use super::*;
use futures::executor::block_on;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::MemoryKeyValue;

pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const NEW_KEY: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
pub(crate) const NOW: u64 = 1_000_000;
const FIT: fn(&Grant) -> Result<(), ()> = |_| Ok(());
const UNFIT: fn(&Grant) -> Result<(), ()> = |_| Err(());

pub(crate) struct Fixture {
    pub(crate) store: Store<MemoryKeyValue>,
    pub(crate) keys: KeyRing,
    random: StdRng,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self {
            store: Store::new(MemoryKeyValue::default(), ""),
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
        let mut grant = grant();
        grant.profile.subject = subject.into();
        grant.created_at = now;
        grant.expires_at = expires_at;
        let grants = Grants::new(&self.store, &self.keys);
        block_on(grants.begin(&grant, &tokens(), &mut self.random)).unwrap()
    }

    pub(crate) fn redeem(&self, code: &str, now: u64) -> Result<Redeemed, Error<()>> {
        block_on(self.grants().redeem(code, now, FIT))
    }

    fn refresh(&self, token: &str) -> Result<Refreshed, Error<()>> {
        block_on(self.grants().refresh(token, NOW, FIT))
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
        code: CodeBinding {
            redirect_uri: Some("http://127.0.0.1/callback".into()),
            challenge: "challenge".into(),
            expires_at: NOW + 60,
        },
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
    assert!(matches!(fixture.redeem(&new.code, NOW), Err(Error::Reused)));
    assert!(!fixture.is_alive(&new.id));
    assert!(matches!(
        fixture.refresh(&redeemed.refresh_token),
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
fn a_code_is_dead_after_its_lifetime() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let late = fixture.redeem(&new.code, NOW + 60);
    assert!(matches!(late, Err(Error::Invalid)));
}

#[test]
fn a_request_that_does_not_fit_leaves_the_code_and_the_token_as_they_were() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let refused = block_on(fixture.grants().redeem(&new.code, NOW, UNFIT));
    assert!(matches!(refused, Err(Error::Refused(()))));
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let refused = block_on(fixture.grants().refresh(&token, NOW, UNFIT));
    assert!(matches!(refused, Err(Error::Refused(()))));
    assert!(fixture.refresh(&token).is_ok());
}

#[test]
fn a_lost_refresh_may_be_repeated_until_its_successor_is_used() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let second = fixture.refresh(&first).unwrap().refresh_token;
    assert_eq!(fixture.refresh(&first).unwrap().refresh_token, second);
    let third = fixture.refresh(&second).unwrap().refresh_token;
    assert_ne!(third, second);
    assert!(matches!(fixture.refresh(&first), Err(Error::Reused)));
    assert!(!fixture.is_alive(&new.id));
    assert!(matches!(fixture.refresh(&third), Err(Error::Invalid)));
}

#[test]
fn a_late_write_of_an_older_generation_loses_no_grant() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let second = fixture.refresh(&first).unwrap().refresh_token;
    let key = fixture.store.key("refresh", &new.id);
    let late = block_on(fixture.store.backend().get(&key))
        .unwrap()
        .unwrap();
    let third = fixture.refresh(&second).unwrap().refresh_token;
    let fourth = fixture.refresh(&third).unwrap().refresh_token;
    block_on(fixture.store.backend().set(&key, &late)).unwrap();
    assert!(fixture.refresh(&fourth).is_ok());
    assert!(matches!(fixture.refresh(&second), Err(Error::Reused)));
}

#[test]
fn a_handle_is_of_one_kind_and_cannot_be_made_up() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let swapped = token.replacen("ghr_", "ghc_", 1);
    assert!(matches!(fixture.redeem(&swapped, NOW), Err(Error::Invalid)));
    for text in ["", "ghr_", "ghr_AAAA", "ghr_=", &token[..token.len() - 2]] {
        assert!(matches!(fixture.refresh(text), Err(Error::Invalid)));
    }
}

#[test]
fn an_ended_grant_leaves_nothing_that_lives() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.refresh(&token).unwrap();
    block_on(fixture.grants().end(&new.id)).unwrap();
    assert!(!fixture.is_alive(&new.id));
    assert!(matches!(fixture.refresh(&token), Err(Error::Invalid)));
    let upstream = block_on(fixture.grants().upstream(&new.id, NOW)).unwrap();
    assert_eq!(upstream, None);
}

#[test]
fn a_leaked_store_shows_no_person_no_token_and_no_code() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.refresh(&token).unwrap();
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
    block_on(backend.set(&format!("grant:{}", two.id), &value.unwrap())).unwrap();
    assert!(fixture.is_alive(&one.id));
    assert!(!fixture.is_alive(&two.id));
}

#[test]
fn rotating_the_master_key_logs_nobody_out_while_the_old_key_is_listed() {
    let mut fixture = Fixture::new();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.keys = KeyRing::parse(&format!("{NEW_KEY},{KEY}")).unwrap();
    assert!(fixture.is_alive(&new.id));
    let next = fixture.refresh(&token).unwrap().refresh_token;
    assert!(fixture.refresh(&next).is_ok());
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
                .claim_upstream_refresh(&id, generation, now),
        )
        .unwrap()
    };
    assert!(claim(0, NOW));
    assert!(!claim(0, NOW));
    assert!(claim(0, NOW + ATTEMPT_AND_A_BIT));
    assert!(claim(1, NOW));
    let upstream = Upstream {
        tokens: UpstreamTokens {
            access_token: "newer".into(),
            ..tokens()
        },
        generation: 1,
    };
    let grants = fixture.grants();
    let mut random = StdRng::seed_from_u64(8);
    block_on(grants.replace_upstream(&id, &upstream, grant().expires_at, &mut random)).unwrap();
    assert_eq!(block_on(grants.upstream(&id, NOW)).unwrap(), Some(upstream));
}

const ATTEMPT_AND_A_BIT: u64 = 31;
