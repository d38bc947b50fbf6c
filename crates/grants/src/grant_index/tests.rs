//! The index of a person's grants, over the memory store.

use super::*;
use crate::tests::{Fixture, KEY, NEW_KEY, NOW};
use crate::{BeginError, MAX_GRANTS_PER_CLIENT, MAX_GRANTS_PER_HOUR, client_subject};
use futures::executor::block_on;
use keys::KeyRing;

const ADA: &str = "person-1";
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The time that a person's index covers, and the longest lifetime of a grant.
const PERIOD: u64 = 30 * DAY;
const MAX_TTL: u64 = 366 * DAY;

fn all(fixture: &Fixture, subject: &str, now: u64) -> Vec<Listed> {
    let mut grants = Vec::new();
    let mut from = None;
    loop {
        let page = block_on(fixture.grants().of_subject(subject, from, now)).unwrap();
        assert!(page.grants.len() <= MAX_PAGE);
        grants.extend(page.grants);
        // As it comes back from a link.
        from = page
            .next
            .and_then(|cursor| PageCursor::parse(&cursor.to_string()));
        if from.is_none() {
            return grants;
        }
    }
}

fn ids(grants: &[Listed]) -> Vec<&str> {
    grants.iter().map(|listed| listed.id.as_str()).collect()
}

#[test]
fn a_person_sees_their_own_grants_alone_the_newest_first() {
    let mut fixture = Fixture::new();
    let one = fixture.begin_for(ADA, NOW);
    fixture.begin_for("person-2", NOW);
    let two = fixture.begin_for(ADA, NOW + 5);
    let grants = all(&fixture, ADA, NOW + 10);
    assert_eq!(ids(&grants), [two.id.as_str(), one.id.as_str()]);
    assert_eq!(grants[0].grant.client.name, "Client");
    assert!(all(&fixture, "person-3", NOW).is_empty());
}

#[test]
fn it_is_known_when_a_grant_was_used() {
    let mut fixture = Fixture::new();
    let new = fixture.begin_for(ADA, NOW);
    let used = |fixture: &Fixture| all(fixture, ADA, NOW + 50)[0].used_at;
    assert_eq!(used(&fixture), None);
    let token = fixture.redeem(&new.code, NOW).unwrap().refresh_token;
    assert_eq!(used(&fixture), Some(NOW));
    fixture.refresh(&token, NOW + 40).unwrap();
    assert_eq!(used(&fixture), Some(NOW + 40));
}

#[test]
fn of_too_many_grants_of_one_client_the_oldest_ends() {
    let mut fixture = Fixture::new();
    let first = fixture.begin_for(ADA, NOW);
    let of_other = fixture.begin_for("person-2", NOW);
    let new: Vec<_> = (1..=u64::try_from(MAX_GRANTS_PER_CLIENT).unwrap())
        .map(|n| {
            assert!(n == 1 || fixture.is_alive(&first.id));
            fixture.begin_for(ADA, NOW + n).id
        })
        .collect();
    assert!(!fixture.is_alive(&first.id) && fixture.is_alive(&of_other.id));
    let mut newest: Vec<_> = new.iter().map(String::as_str).collect();
    newest.reverse();
    assert_eq!(ids(&all(&fixture, ADA, NOW + 100)), newest);
    // One that was ended makes room for another.
    block_on(fixture.grants().end(&new[5], NOW)).unwrap();
    fixture.begin_for(ADA, NOW + 200);
    assert!(fixture.is_alive(&new[0]));
    // Another client's grants are counted apart.
    for n in 0..5 {
        fixture.begin_of_client("another", ADA, NOW + 300 + n);
    }
    assert!(fixture.is_alive(&new[0]));
}

