//! Outbound Redis: `spin:redis@3.0.0`.

pub(crate) use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};

pub(crate) async fn connect(address: &str) -> Result<Connection, Error> {
    Connection::open(address).await
}

pub(crate) async fn run(
    connection: &Connection,
    command: &str,
    arguments: Vec<RedisParameter>,
) -> Result<Vec<RedisResult>, Error> {
    connection.execute(command, arguments).await
}
