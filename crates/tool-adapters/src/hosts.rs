//! Hosts that may be called without TLS.

use std::net::IpAddr;

/// Returns whether requests to this host leave neither the machine nor the application: a loopback address, in brackets if
/// it is of IPv6, `localhost`, or a component of Spin's.
pub fn stays_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".spin.internal")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stays_here_on_the_machine_or_in_the_application() {
        for host in ["127.0.0.1", "[::1]", "localhost", "crm.spin.internal"] {
            assert!(stays_here(host), "{host}");
        }
        for host in [
            "example.com",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "spin.internal",
            "10.0.0.1",
            "",
        ] {
            assert!(!stays_here(host), "{host}");
        }
    }
}
