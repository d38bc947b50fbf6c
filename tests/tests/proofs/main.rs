//! Tests that take minutes: races between machines, and machines that die at any moment.
#![cfg(unix)]

mod host_process;
mod http_sse;
mod kills;
mod portable;
mod races;
mod redis;
mod redis_url;
mod regions;
mod stalls;

/// The number in an environment variable, or else `usual`.
fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number"))
    })
}
