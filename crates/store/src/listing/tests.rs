//! The rules of the sweep that lists keys, and of the store without atomics that it sweeps.

use super::MAX_REMOVALS;
use crate::ring::{self, Ring};
use crate::{Claim, KeyValue, MemoryKeyValue, Record, Regions, Store};
use futures::executor::block_on;
use serde::{Deserialize, Serialize};

const NOW: u64 = 1_000_000;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note(String);
impl Record for Note {
    const KIND: &'static str = "note";
}

/// What has a number.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Entry(String);
impl Record for Entry {
    const KIND: &'static str = "entry";
}

fn store() -> Store<MemoryKeyValue> {
    Store::new(MemoryKeyValue::without_atomics(Regions::One), "t:")
}

fn note(text: &str) -> Note {
    Note(text.to_owned())
}

async fn number(store: &Store<MemoryKeyValue>, id: &str, text: &str, until: u64) -> u64 {
    let entry = Entry(text.to_owned());
    let number = store.next_number("number", id, &entry, until, until);
    number.await.unwrap()
}

/// Writes whatever expires, for an hour.
async fn fill(store: &Store<MemoryKeyValue>, id: &str, until: u64) {
    assert!(store.claim_once("claim", id, until).await.unwrap());
    assert!(store.note_once("noted", id, until).await.unwrap());
    let claimed = store.claim_at("timed", id, NOW, NOW, until).await.unwrap();
    assert_eq!(claimed, Claim::Made);
    store.claim_end::<Note>("end", id, until).await.unwrap();
    assert_eq!(number(store, id, id, until).await, 1);
    store
        .create_with_slots(id, &note(id), 2, until)
        .await
        .unwrap();
    assert!(store.claim_slot::<Note>(id, 0, until).await.unwrap());
    let ring = Ring::of_record::<Note>(store, id, 4);
    for part in ring::split(1, b"hi", true) {
        ring.write(&part, "sealed".to_owned()).await.unwrap();
    }
    let key = store.slot_key::<Note>(id, 2);
    store.backend().set(&key, b"no JSON", None).await.unwrap();
}

#[test]
fn without_atomics_claims_numbers_and_limits_are_as_with_them() {
    block_on(async {
        let store = store();
        assert!(!store.has_atomics());
        fill(&store, "a", NOW + 10).await;
        assert!(!store.claim_once("claim", "a", NOW + 10).await.unwrap());
        assert!(!store.note_once("noted", "a", NOW + 10).await.unwrap());
        assert!(!store.claim_slot::<Note>("a", 0, NOW + 10).await.unwrap());
        let again = store.claim_at("timed", "a", NOW, NOW + 5, NOW + 10).await;
        assert_eq!(again.unwrap(), Claim::Before(NOW));
        assert!(store.is_claimed("end", "a").await.unwrap());
        assert_eq!(store.numbers("number", "a").await.unwrap(), 1);
        assert_eq!(number(&store, "a", "b", NOW + 10).await, 2);
        // The claim of a number is the record that belongs to it.
        let found = store.get::<Entry>("a.2", NOW).await.unwrap();
        assert_eq!(found, Some(Entry("b".to_owned())));
        for expected in [true, true, false] {
            let is_within = store.check_rate_limit("rate", 2, 60, NOW).await.unwrap();
            assert_eq!(is_within, expected);
        }
    });
}

#[test]
fn a_number_that_was_put_back_is_not_given_twice() {
    block_on(async {
        let store = store();
        for expected in 1..4 {
            assert_eq!(number(&store, "a", "a", NOW).await, expected);
        }
        // As a caller does that read the counter long ago.
        let stale = br#"{"exp":1000000,"count":1}"#;
        store
            .backend()
            .set("t:number:a", stale, None)
            .await
            .unwrap();
        assert_eq!(number(&store, "a", "a", NOW).await, 4);
        assert_eq!(store.numbers("number", "a").await.unwrap(), 4);
    });
}

#[test]
fn no_ledger_is_written_and_a_request_lists_no_keys() {
    block_on(async {
        let store = store();
        fill(&store, "a", NOW + 10).await;
        let before = store.backend().keys();
        assert!(before.iter().all(|key| !key.contains("ledger")));
        store.sweep_while_serving(NOW + 86_400, 100).await.unwrap();
        assert_eq!(store.backend().keys(), before);
    });
}

#[test]
fn the_sweep_removes_what_has_expired_with_its_slots_and_nothing_else() {
    block_on(async {
        let store = store();
        fill(&store, "dead", NOW).await;
        let dead = store.backend().keys();
        assert!(
            store
                .check_rate_limit("rate", 1, 60, NOW - 60)
                .await
                .unwrap()
        );
        fill(&store, "alive", NOW + 1).await;
        store.put("always", &note("x"), None).await.unwrap();
        let changes = Ring::of_kind(&store, "changes", 4);
        let number = changes.reserve(1).await.unwrap();
        for part in ring::split(number, b"hi", false) {
            changes.write(&part, "sealed".to_owned()).await.unwrap();
        }
        // Another application's.
        store
            .backend()
            .set("u:note:a", br#"{"exp":1}"#, None)
            .await
            .unwrap();
        store.backend().set("u:x.1", b"?", None).await.unwrap();
        let all = store.backend().keys().len();
        let mut removed = 0;
        while let swept = store.sweep(NOW, 10_000).await.unwrap()
            && swept.removed > 0
        {
            removed += swept.removed;
        }
        assert_eq!(removed as usize, dead.len() + 2);
        let left = store.backend().keys();
        assert_eq!(left.len(), all - removed as usize);
        assert!(
            left.iter()
                .all(|key| !key.contains("dead") && !key.contains("rate"))
        );
    });
}

#[test]
fn repeated_sweeps_go_on_where_the_last_one_stopped() {
    block_on(async {
        let store = store();
        for n in 0..10 {
            store
                .put(&n.to_string(), &note("x"), Some(NOW))
                .await
                .unwrap();
            let id = format!("{n}-alive");
            store.put(&id, &note("x"), Some(NOW + 1)).await.unwrap();
        }
        let mut looked_at = 0;
        loop {
            let swept = store.sweep(NOW, 3).await.unwrap();
            assert!(swept.steps <= 3);
            looked_at += swept.steps;
            if !swept.more {
                assert_eq!(swept.until, NOW);
                break;
            }
            assert_eq!(swept.until, 0);
        }
        assert_eq!(looked_at, 20);
        assert_eq!(store.backend().keys().len(), 10);
        assert!(
            store
                .backend()
                .keys()
                .iter()
                .all(|key| key.ends_with("-alive"))
        );
    });
}

#[test]
fn a_sweep_removes_no_more_than_a_host_that_bounds_writes_can_bear() {
    block_on(async {
        let store = store();
        for n in 0..2 * MAX_REMOVALS {
            let id = n.to_string();
            store.put(&id, &note("x"), Some(NOW)).await.unwrap();
        }
        store.put("alive", &note("x"), Some(NOW + 1)).await.unwrap();
        let mut removed = Vec::new();
        loop {
            let swept = store.sweep(NOW, 10_000).await.unwrap();
            removed.push(swept.removed);
            assert_eq!(swept.paused, swept.more);
            if !swept.more {
                break;
            }
        }
        assert_eq!(removed, [MAX_REMOVALS, MAX_REMOVALS, 0]);
        assert_eq!(store.backend().keys().len(), 1);
    });
}
