//! The rules of grants, over the memory store.

use super::*;
use futures::executor::block_on;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::MemoryKeyValue;

pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const NEW_KEY: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
pub(crate) const NOW: u64 = 1_000_000;
const THUMBPRINT: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

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

    /// A client's own grant, which lives for a day.
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
            self.grants().refresh(token, now).await
        })
    }

    fn refresh_now(&self, token: &str) -> Result<Refreshed, Error> {
        self.refresh(token, NOW)
    }

    fn is_current(&self, token: &str) -> bool {
        block_on(async {
            let token = self.grants().refresh_token(token, NOW).await.unwrap();
            self.grants().is_current(&token, NOW).await.unwrap()
        })
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
    assert!(matches!(fixture.redeem(&new.code, NOW), Err(Error::Reused)));
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
    let code = handle::Handle {
        grant_id: id.clone(),
        generation: 0,
        key: None,
    };
    let code = code.write(&handle::CODE, &fixture.keys);
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
    block_on(fixture.store.backend().set(&key, &late)).unwrap();
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
    block_on(fixture.grants().end(&new.id)).unwrap();
    assert!(!fixture.is_alive(&new.id));
    assert!(matches!(fixture.refresh_now(&token), Err(Error::Invalid)));
    let upstream = block_on(fixture.grants().upstream(&new.id, NOW)).unwrap();
    assert_eq!(upstream, None);
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
