//! Removed and kept records of a sweep, and its cost.

use super::*;
use crate::{MemoryKeyValue, Record};
use futures::executor::block_on;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// When the tests begin, in hours since the Unix epoch.
const START: u64 = 2 * MAX_HOURS_BACK;
const NOW: u64 = START * HOUR;

#[derive(Serialize, Deserialize)]
struct Note;
impl Record for Note {
    const KIND: &'static str = "note";
}

async fn swept_store() -> Store<MemoryKeyValue> {
    let store = Store::new(MemoryKeyValue::default(), "");
    sweep_all(&store, NOW + SETTLE_SECONDS).await;
    store
}

/// Sweeps until nothing is left, and says what was done and in how many sweeps.
async fn sweep_all<K: KeyValue>(store: &Store<K>, now: u64) -> SweepReport {
    let mut all = SweepReport::default();
    loop {
        all = all.and(store.sweep(now, 128).await.unwrap());
        if !all.more {
            return all;
        }
    }
}

/// The first second in which everything that expired in the hour of `NOW` may be swept.
const OVER: u64 = NOW + HOUR + SETTLE_SECONDS;

#[test]
fn the_sweep_removes_what_expired_and_leaves_no_trace_of_it() {
    block_on(async {
        let store = swept_store().await;
        for n in 0..5 {
            store.create(&n.to_string(), &Note, NOW + 1).await.unwrap();
        }
        store.claim_once("code", "c", NOW + 1).await.unwrap();
        store.create("later", &Note, NOW + 3 * HOUR).await.unwrap();
        let swept = store.sweep(OVER, 100).await.unwrap();
        assert_eq!(
            swept,
            SweepReport {
                // The ledger, and one of its numbers that no line has.
                steps: 8,
                removed: 6,
                until: NOW + HOUR,
                more: false,
                paused: false,
            }
        );
        let ledger = START + 3;
        assert_eq!(
            store.backend().keys(),
            [
                format!("ledger:{ledger}"),
                format!("ledger:{ledger}:1"),
                "note:later".to_owned(),
                "sweep:cursor".to_owned()
            ]
        );
    });
}

