//! Networks that no component may reach, whatever its allowed destinations: checked after name resolution.

use std::net::{IpAddr, SocketAddr};

use ip_network::IpNetwork;
use ip_network_table::IpNetworkTable;

/// A set of networks.
#[derive(Default)]
pub(crate) struct BlockedNetworks {
    networks: IpNetworkTable<()>,
    private: bool,
}

impl BlockedNetworks {
    /// Makes the set of CIDR notations; `private` stands for every address that is not globally routable.
    pub(crate) fn parse<'a>(notations: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut blocked = Self::default();
        let mut networks = Vec::new();
        for notation in notations {
            if notation == "private" {
                blocked.private = true;
            } else {
                let network = IpNetwork::from_str_truncate(notation)
                    .map_err(|_| format!("{notation:?} is neither a network nor \"private\""))?;
                networks.push(network);
            }
        }
        for network in IpNetwork::collapse_addresses(&networks) {
            // As in Spin: what `private` covers is left to it.
            if !blocked.private || network.is_global() {
                blocked.networks.insert(network, ());
            }
        }
        Ok(blocked)
    }

    /// Whether the address lies in the set, also when it is an IPv4 address written as IPv6.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        (self.private && !IpNetwork::from(address).is_global())
            || self.networks.longest_match(address).is_some()
            || matches!(address, IpAddr::V6(v6) if v6.to_ipv4().is_some_and(|v4| self.contains(v4.into())))
    }

    /// Drops the addresses of `host` that are in the set. Returns whether that left none of some, and says so in the log.
    pub(crate) fn filter_for(&self, host: &str, addresses: &mut Vec<SocketAddr>) -> bool {
        let blocked = self.filter(addresses);
        if blocked {
            tracing::warn!(
                "every address of {host:?} is in a network that block_networks of the runtime configuration lists"
            );
        }
        blocked
    }

    /// Drops the addresses in the set, and tells whether that left none of some.
    fn filter(&self, addresses: &mut Vec<SocketAddr>) -> bool {
        let before = addresses.len();
        addresses.retain(|address| !self.contains(address.ip()));
        before > 0 && addresses.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(blocked: &BlockedNetworks, address: &str) -> bool {
        blocked.contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_blocks_its_addresses_in_either_notation() {
        let blocked = BlockedNetworks::parse(["203.0.113.0/24", "2001:db8::/32"]).unwrap();
        for address in ["203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7"] {
            assert!(contains(&blocked, address), "{address}");
        }
        for address in ["203.0.114.7", "2001:db9::1", "127.0.0.1"] {
            assert!(!contains(&blocked, address), "{address}");
        }
    }

    #[test]
    fn private_blocks_whatever_is_not_globally_routable() {
        let blocked = BlockedNetworks::parse(["private"]).unwrap();
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "::1",
            "fc00::1",
            "fe80::1",
            "::ffff:10.1.2.3",
        ] {
            assert!(contains(&blocked, address), "{address}");
        }
        assert!(!contains(&blocked, "8.8.8.8"));
        assert!(!contains(&blocked, "2600::1"));
    }

    /// Addresses of IPv6 that carry one of IPv4, behind which a gateway may reach a private network.
    #[test]
    fn the_shipped_list_blocks_networks_that_translate_or_tunnel_ipv4() {
        let shipped: toml::Table = include_str!("../../runtime-config.toml").parse().unwrap();
        let list = shipped["outbound_networking"]["block_networks"].as_array();
        let shipped = list.unwrap().iter().map(|entry| entry.as_str().unwrap());
        let shipped = BlockedNetworks::parse(shipped).unwrap();
        let private = BlockedNetworks::parse(["private"]).unwrap();
        for address in [
            "64:ff9b::7f00:1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b:1:ffff:ffff:ffff:a9fe:a9fe",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "2001:0:1:2:3:4:f5ff:fffe",
            "2001::1",
        ] {
            assert!(contains(&shipped, address), "{address}");
            // Which is why they are listed.
            assert!(!contains(&private, address), "{address}");
        }
        for address in ["::ffff:10.0.0.1", "::10.0.0.1", "127.0.0.1", "fd00::1"] {
            assert!(contains(&shipped, address), "{address}");
        }
        for address in [
            "8.8.8.8",
            "2600::1",
            "2001:4860:4860::8888",
            "2003::1",
            "64:ff9c::1",
        ] {
            assert!(!contains(&shipped, address), "{address}");
        }
    }

    #[test]
    fn a_network_that_private_covers_is_left_to_it() {
        let blocked = BlockedNetworks::parse([
            "10.0.0.0/8",
            "private",
            "203.0.114.0/25",
            "203.0.114.128/25",
        ]);
        let blocked = blocked.unwrap();
        assert_eq!(blocked.networks.len(), (1, 0));
        assert!(contains(&blocked, "10.0.0.1") && contains(&blocked, "203.0.114.200"));
    }

    #[test]
    fn only_blocked_addresses_are_dropped() {
        let blocked = BlockedNetworks::parse(["private"]).unwrap();
        let mut addresses = vec!["127.0.0.1:1".parse().unwrap(), "8.8.8.8:1".parse().unwrap()];
        assert!(!blocked.filter(&mut addresses));
        assert_eq!(addresses.len(), 1);
        assert!(blocked.filter(&mut vec!["127.0.0.1:1".parse().unwrap()]));
        assert!(!blocked.filter(&mut Vec::new()));
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(BlockedNetworks::parse(["privat"]).is_err());
    }
}
