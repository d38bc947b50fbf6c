//! The rules of the store in a Redis, over a stand-in that knows the commands that are used.

use super::*;
use crate::{Claim, Record, Store};
use futures::executor::block_on;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const NOW: u64 = 1_000_000;

/// Values with their expiry.
type Entries = BTreeMap<String, (Vec<u8>, Option<i64>)>;

/// A Redis in memory, as far as it is used.
struct StandIn {
    entries: Mutex<Entries>,
    now: AtomicU64,
    commands: AtomicU64,
    /// The commands after which it is gone.
    most: u64,
}

impl Default for StandIn {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            now: AtomicU64::new(NOW),
            commands: AtomicU64::new(0),
            most: u64::MAX,
        }
    }
}

fn bytes(argument: &Argument<'_>) -> Vec<u8> {
    match argument {
        Argument::Int(number) => number.to_string().into_bytes(),
        Argument::Binary(bytes) => bytes.to_vec(),
    }
}

impl StandIn {
    fn run(&self, command: &str, words: &[String]) -> Reply {
        let now = self.now.load(Relaxed) as i64;
        let mut entries = self.entries.lock().unwrap();
        entries.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        let key = words[0].clone();
        match (command, &words[1..]) {
            ("GET", []) => entries
                .get(&key)
                .map_or(Reply::Nil, |(value, _)| Reply::Binary(value.clone())),
            ("SET", [value, options @ ..]) => {
                let (is_new, until) = match options {
                    [] => (false, None),
                    [exat, until] if exat == "EXAT" => (false, Some(until)),
                    [nx, exat, until] if nx == "NX" && exat == "EXAT" => (true, Some(until)),
                    _ => panic!("{options:?}"),
                };
                if is_new && entries.contains_key(&key) {
                    return Reply::Nil;
                }
                let until = until.map(|until| until.parse().unwrap());
                entries.insert(key, (value.clone().into_bytes(), until));
                Reply::Status("OK".into())
            }
            ("DEL", _) => {
                let there = words.iter().filter(|key| entries.remove(*key).is_some());
                Reply::Int(there.count() as i64)
            }
            ("EXISTS", []) => Reply::Int(entries.contains_key(&key).into()),
            ("EXPIREAT", [until]) => {
                let found = entries.get_mut(&key);
                let is_there = found.is_some();
                if let Some((_, expiry)) = found {
                    *expiry = Some(until.parse().unwrap());
                }
                Reply::Int(is_there.into())
            }
            ("INCRBY", [delta]) => {
                let (value, _) = entries.entry(key).or_insert_with(|| (b"0".to_vec(), None));
                let before: i64 = String::from_utf8(value.clone()).unwrap().parse().unwrap();
                let sum = before + delta.parse::<i64>().unwrap();
                *value = sum.to_string().into_bytes();
                Reply::Int(sum)
            }
            other => panic!("{other:?}"),
        }
    }

    fn keys(&self) -> Vec<String> {
        self.run("EXISTS", &["".to_owned()]);
        self.entries.lock().unwrap().keys().cloned().collect()
    }
}

