//! The address that a request comes from, for limits by source.

use http::{HeaderMap, HeaderName};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The header that Spin adds with address and port of the connection, after whatever the client
/// sent under the same name.
const PLATFORM_HEADER: &str = "spin-client-addr";

/// Bits of an IPv6 address that stand for one source: a network of one subscriber.
const SOURCE_PREFIX_V6: u32 = 64;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestSource {
    /// An address, or the /64 network of an IPv6 address.
    Network(IpAddr),
    /// The header that names the address is missing or malformed: one source for all of these.
    Unnamed,
    /// The connection comes from this machine or a private network: a proxy, whose clients cannot
    /// be told apart, or local development.
    Local,
}

impl RequestSource {
    /// Reads the source of a request: the last entry of the header `named`, which a proxy has added
    /// there, or the address of the connection.
    ///
    /// Only the last entry counts: all before it is what the client sent.
    pub fn read(headers: &HeaderMap, named: Option<&HeaderName>) -> Self {
        match named {
            Some(name) => {
                let last = last_value(headers, name.as_str());
                let last = last.and_then(|value| value.rsplit(',').next());
                last.and_then(parse).map_or(Self::Unnamed, Self::of)
            }
            None => match last_value(headers, PLATFORM_HEADER).and_then(parse) {
                Some(address) if is_global(address) => Self::of(address),
                _ => Self::Local,
            },
        }
    }

    fn of(address: IpAddr) -> Self {
        Self::Network(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let mask = u128::MAX << (128 - SOURCE_PREFIX_V6);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        })
    }
}

fn last_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(name).iter().next_back()?.to_str().ok()
}

/// Returns an address, with a port or without one. An IPv4 address that is written as IPv6 is IPv4.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Whether an address is of the public Internet, and so tells one client from another.
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared)
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(lines: &[(&'static str, &'static str)], named: Option<&str>) -> RequestSource {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let named = named.map(|name| HeaderName::from_bytes(name.as_bytes()).unwrap());
        RequestSource::read(&headers, named.as_ref())
    }

    fn network(address: &str) -> RequestSource {
        RequestSource::Network(address.parse().unwrap())
    }

    #[test]
    fn only_the_last_spin_client_addr_is_the_platforms() {
        let lines = [
            ("spin-client-addr", "203.0.113.1:1"),
            ("spin-client-addr", "198.51.100.7:40000"),
        ];
        assert_eq!(read(&lines, None), network("198.51.100.7"));
    }

    #[test]
    fn only_the_last_entry_of_a_named_header_is_the_proxys() {
        let lines = [
            ("spin-client-addr", "192.0.2.1:1"),
            ("x-forwarded-for", "203.0.113.1"),
            ("x-forwarded-for", "203.0.113.2, 198.51.100.7"),
        ];
        let source = read(&lines, Some("x-forwarded-for"));
        assert_eq!(source, network("198.51.100.7"));
    }

    #[test]
    fn a_named_header_that_is_missing_or_malformed_is_one_source() {
        for lines in [
            &[("spin-client-addr", "192.0.2.1:1")][..],
            &[("x-forwarded-for", "")],
            &[("x-forwarded-for", "203.0.113.1, unknown")],
            &[("x-forwarded-for", "203.0.113.1,")],
            &[
                ("x-forwarded-for", "203.0.113.1"),
                ("x-forwarded-for", "_x"),
            ],
        ] {
            let source = read(lines, Some("x-forwarded-for"));
            assert_eq!(source, RequestSource::Unnamed, "{lines:?}");
        }
    }

    #[test]
    fn an_ipv6_source_is_its_64_bit_network_and_a_mapped_one_is_ipv4() {
        let spin = |value| read(&[("spin-client-addr", value)], None);
        assert_eq!(spin("[2001:db8:1:2:3:4:5:6]:80"), network("2001:db8:1:2::"));
        assert_eq!(
            spin("[2001:db8:1:2::1]:80"),
            spin("[2001:db8:1:2:ffff::]:81")
        );
        assert_eq!(spin("[::ffff:198.51.100.7]:80"), network("198.51.100.7"));
        let proxied = |value| read(&[("x-real-ip", value)], Some("x-real-ip"));
        for value in [
            "2001:db8:1:2::9",
            "[2001:db8:1:2::9]",
            "[2001:db8:1:2::9]:1",
        ] {
            assert_eq!(proxied(value), network("2001:db8:1:2::"), "{value}");
        }
        assert_eq!(proxied("10.0.0.9"), network("10.0.0.9"));
    }

    #[test]
    fn a_connection_from_a_private_network_has_no_source_of_its_own() {
        for value in [
            "127.0.0.1:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
            "10.1.2.3:1",
            "172.16.0.1:1",
            "192.168.0.1:1",
            "100.64.0.1:1",
            "169.254.1.1:1",
            "[fd00::1]:1",
            "[fe80::1]:1",
            "0.0.0.0:0",
            "",
        ] {
            let source = read(&[("spin-client-addr", value)], None);
            assert_eq!(source, RequestSource::Local, "{value}");
        }
        assert_eq!(read(&[], None), RequestSource::Local);
    }
}
