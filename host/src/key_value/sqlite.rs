//! Stores in an SQLite database: Spin's table, so that either host can go on with the other's file.

use std::{
    fs,
    path::PathBuf,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params, types::Value};

use super::error::{KeyValueError, Pairs};

const CREATE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (\
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";
const GET: &str = "SELECT value FROM spin_key_value WHERE store=?1 AND key=?2";
const EXISTS: &str = "SELECT 1 FROM spin_key_value WHERE store=?1 AND key=?2";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3) \
    ON CONFLICT(store, key) DO UPDATE SET value=excluded.value";
const SWAP: &str = "UPDATE spin_key_value SET value=?3 WHERE store=?1 AND key=?2 AND value=?4";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store=?1 AND key=?2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store=?1";
const GET_MANY: &str = "SELECT key, value FROM spin_key_value WHERE store=?1 AND key IN rarray(?2)";
const DELETE_MANY: &str = "DELETE FROM spin_key_value WHERE store=?1 AND key IN rarray(?2)";

/// A database: one connection, opened on first use, behind a lock.
pub(super) struct Database {
    path: Option<PathBuf>,
    connection: Mutex<Option<Arc<Mutex<Connection>>>>,
}

impl Database {
    /// A database in this file, or in memory.
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self {
            path,
            connection: Mutex::new(None),
        }
    }

    pub(super) fn open(&self, label: &str) -> Result<Store, KeyValueError> {
        let mut connection = lock(&self.connection);
        let connection = match &*connection {
            Some(connection) => connection.clone(),
            None => connection
                .insert(Arc::new(Mutex::new(blocking(|| self.connect())?)))
                .clone(),
        };
        Ok(Store {
            label: label.into(),
            connection,
        })
    }

    fn connect(&self) -> Result<Connection, KeyValueError> {
        let connection = match &self.path {
            None => Connection::open_in_memory(),
            Some(path) => {
                if let Some(directory) = path.parent() {
                    fs::create_dir_all(directory).map_err(|error| other(&error))?;
                }
                Connection::open(path)
            }
        }
        .map_err(|error| other(&error))?;
        // Takes fewer system calls than a journal that is rolled back, and one write of the disk to commit. Where a file
        // cannot have it, such as one of another machine, it stays as it is; Spin goes on with either.
        connection
            .pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
            .map_err(|error| other(&error))?;
        connection
            .execute(CREATE, [])
            .map_err(|error| other(&error))?;
        rusqlite::vtab::array::load_module(&connection).map_err(|error| other(&error))?;
        Ok(connection)
    }
}

