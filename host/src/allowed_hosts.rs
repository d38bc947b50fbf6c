//! `allowed_outbound_hosts`: the destinations a component may reach.

use std::collections::BTreeMap;

use http::Uri;
use ip_network::IpNetwork;
use url::{Host, Url};

use crate::template::Template;

const CHAINING_SUFFIX: &str = ".spin.internal";

/// The destinations that one component may reach.
#[derive(Debug, Default)]
pub(crate) struct AllowedHosts(Vec<Pattern>);

/// One entry: `scheme://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    scheme: Option<String>,
    host: HostPattern,
    ports: Option<std::ops::Range<u32>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// Whatever ends so; the suffix starts with a dot.
    Subdomains(String),
    Itself,
    Exactly(Host),
    Network(IpNetwork),
}

impl AllowedHosts {
    /// Checks a component's entries as far as the variables' `defaults` allow: an entry with a variable that has none is
    /// left for [`AllowedHosts::parse`].
    pub(crate) fn validate(
        entries: &[String],
        defaults: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        for entry in entries {
            match Pattern::resolve(entry, defaults) {
                Ok(_) | Err(EntryError::Variable(_)) => {}
                Err(EntryError::Malformed(reason)) => return Err(format!("{entry:?}: {reason}")),
            }
        }
        Ok(())
    }

    /// Parses a component's entries after replacing their variables.
    ///
    /// `components` are the names that `*.spin.internal` stands for. An entry that its variables leave empty is skipped, and so
    /// is one of which nothing but `http://` or `https://` is left.
    pub(crate) fn parse(
        entries: &[String],
        values: &BTreeMap<String, String>,
        components: &[&str],
    ) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for entry in entries {
            let resolved = Pattern::resolve(entry, values).map_err(|error| match error {
                EntryError::Variable(name) => {
                    format!("{entry:?}: the application has no variable {name:?}")
                }
                EntryError::Malformed(reason) => format!("{entry:?}: {reason}"),
            })?;
            let Some(pattern) = resolved else { continue };
            match &pattern.host {
                HostPattern::Subdomains(suffix) if suffix == CHAINING_SUFFIX => {
                    patterns.extend(components.iter().map(|component| Pattern {
                        host: HostPattern::Exactly(Host::Domain(format!(
                            "{component}{CHAINING_SUFFIX}"
                        ))),
                        ..pattern.clone()
                    }));
                }
                _ => patterns.push(pattern),
            }
        }
        Ok(Self(patterns))
    }

    /// Whether the component may reach `url`; a URL without a scheme is taken to have `default_scheme`.
    pub(crate) fn allows(&self, url: &str, default_scheme: &str) -> bool {
        let parsed = match Url::parse(url) {
            Ok(parsed) if parsed.has_host() => Some(parsed),
            _ => Url::parse(&format!("{default_scheme}://{url}")).ok(),
        };
        let Some(url) = parsed else { return false };
        let Some(Ok(host)) = url.host_str().map(Host::parse) else {
            return false;
        };
        let port = url.port().or_else(|| well_known_port(url.scheme()));
        self.0
            .iter()
            .any(|pattern| pattern.allows(url.scheme(), &host, port))
    }

    /// Whether the component may reach the application that it is part of, by a URL without a host.
    pub(crate) fn allows_itself(&self) -> bool {
        self.0.iter().any(|pattern| {
            matches!(pattern.host, HostPattern::Any | HostPattern::Itself)
                && pattern
                    .scheme
                    .as_deref()
                    .is_none_or(|scheme| matches!(scheme, "http" | "https"))
        })
    }
}

/// Why an entry says nothing. No value of a variable is part of it.
enum EntryError {
    /// There is no value for this variable.
    Variable(String),
    /// It is not of the form that entries have.
    Malformed(String),
}

impl Pattern {
    /// What an entry is with its variables replaced; nothing if that leaves it empty.
    fn resolve(entry: &str, values: &BTreeMap<String, String>) -> Result<Option<Self>, EntryError> {
        let template = Template::parse(entry).map_err(EntryError::Malformed)?;
        let resolved = template.resolve(values).map_err(EntryError::Variable)?;
        if !template.is_literal() && matches!(resolved.as_str(), "" | "http://" | "https://") {
            return Ok(None);
        }
        let pattern = Self::parse(&resolved);
        pattern.map(Some).map_err(EntryError::Malformed)
    }

