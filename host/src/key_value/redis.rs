//! Stores on a Redis server. All of them share its one key space, as in Spin.

use redis::{AsyncCommands, Client, RedisError, aio::ConnectionManager};
use tokio::sync::OnceCell;

use super::error::{KeyValueError, Pairs};

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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use tokio::{
        io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
        net::{TcpListener, TcpStream},
        sync::Mutex,
    };

    use super::*;

    type Values = Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>;

    /// As much of a Redis server as a store needs. Transactions run their commands at once and never fail.
    async fn server() -> (Server, Values) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let values = Values::default();
        let held = values.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, held.clone()));
            }
        });
        (Server::new(&format!("redis://{address}")).unwrap(), values)
    }

    async fn serve(stream: TcpStream, values: Values) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut queued = None;
        loop {
            let command = command(&mut stream).await?;
            let name = String::from_utf8(command[0].to_ascii_uppercase()).ok()?;
            let reply = match (name.as_str(), &mut queued) {
                ("MULTI", queued) => {
                    *queued = Some(Vec::new());
                    b"+OK\r\n".to_vec()
                }
                ("EXEC", queued) => {
                    let replies: Vec<Vec<u8>> = queued.take()?;
                    [
                        format!("*{}\r\n", replies.len()).into_bytes(),
                        replies.concat(),
                    ]
                    .concat()
                }
                (_, Some(replies)) => {
                    replies.push(run(&name, &command[1..], &values).await);
                    b"+QUEUED\r\n".to_vec()
                }
                (_, None) => run(&name, &command[1..], &values).await,
            };
            stream.write_all(&reply).await.ok()?;
        }
    }

    async fn command(stream: &mut BufReader<TcpStream>) -> Option<Vec<Vec<u8>>> {
        let mut line = String::new();
        stream
            .read_line(&mut line)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        let count: usize = line.trim().strip_prefix('*')?.parse().ok()?;
        let mut command = Vec::new();
        for _ in 0..count {
            line.clear();
            stream.read_line(&mut line).await.ok()?;
            let mut part = vec![0; line.trim().strip_prefix('$')?.parse::<usize>().ok()? + 2];
            stream.read_exact(&mut part).await.ok()?;
            part.truncate(part.len() - 2);
            command.push(part);
        }
        Some(command)
    }

    async fn run(name: &str, arguments: &[Vec<u8>], values: &Values) -> Vec<u8> {
        let mut values = values.lock().await;
        let bulk = |value: Option<&Vec<u8>>| match value {
            Some(value) => [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat(),
            None => b"$-1\r\n".to_vec(),
        };
        let list = |items: Vec<Vec<u8>>| {
            [format!("*{}\r\n", items.len()).into_bytes(), items.concat()].concat()
        };
        let number = |number: i64| format!(":{number}\r\n").into_bytes();
        match name {
            "GET" => bulk(values.get(&arguments[0])),
            "MGET" => list(arguments.iter().map(|key| bulk(values.get(key))).collect()),
            "SET" | "MSET" => {
                for pair in arguments.chunks(2) {
                    values.insert(pair[0].clone(), pair[1].clone());
                }
                b"+OK\r\n".to_vec()
            }
            "DEL" => number(
                arguments
                    .iter()
                    .filter(|key| values.remove(*key).is_some())
                    .count() as i64,
            ),
            "EXISTS" => number(i64::from(values.contains_key(&arguments[0]))),
            "KEYS" => list(values.keys().map(|key| bulk(Some(key))).collect()),
            "INCRBY" => {
                let parse = |text: &Vec<u8>| String::from_utf8_lossy(text).parse::<i64>().ok();
                match values
                    .get(&arguments[0])
                    .map_or(Some(0), parse)
                    .zip(parse(&arguments[1]))
                {
                    Some((old, delta)) => {
                        values.insert(arguments[0].clone(), (old + delta).to_string().into_bytes());
                        number(old + delta)
                    }
                    None => b"-ERR value is not an integer or out of range\r\n".to_vec(),
                }
            }
            _ => b"+OK\r\n".to_vec(),
        }
    }

    #[tokio::test]
    async fn values_are_set_read_and_removed() {
        let store = server().await.0.open().await.unwrap();
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
        let (server, values) = server().await;
        let store = server.open().await.unwrap();
        assert_eq!(store.increment("n", 5).await.unwrap(), 5);
        assert_eq!(store.increment("n", -2).await.unwrap(), 3);
        assert_eq!(values.lock().await[&b"n"[..]], b"3");
        store.set("n", b"text").await.unwrap();
        store.increment("n", 1).await.unwrap_err();
    }

    #[tokio::test]
    async fn many_keys_are_set_read_and_removed_at_once() {
        let store = server().await.0.open().await.unwrap();
        store
            .set_many(vec![("a".to_owned(), vec![1]), ("b".to_owned(), vec![2])])
            .await
            .unwrap();
        let found = store
            .get_many(vec!["b".to_owned(), "c".to_owned()])
            .await
            .unwrap();
        assert_eq!(
            found,
            [("b".to_owned(), Some(vec![2])), ("c".to_owned(), None)]
        );
        store
            .delete_many(vec!["a".to_owned(), "b".to_owned()])
            .await
            .unwrap();
        assert!(store.keys().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_watched_key_is_read_and_swapped() {
        let store = server().await.0.open().await.unwrap();
        store.set("a", b"1").await.unwrap();
        let mut watch = store.watch("a").await.unwrap();
        assert_eq!(watch.current().await.unwrap().as_deref(), Some(&b"1"[..]));
        watch.swap(b"2".to_vec()).await.unwrap();
        assert_eq!(store.get("a").await.unwrap().as_deref(), Some(&b"2"[..]));
    }

    #[test]
    fn a_wrong_url_is_refused_without_being_shown() {
        let Err(error) = Server::new("http://user:sesame@host") else {
            panic!("it is taken")
        };
        assert!(!error.to_string().contains("sesame"));
    }
}
