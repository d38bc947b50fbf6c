//! Two instances over one store, and a writer to the store who lacks the master secret.

use crate::MAX_TEXT_BYTES;
use crate::{Document, Kind, SharedCache};
use futures::executor::block_on;
use keys::{KeyRing, Purpose};
use store::{KeyValue, MemoryKeyValue, Store};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_KEY: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
const URL: &str = "https://id.example.com/keys";
const NOW: u64 = 1_800_000_000;
const END: u64 = NOW + 600;

struct Keys;

impl Kind for Keys {
    const NAME: &'static str = "keys";
    const PURPOSE: Purpose = Purpose("copy of keys");
    const SLOTS: Option<u64> = None;
}

/// One slot, so that any two URLs share it.
struct Single;

impl Kind for Single {
    const NAME: &'static str = "single";
    const PURPOSE: Purpose = Purpose("single copy");
    const SLOTS: Option<u64> = Some(1);
}

/// Stands where [`Keys`] does, for another purpose.
struct Documents;

impl Kind for Documents {
    const NAME: &'static str = "keys";
    const PURPOSE: Purpose = Purpose("copy of a document");
    const SLOTS: Option<u64> = None;
}

/// The deployment, of which each call is another instance.
struct World {
    backend: MemoryKeyValue,
    keys: KeyRing,
}

impl World {
    fn new() -> Self {
        Self {
            backend: MemoryKeyValue::default(),
            keys: KeyRing::parse(KEY).unwrap(),
        }
    }

    fn find<C: Kind>(&self, url: &str, now: u64) -> Option<Document> {
        let store = Store::new(self.backend.clone(), "t:");
        block_on(SharedCache::<_, C>::new(&store, &self.keys).find(url, now))
    }

    fn insert<C: Kind>(&self, url: &str, document: &Document) {
        let store = Store::new(self.backend.clone(), "t:");
        block_on(SharedCache::<_, C>::new(&store, &self.keys).insert(url, document));
    }

    fn may_fetch(&self, limit: u64, now: u64) -> bool {
        let store = Store::new(self.backend.clone(), "t:");
        let cache = SharedCache::<_, Keys>::new(&store, &self.keys);
        block_on(cache.may_fetch(URL, limit, 30, now))
    }

    /// Returns the only copy of a kind, as it lies in the store.
    fn stored(&self, kind: &str) -> (String, Vec<u8>) {
        let prefix = format!("t:{kind}:");
        let mut all = self.backend.snapshot().into_iter();
        all.find(|(key, _)| key.starts_with(&prefix)).unwrap()
    }

    fn write(&self, key: &str, value: &[u8]) {
        block_on(self.backend.set(key, value, None)).unwrap();
    }
}

fn document(text: &str) -> Document {
    Document {
        text: text.to_owned(),
        fetched_at: NOW,
        expires_at: END,
    }
}

#[test]
fn another_instance_finds_a_copy_until_it_expires() {
    let world = World::new();
    world.insert::<Keys>(URL, &document("{}"));
    assert_eq!(world.find::<Keys>(URL, END - 1), Some(document("{}")));
    assert_eq!(world.find::<Keys>(URL, END), None);
    assert_eq!(
        world.find::<Keys>("https://id.example.com/other", NOW),
        None
    );
}

#[test]
fn no_change_in_the_store_brings_another_document() {
    let world = World::new();
    let ours = document("{\"keys\":[]}");
    world.insert::<Keys>(URL, &ours);
    let (key, value) = world.stored("keys");
    for at in 0..value.len() {
        let mut changed = value.clone();
        changed[at] ^= 1;
        world.write(&key, &changed);
        // The expiry of the record is not authenticated; that of the document is.
        let found = world.find::<Keys>(URL, NOW);
        assert!(found.is_none_or(|found| found == ours));
    }
    let value = String::from_utf8(value).unwrap();
    for (from, to) in [
        ("keys\\\":[]", "keys\\\":[1]"),
        ("1800000000", "1800000001"),
        ("\"expires_at\":1800000600", "\"expires_at\":1900000600"),
    ] {
        assert!(value.contains(from), "{value}");
        world.write(&key, value.replacen(from, to, 1).as_bytes());
        assert_eq!(world.find::<Keys>(URL, NOW), None, "{to}");
    }
}

