//! Outbound Redis: connections of components to Redis servers, within `allowed_outbound_hosts` and outside of blocked networks.

mod wasip2;
mod wasip3;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError, RedisFuture, Value,
    aio::MultiplexedConnection, io::AsyncDNSResolver,
};
use url::Url;
use wasmtime::component::Resource;

use crate::{
    blocked_networks::BlockedNetworks, component::Component, hooks::RedisCall,
    outbound_grant::refusal, state::State,
};

/// How long a connection may take to be there, a password's check included. Spin has no limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many connections an instance may have open, as in Spin.
const MAX_CONNECTIONS: usize = 1024;

/// No result may be larger than this many bytes, as in Spin.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Where Redis listens by default.
const DEFAULT_PORT: u16 = 6379;

/// Why a component gets no result.
enum CallError {
    /// The address is no URL of Redis, or the component may not reach it.
    InvalidAddress,
    TooManyConnections,
    /// The result is not of the type that the call has.
    WrongType,
    Other(String),
}

impl From<RedisError> for CallError {
    fn from(error: RedisError) -> Self {
        Self::Other(error.to_string())
    }
}

/// An argument of [`Connection::run`].
enum Parameter {
    Int64(i64),
    Binary(Vec<u8>),
}

/// A part of the result of [`Connection::run`].
#[derive(Debug, PartialEq)]
enum Part {
    Nil,
    Status(String),
    Int64(i64),
    Binary(Vec<u8>),
}

impl Part {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Nil | Self::Int64(_) => 0,
                Self::Status(text) => text.len(),
                Self::Binary(bytes) => bytes.len(),
            }
    }
}

/// A connection in the hands of a component: every call is counted, and may be failed or delayed by a hook.
#[derive(Clone)]
pub struct Connection {
    component: Arc<Component>,
    server: Arc<str>,
    inner: MultiplexedConnection,
}

impl Connection {
    async fn open(component: Arc<Component>, address: &str) -> Result<Self, CallError> {
        let (url, server) = parse(address).ok_or(CallError::InvalidAddress)?;
        let grant = &component.outbound;
        if !grant.allowed.allows(address, "redis") {
            let pattern = format!("{}://{server}", url.scheme());
            let to = format!("connect to {pattern:?}");
            component.report_refusal(&refusal(&component.id, &to, &pattern));
            return Err(CallError::InvalidAddress);
        }
        announce(&component, &server, "OPEN", "").await?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            // Some commands wait for as long as they are told to.
            .set_response_timeout(None)
            .set_dns_resolver(Resolver(grant.shared.blocked.clone()));
        let client = Client::open(url).map_err(|_| CallError::InvalidAddress)?;
        let inner = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Self {
            component,
            server: server.into(),
            inner,
        })
    }

    async fn publish(&self, channel: &str, payload: &[u8]) -> Result<(), CallError> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(payload);
        self.query(&command, channel).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        let value: Option<Vec<u8>> = self.query(redis::cmd("GET").arg(key), key).await?;
        limit(value.as_ref().map_or(0, Vec::len))?;
        Ok(value)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), CallError> {
        self.query(redis::cmd("SET").arg(key).arg(value), key).await
    }

    async fn increment(&self, key: &str) -> Result<i64, CallError> {
        self.query(redis::cmd("INCRBY").arg(key).arg(1), key).await
    }

    async fn delete(&self, keys: &[String]) -> Result<u32, CallError> {
        self.query(redis::cmd("DEL").arg(keys), first(keys)).await
    }

    async fn sadd(&self, key: &str, values: &[String]) -> Result<u32, CallError> {
        let mut command = redis::cmd("SADD");
        command.arg(key).arg(values);
        self.announced(&command, key).await?;
        let added = command.query_async(&mut self.inner.clone()).await;
        added.map_err(|error| match error.kind() {
            ErrorKind::UnexpectedReturnType => CallError::WrongType,
            _ => error.into(),
        })
    }

    async fn smembers(&self, key: &str) -> Result<Vec<String>, CallError> {
        self.query(redis::cmd("SMEMBERS").arg(key), key).await
    }

    async fn srem(&self, key: &str, values: &[String]) -> Result<u32, CallError> {
        self.query(redis::cmd("SREM").arg(key).arg(values), key)
            .await
    }

    async fn run(
        &self,
        command: &str,
        arguments: impl IntoIterator<Item = Parameter>,
    ) -> Result<Vec<Part>, CallError> {
        let mut command = redis::cmd(command);
        for argument in arguments {
            match argument {
                Parameter::Int64(number) => command.arg(number),
                Parameter::Binary(bytes) => command.arg(bytes),
            };
        }
        let mut parts = Vec::new();
        append(&mut parts, self.query(&command, "").await?)?;
        limit(parts.iter().map(Part::bytes).sum())?;
        Ok(parts)
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd, key: &str) -> Result<T, CallError> {
        self.announced(command, key).await?;
        Ok(command.query_async(&mut self.inner.clone()).await?)
    }

    async fn announced(&self, command: &Cmd, key: &str) -> Result<(), CallError> {
        self.component
            .counters
            .redis
            .fetch_add(1, Ordering::Relaxed);
        let name = command.args_iter().next();
        let name = match name {
            Some(redis::Arg::Simple(name)) => String::from_utf8_lossy(name).to_ascii_uppercase(),
            _ => String::new(),
        };
        announce(&self.component, &self.server, &name, key).await
    }
}

