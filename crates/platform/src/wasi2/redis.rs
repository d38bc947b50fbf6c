//! A Redis, through `fermyon:spin/redis@2.0.0`. Its calls are synchronous: while one waits, so does the whole instance.

use super::bindings::fermyon::spin::redis::{Connection, RedisParameter, RedisResult};
use std::sync::{Arc, Mutex, PoisonError};
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

    fn open(&self) -> Result<Arc<Connection>, Error> {
        if let Some(open) = self.current().clone() {
            return Ok(open);
        }
        let opened = Connection::open(&self.address).map_err(unavailable)?;
        let opened = Arc::new(opened);
        *self.current() = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Arc<Connection>>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, broken: &Arc<Connection>) {
        let mut current = self.current();
        if current
            .as_ref()
            .is_some_and(|open| Arc::ptr_eq(open, broken))
        {
            *current = None;
        }
    }
}

impl RedisCommands for RedisConnection {
    async fn execute(
        &self,
        command: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Reply>, Error> {
        let connection = self.open()?;
        let arguments: Vec<_> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Int(number) => RedisParameter::Int64(*number),
                Argument::Binary(bytes) => RedisParameter::Binary(bytes.to_vec()),
            })
            .collect();
        match connection.execute(command, &arguments) {
            Ok(replies) => Ok(replies.into_iter().map(reply).collect()),
            Err(error) => {
                self.close(&connection);
                Err(unavailable(error))
            }
        }
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
