//! The rules of records, claims and counters, over the memory backend.

use crate::MemoryKeyValue;
use crate::claim::CLAIM;
use crate::{Claim, Error, KeyValue, Record, Store};
use futures::executor::block_on;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note(String);
impl Record for Note {
    const KIND: &'static str = "note";
}

fn store() -> Store<MemoryKeyValue> {
    Store::new(MemoryKeyValue::default(), "test:")
}

#[test]
fn an_expired_record_is_absent_from_its_second_on() {
    block_on(async {
        let store = store();
        store.create("a", &Note("hi".into()), 100).await.unwrap();
        assert_eq!(
            store.get::<Note>("a", 99).await.unwrap(),
            Some(Note("hi".into()))
        );
        assert_eq!(store.get::<Note>("a", 100).await.unwrap(), None);
    });
}

#[test]
fn a_claim_succeeds_once() {
    block_on(async {
        let store = store();
        assert!(!store.is_claimed("code", "x").await.unwrap());
        assert!(store.claim_once("code", "x", 10).await.unwrap());
        assert!(!store.claim_once("code", "x", 10).await.unwrap());
        assert!(store.is_claimed("code", "x").await.unwrap());
    });
}

#[test]
fn a_claim_with_a_time_succeeds_once_and_tells_when() {
    block_on(async {
        let store = store();
        assert_eq!(store.claimed_at("code", "x", 100).await.unwrap(), None);
        let claim = |now| store.claim_at("code", "x", 100, now, 200);
        assert_eq!(claim(107).await.unwrap(), Claim::Made);
        assert_eq!(claim(150).await.unwrap(), Claim::Before(107));
        let at = store.claimed_at("code", "x", 100).await.unwrap();
        assert_eq!(at, Some(107));
    });
}

/// As callers do who have all seen that it was not claimed.
#[test]
fn those_who_race_for_a_claim_do_not_move_its_time() {
    block_on(async {
        let store = store();
        let claimed = store.claim_at("code", "x", 100, 107, 200).await.unwrap();
        assert_eq!(claimed, Claim::Made);
        for _ in 0..31 {
            let raced = store
                .backend()
                .increment("test:code:x", CLAIM + 7, None)
                .await;
            assert!(raced.is_ok());
        }
        let at = store.claimed_at("code", "x", 100).await.unwrap();
        assert_eq!(at, Some(107));
    });
}

#[test]
fn numbers_are_handed_out_once_each_and_counted() {
    block_on(async {
        let store = store();
        assert_eq!(store.numbers("index", "x").await.unwrap(), 0);
        for expected in 1..4 {
            let number = store
                .next_number("index", "x", &Note(String::new()), 10, 10)
                .await;
            assert_eq!(number.unwrap(), expected);
        }
        assert_eq!(store.numbers("index", "x").await.unwrap(), 3);
        assert_eq!(store.numbers("index", "y").await.unwrap(), 0);
    });
}

#[test]
fn a_limit_holds_for_its_window_alone() {
    block_on(async {
        let store = store();
        for _ in 0..2 {
            assert!(store.check_rate_limit("rate", 2, 60, 30).await.unwrap());
        }
        assert!(!store.check_rate_limit("rate", 2, 60, 59).await.unwrap());
        assert!(store.check_rate_limit("rate", 2, 60, 60).await.unwrap());
    });
}

#[test]
fn an_event_over_its_limit_writes_nothing() {
    block_on(async {
        let store = store();
        for _ in 0..2 {
            assert!(!store.is_exhausted("rate", 2, 60, 30).await.unwrap());
            assert!(store.check_rate_limit("rate", 2, 60, 30).await.unwrap());
        }
        assert!(store.is_exhausted("rate", 2, 60, 30).await.unwrap());
        let before = store.backend().snapshot();
        for _ in 0..3 {
            assert!(!store.check_rate_limit("rate", 2, 60, 59).await.unwrap());
        }
        assert_eq!(store.backend().snapshot(), before);
        // The operator has raised the limit.
        assert!(store.check_rate_limit("rate", 3, 60, 59).await.unwrap());
        assert!(!store.check_rate_limit("rate", 3, 60, 59).await.unwrap());
    });
}

#[test]
fn a_counter_is_swept_with_its_note() {
    block_on(async {
        let store = store();
        store.sweep(0, 100).await.unwrap();
        assert!(store.check_rate_limit("rate", 1, 60, 30).await.unwrap());
        assert!(!store.check_rate_limit("rate", 1, 60, 30).await.unwrap());
        store.sweep(2 * 3600, 100).await.unwrap();
        assert_eq!(store.backend().keys(), ["test:sweep:cursor"]);
    });
}

#[test]
fn a_record_of_another_shape_is_an_error_and_not_an_absence() {
    block_on(async {
        let store = store();
        store
            .backend()
            .set("test:note:a", b"garbage", None)
            .await
            .unwrap();
        assert!(matches!(
            store.get::<Note>("a", 0).await,
            Err(Error::Unreadable(key)) if key == "test:note:a"
        ));
    });
}
