//! `fermyon:spin/redis@2.0.0`.

use wasmtime::component::Resource;

use super::{CallError, Connection, Parameter, Part};
use crate::{
    bindings::spin2::redis::{Error, Host, HostConnection, RedisParameter, RedisResult},
    state::State,
};

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::InvalidAddress => Self::InvalidAddress,
            CallError::TooManyConnections => Self::TooManyConnections,
            CallError::WrongType => Self::TypeError,
            CallError::Other(message) => Self::Other(message),
        }
    }
}

impl From<RedisParameter> for Parameter {
    fn from(parameter: RedisParameter) -> Self {
        match parameter {
            RedisParameter::Int64(number) => Self::Int64(number),
            RedisParameter::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<Part> for RedisResult {
    fn from(part: Part) -> Self {
        match part {
            Part::Nil => Self::Nil,
            Part::Status(text) => Self::Status(text),
            Part::Int64(number) => Self::Int64(number),
            Part::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl Host for State {
    // None of them traps.
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl HostConnection for State {
    async fn open(&mut self, address: String) -> Result<Resource<Connection>, Error> {
        self.reserve_connection()?;
        let opened = Connection::open(self.component.clone(), &address).await;
        Ok(self.keep_connection(opened)?)
    }

    async fn publish(
        &mut self,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(self
            .connection(&connection)?
            .publish(&channel, &payload)
            .await?)
    }

    async fn get(
        &mut self,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.connection(&connection)?.get(&key).await?)
    }

    async fn set(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(self.connection(&connection)?.set(&key, &value).await?)
    }

    async fn incr(&mut self, connection: Resource<Connection>, key: String) -> Result<i64, Error> {
        Ok(self.connection(&connection)?.increment(&key).await?)
    }

    async fn del(
        &mut self,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> Result<u32, Error> {
        Ok(self.connection(&connection)?.delete(&keys).await?)
    }

    async fn sadd(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        Ok(self.connection(&connection)?.sadd(&key, &values).await?)
    }

    async fn smembers(
        &mut self,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Vec<String>, Error> {
        Ok(self.connection(&connection)?.smembers(&key).await?)
    }

    async fn srem(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        Ok(self.connection(&connection)?.srem(&key, &values).await?)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Error> {
        let arguments = arguments.into_iter().map(Into::into);
        let parts = self
            .connection(&connection)?
            .run(&command, arguments)
            .await?;
        Ok(parts.into_iter().map(Into::into).collect())
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close_connection(connection)
    }
}