async fn announce(
    component: &Component,
    server: &str,
    command: &str,
    key: &str,
) -> Result<(), CallError> {
    let Some(hook) = &component.hooks.redis else {
        return Ok(());
    };
    let call = RedisCall {
        component: component.id.clone(),
        server: server.to_owned(),
        command: command.to_owned(),
        key: key.to_owned(),
    };
    hook(call).await.map_err(CallError::Other)
}

/// Returns the URL of a server, and its host and port; nothing if it is another URL, or that of a socket in the file system,
/// which no list of hosts names.
fn parse(address: &str) -> Option<(Url, String)> {
    let url = Url::parse(address).ok()?;
    if !matches!(url.scheme(), "redis" | "rediss") {
        return None;
    }
    let server = format!("{}:{}", url.host_str()?, url.port().unwrap_or(DEFAULT_PORT));
    Some((url, server))
}

fn first(keys: &[String]) -> &str {
    keys.first().map_or("", |key| key)
}

fn limit(bytes: usize) -> Result<(), CallError> {
    if bytes > MAX_RESULT_BYTES {
        return Err(CallError::Other(format!(
            "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
        )));
    }
    Ok(())
}

/// Appends a value to a result, which is flat, as in Spin.
fn append(parts: &mut Vec<Part>, value: Value) -> Result<(), CallError> {
    let part = match value {
        Value::Nil => Part::Nil,
        Value::Int(number) => Part::Int64(number),
        Value::BulkString(bytes) => Part::Binary(bytes),
        Value::SimpleString(text) => Part::Status(text),
        Value::Okay => Part::Status("OK".to_owned()),
        Value::Boolean(value) => Part::Int64(value.into()),
        Value::Double(number) => Part::Binary(number.to_string().into_bytes()),
        Value::BigNumber(digits) => Part::Binary(digits),
        Value::Array(values) | Value::Set(values) => {
            return values
                .into_iter()
                .try_for_each(|value| append(parts, value));
        }
        Value::ServerError(error) => return Err(CallError::Other(format!("{error:?}"))),
        // Results of RESP3, which no address asks for by default.
        _ => {
            return Err(CallError::Other(
                "the result has a type that the interface has none for".to_owned(),
            ));
        }
    };
    parts.push(part);
    Ok(())
}

impl State {
    /// Takes a place among the connections of this instance, which [`Self::keep_connection`] gives back if none comes of it.
    fn reserve_connection(&mut self) -> Result<(), CallError> {
        if self.redis_connections >= MAX_CONNECTIONS {
            return Err(CallError::TooManyConnections);
        }
        self.redis_connections += 1;
        Ok(())
    }

    fn keep_connection(
        &mut self,
        opened: Result<Connection, CallError>,
    ) -> Result<Resource<Connection>, CallError> {
        let kept = opened.and_then(|connection| {
            let kept = self.table.push(connection);
            kept.map_err(|_| CallError::TooManyConnections)
        });
        if kept.is_err() {
            self.redis_connections -= 1;
        }
        kept
    }

    fn connection(&self, connection: &Resource<Connection>) -> Result<Connection, CallError> {
        let unknown = |_| CallError::Other("could not find connection for resource".to_owned());
        self.table.get(connection).cloned().map_err(unknown)
    }

    fn close_connection(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.redis_connections -= 1;
        Ok(())
    }
}

/// Resolves names, without the addresses in blocked networks.
struct Resolver(Arc<BlockedNetworks>);

impl AsyncDNSResolver for Resolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let mut addresses = tokio::net::lookup_host((bare, port))
                .await?
                .collect::<Vec<_>>();
            self.0.filter_for(host, &mut addresses);
            if addresses.is_empty() {
                let error = io::Error::new(io::ErrorKind::PermissionDenied, "no permitted address");
                return Err(error.into());
            }
            Ok(Box::new(addresses.into_iter()) as Box<_>)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_of_redis_with_a_host() {
        for (address, server) in [
            ("redis://127.0.0.1:1", Some("127.0.0.1:1")),
            ("redis://user:sesame@a.test/2", Some("a.test:6379")),
            ("rediss://[::1]", Some("[::1]:6379")),
            ("redis+unix:///run/redis.sock", None),
            ("unix:///run/redis.sock", None),
            ("http://a.test", None),
            ("a.test:6379", None),
            ("", None),
        ] {
            let parsed = parse(address).map(|(_, server)| server);
            assert_eq!(parsed.as_deref(), server, "{address}");
        }
    }

    #[test]
    fn a_result_is_flat() {
        let value = Value::Array(vec![
            Value::Int(1),
            Value::Array(vec![Value::BulkString(b"a".to_vec()), Value::Nil]),
            Value::Okay,
        ]);
        let mut parts = Vec::new();
        assert!(append(&mut parts, value).is_ok());
        assert_eq!(
            parts,
            [
                Part::Int64(1),
                Part::Binary(b"a".to_vec()),
                Part::Nil,
                Part::Status("OK".to_owned())
            ]
        );
        assert!(append(&mut parts, Value::Map(Vec::new())).is_err());
    }
}