#[test]
fn a_copy_is_not_found_for_another_url_purpose_or_master_secret() {
    let mut world = World::new();
    world.insert::<Single>(URL, &document("{}"));
    assert_eq!(world.find::<Single>("https://id.example.com", NOW), None);
    world.insert::<Keys>(URL, &document("{}"));
    assert_eq!(world.find::<Documents>(URL, NOW), None);
    let (_, value) = world.stored("keys");
    world.keys = KeyRing::parse(OTHER_KEY).unwrap();
    world.insert::<Keys>(URL, &document("ours"));
    let keys = world.backend.keys().into_iter();
    for key in keys.filter(|key| key.starts_with("t:keys:")) {
        world.write(&key, &value);
    }
    assert_eq!(world.find::<Keys>(URL, NOW), None);
}

#[test]
fn a_copy_does_not_outlive_its_end_by_a_later_expiry_of_its_record() {
    let world = World::new();
    world.insert::<Keys>(URL, &document("{}"));
    let (key, value) = world.stored("keys");
    let value = String::from_utf8(value).unwrap();
    let later = value.replacen(&END.to_string(), &(END + 3600).to_string(), 1);
    assert!(later.starts_with(&format!("{{\"exp\":{}", END + 3600)));
    world.write(&key, later.as_bytes());
    assert!(world.find::<Keys>(URL, NOW).is_some());
    assert_eq!(world.find::<Keys>(URL, END), None);
}

#[test]
fn a_kind_with_slots_has_no_more_records_than_those_however_many_urls_there_are() {
    let world = World::new();
    for number in 0..100 {
        let url = format!("https://{number}.example.com/");
        world.insert::<Single>(&url, &document("{}"));
        assert!(world.find::<Single>(&url, NOW).is_some());
    }
    assert_eq!(world.find::<Single>("https://98.example.com/", NOW), None);
    let keys = world.backend.keys().into_iter();
    let ledger = keys.filter(|key| key.starts_with("t:ledger:"));
    assert_eq!(ledger.count(), 2, "a counter and one line");
    let keys = world.backend.keys().into_iter();
    assert_eq!(keys.filter(|key| key.starts_with("t:single:")).count(), 1);
}

#[test]
fn a_large_document_is_not_kept() {
    let world = World::new();
    world.insert::<Keys>(URL, &document(&"x".repeat(MAX_TEXT_BYTES + 1)));
    assert!(world.backend.keys().is_empty());
}

#[test]
fn where_the_store_fails_nothing_is_found_and_a_fetch_is_allowed() {
    let world = World::new();
    world.insert::<Keys>(URL, &document("{}"));
    assert!(world.may_fetch(1, NOW));
    world.backend.set_down(true);
    assert_eq!(world.find::<Keys>(URL, NOW), None);
    world.insert::<Keys>(URL, &document("later"));
    assert!(world.may_fetch(1, NOW));
    world.backend.set_down(false);
    assert_eq!(world.find::<Keys>(URL, NOW), Some(document("{}")));
}

#[test]
fn all_instances_together_fetch_so_often_in_a_window_and_then_write_nothing() {
    let world = World::new();
    assert!(world.may_fetch(2, NOW));
    assert!(world.may_fetch(2, NOW));
    let before = world.backend.snapshot();
    for _ in 0..50 {
        assert!(!world.may_fetch(2, NOW));
    }
    assert_eq!(world.backend.snapshot(), before);
    assert!(world.may_fetch(2, NOW + 30));
}