impl RedisCommands for StandIn {
    async fn execute(
        &self,
        command: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Reply>, Error> {
        if self.commands.fetch_add(1, Relaxed) >= self.most {
            return Err(Error::Unavailable("it is gone".into()));
        }
        let words = arguments
            .iter()
            .map(|argument| String::from_utf8(bytes(argument)).unwrap())
            .collect::<Vec<_>>();
        if command == "MGET" {
            let each = |word| self.run("GET", std::slice::from_ref(word));
            return Ok(words.iter().map(each).collect());
        }
        Ok(vec![self.run(command, &words)])
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note(String);
impl Record for Note {
    const KIND: &'static str = "note";
}

fn store() -> Store<RedisKeyValue<StandIn>> {
    Store::new(RedisKeyValue::default(), "")
}

async fn write_one_of_each<K: KeyValue>(store: &Store<K>, id: &str) {
    // A caller that is cut off is answered nothing.
    let note = Note(id.to_owned());
    let _ = store.claim_once("claim", id, NOW + 10).await;
    let _ = store.note_once("noted", id, NOW + 10).await;
    let _ = store.claim_at("timed", id, NOW, NOW, NOW + 10).await;
    let _ = store.claim_end::<Note>("end", id, NOW + 10).await;
    let _ = store.check_rate_limit(id, 1, 10, NOW).await;
    let _ = store
        .next_number("number", id, &note, NOW + 10, NOW + 10)
        .await;
    let _ = store.create(id, &note, NOW + 10).await;
    let _ = store.claim_slot::<Note>(id, 1, NOW + 10).await;
}

#[test]
fn what_is_written_and_counted_is_read() {
    block_on(async {
        let store = store();
        store
            .create("a", &Note("hi".into()), NOW + 10)
            .await
            .unwrap();
        let found = store.get::<Note>("a", NOW).await.unwrap();
        assert_eq!(found, Some(Note("hi".into())));
        store.delete::<Note>("a").await.unwrap();
        assert!(!store.exists::<Note>("a").await.unwrap());
        assert_eq!(store.numbers("index", "x").await.unwrap(), 0);
        for expected in 1..4 {
            let note = Note("x".into());
            let number = store.next_number("index", "x", &note, NOW + 5, NOW + 5);
            assert_eq!(number.await.unwrap(), expected);
        }
        assert_eq!(store.numbers("index", "x").await.unwrap(), 3);
    });
}

#[test]
fn many_keys_are_read_and_removed_by_one_command() {
    block_on(async {
        let redis = RedisKeyValue::new(StandIn::default());
        redis.set("a", b"1", None).await.unwrap();
        redis.increment("n", 7, None).await.unwrap();
        let commands = redis.0.commands.load(Relaxed);
        let keys = ["n", "absent", "a"].map(str::to_owned);
        let values = redis.get_many(&keys).await.unwrap();
        assert_eq!(values, [Some(b"7".to_vec()), None, Some(b"1".to_vec())]);
        assert_eq!(redis.0.commands.load(Relaxed), commands + 1);
        redis.delete_many(keys.to_vec()).await.unwrap();
        assert_eq!(redis.get_many(&[]).await.unwrap(), [None; 0]);
        redis.delete_many(Vec::new()).await.unwrap();
        assert_eq!(redis.0.commands.load(Relaxed), commands + 2);
        assert_eq!(redis.0.keys(), [""; 0]);
    });
}

#[test]
fn a_claim_succeeds_once() {
    block_on(async {
        let store = store();
        assert!(store.claim_once("code", "x", NOW + 10).await.unwrap());
        assert!(!store.claim_once("code", "x", NOW + 10).await.unwrap());
        let claim = |now| store.claim_at("timed", "x", NOW, now, NOW + 900);
        assert_eq!(claim(NOW + 7).await.unwrap(), Claim::Made);
        assert_eq!(claim(NOW + 50).await.unwrap(), Claim::Before(NOW + 7));
        let at = store.claimed_at("timed", "x", NOW).await.unwrap();
        assert_eq!(at, Some(NOW + 7));
    });
}

#[test]
fn a_limit_holds_for_its_window_alone() {
    block_on(async {
        let store = store();
        for expected in [true, true, false] {
            let is_within = store.check_rate_limit("rate", 2, 60, NOW).await.unwrap();
            assert_eq!(is_within, expected);
        }
        let later = NOW + 60;
        assert!(store.check_rate_limit("rate", 2, 60, later).await.unwrap());
    });
}

#[test]
fn redis_removes_all_that_expires_wherever_a_writer_is_cut_off() {
    block_on(async {
        for most in 0..60 {
            let redis = StandIn {
                most,
                ..StandIn::default()
            };
            let store = Store::new(RedisKeyValue::new(redis), "");
            for id in ["a", "b"] {
                write_one_of_each(&store, id).await;
            }
            let redis = store.into_backend().0;
            assert!(most < 59 || !redis.keys().is_empty());
            redis.now.store(NOW + 10, Relaxed);
            assert_eq!(redis.keys(), [""; 0], "after {most}");
        }
    });
}

#[test]
fn no_ledger_is_written_and_a_sweep_does_nothing() {
    block_on(async {
        let store = store();
        write_one_of_each(&store, "a").await;
        let keys = store.backend().0.keys();
        assert!(keys.iter().all(|key| !key.contains("ledger")), "{keys:?}");
        let commands = store.backend().0.commands.load(Relaxed);
        assert!(!store.sweep(NOW + 86_400, 100).await.unwrap().more);
        store.sweep_while_serving(NOW, 100).await.unwrap();
        assert_eq!(store.backend().0.commands.load(Relaxed), commands);
    });
}

#[test]
fn the_counter_of_a_ring_lives_as_long_as_it_is_kept() {
    block_on(async {
        let store = store();
        let ring = || crate::ring::Ring::of_record_with_counter::<Note>(&store, "a", 4);
        assert_eq!(ring().until(NOW + 10).reserve(2).await.unwrap(), 1);
        ring().until(NOW + 20).keep_counter().await.unwrap();
        store.backend().0.now.store(NOW + 15, Relaxed);
        assert_eq!(ring().last().await.unwrap(), 2);
        store.backend().0.now.store(NOW + 20, Relaxed);
        assert_eq!(ring().last().await.unwrap(), 0);
    });
}
