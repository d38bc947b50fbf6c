use super::*;
use crate::MemoryKeyValue;
use futures::executor::block_on;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

const NOW: u64 = 1_000_000;

/// As large as the ring of a session's mailbox.
const SIZE: u32 = 32;

/// Messages of up to so many parts.
const MAX_PARTS: u64 = 4;

#[derive(Serialize, Deserialize)]
struct Owner;
impl Record for Owner {
    const KIND: &'static str = "owner";
}

fn store() -> Store<MemoryKeyValue> {
    Store::new(MemoryKeyValue::default(), "p:")
}

fn seal(part: &Part<'_>) -> String {
    let text = String::from_utf8(part.bytes.to_vec()).unwrap();
    format!("{} {text}", part.number)
}

fn open(number: u64, sealed: &str) -> Option<Vec<u8>> {
    let (of, text) = sealed.split_once(' ')?;
    (of == number.to_string()).then(|| text.as_bytes().to_vec())
}

type TestRing<'a> = Ring<'a, MemoryKeyValue>;

fn write(ring: &TestRing<'_>, first: u64, message: &str) {
    for part in split(first, message.as_bytes(), false) {
        block_on(ring.write(&part, seal(&part))).unwrap();
    }
}

fn post(ring: &TestRing<'_>, message: &str) {
    let first = block_on(ring.reserve(part_count(message.len()))).unwrap();
    write(ring, first, message);
}

fn look(reader: &mut Reader, ring: &TestRing<'_>, now: u64) -> Read {
    block_on(reader.read(ring, &open, now, &mut ReadAhead::default())).unwrap()
}

/// Looks often enough for every message that is there, and returns them.
fn drain(reader: &mut Reader, ring: &TestRing<'_>, now: u64) -> Vec<String> {
    let mut found = Vec::new();
    let mut idle = 0;
    while idle < 200 {
        match look(reader, ring, now) {
            Read::Nothing => idle += 1,
            Read::Part | Read::Lost { .. } => idle = 0,
            Read::Message(message) => {
                idle = 0;
                found.push(String::from_utf8(message.bytes).unwrap());
            }
        }
    }
    found
}

/// A message of so many parts that says its name at both ends.
fn message(name: &str, parts: u64) -> String {
    let fill = "x".repeat((parts as usize - 1) * MAX_SEALED_BYTES);
    format!("{name}{fill}{name}")
}

#[test]
fn messages_are_read_in_order_and_a_consuming_reader_empties_the_ring() {
    let store = store();
    let ring = Ring::of_record_with_counter::<Owner>(&store, "id", SIZE);
    let mut reader = Reader::new(1).consuming().passing_gaps(MAX_PARTS, 3);
    for round in 0..3 {
        let names: Vec<_> = (0..20).map(|n| format!("{round} {n}")).collect();
        names.iter().for_each(|name| post(&ring, name));
        assert_eq!(drain(&mut reader, &ring, NOW), names);
    }
    assert_eq!(store.backend().keys(), ["p:owner:id.0"]);
    assert_eq!(block_on(ring.last()).unwrap(), 60);
}

#[test]
fn a_message_of_several_parts_is_one_message() {
    let store = store();
    let ring = Ring::of_kind(&store, "kind", SIZE);
    for parts in 1..=MAX_PARTS {
        post(&ring, &message("m", parts));
    }
    post(&ring, "");
    let found = drain(&mut Reader::new(1), &ring, NOW);
    let expected: Vec<_> = (1..=MAX_PARTS).map(|parts| message("m", parts)).collect();
    assert!(found[..4] == expected && found[4].is_empty());
    assert!(
        store
            .backend()
            .keys()
            .iter()
            .all(|key| key.starts_with("p:kind:"))
    );
}

#[test]
fn a_part_that_does_not_open_costs_its_message_alone() {
    let store = store();
    let ring = Ring::of_kind(&store, "kind", SIZE);
    post(&ring, "a");
    for part in split(2, message("b", 3).as_bytes(), true) {
        let sealed = if part.number == 3 {
            "?".into()
        } else {
            seal(&part)
        };
        block_on(ring.write(&part, sealed)).unwrap();
    }
    write(&ring, 5, "c");
    let mut reader = Reader::new(1);
    let found: Vec<_> = (0..6).map(|_| look(&mut reader, &ring, NOW)).collect();
    assert!(matches!(&found[0], Read::Message(message) if message.bytes == b"a"));
    assert_eq!(
        found[1..4],
        [Read::Part, Read::Part, Read::Lost { is_last: true }]
    );
    assert!(
        matches!(&found[4], Read::Message(message) if message.bytes == b"c" && message.number == 5)
    );
    assert_eq!(found[5], Read::Nothing);
}

