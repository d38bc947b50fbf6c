//! A Redis that the application speaks to by itself, through the commands that Spin's outbound Redis interface
//! takes. Redis counts atomically, and removes expired keys by itself, so there is no ledger and no sweep.
//!
//! Needs Redis 6.2, for `SET ... EXAT`.

use crate::key_value::{Capabilities, Claims, Error, Expiry, KeyValue, Regions};

/// An argument of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument<'a> {
    /// A number.
    Int(i64),
    /// Bytes.
    Binary(&'a [u8]),
}

/// A part of the reply to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No value.
    Nil,
    /// A status, such as `OK`.
    Status(String),
    /// A number.
    Int(i64),
    /// Bytes.
    Binary(Vec<u8>),
}

/// A connection to Redis.
pub trait RedisCommands: Send + Sync {
    /// Runs a command.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::Unavailable`] if Redis cannot be reached or refuses the command. The text must not
    /// hold the address, which may have a password.
    fn execute(
        &self,
        command: &str,
        arguments: &[Argument<'_>],
    ) -> impl Future<Output = Result<Vec<Reply>, Error>> + Send;
}

/// A [`KeyValue`] in a Redis.
#[derive(Default)]
pub struct RedisKeyValue<R>(R);

impl<R: RedisCommands> RedisKeyValue<R> {
    /// Returns the store behind a connection.
    pub fn new(redis: R) -> Self {
        Self(redis)
    }

    async fn reply(&self, command: &str, arguments: &[Argument<'_>]) -> Result<Reply, Error> {
        let replies = self.0.execute(command, arguments).await?;
        Ok(replies.into_iter().next().unwrap_or(Reply::Nil))
    }

    async fn number(&self, command: &str, arguments: &[Argument<'_>]) -> Result<i64, Error> {
        match self.reply(command, arguments).await? {
            Reply::Int(number) => Ok(number),
            _ => Err(unexpected(command)),
        }
    }

    /// Makes `key` expire at `until`, and creates it as 0 if it is absent.
    async fn schedule(&self, key: &str, until: u64) -> Result<(), Error> {
        let (key, until) = (text(key), Argument::Int(seconds(until)));
        if self.number("EXPIREAT", &[key, until]).await? == 0 {
            // Created with its expiry: a counter that got its expiry afterwards would stay where its writer
            // ended in between.
            let arguments = [key, Argument::Int(0), text("NX"), text("EXAT"), until];
            self.reply("SET", &arguments).await?;
        }
        Ok(())
    }
}

impl<R: RedisCommands> KeyValue for RedisKeyValue<R> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            claims: Claims::Atomic,
            expiry: Expiry::Backend,
            regions: Regions::One,
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        value("GET", self.reply("GET", &[text(key)]).await?)
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let arguments: Vec<_> = keys.iter().map(|key| text(key)).collect();
        let replies = self.0.execute("MGET", &arguments).await?;
        if replies.len() != keys.len() {
            return Err(unexpected("MGET"));
        }
        replies
            .into_iter()
            .map(|reply| value("MGET", reply))
            .collect()
    }

    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), Error> {
        let (key, value) = (text(key), Argument::Binary(value));
        let reply = match until {
            Some(until) => {
                let until = Argument::Int(seconds(until));
                self.reply("SET", &[key, value, text("EXAT"), until]).await
            }
            None => self.reply("SET", &[key, value]).await,
        };
        reply.map(drop)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.reply("DEL", &[text(key)]).await.map(drop)
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let arguments: Vec<_> = keys.iter().map(|key| text(key)).collect();
        self.reply("DEL", &arguments).await.map(drop)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.number("EXISTS", &[text(key)]).await? > 0)
    }

    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        if let Some(until) = until {
            self.schedule(key, until).await?;
        }
        self.number("INCRBY", &[text(key), Argument::Int(delta)])
            .await
    }

    async fn counted(&self, key: &str) -> Result<Option<i64>, Error> {
        let Some(value) = self.get(key).await? else {
            return Ok(None);
        };
        let count = std::str::from_utf8(&value)
            .ok()
            .and_then(|text| text.parse().ok());
        count
            .map(Some)
            .ok_or_else(|| Error::Unreadable(key.to_owned()))
    }
}

/// Returns the value that a reply to `command` holds.
fn value(command: &str, reply: Reply) -> Result<Option<Vec<u8>>, Error> {
    match reply {
        Reply::Binary(value) => Ok(Some(value)),
        // A client may take a bulk string for a status.
        Reply::Status(value) => Ok(Some(value.into_bytes())),
        Reply::Nil => Ok(None),
        Reply::Int(_) => Err(unexpected(command)),
    }
}

fn text(text: &str) -> Argument<'_> {
    Argument::Binary(text.as_bytes())
}

/// Redis refuses a time of 0 or less, and one whose milliseconds overflow.
fn seconds(until: u64) -> i64 {
    const MAX: u64 = 1 << 40;
    until.clamp(1, MAX) as i64
}

fn unexpected(command: &str) -> Error {
    Error::Unavailable(format!("Redis gave another reply to {command} than it has"))
}

#[cfg(test)]
mod tests;