/// One store: the rows with its label.
#[derive(Clone)]
pub(super) struct Store {
    label: Arc<str>,
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        self.read(|connection| {
            connection
                .prepare_cached(GET)?
                .query_row(params![self.label, key], |row| row.get(0))
                .optional()
        })
    }

    pub(super) fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        self.read(|connection| {
            connection
                .prepare_cached(EXISTS)?
                .exists(params![self.label, key])
        })
    }

    // Spin sends the keys to the component one by one while it holds the lock, so that a component that writes meanwhile
    // can stop the whole store for good. Here the lock is given back before the first key is sent.
    pub(super) fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        self.read(|connection| {
            connection
                .prepare_cached(KEYS)?
                .query_map(params![self.label], |row| row.get(0))?
                .collect()
        })
    }

    pub(super) fn get_many(&self, keys: Vec<String>) -> Result<Pairs, KeyValueError> {
        self.read(|connection| {
            let pair = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            connection
                .prepare_cached(GET_MANY)?
                .query_map(params![self.label, array(keys)], pair)?
                .collect()
        })
    }

    pub(super) fn set(&self, key: &str, value: &[u8]) -> Result<(), KeyValueError> {
        self.write(|connection| {
            connection
                .prepare_cached(SET)?
                .execute(params![self.label, key, value])
                .map(drop)
        })
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        self.write(|connection| {
            connection
                .prepare_cached(DELETE)?
                .execute(params![self.label, key])
                .map(drop)
        })
    }

    pub(super) fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<(), KeyValueError> {
        self.write(|connection| {
            let transaction = connection.transaction()?;
            for (key, value) in &pairs {
                transaction
                    .prepare_cached(SET)?
                    .execute(params![self.label, key, value])?;
            }
            transaction.commit()
        })
    }

    pub(super) fn delete_many(&self, keys: Vec<String>) -> Result<(), KeyValueError> {
        self.write(|connection| {
            connection
                .prepare_cached(DELETE_MANY)?
                .execute(params![self.label, array(keys)])
                .map(drop)
        })
    }

    /// Adds to a number of 8 bytes, little endian.
    pub(super) fn increment(&self, key: &str, delta: i64) -> Result<i64, KeyValueError> {
        self.write(|connection| {
            // Another process may have the same file open. One that begins by reading would be
            // turned away, instead of waiting, where the other writes in between.
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value: Option<Vec<u8>> = transaction
                .prepare_cached(GET)?
                .query_row(params![self.label, key], |row| row.get(0))
                .optional()?;
            let number = value.map_or(Some(0), |value| {
                value.try_into().ok().map(i64::from_le_bytes)
            });
            let Some(sum) = number.and_then(|number| number.checked_add(delta)) else {
                return Ok(None);
            };
            transaction.prepare_cached(SET)?.execute(params![
                self.label,
                key,
                sum.to_le_bytes()
            ])?;
            transaction.commit()?;
            Ok(Some(sum))
        })?
        .ok_or_else(|| {
            KeyValueError("the key does not hold a number, or the sum is out of range".to_owned())
        })
    }

    /// Sets a value if the old one is still there. As in Spin, a key that was seen to be missing is set in any case.
    pub(super) fn swap(
        &self,
        key: &str,
        old: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, KeyValueError> {
        let changed = self.write(|connection| match old {
            Some(old) => connection
                .prepare_cached(SWAP)?
                .execute(params![self.label, key, value, old]),
            None => connection
                .prepare_cached(SET)?
                .execute(params![self.label, key, value]),
        })?;
        Ok(changed == 1)
    }

    /// Reads take about 10 µs: where no one else holds the lock, they are not worth a thread of their own.
    fn read<R>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Result<R, KeyValueError> {
        let result = match self.connection.try_lock() {
            Ok(connection) => read(&connection),
            Err(_) => blocking(|| read(&lock(&self.connection))),
        };
        result.map_err(|error| other(&error))
    }

    /// Writes wait for the disk.
    fn write<R>(
        &self,
        write: impl FnOnce(&mut Connection) -> rusqlite::Result<R>,
    ) -> Result<R, KeyValueError> {
        blocking(|| write(&mut lock(&self.connection))).map_err(|error| other(&error))
    }
}

/// Runs what may take long without holding up other tasks, where the runtime can do that.
fn blocking<R>(work: impl FnOnce() -> R) -> R {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// A panic while the lock was held leaves the database as its last commit left it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn array(keys: Vec<String>) -> Rc<Vec<Value>> {
    Rc::new(keys.into_iter().map(Value::from).collect())
}

