//! A bounded cache in memory, for what an instance can compute or fetch again.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A map that holds at most twice its size, and drops the entries that were not used lately.
///
/// It has two generations. When the young one is full, it becomes the old one, and the entries of the old one are
/// dropped. Entries do not expire: the caller checks whether a value is still valid.
pub struct Cache<K, V> {
    size: usize,
    generations: Mutex<Generations<K, V>>,
}

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    /// Returns an empty cache, whose generations hold `size` entries each.
    pub fn new(size: usize) -> Self {
        Self {
            size,
            generations: Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
            }),
        }
    }

    /// Returns the value of `key`, and moves it to the young generation.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let mut generations = self.generations();
        if let Some(value) = generations.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = generations.old.remove_entry(key)?;
        self.insert_young(&mut generations, key, value.clone());
        Some(value)
    }

    /// Inserts a value, in place of an earlier one.
    pub fn insert(&self, key: K, value: V) {
        self.insert_young(&mut self.generations(), key, value);
    }

    fn insert_young(&self, generations: &mut Generations<K, V>, key: K, value: V) {
        if generations.young.len() >= self.size {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(key, value);
    }

    fn generations(&self) -> std::sync::MutexGuard<'_, Generations<K, V>> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_twice_its_size() {
        let cache = Cache::new(10);
        for n in 0..1000 {
            cache.insert(n, n);
            let generations = cache.generations();
            assert!(generations.young.len() + generations.old.len() <= 20);
        }
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let cache = Cache::new(10);
        cache.insert(0, "kept");
        cache.insert(1, "forgotten");
        for n in 2..100 {
            cache.insert(n, "");
            assert_eq!(cache.get(&0), Some("kept"));
        }
        assert_eq!(cache.get(&1), None);
    }
}
