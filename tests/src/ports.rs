//! Ports for servers that are stopped and started again in a test.

use std::net::{Ipv4Addr, TcpListener};

/// Returns a listener on a port of 127.0.0.1 below those that systems hand out to connections (from 32768 on
/// Linux): no connection takes the port while its server is down.
///
/// # Panics
///
/// Panics if it finds no free port.
pub fn listener() -> TcpListener {
    const MAX_ATTEMPTS: usize = 50;
    std::iter::repeat_with(|| rand::random_range(20_000..32_000))
        .take(MAX_ATTEMPTS)
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .expect("a free port")
}