#[test]
fn a_sweep_removes_many_keys_with_few_writes() {
    block_on(async {
        let store = swept_store().await;
        for n in 0..100 {
            let id = n.to_string();
            let slots = store.create_with_slots(&id, &Note, 2, NOW + 1);
            slots.await.unwrap();
            let slot = store.slot_key::<Note>(&id, 1);
            store.backend().set(&slot, b"{}", None).await.unwrap();
        }
        let before = store.backend().writes();
        let swept = store.sweep(OVER, 1000).await.unwrap();
        assert_eq!((swept.removed, swept.more), (100, false));
        // 200 keys, 64 of them at once, each time with the lines; the ledger's counter, and the cursor.
        assert_eq!(store.backend().writes() - before, 4 * 2 + 2);
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn a_key_that_two_lines_name_is_removed_once() {
    block_on(async {
        let store = swept_store().await;
        for _ in 0..2 {
            store.create("a", &Note, NOW + 1).await.unwrap();
        }
        let mut batch = store.batch();
        batch.schedule::<Note>("b", &[store.key("note", "a")], NOW + 1);
        batch.write().await.unwrap();
        assert_eq!(store.sweep(OVER, 100).await.unwrap().removed, 1);
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn a_sweep_that_is_cut_off_is_made_up_for_by_the_next() {
    block_on(async {
        for writes in 0..6 {
            let store = swept_store().await;
            for n in 0..70 {
                let id = n.to_string();
                let companions = [store.key("code", &id)];
                let mut batch = store.batch();
                batch.schedule::<Note>(&id, &companions, NOW + 1);
                batch.put(&id, &Note, Some(NOW + 1)).unwrap();
                batch.write().await.unwrap();
                let code = store.backend().increment(&companions[0], 1, None);
                code.await.unwrap();
            }
            store.backend().fail_after(Some(writes));
            assert!(store.sweep(OVER, 1000).await.is_err());
            store.backend().fail_after(None);
            sweep_all(&store, OVER).await;
            assert_eq!(store.backend().keys(), ["sweep:cursor"], "after {writes}");
        }
    });
}

#[test]
fn a_bounded_sweep_goes_on_where_it_stopped() {
    block_on(async {
        let store = swept_store().await;
        for n in 0..5 {
            store.create(&n.to_string(), &Note, NOW + 1).await.unwrap();
        }
        let first = store.sweep(OVER, 4).await.unwrap();
        assert_eq!((first.removed, first.more), (3, true));
        let second = store.sweep(OVER, 10).await.unwrap();
        assert_eq!((second.removed, second.more), (2, false));
    });
}

#[test]
fn a_sweep_passes_over_numbers_that_instances_took_and_did_not_use() {
    block_on(async {
        let store = swept_store().await;
        let backend = store.backend();
        let other = Store::new(backend.clone(), "");
        let before = backend.writes();
        for n in 0..4 {
            for (name, store) in [("a", &store), ("b", &other)] {
                let id = format!("{name}{n}");
                store.create(&id, &Note, NOW + 1).await.unwrap();
            }
        }
        // Eight records with their lines, and three times numbers for each instance.
        assert_eq!(backend.writes() - before, 8 + 6);
        let ledger = Ledger(&store).counter(START);
        let last = store.backend().counted(&ledger).await.unwrap();
        assert_eq!(last, Some(14));
        assert_eq!(store.sweep(OVER, 100).await.unwrap().removed, 8);
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn what_expired_before_the_first_sweep_ever_is_swept_too() {
    block_on(async {
        let store = Store::new(MemoryKeyValue::default(), "");
        store.create("old", &Note, NOW - 30 * 86_400).await.unwrap();
        assert_eq!(sweep_all(&store, NOW).await.removed, 1);
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn a_sweep_after_a_long_stop_is_bounded_as_well() {
    block_on(async {
        let store = swept_store().await;
        store.create("a", &Note, NOW + 1).await.unwrap();
        let later = NOW + 5 * MAX_HOURS_BACK * HOUR;
        store.create("b", &Note, later - HOUR).await.unwrap();
        let first = store.sweep(later, 100).await.unwrap();
        assert_eq!((first.steps, first.removed, first.more), (100, 1, true));
        let rest = sweep_all(&store, later).await;
        // Its own hour is not over yet.
        assert_eq!(rest.removed, 0);
        assert_eq!(sweep_all(&store, later + SETTLE_SECONDS).await.removed, 1);
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn a_record_that_was_prolonged_survives_the_sweep_and_is_swept_at_its_new_time() {
    block_on(async {
        let store = swept_store().await;
        store.create("a", &Note, NOW + 1).await.unwrap();
        store.put("a", &Note, Some(NOW + 2 * HOUR)).await.unwrap();
        store.create("kept", &Note, NOW + 1).await.unwrap();
        store.put("kept", &Note, None).await.unwrap();
        assert_eq!(store.sweep(OVER, 100).await.unwrap().removed, 0);
        assert!(store.get::<Note>("a", OVER).await.unwrap().is_some());
        let later = OVER + 2 * HOUR;
        assert_eq!(store.sweep(later, 100).await.unwrap().removed, 1);
        let kept = store
            .get::<Note>("kept", OVER + MAX_HOURS_BACK * HOUR)
            .await;
        assert!(kept.unwrap().is_some());
    });
}

#[test]
fn the_slots_of_a_record_live_and_are_swept_and_counted_with_it() {
    block_on(async {
        let store = swept_store().await;
        store
            .create_with_slots("a", &Note, 3, NOW + 1)
            .await
            .unwrap();
        for slot in 0..3 {
            let key = store.slot_key::<Note>("a", slot);
            store.backend().set(&key, b"{}", None).await.unwrap();
        }
        let prolonged = NOW + HOUR + SETTLE_SECONDS + 1;
        store.put("a", &Note, Some(prolonged)).await.unwrap();
        assert_eq!(store.sweep(OVER, 100).await.unwrap().removed, 0);
        assert!(store.backend().keys().contains(&"note:a.2".to_owned()));
        let swept = store.sweep(OVER + HOUR, 100).await.unwrap();
        assert_eq!((swept.removed, swept.steps), (1, 5));
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn the_companions_of_a_record_are_swept_when_it_expires_or_is_gone() {
    block_on(async {
        let store = swept_store().await;
        let companions = ["code:a".to_owned(), "note:b".to_owned(), "none".to_owned()];
        let schedule = |expires_at| {
            let mut batch = store.batch();
            batch.schedule::<Note>("a", &companions, expires_at);
            batch.write()
        };
        schedule(NOW + 1).await.unwrap();
        store.put("a", &Note, Some(NOW + HOUR)).await.unwrap();
        store.put("b", &Note, Some(NOW + 9 * HOUR)).await.unwrap();
        store.backend().increment("code:a", 1, None).await.unwrap();
        // It was prolonged, and so is what belongs to it.
        assert_eq!(store.sweep(OVER - 301, 100).await.unwrap().removed, 0);
        store.put("a", &Note, Some(OVER + 1)).await.unwrap();
        assert_eq!(store.sweep(OVER, 100).await.unwrap().removed, 0);
        let swept = store.sweep(OVER + HOUR, 100).await.unwrap();
        assert_eq!((swept.removed, swept.steps), (3, 5));
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
        // Where the record is gone, what is left of it goes alone.
        let later = NOW + 5 * HOUR;
        schedule(later).await.unwrap();
        store.put("b", &Note, Some(later + HOUR)).await.unwrap();
        assert_eq!(sweep_all(&store, later + 2 * HOUR).await.removed, 1);
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn a_record_written_again_after_its_end_is_swept_with_the_claim() {
    block_on(async {
        let store = swept_store().await;
        store.put("a", &Note, None).await.unwrap();
        store
            .claim_end::<Note>("removed", "a", NOW + 1)
            .await
            .unwrap();
        assert!(!store.exists::<Note>("a").await.unwrap());
        assert!(store.is_claimed("removed", "a").await.unwrap());
        // By a caller that is killed before looking.
        store.put("a", &Note, None).await.unwrap();
        assert_eq!(store.sweep(OVER, 100).await.unwrap().removed, 2);
        assert_eq!(store.backend().keys(), ["sweep:cursor"]);
    });
}

#[test]
fn a_record_is_deleted_with_its_slots() {
    block_on(async {
        let store = swept_store().await;
        store
            .create_with_slots("a", &Note, 2, NOW + 1)
            .await
            .unwrap();
        let key = store.slot_key::<Note>("a", 1);
        store.backend().increment(&key, 1, None).await.unwrap();
        store.delete_with_slots::<Note>("a", 2).await.unwrap();
        assert_eq!(
            store.backend().keys(),
            [
                format!("ledger:{START}"),
                format!("ledger:{START}:1"),
                "sweep:cursor".to_owned()
            ]
        );
    });
}

#[test]
fn the_hour_that_is_running_or_has_just_ended_is_left_alone() {
    block_on(async {
        let store = swept_store().await;
        store.create("a", &Note, NOW + 100).await.unwrap();
        for now in [NOW + HOUR - 1, OVER - 1] {
            assert_eq!(store.sweep(now, 100).await.unwrap().steps, 0);
        }
    });
}

/// A memory store that counts what it is asked, and may be gone from some call on.
#[derive(Default)]
struct Counting {
    inner: MemoryKeyValue,
    calls: AtomicU64,
    most: Option<u64>,
}

impl Counting {
    fn call(&self) -> Result<&MemoryKeyValue, Error> {
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.most.is_some_and(|most| before >= most) {
            return Err(Error::Unavailable("it is gone".into()));
        }
        Ok(&self.inner)
    }
}

impl KeyValue for Counting {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.call()?.get(key).await
    }
    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), Error> {
        self.call()?.set(key, value, until).await
    }
    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.call()?.delete(key).await
    }
    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.call()?.exists(key).await
    }
    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        self.call()?.increment(key, delta, until).await
    }
}

#[test]
fn whatever_is_broken_off_leaves_nothing_that_the_sweep_does_not_find() {
    block_on(async {
        for most in 0..60 {
            let backend = Counting {
                most: Some(most),
                ..Counting::default()
            };
            let store = Store::new(backend, "");
            for id in ["a", "b"] {
                // A caller that is killed is answered nothing.
                let _ = store.claim_once("claim", id, NOW + 1).await;
                let mut batch = store.batch();
                let companion = store.key("timed", id);
                batch.schedule::<Note>(&format!("{id}2"), &[companion], NOW + 1);
                batch.schedule_claim("scheduled", id, NOW + 1);
                let _ = batch.put(&format!("{id}2"), &Note, Some(NOW + 1));
                if batch.write().await.is_ok() {
                    let _ = store.claim_at("timed", id, NOW, NOW, NOW + 1).await;
                    let _ = store.claim_scheduled("scheduled", id, NOW + 1).await;
                }
                let _ = store.claim_end::<Note>("end", id, NOW + 1).await;
                let _ = store.check_rate_limit(id, 1, HOUR, NOW + 1 - HOUR).await;
                let _ = store
                    .next_number("number", id, &Note, NOW + 1, NOW + 1)
                    .await;
                let _ = store.create(id, &Note, NOW + 1).await;
                let _ = store.create_with_slots("slots", &Note, 2, NOW + 1).await;
            }
            let store = Store::new(store.backend.inner, "");
            sweep_all(&store, OVER).await;
            assert_eq!(store.backend().keys(), ["sweep:cursor"], "after {most}");
        }
    });
}

/// 100,000 dead of every sort, spread over a year, among a thousand that live.
#[test]
fn a_hundred_thousand_dead_go_in_bounded_steps_and_nothing_alive_does() {
    const DEAD: u64 = 100_000;
    const ALIVE: u64 = 1000;
    const BUDGET: u64 = 500;
    block_on(async {
        let store = Store::new(Counting::default(), "");
        for n in 0..DEAD {
            let expires_at = NOW - HOUR - 1 - n * 310;
            let id = n.to_string();
            match n % 4 {
                0 | 1 => store.create(&id, &Note, expires_at).await.unwrap(),
                2 => assert!(store.claim_once("code", &id, expires_at).await.unwrap()),
                _ => store
                    .create_with_slots(&id, &Note, 2, expires_at)
                    .await
                    .unwrap(),
            }
        }
        for n in 0..ALIVE {
            let id = format!("alive{n}");
            match n % 3 {
                0 => store.create(&id, &Note, NOW + 1 + n * 7000).await.unwrap(),
                1 => {
                    let claimed = store.claim_once("code", &id, NOW + 1 + n).await;
                    assert!(claimed.unwrap());
                }
                // Entered as dead long ago, and prolonged or kept since.
                _ => {
                    store
                        .create(&id, &Note, NOW - HOUR - n * 7000)
                        .await
                        .unwrap();
                    let expires_at = (n % 2 == 0).then_some(NOW + 86_400);
                    store.put(&id, &Note, expires_at).await.unwrap();
                }
            }
        }
        let mut removed = 0;
        loop {
            let before = store.backend().calls.load(Ordering::Relaxed);
            let swept = store.sweep(NOW, BUDGET).await.unwrap();
            let calls = store.backend().calls.load(Ordering::Relaxed) - before;
            assert!(swept.steps <= BUDGET + 2, "{swept:?}");
            assert!(calls <= 6 * BUDGET, "{calls} calls in one sweep");
            removed += swept.removed;
            if !swept.more {
                break;
            }
        }
        assert_eq!(removed, DEAD);
        let left = store.backend().inner.keys();
        let records = left
            .iter()
            .filter(|key| key.starts_with("note:") || key.starts_with("code:"));
        assert_eq!(records.count() as u64, ALIVE);
        assert!(left.iter().all(|key| !key.starts_with("note:0")));
        // What is left of the ledgers is of the living alone.
        let lines = left.iter().filter(|key| key.matches(':').count() == 2);
        assert!(lines.count() as u64 <= ALIVE);
        for n in 0..ALIVE {
            let id = format!("alive{n}");
            let there = if n % 3 == 1 {
                store.is_claimed("code", &id).await.unwrap()
            } else {
                store.get::<Note>(&id, NOW).await.unwrap().is_some()
            };
            assert!(there, "{id}");
        }
    });
}