fn other(error: &dyn std::error::Error) -> KeyValueError {
    KeyValueError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_set_read_and_removed() {
        let store = Database::new(None).open("default").unwrap();
        assert_eq!(store.get("a").unwrap(), None);
        assert!(!store.exists("a").unwrap());
        store.set("a", b"1").unwrap();
        store.set("a", b"2").unwrap();
        assert_eq!(store.get("a").unwrap().as_deref(), Some(&b"2"[..]));
        assert!(store.exists("a").unwrap());
        assert_eq!(store.keys().unwrap(), ["a"]);
        store.delete("a").unwrap();
        store.delete("a").unwrap();
        assert_eq!(store.get("a").unwrap(), None);
    }

    #[test]
    fn stores_of_one_database_are_kept_apart() {
        let database = Database::new(None);
        let (one, two) = (database.open("one").unwrap(), database.open("two").unwrap());
        one.set("a", b"1").unwrap();
        assert_eq!(two.get("a").unwrap(), None);
        assert!(two.keys().unwrap().is_empty());
    }

    #[test]
    fn a_counter_is_eight_bytes_little_endian() {
        let store = Database::new(None).open("default").unwrap();
        assert_eq!(store.increment("n", 0).unwrap(), 0);
        assert_eq!(store.increment("n", 258).unwrap(), 258);
        assert_eq!(store.increment("n", -1).unwrap(), 257);
        assert_eq!(
            store.get("n").unwrap().as_deref(),
            Some(&[1, 1, 0, 0, 0, 0, 0, 0][..])
        );
    }

    #[test]
    fn what_is_no_counter_is_not_incremented() {
        let store = Database::new(None).open("default").unwrap();
        store.set("n", b"12").unwrap();
        store.increment("n", 1).unwrap_err();
        assert_eq!(store.get("n").unwrap().as_deref(), Some(&b"12"[..]));
        assert_eq!(store.increment("m", i64::MAX).unwrap(), i64::MAX);
        store.increment("m", 1).unwrap_err();
    }

    #[test]
    fn of_concurrent_increments_every_one_sees_its_own_number() {
        let database = Arc::new(Database::new(None));
        let threads = (0..4).map(|_| {
            let store = database.open("default").unwrap();
            std::thread::spawn(move || {
                (0..50)
                    .map(|_| store.increment("n", 1).unwrap())
                    .collect::<Vec<_>>()
            })
        });
        let mut seen = threads
            .collect::<Vec<_>>()
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>();
        seen.sort_unstable();
        assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    }

    #[test]
    fn increments_of_several_connections_to_one_file_wait_for_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let threads = (0..2).map(|_| {
            let store = Database::new(Some(path.clone())).open("default").unwrap();
            std::thread::spawn(move || {
                (0..50)
                    .map(|_| store.increment("n", 1).unwrap())
                    .collect::<Vec<_>>()
            })
        });
        let mut seen = threads
            .collect::<Vec<_>>()
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>();
        seen.sort_unstable();
        assert_eq!(seen, (1..=100).collect::<Vec<_>>());
    }

    #[test]
    fn many_keys_are_set_read_and_removed_at_once() {
        let store = Database::new(None).open("default").unwrap();
        store
            .set_many(vec![("a".to_owned(), vec![1]), ("b".to_owned(), vec![2])])
            .unwrap();
        let mut found = store
            .get_many(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()])
            .unwrap();
        found.sort();
        assert_eq!(
            found,
            [
                ("a".to_owned(), Some(vec![1])),
                ("b".to_owned(), Some(vec![2]))
            ]
        );
        store
            .delete_many(vec!["a".to_owned(), "c".to_owned()])
            .unwrap();
        assert_eq!(store.keys().unwrap(), ["b"]);
    }

    #[test]
    fn a_swap_needs_the_value_that_was_seen() {
        let store = Database::new(None).open("default").unwrap();
        assert!(store.swap("a", None, b"1").unwrap());
        assert!(store.swap("a", Some(b"1"), b"2").unwrap());
        assert!(!store.swap("a", Some(b"1"), b"3").unwrap());
        assert_eq!(store.get("a").unwrap().as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn a_file_is_shared_with_one_who_opens_it_as_spin_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let spin = Connection::open(&path).unwrap();
        spin.execute(CREATE, []).unwrap();
        spin.execute(SET, params!["default", "a", b"1"]).unwrap();
        let ours = Database::new(Some(path)).open("default").unwrap();
        assert_eq!(ours.get("a").unwrap().as_deref(), Some(&b"1"[..]));
        ours.set("a", b"2").unwrap();
        let get = |row: &rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);
        assert_eq!(spin.query_row(GET, ["default", "a"], get).unwrap(), b"2");
        spin.execute(SET, params!["default", "a", b"3"]).unwrap();
        assert_eq!(ours.get("a").unwrap().as_deref(), Some(&b"3"[..]));
    }

    #[test]
    fn a_file_keeps_its_values() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/store.db");
        Database::new(Some(path.clone()))
            .open("default")
            .unwrap()
            .set("a", b"1")
            .unwrap();
        let again = Database::new(Some(path)).open("default").unwrap();
        assert_eq!(again.get("a").unwrap().as_deref(), Some(&b"1"[..]));
    }
}
