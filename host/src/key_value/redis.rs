//! Key-value stores on a Redis server. All of them share its one key space, as in Spin.

use redis::{AsyncCommands, Client, RedisError, aio::ConnectionManager};
use tokio::sync::OnceCell;

use super::error::{KeyValueError, Pairs};

/// A server, with one connection for every store, made on first use and again when it breaks.
pub(super) struct Server {
    client: Client,
    connection: OnceCell<ConnectionManager>,
}

impl Server {
    pub(super) fn new(url: &str) -> Result<Self, KeyValueError> {
        // The error's text may show the URL, and with it a password.
        let client = Client::open(url)
            .map_err(|_| KeyValueError("not the URL of a Redis server".to_owned()))?;
        Ok(Self {
            client,
            connection: OnceCell::new(),
        })
    }

    pub(super) async fn open(&self) -> Result<Store, KeyValueError> {
        let connection = self
            .connection
            .get_or_try_init(|| self.client.get_connection_manager())
            .await
            .map_err(other)?;
        Ok(Store {
            client: self.client.clone(),
            connection: connection.clone(),
        })
    }
}

/// A store: every key of the server.
pub(super) struct Store {
    client: Client,
    connection: ConnectionManager,
}

impl Store {
    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        self.connection().get(key).await.map_err(other)
    }

    pub(super) async fn set(&self, key: &str, value: &[u8]) -> Result<(), KeyValueError> {
        self.connection().set(key, value).await.map_err(other)
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), KeyValueError> {
        self.connection().del(key).await.map_err(other)
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool, KeyValueError> {
        self.connection().exists(key).await.map_err(other)
    }

    pub(super) async fn keys(&self) -> Result<Vec<String>, KeyValueError> {
        self.connection().keys("*").await.map_err(other)
    }

    pub(super) async fn increment(&self, key: &str, delta: i64) -> Result<i64, KeyValueError> {
        self.connection().incr(key, delta).await.map_err(other)
    }

    /// Fails, except for one key without a value: Spin sends `KEYS` with all of them, where `MGET` is meant.
    pub(super) async fn get_many(&self, keys: Vec<String>) -> Result<Pairs, KeyValueError> {
        redis::cmd("KEYS")
            .arg(keys)
            .query_async(&mut self.connection())
            .await
            .map_err(other)
    }

    pub(super) async fn set_many(
        &self,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Result<(), KeyValueError> {
        self.connection().mset(&pairs).await.map_err(other)
    }

    pub(super) async fn delete_many(&self, keys: Vec<String>) -> Result<(), KeyValueError> {
        self.connection().del(keys).await.map_err(other)
    }

    /// Watches a key on a connection of its own, because a transaction belongs to a connection.
    pub(super) async fn watch(&self, key: &str) -> Result<Watch, KeyValueError> {
        let connection = self.client.get_connection_manager().await.map_err(other)?;
        Ok(Watch {
            key: key.to_owned(),
            connection,
        })
    }

    fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }
}

/// A key watched for a swap.
pub(super) struct Watch {
    key: String,
    connection: ConnectionManager,
}

impl Watch {
    pub(super) async fn current(&mut self) -> Result<Option<Vec<u8>>, KeyValueError> {
        redis::cmd("WATCH")
            .arg(&self.key)
            .exec_async(&mut self.connection)
            .await
            .map_err(other)?;
        self.connection.get(&self.key).await.map_err(other)
    }

    /// Sets the value, and returns whether that was done: not if the key has changed since [`current`](Self::current).
    pub(super) async fn swap(&mut self, value: Vec<u8>) -> Result<bool, KeyValueError> {
        // EXEC answers nil if a watched key has changed.
        let swapped: Result<Option<()>, RedisError> = redis::pipe()
            .atomic()
            .set(&self.key, value)
            .query_async(&mut self.connection)
            .await;
        redis::cmd("UNWATCH")
            .exec_async(&mut self.connection)
            .await
            .map_err(other)?;
        Ok(swapped.map_err(other)?.is_some())
    }
}

