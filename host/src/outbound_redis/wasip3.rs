//! `spin:redis@3.0.0`.

use wasmtime::component::{Accessor, Resource};

use super::{CallError, Connection, Parameter, Part};
use crate::{
    bindings::redis::{
        Error, Host, HostConnection, HostConnectionWithStore, RedisParameter, RedisResult,
    },
    state::{Platform, State},
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
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close_connection(connection)
    }
}

impl<T: Send> HostConnectionWithStore<T> for Platform {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Connection>, Error> {
        let component = accessor.with(|mut access| {
            let state = access.get();
            state.reserve_connection()?;
            Ok::<_, CallError>(state.component.clone())
        })?;
        let opened = Connection::open(component, &address).await;
        Ok(accessor.with(|mut access| access.get().keep_connection(opened))?)
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(opened(accessor, &connection)?
            .publish(&channel, &payload)
            .await?)
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(opened(accessor, &connection)?.get(&key).await?)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(opened(accessor, &connection)?.set(&key, &value).await?)
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<i64, Error> {
        Ok(opened(accessor, &connection)?.increment(&key).await?)
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> Result<u32, Error> {
        Ok(opened(accessor, &connection)?.delete(&keys).await?)
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        Ok(opened(accessor, &connection)?.sadd(&key, &values).await?)
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Result<Vec<String>, Error> {
        Ok(opened(accessor, &connection)?.smembers(&key).await?)
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, Error> {
        Ok(opened(accessor, &connection)?.srem(&key, &values).await?)
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, Error> {
        let arguments = arguments.into_iter().map(Into::into);
        let parts = opened(accessor, &connection)?
            .run(&command, arguments)
            .await?;
        Ok(parts.into_iter().map(Into::into).collect())
    }
}

fn opened<T: Send>(
    accessor: &Accessor<T, Platform>,
    connection: &Resource<Connection>,
) -> Result<Connection, CallError> {
    accessor.with(|mut access| access.get().connection(connection))
}