#[test]
fn a_reader_that_is_too_slow_learns_it_and_goes_on_with_what_is_left() {
    let store = store();
    let ring = Ring::of_kind(&store, "kind", SIZE);
    (1..=100).for_each(|n| post(&ring, &n.to_string()));
    let mut reader = Reader::new(1);
    assert_eq!(look(&mut reader, &ring, NOW), Read::Lost { is_last: false });
    let left: Vec<_> = (69..=100).map(|n| n.to_string()).collect();
    assert_eq!(drain(&mut reader, &ring, NOW), left);
    assert_eq!(store.backend().keys().len(), 1 + SIZE as usize);
}

#[test]
fn a_full_ring_has_no_free_slot_until_its_reader_empties_one() {
    let store = store();
    let ring = Ring::of_record_with_counter::<Owner>(&store, "id", SIZE);
    (0..SIZE).for_each(|n| post(&ring, &n.to_string()));
    let next = block_on(ring.reserve(1)).unwrap();
    assert!(!block_on(ring.is_free(next)).unwrap());
    let mut reader = Reader::new(1).consuming();
    look(&mut reader, &ring, NOW);
    assert!(block_on(ring.is_free(next)).unwrap());
}

#[test]
fn an_idle_reader_makes_one_read_a_look_and_none_if_that_was_read_ahead() {
    let store = Store::new(Counted::default(), "p:");
    let ring = Ring::of_kind(&store, "kind", SIZE);
    let mut reader = Reader::new(1).consuming().passing_gaps(16, 3);
    let reads = || store.backend().0.load(Ordering::Relaxed);
    for looks in 1..=200 {
        let ahead = &mut ReadAhead::default();
        let read = block_on(reader.read(&ring, &open, NOW, ahead)).unwrap();
        assert_eq!((read, reads()), (Read::Nothing, looks));
    }
    for _ in 0..200 {
        let next = reader.next_key(&ring).unwrap();
        let mut ahead = block_on(ReadAhead::read(&store, vec![next])).unwrap();
        let before = reads();
        let read = block_on(reader.read(&ring, &open, NOW, &mut ahead)).unwrap();
        assert_eq!((read, reads()), (Read::Nothing, before));
    }
}

#[test]
fn what_is_read_ahead_is_found_and_a_message_that_came_later_at_the_next_look() {
    let store = store();
    let ring = Ring::of_record_with_counter::<Owner>(&store, "id", SIZE);
    let mut reader = Reader::new(1).consuming().passing_gaps(MAX_PARTS, 3);
    let read_ahead = |reader: &Reader| {
        let next = reader.next_key(&ring).unwrap();
        let keys = vec!["p:other:id".to_owned(), next];
        block_on(ReadAhead::read(&store, keys)).unwrap()
    };
    for n in 0..u64::from(3 * SIZE) {
        let mut ahead = read_ahead(&reader);
        post(&ring, &format!("{n}"));
        let read = block_on(reader.read(&ring, &open, NOW, &mut ahead)).unwrap();
        assert_eq!(read, Read::Nothing);
        let mut ahead = read_ahead(&reader);
        let mut found = block_on(reader.read(&ring, &open, NOW, &mut ahead)).unwrap();
        while found == Read::Nothing {
            // A look behind a gap.
            found = look(&mut reader, &ring, NOW);
        }
        let Read::Message(message) = found else {
            panic!("{found:?}");
        };
        assert_eq!(message.bytes, n.to_string().into_bytes());
    }
}

use std::sync::atomic::{AtomicU64, Ordering};

/// An empty backend that counts its calls.
#[derive(Default)]
struct Counted(AtomicU64);

impl KeyValue for Counted {
    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }
    async fn set(&self, _: &str, _: &[u8], _: Option<u64>) -> Result<(), Error> {
        unreachable!("a reader writes nothing")
    }
    async fn delete(&self, _: &str) -> Result<(), Error> {
        unreachable!("there is nothing to delete")
    }
    async fn exists(&self, _: &str) -> Result<bool, Error> {
        unreachable!("a reader reads")
    }
    async fn increment(&self, _: &str, _: i64, _: Option<u64>) -> Result<i64, Error> {
        unreachable!("a reader counts nothing")
    }
}

#[test]
fn a_gap_is_passed_over_in_its_time_and_a_late_message_frees_its_slot() {
    let store = store();
    let ring = Ring::of_record_with_counter::<Owner>(&store, "id", SIZE);
    for lost in 1..=MAX_PARTS {
        let mut reader = Reader::new(block_on(ring.last()).unwrap() + 1)
            .consuming()
            .passing_gaps(MAX_PARTS, 3);
        let gap = block_on(ring.reserve(lost)).unwrap();
        post(&ring, "behind");
        assert!(drain(&mut reader, &ring, NOW).is_empty());
        assert!(drain(&mut reader, &ring, NOW + 2).is_empty());
        assert_eq!(drain(&mut reader, &ring, NOW + 3), ["behind"]);
        // Its slot is another message's now.
        write(&ring, gap, "late");
        for _ in 0..SIZE {
            if block_on(ring.is_free(reader.next())).unwrap() {
                post(&ring, "m");
            } else {
                assert_eq!(look(&mut reader, &ring, NOW), Read::Part);
                continue;
            }
            assert_eq!(drain(&mut reader, &ring, NOW), ["m"]);
        }
        assert_eq!(store.backend().keys(), ["p:owner:id.0"]);
    }
}

