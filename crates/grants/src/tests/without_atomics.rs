//! The rules of grants over a store without atomics.

use super::*;
use store::Regions;

fn fixture() -> Fixture {
    Fixture::over(MemoryKeyValue::without_atomics(Regions::One))
}

fn listed(fixture: &Fixture, subject: &str) -> Vec<String> {
    let page = block_on(fixture.grants().of_subject(subject, None, NOW)).unwrap();
    page.grants.into_iter().map(|listed| listed.id).collect()
}

#[test]
fn a_code_is_redeemed_once_and_its_late_reuse_ends_the_grant() {
    let mut fixture = fixture();
    let new = fixture.begin();
    assert!(fixture.redeem(&new.code, NOW).is_ok());
    let repeated = fixture.redeem(&new.code, NOW + 1);
    assert!(matches!(repeated, Err(Error::Repeated)));
    assert!(fixture.is_alive(&new.id));
    let reused = fixture.redeem(&new.code, NOW + 20);
    assert!(matches!(reused, Err(Error::Reused)));
    assert!(!fixture.is_alive(&new.id));
}

#[test]
fn refresh_tokens_rotate_and_a_late_reuse_ends_the_grant() {
    let mut fixture = fixture();
    let new = fixture.begin();
    let first = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let second = fixture.refresh(&first, NOW).unwrap().refresh_token;
    // Within the grace its answer is the same.
    let again = fixture.refresh(&first, NOW + 5).unwrap().refresh_token;
    assert_eq!(again, second);
    assert!(fixture.refresh(&second, NOW + 10).is_ok());
    assert!(matches!(
        fixture.refresh(&first, NOW + 500),
        Err(Error::Reused)
    ));
    assert!(!fixture.is_alive(&new.id));
}

#[test]
fn grants_are_listed_newest_first_and_each_is_ended_for_good() {
    let mut fixture = fixture();
    let ids: Vec<_> = (0..3).map(|_| fixture.begin_for("ann", NOW).id).collect();
    fixture.begin_for("bob", NOW);
    let newest_first: Vec<_> = ids.iter().rev().cloned().collect();
    assert_eq!(listed(&fixture, "ann"), newest_first);
    assert!(block_on(fixture.grants().end_of_subject("ann", &ids[1], NOW)).unwrap());
    assert_eq!(listed(&fixture, "ann"), [ids[2].clone(), ids[0].clone()]);
    assert_eq!(listed(&fixture, "bob").len(), 1);
    assert_eq!(fixture.begin_for("ann", NOW).replaced, 0);
    assert_eq!(listed(&fixture, "ann").len(), 3);
}

#[test]
fn the_oldest_grant_of_a_client_ends_when_there_are_too_many() {
    let mut fixture = fixture();
    let first = fixture.begin();
    for _ in 0..MAX_GRANTS_PER_CLIENT {
        fixture.begin();
    }
    assert!(!fixture.is_alive(&first.id));
    assert_eq!(listed(&fixture, "person-1").len(), MAX_GRANTS_PER_CLIENT);
}

#[test]
fn an_end_wins_over_a_refresh_that_is_written_after_it() {
    let mut fixture = fixture();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    let presented = block_on(fixture.grants().refresh_token(&token, NOW)).unwrap();
    block_on(fixture.grants().end(&new.id, NOW)).unwrap();
    let refreshed = block_on(fixture.grants().refresh(presented, TERMS, NOW));
    assert!(matches!(refreshed, Err(Error::Invalid)));
    assert_eq!(fixture.keys_of(&new.id), [format!("code:{}", new.id)]);
}

#[test]
fn a_refresh_of_upstream_tokens_is_for_one_caller() {
    let mut fixture = fixture();
    let new = fixture.begin();
    let grants = fixture.grants();
    let records = grants.upstream_records();
    let claim = || block_on(records.claim_refresh(&new.id, 0, NOW)).unwrap();
    assert!(claim());
    assert!(!claim());
    block_on(records.release_refresh(&new.id, 0, NOW)).unwrap();
    assert!(claim());
}

#[test]
fn a_person_begins_so_many_grants_an_hour() {
    let mut fixture = fixture();
    for _ in 0..MAX_GRANTS_PER_HOUR {
        fixture.begin_for("ann", NOW);
    }
    let refused = fixture.try_begin("client", "ann", NOW, NOW + 86_400);
    assert!(matches!(refused, Err(BeginError::TooMany)));
}

#[test]
fn no_ledger_is_written_and_the_sweep_finds_what_has_expired() {
    let mut fixture = fixture();
    let new = fixture.begin();
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    fixture.refresh_now(&token).unwrap();
    let keys = fixture.store.backend().keys();
    assert!(
        keys.iter().all(|key| !key.starts_with("ledger")),
        "{keys:?}"
    );
    fixture.sweep(NOW + 86_400);
    let left = fixture.store.backend().keys();
    assert!(
        left.iter().all(|key| key.starts_with("subject:")),
        "{left:?}"
    );
    fixture.sweep(NOW + 2 * 366 * 86_400);
    assert_eq!(fixture.store.backend().keys(), [""; 0]);
}

#[test]
fn a_code_without_its_grant_is_missed_until_it_was_redeemed() {
    let mut fixture = fixture();
    let new = fixture.begin();
    let is_missing = |fixture: &Fixture, code: &str| {
        block_on(fixture.grants().is_grant_missing(code, NOW)).unwrap()
    };
    assert!(!is_missing(&fixture, &new.code));
    let key = fixture.store.key("grant", &new.id);
    let grant = block_on(fixture.store.backend().get(&key))
        .unwrap()
        .unwrap();
    block_on(fixture.store.backend().delete(&key)).unwrap();
    assert!(is_missing(&fixture, &new.code));
    assert!(!is_missing(&fixture, "made up"));
    block_on(fixture.store.backend().set(&key, &grant, None)).unwrap();
    fixture.redeem(&new.code, NOW).unwrap();
    block_on(fixture.grants().end(&new.id, NOW)).unwrap();
    assert!(!is_missing(&fixture, &new.code));
}