#[test]
fn a_person_begins_a_bounded_number_of_grants_in_an_hour() {
    let mut fixture = Fixture::new();
    let hour = NOW - NOW % HOUR;
    let begin =
        |fixture: &mut Fixture, subject, now| fixture.try_begin("client", subject, now, now + DAY);
    // The limit of one client ends most of them, and they count all the same.
    for n in 0..MAX_GRANTS_PER_HOUR {
        let new = begin(&mut fixture, ADA, hour + n).unwrap();
        if n < 5 {
            block_on(fixture.grants().end(&new.id, hour + n)).unwrap();
        }
    }
    let before = fixture.store.backend().snapshot();
    for _ in 0..2 {
        let refused = begin(&mut fixture, ADA, hour + HOUR - 1);
        assert!(matches!(refused, Err(BeginError::TooMany)));
    }
    assert_eq!(
        fixture.store.backend().snapshot(),
        before,
        "it writes nothing"
    );
    begin(&mut fixture, "person-2", hour).unwrap();
    for _ in 0..MAX_GRANTS_PER_HOUR {
        begin(&mut fixture, ADA, hour + HOUR).unwrap();
    }
    let refused = begin(&mut fixture, ADA, hour + HOUR);
    assert!(matches!(refused, Err(BeginError::TooMany)));
    let keys = fixture.store.backend().keys();
    assert!(keys.iter().all(|key| !key.contains(ADA)), "{keys:?}");
}

#[test]
fn the_slot_of_an_ended_grant_is_gone_after_its_hour() {
    let mut fixture = Fixture::new();
    let slots = |fixture: &Fixture| {
        let keys = fixture.store.backend().keys();
        let slots = keys.iter().filter(|key| key.starts_with("subject-grant:"));
        slots.count()
    };
    let (early, late) = (
        fixture.begin_for(ADA, NOW).id,
        fixture.begin_for(ADA, NOW).id,
    );
    block_on(fixture.grants().end(&early, NOW)).unwrap();
    assert_eq!(slots(&fixture), 2);
    block_on(fixture.grants().end(&late, NOW + HOUR)).unwrap();
    assert_eq!(slots(&fixture), 1);
    fixture.sweep(NOW + 2 * HOUR);
    assert_eq!(slots(&fixture), 0);
}

#[test]
fn a_grant_is_ended_by_its_person_alone() {
    let mut fixture = Fixture::new();
    let new = fixture.begin_for(ADA, NOW);
    let end =
        |subject: &str| block_on(fixture.grants().end_of_subject(subject, &new.id, NOW)).unwrap();
    assert!(!end("person-2"));
    let grants = fixture.grants();
    assert!(!block_on(grants.end_of_subject(ADA, "a/../b", NOW)).unwrap());
    assert!(fixture.is_alive(&new.id));
    assert!(end(ADA));
    assert!(!end(ADA));
    assert!(all(&fixture, ADA, NOW).is_empty());
}

#[test]
fn thousands_of_sign_ins_are_listed_and_ended_in_bounded_pages() {
    let mut fixture = Fixture::new();
    let many = MAX_SLOTS_READ + 200;
    let mut first = None;
    for n in 0..many {
        // Of one client they would end each other.
        let began_at = NOW + n * HOUR / MAX_GRANTS_PER_HOUR;
        let new = fixture.begin_of_client(&format!("client-{n}"), ADA, began_at);
        first.get_or_insert(new.id);
    }
    assert_eq!(all(&fixture, ADA, NOW).len() as u64, many);
    // All but the oldest end: what is left is found behind the bound of one page.
    let oldest = first.unwrap();
    for listed in all(&fixture, ADA, NOW) {
        if listed.id != oldest {
            block_on(fixture.grants().end(&listed.id, NOW)).unwrap();
        }
    }
    let page = block_on(fixture.grants().of_subject(ADA, None, NOW)).unwrap();
    assert!(page.grants.is_empty() && page.next.is_some());
    assert_eq!(ids(&all(&fixture, ADA, NOW)), [oldest.as_str()]);
    let ended = block_on(fixture.grants().end_page_of_subject(ADA, page.next, NOW)).unwrap();
    assert_eq!(
        ended,
        Ended {
            count: 1,
            next: None
        }
    );
}

