//! Stores on a Redis server. All of them share its one key space, as in Spin.

use redis::{AsyncCommands, Client, RedisError, aio::ConnectionManager};
use tokio::sync::OnceCell;

use super::{KeyValueError, Pairs};

/// A server: one connection for everything, made on first use, and made anew when it breaks.
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

/// The store: every key of the server.
#[derive(Clone)]
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

    pub(super) async fn get_many(&self, keys: Vec<String>) -> Result<Pairs, KeyValueError> {
        let values: Vec<Option<Vec<u8>>> = self.connection().mget(&keys).await.map_err(other)?;
        Ok(keys.into_iter().zip(values).collect())
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

    /// Begins to watch a key, on a connection of its own, since a transaction belongs to a connection.
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

    pub(super) async fn swap(&mut self, value: Vec<u8>) -> Result<(), KeyValueError> {
        let swapped: Result<(), RedisError> = redis::pipe()
            .atomic()
            .set(&self.key, value)
            .query_async(&mut self.connection)
            .await;
        redis::cmd("UNWATCH")
            .exec_async(&mut self.connection)
            .await
            .map_err(other)?;
        swapped.map_err(other)
    }
}

fn other(error: RedisError) -> KeyValueError {
    KeyValueError(error.to_string())
}
