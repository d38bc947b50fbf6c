//! Outbound Redis: `fermyon:spin/redis@2.0.0`. Its calls are synchronous: while one waits, so does the whole
//! instance.

pub(crate) use super::bindings::fermyon::spin::redis::{
    Connection, Error, RedisParameter, RedisResult,
};

pub(crate) async fn connect(address: &str) -> Result<Connection, Error> {
    Connection::open(address)
}

pub(crate) async fn run(
    connection: &Connection,
    command: &str,
    arguments: Vec<RedisParameter>,
) -> Result<Vec<RedisResult>, Error> {
    connection.execute(command, &arguments)
}