#[test]
fn a_grant_is_found_for_all_its_life_and_its_index_leaves_nothing() {
    let mut fixture = Fixture::new();
    let lifetime = 366 * 86_400;
    // Wherever in its index it begins.
    for start in [10 * PERIOD, 11 * PERIOD - 1] {
        let new = fixture.begin_with(ADA, start, start + lifetime);
        let last = start + lifetime - 1;
        assert_eq!(ids(&all(&fixture, ADA, last)), [new.id.as_str()]);
        assert!(all(&fixture, ADA, last + 1).is_empty());
    }
    let long_after = 11 * PERIOD + MAX_TTL + 3 * 3600;
    while block_on(fixture.store.sweep(long_after, 1000))
        .unwrap()
        .more
    {}
    assert_eq!(fixture.store.backend().keys(), ["sweep:cursor"]);
}

#[test]
fn the_store_names_no_person_and_a_rotated_key_finds_what_the_old_one_named() {
    let mut fixture = Fixture::new();
    let old = fixture.begin_for(ADA, NOW);
    fixture.keys = KeyRing::parse(&format!("{NEW_KEY},{KEY}")).unwrap();
    let new = fixture.begin_for(ADA, NOW);
    let grants = all(&fixture, ADA, NOW);
    assert_eq!(ids(&grants), [new.id.as_str(), old.id.as_str()]);
    assert!(
        fixture
            .store
            .backend()
            .keys()
            .iter()
            .all(|key| !key.contains(ADA))
    );
    fixture.keys = KeyRing::parse(NEW_KEY).unwrap();
    assert_eq!(ids(&all(&fixture, ADA, NOW)), [new.id.as_str()]);
}

#[test]
fn a_made_up_cursor_finds_nothing_and_costs_nothing() {
    let mut fixture = Fixture::new();
    fixture.begin_for(ADA, NOW);
    for text in ["", "1", "a.b.c", "1.2", "1.2.-3", "1.2.3.4"] {
        assert_eq!(PageCursor::parse(text), None, "{text}");
    }
    let huge = format!("{0}.{0}.{0}", u64::MAX);
    let page = block_on(
        fixture
            .grants()
            .of_subject(ADA, PageCursor::parse(&huge), NOW),
    )
    .unwrap();
    assert_eq!(page.next, None);
}

#[test]
fn a_clients_own_grants_are_found_and_ended_and_are_no_persons() {
    let mut fixture = Fixture::new();
    let person = fixture.begin_for("nightly", NOW);
    let subject = client_subject("nightly");
    let mut own = |now: u64| {
        let (id, _) = fixture.begin_for_client("nightly", now);
        id
    };
    let (one, two) = (own(NOW), own(NOW + 60));
    assert_eq!(
        ids(&all(&fixture, &subject, NOW + 60)),
        [two.as_str(), &one]
    );
    assert_eq!(
        ids(&all(&fixture, "nightly", NOW + 60)),
        [person.id.as_str()]
    );
    let grants = fixture.grants();
    let ended = grants.end_page_of_subject(&subject, None, NOW + 60);
    assert_eq!(block_on(ended).unwrap().count, 2);
    assert!(all(&fixture, &subject, NOW + 60).is_empty());
    assert_eq!(all(&fixture, "nightly", NOW + 60).len(), 1);
}

#[test]
fn of_a_clients_index_only_two_days_are_looked_at() {
    let mut fixture = Fixture::new();
    let subject = client_subject("nightly");
    let (id, _) = fixture.begin_for_client("nightly", NOW);
    // As long as an access token may live at most, over the end of a day.
    assert_eq!(ids(&all(&fixture, &subject, NOW + DAY - 1)), [id.as_str()]);
    assert_eq!(Span::of(&subject).periods(NOW).count(), 2);
}