    fn parse(entry: &str) -> Result<Self, String> {
        let (scheme, rest) = entry
            .trim()
            .split_once("://")
            .ok_or("an allowed host has the form scheme://host[:port]; each part may be *")?;
        let (host, port) = match rest.rsplit_once(':') {
            None => (rest, ""),
            Some((host, "")) => (host, ""),
            // The colon may be part of an IPv6 address or network.
            Some(_) if HostPattern::parse(rest).is_ok() => (rest, ""),
            Some((host, port)) => match port.split_once('/') {
                Some((_, path)) if !path.is_empty() => {
                    return Err("an allowed host has no path".to_owned());
                }
                Some((port, _)) => (host, port),
                None => (host, port),
            },
        };
        let ports = ports(port, scheme)?;
        if scheme != "*" && !scheme.chars().all(char::is_alphabetic) {
            return Err("a scheme is made of letters alone".to_owned());
        }
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostPattern::parse(host)?,
            ports,
        })
    }

    fn allows(&self, scheme: &str, host: &Host, port: Option<u16>) -> bool {
        self.scheme.as_deref().is_none_or(|only| only == scheme)
            && self.host.allows(host)
            && match (&self.ports, port) {
                (None, _) => true,
                (Some(ports), Some(port)) => ports.contains(&u32::from(port)),
                (Some(_), None) => false,
            }
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self, String> {
        let host = host.trim();
        match host {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Itself),
            _ => {}
        }
        if host.starts_with('{') {
            return Err("lists of hosts are not supported".to_owned());
        }
        if let Ok(network) = IpNetwork::from_str_truncate(host) {
            return Ok(Self::Network(network));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains('/') {
            return Err("an allowed host has no path".to_owned());
        }
        if let Some(domain) = host.strip_prefix("*.") {
            return match Host::parse(domain) {
                Ok(Host::Domain(domain)) if !domain.contains('*') => {
                    Ok(Self::Subdomains(format!(".{domain}")))
                }
                _ => Err("what follows the `*.` is not a domain".to_owned()),
            };
        }
        if host.contains('*') {
            return Err("a `*` stands for a whole host or for its first labels".to_owned());
        }
        Host::parse(host)
            .map(Self::Exactly)
            .map_err(|error| error.to_string())
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Exactly(exactly), host) => exactly == host,
            (Self::Network(network), Host::Ipv4(address)) => network.contains(*address),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(*address),
            _ => false,
        }
    }
}

fn ports(port: &str, scheme: &str) -> Result<Option<std::ops::Range<u32>>, String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map(u32::from)
            .map_err(|_| "a port is a number up to 65535".to_owned())
    };
    match port {
        "*" => Ok(None),
        "" => match well_known_port(scheme) {
            Some(port) => Ok(Some(u32::from(port)..u32::from(port) + 1)),
            None => Err(format!(
                "a port is needed, since {scheme:?} has no default port"
            )),
        },
        _ => match port.split_once("..") {
            Some((start, end)) => Ok(Some(number(start)?..number(end)?)),
            None => number(port).map(|port| Some(port..port + 1)),
        },
    }
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "mqtt" => Some(1883),
        "mysql" => Some(3306),
        "postgres" => Some(5432),
        "redis" => Some(6379),
        _ => None,
    }
}

/// Whether an entry of `allowed_outbound_hosts` names components of the application, as it stands.
pub(crate) fn names_chaining(entry: &str) -> bool {
    entry.contains(CHAINING_SUFFIX)
}

/// Whether a `Host` header names a component of the application, which no outside request may.
pub(crate) fn is_chaining_host(host: &str) -> bool {
    chained_component_of(host).is_some()
}

/// The component that a URL like `http://<component>.spin.internal/` is for.
pub(crate) fn chained_component(url: &Uri) -> Option<&str> {
    chained_component_of(url.authority()?.host().trim())
}

