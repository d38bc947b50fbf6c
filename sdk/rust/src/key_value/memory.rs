//! Stores of a unit test, in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A store in memory, for a test. Clones share what it holds.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

impl MemoryStore {
    /// Returns the value of a key; `None` if it has none.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(key).cloned()
    }

    /// Gives a key a value.
    pub fn set(&self, key: &str, value: impl Into<Vec<u8>>) {
        self.0.borrow_mut().insert(key.to_owned(), value.into());
    }
}

/// Stores by their names.
pub(crate) type Stores = BTreeMap<String, MemoryStore>;

thread_local! {
    static GIVEN: RefCell<Stores> = const { RefCell::new(Stores::new()) };
}

/// Gives these stores to what `run` calls.
pub(crate) fn given<T>(stores: Stores, run: impl FnOnce() -> T) -> T {
    let before = GIVEN.replace(stores);
    let result = run();
    GIVEN.set(before);
    result
}

/// A test gives no such store.
#[derive(Debug)]
pub(super) struct Error;

#[derive(Debug)]
pub(super) struct Store(MemoryStore);

impl Store {
    pub(super) async fn open(name: &str) -> Result<Self, Error> {
        let store = GIVEN.with_borrow(|given| given.get(name).cloned());
        store.map(Self).ok_or(Error)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.get(key))
    }

    pub(super) async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.set(key, value);
        Ok(())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.0.borrow_mut().remove(key);
        Ok(())
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.0.0.borrow().contains_key(key))
    }
}
