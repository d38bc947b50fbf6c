//! The connection to the Redis of `redis_url`, over the interface of either generation.

#[cfg(feature = "portable")]
use crate::wasi2::redis::{Connection, RedisParameter, RedisResult, connect, run};
#[cfg(not(feature = "portable"))]
use crate::wasi3::redis::{Connection, RedisParameter, RedisResult, connect, run};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Argument, Error, RedisCommands, Reply};

/// A connection to the Redis at one address, opened when it is first needed and again after a failure: Spin's own
/// does not come back once it broke.
pub struct RedisConnection {
    address: String,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl RedisConnection {
    /// Returns the connection to `address`, `redis://user:password@host:port/0`.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            connection: Mutex::default(),
        }
    }

    /// Returns the open connection, or opens one.
    async fn lease(&self) -> Result<Lease<'_>, Error> {
        let open = self.current().clone();
        let connection = match open {
            Some(open) => open,
            None => {
                let opened = Arc::new(connect(&self.address).await.map_err(unavailable)?);
                *self.current() = Some(Arc::clone(&opened));
                opened
            }
        };
        Ok(Lease {
            owner: self,
            connection,
            answered: false,
        })
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection during one call. It is closed with a call that fails or is given up: no later call waits for a Redis
/// that does not answer on it.
struct Lease<'a> {
    owner: &'a RedisConnection,
    connection: Arc<Connection>,
    answered: bool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let mut current = self.owner.current();
            current.take_if(|open| Arc::ptr_eq(open, &self.connection));
        }
    }
}

impl RedisCommands for RedisConnection {
    async fn execute(
        &self,
        command: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Reply>, Error> {
        let mut lease = self.lease().await?;
        let arguments = arguments.iter().map(parameter).collect();
        let replies = run(&lease.connection, command, arguments)
            .await
            .map_err(unavailable)?;
        lease.answered = true;
        Ok(replies.into_iter().map(reply).collect())
    }
}

fn parameter(argument: &Argument<'_>) -> RedisParameter {
    match argument {
        Argument::Int(number) => RedisParameter::Int64(*number),
        Argument::Binary(bytes) => RedisParameter::Binary(bytes.to_vec()),
    }
}

fn reply(reply: RedisResult) -> Reply {
    match reply {
        RedisResult::Nil => Reply::Nil,
        RedisResult::Status(text) => Reply::Status(text),
        RedisResult::Int64(number) => Reply::Int(number),
        RedisResult::Binary(bytes) => Reply::Binary(bytes),
    }
}

fn unavailable(error: impl std::fmt::Debug) -> Error {
    Error::Unavailable(format!("{error:?}"))
}