fn chained_component_of(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let (component, domain) = host.split_once('.')?;
    (domain == &CHAINING_SUFFIX[1..]).then_some(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entries: &[&str]) -> AllowedHosts {
        let entries = entries.iter().map(ToString::to_string).collect::<Vec<_>>();
        let values = [("base", "https://api.example.com"), ("empty", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        AllowedHosts::parse(&entries, &values, &["one", "two"]).unwrap()
    }

    fn refused(entry: &str) {
        AllowedHosts::parse(&[entry.to_owned()], &BTreeMap::new(), &[]).unwrap_err();
    }

    #[test]
    fn scheme_host_and_port_must_all_fit() {
        let hosts = allowed(&[
            "https://api.example.com",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
        ]);
        assert!(hosts.allows("https://api.example.com/a?b", "https"));
        assert!(hosts.allows("https://api.example.com:443/", "https"));
        assert!(hosts.allows("http://127.0.0.1:8080/", "https"));
        assert!(hosts.allows("http://[::1]:1/", "https"));
        for url in [
            "http://api.example.com/",
            "https://api.example.com:444/",
            "https://example.com/",
            "https://api.example.com.evil.test/",
            "https://api.example.com@evil.test/",
            "http://127.0.0.1/",
            "http://127.0.0.2:8080/",
        ] {
            assert!(!hosts.allows(url, "https"), "{url}");
        }
    }

    #[test]
    fn wildcards_stand_for_schemes_hosts_subdomains_and_ports() {
        assert!(allowed(&["*://*:*"]).allows("http://anything.test:1234/", "https"));
        assert!(allowed(&["https://*"]).allows("https://anything.test/", "https"));
        assert!(!allowed(&["https://*"]).allows("https://anything.test:444/", "https"));
        let subdomains = allowed(&["https://*.example.com"]);
        assert!(subdomains.allows("https://a.b.example.com/", "https"));
        assert!(!subdomains.allows("https://example.com/", "https"));
        assert!(!subdomains.allows("https://badexample.com/", "https"));
        let ports = allowed(&["http://localhost:3000..3002"]);
        assert!(ports.allows("http://localhost:3001/", "https"));
        assert!(!ports.allows("http://localhost:3002/", "https"));
    }

    #[test]
    fn networks_match_addresses_and_no_names() {
        let hosts = allowed(&["*://10.0.0.0/8:*"]);
        assert!(hosts.allows("http://10.9.8.7/", "https"));
        assert!(!hosts.allows("http://11.0.0.1/", "https"));
        assert!(!hosts.allows("http://localhost/", "https"));
    }

    #[test]
    fn variables_are_replaced_and_may_leave_an_entry_out() {
        assert!(allowed(&["{{ base }}"]).allows("https://api.example.com/", "https"));
        assert!(
            !allowed(&["{{ empty }}", "https://{{ empty }}"])
                .allows("https://api.example.com/", "https")
        );
    }

    #[test]
    fn itself_is_allowed_by_name_or_by_any_host() {
        assert!(allowed(&["http://self"]).allows_itself());
        assert!(allowed(&["*://*:*"]).allows_itself());
        assert!(!allowed(&["http://localhost:3000"]).allows_itself());
    }

    #[test]
    fn the_chaining_wildcard_stands_for_the_components_of_the_application() {
        let hosts = allowed(&["http://*.spin.internal"]);
        assert!(hosts.allows("http://one.spin.internal/", "https"));
        assert!(!hosts.allows("http://three.spin.internal/", "https"));
        assert!(!allowed(&["*://one.test:*"]).allows("http://one.spin.internal/", "https"));
    }

    #[test]
    fn entries_are_checked_with_the_defaults_of_their_variables() {
        let defaults = [("empty", ""), ("path", "https://example.com/path")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let validate = |entry: &str| AllowedHosts::validate(&[entry.to_owned()], &defaults);
        // One without a default can be anything yet.
        for entry in [
            "{{ empty }}",
            "https://{{ empty }}",
            "{{ required }}",
            "https://a.test",
        ] {
            assert_eq!(validate(entry), Ok(()), "{entry}");
        }
        for entry in ["{{ path }}", "", "a.test", "{{ empty }}a.test", "{{ open"] {
            assert!(validate(entry).is_err(), "{entry}");
        }
    }

    #[test]
    fn malformed_entries_are_refused() {
        for entry in [
            "",
            "*",
            "example.com",
            "https://example.com/path",
            "https://a.*.com",
            "https://*.*.com",
            "ftp://example.com",
            "https://example.com:port",
            "https://{a,b}",
            "ht-tp://example.com:1",
            "{{ unknown }}",
        ] {
            refused(entry);
        }
    }

    #[test]
    fn a_chained_component_is_the_first_label_before_spin_internal() {
        let component = |url: &str| chained_component(&url.parse().unwrap()).map(ToOwned::to_owned);
        assert_eq!(
            component("http://one.spin.internal/a").as_deref(),
            Some("one")
        );
        assert_eq!(
            component("http://one.spin.internal:80/").as_deref(),
            Some("one")
        );
        assert_eq!(component("http://a.b.spin.internal/"), None);
        assert_eq!(component("http://spin.internal/"), None);
        assert!(is_chaining_host("one.spin.internal:3000"));
        assert!(!is_chaining_host("localhost:3000"));
    }
}