fn other(error: RedisError) -> KeyValueError {
    KeyValueError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_is_refused_without_being_shown() {
        let Err(error) = Server::new("http://user:sesame@host") else {
            panic!("it is taken")
        };
        assert!(!error.to_string().contains("sesame"));
    }
}

#[cfg(all(test, feature = "redis-server"))]
mod server_tests {
    use std::{
        process::{Child, Command, Stdio},
        time::Duration,
    };

    use tempfile::TempDir;

    use super::*;

    /// A Redis server on a socket in a folder of its own. It ends with this value.
    struct RedisServer {
        process: Child,
        folder: TempDir,
    }

    impl RedisServer {
        async fn start() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let process = Command::new("redis-server")
                .args(["--port", "0", "--unixsocket", "redis.sock"])
                .args(["--save", "", "--appendonly", "no"])
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .expect("redis-server starts; `cargo xtask test` installs it");
            let mut server = Self { process, folder };
            while !server.folder.path().join("redis.sock").exists() {
                let ended = server.process.try_wait().unwrap();
                assert!(ended.is_none(), "redis-server ended");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            server
        }

        async fn store(&self) -> Store {
            let socket = self.folder.path().join("redis.sock");
            let server = Server::new(&format!("redis+unix://{}", socket.display())).unwrap();
            server.open().await.unwrap()
        }
    }

    impl Drop for RedisServer {
        fn drop(&mut self) {
            self.process.kill().ok();
            self.process.wait().ok();
        }
    }

    #[tokio::test]
    async fn values_are_set_read_and_removed() {
        let server = RedisServer::start().await;
        let store = server.store().await;
        assert_eq!(store.get("a").await.unwrap(), None);
        store.set("a", b"\0\xff\r\n").await.unwrap();
        assert_eq!(
            store.get("a").await.unwrap().as_deref(),
            Some(&b"\0\xff\r\n"[..])
        );
        assert!(store.exists("a").await.unwrap());
        assert_eq!(store.keys().await.unwrap(), ["a"]);
        store.delete("a").await.unwrap();
        assert!(!store.exists("a").await.unwrap());
    }

    #[tokio::test]
    async fn a_counter_is_decimal_text() {
        let server = RedisServer::start().await;
        let store = server.store().await;
        assert_eq!(store.increment("n", 5).await.unwrap(), 5);
        assert_eq!(store.increment("n", -2).await.unwrap(), 3);
        assert_eq!(store.get("n").await.unwrap().as_deref(), Some(&b"3"[..]));
        store.set("n", b"text").await.unwrap();
        store.increment("n", 1).await.unwrap_err();
    }

    #[tokio::test]
    async fn many_keys_are_set_and_removed_at_once_but_not_read() {
        let server = RedisServer::start().await;
        let store = server.store().await;
        store
            .set_many(vec![("a".to_owned(), vec![1]), ("b".to_owned(), vec![2])])
            .await
            .unwrap();
        assert_eq!(store.get("b").await.unwrap().as_deref(), Some(&[2][..]));
        store
            .get_many(vec!["a".to_owned(), "b".to_owned()])
            .await
            .unwrap_err();
        store.get_many(vec!["a".to_owned()]).await.unwrap_err();
        store
            .delete_many(vec!["a".to_owned(), "b".to_owned()])
            .await
            .unwrap();
        assert!(store.keys().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_watched_key_is_read_and_swapped() {
        let server = RedisServer::start().await;
        let store = server.store().await;
        store.set("a", b"1").await.unwrap();
        let mut watch = store.watch("a").await.unwrap();
        assert_eq!(watch.current().await.unwrap().as_deref(), Some(&b"1"[..]));
        assert!(watch.swap(b"2".to_vec()).await.unwrap());
        assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"2"[..]));
    }

    #[tokio::test]
    async fn a_swap_after_another_write_changes_nothing() {
        let server = RedisServer::start().await;
        let store = server.store().await;
        store.set("a", b"1").await.unwrap();
        let mut watch = store.watch("a").await.unwrap();
        watch.current().await.unwrap();
        store.set("a", b"2").await.unwrap();
        assert!(!watch.swap(b"3".to_vec()).await.unwrap());
        assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"2"[..]));
    }
}