#[test]
fn a_writer_that_ends_in_the_middle_costs_its_message_alone() {
    let store = store();
    let ring = Ring::of_record_with_counter::<Owner>(&store, "id", SIZE);
    let mut reader = Reader::new(1).consuming().passing_gaps(MAX_PARTS, 3);
    for written in 1..MAX_PARTS {
        let text = message("half", MAX_PARTS);
        let first = block_on(ring.reserve(MAX_PARTS)).unwrap();
        for part in split(first, text.as_bytes(), false).take(written as usize) {
            block_on(ring.write(&part, seal(&part))).unwrap();
        }
        post(&ring, "whole");
        assert!(drain(&mut reader, &ring, NOW).is_empty());
        assert_eq!(drain(&mut reader, &ring, NOW + 3), ["whole"]);
    }
}

#[test]
fn the_slots_of_a_record_expire_with_it() {
    let store = store();
    let slots = SIZE + 1;
    block_on(store.create_with_slots("id", &Owner, slots, NOW)).unwrap();
    let ring = Ring::of_record_with_counter::<Owner>(&store, "id", SIZE);
    (0..50).for_each(|n| post(&ring, &n.to_string()));
    assert!(store.backend().keys().len() > SIZE as usize);
    block_on(store.sweep(NOW - 3600, 10_000)).unwrap();
    block_on(store.sweep(NOW + 2 * 3600, 10_000)).unwrap();
    assert_eq!(store.backend().keys(), ["p:sweep:cursor"]);
}

/// Writers take numbers in one order and write their parts in any other, and some end early. What the others
/// wrote is read whole, once, and in the order of the numbers.
#[test]
fn messages_in_any_order_are_read_in_the_order_of_their_numbers() {
    for seed in 0..100 {
        let random = &mut StdRng::seed_from_u64(seed);
        let store = store();
        let ring = Ring::of_record_with_counter::<Owner>(&store, "id", SIZE);
        let mut reader = Reader::new(1).consuming().passing_gaps(MAX_PARTS, 3);
        let mut now = NOW;
        let mut expected = BTreeMap::new();
        let mut read = Vec::new();
        for round in 0..8 {
            let mut writers: Vec<(u64, String, usize)> = Vec::new();
            let mut lost_in_a_row = 0;
            for n in 0..random.random_range(1..5) {
                // Long messages are rare: a copy takes time.
                let parts = match random.random_range(0..12) {
                    0 => random.random_range(2..=MAX_PARTS),
                    _ => 1,
                };
                let text = message(&format!("{round}.{n}."), parts);
                let first = block_on(ring.reserve(parts)).unwrap();
                let ends_early =
                    lost_in_a_row + parts <= MAX_PARTS && random.random_range(0..5) == 0;
                let written = if ends_early {
                    lost_in_a_row += parts;
                    random.random_range(0..parts) as usize
                } else {
                    lost_in_a_row = 0;
                    expected.insert(first, text.clone());
                    parts as usize
                };
                writers.push((first, text, written));
            }
            // A gap is seen only before a message.
            let first = block_on(ring.reserve(1)).unwrap();
            let text = format!("{round}.");
            expected.insert(first, text.clone());
            writers.push((first, text, 1));
            writers.shuffle(random);
            for (first, text, written) in &writers {
                for part in split(*first, text.as_bytes(), false).take(*written) {
                    assert!(block_on(ring.is_free(part.number)).unwrap(), "{seed}");
                    block_on(ring.write(&part, seal(&part))).unwrap();
                    for _ in 0..random.random_range(0..4) {
                        if let Read::Message(message) = look(&mut reader, &ring, now) {
                            read.push((message.number, message.bytes));
                        }
                    }
                }
            }
            for _ in 0..2 * writers.len() {
                read.extend(
                    drain(&mut reader, &ring, now)
                        .into_iter()
                        .map(|text| (0, text.into_bytes())),
                );
                now += 3;
            }
        }
        let read: Vec<_> = read.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let expected: Vec<_> = expected.values().map(|text| text.as_bytes()).collect();
        assert!(
            read == expected,
            "{seed}: {} of {}",
            read.len(),
            expected.len()
        );
        assert_eq!(store.backend().keys(), ["p:owner:id.0"], "{seed}");
    }
}
