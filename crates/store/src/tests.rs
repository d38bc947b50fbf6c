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
fn a_counter_is_read_without_a_write_whatever_form_it_has() {
    block_on(async {
        let backend = MemoryKeyValue::default();
        let store = Store::new(OneByOne(backend.clone()), "");
        let claimed = store.claim_at("code", "x", 100, 107, 200).await.unwrap();
        assert_eq!(claimed, Claim::Made);
        // As Redis has it, behind Spin's interface.
        backend.set("subject:y", b"12345678", None).await.unwrap();
        let before = backend.writes();
        let at = store.claimed_at("code", "x", 100).await.unwrap();
        assert_eq!(at, Some(107));
        assert_eq!(store.numbers("subject", "y").await.unwrap(), 12_345_678);
        assert_eq!(store.numbers("subject", "z").await.unwrap(), 0);
        assert_eq!(backend.writes(), before);
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

/// Returns how many writes `operation` takes, in a store that has numbers of ledger lines at hand.
async fn writes<T>(
    store: &Store<MemoryKeyValue>,
    operation: impl Future<Output = Result<T, Error>>,
) -> u64 {
    for id in ["x", "y"] {
        store.create(id, &Note(String::new()), 100).await.unwrap();
    }
    let before = store.backend().writes();
    operation.await.unwrap();
    store.backend().writes() - before
}

#[test]
fn a_record_and_the_ledger_line_for_it_are_one_write() {
    block_on(async {
        let note = Note("hi".into());
        let new = store();
        assert_eq!(writes(&new, new.create("a", &note, 100)).await, 1);
        let new = store();
        assert_eq!(
            writes(&new, new.create_with_slots("a", &note, 3, 100)).await,
            1
        );
        let new = store();
        let mut batch = new.batch();
        batch.create("a", &note, 100).unwrap();
        batch.put("b", &note, None).unwrap();
        batch.schedule_claim("code", "c", 100);
        assert_eq!(
            writes(&new, batch.write()).await,
            2,
            "the block was used up"
        );
        assert_eq!(new.get("b", 99).await.unwrap(), Some(note));
        assert_eq!(writes(&new, new.batch().write()).await, 0);
    });
}

#[test]
fn a_claim_is_one_write_if_it_is_scheduled_and_two_if_not() {
    block_on(async {
        let store = store();
        assert_eq!(
            writes(&store, store.claim_at("code", "a", 0, 0, 100)).await,
            1
        );
        assert_eq!(
            writes(&store, store.claim_scheduled("code", "b", 100)).await,
            1
        );
        assert_eq!(writes(&store, store.claim_once("code", "c", 100)).await, 2);
        assert_eq!(writes(&store, store.note_once("code", "d", 100)).await, 2);
        // A late caller's.
        assert_eq!(writes(&store, store.claim_once("code", "c", 100)).await, 0);
    });
}

#[test]
fn where_keys_are_written_one_by_one_the_ledger_lines_come_first() {
    block_on(async {
        for writes in 0..6 {
            let backend = MemoryKeyValue::default();
            let store = Store::new(OneByOne(backend.clone()), "");
            let mut batch = store.batch();
            batch.create("a", &Note(String::new()), 100).unwrap();
            batch.create("b", &Note(String::new()), 100).unwrap();
            // For each line, of whose numbers none are at hand: a number. Then lines and records.
            backend.fail_after(Some(writes));
            assert!(batch.write().await.is_err());
            let keys = backend.keys();
            let count = |start: &str| keys.iter().filter(|key| key.starts_with(start)).count();
            assert!(count("note:") == 0 || count("ledger:0:") == 2, "{keys:?}");
            assert_eq!(
                count("ledger:0:") + count("note:"),
                usize::try_from(writes.saturating_sub(2)).unwrap()
            );
        }
    });
}

/// A backend that writes many keys one after the other.
struct OneByOne(MemoryKeyValue);

impl KeyValue for OneByOne {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key).await
    }
    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), Error> {
        self.0.set(key, value, until).await
    }
    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key).await
    }
    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.0.exists(key).await
    }
    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        self.0.increment(key, delta, until).await
    }
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
