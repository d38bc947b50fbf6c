//! Checks of the application's variables for a host.

use super::host::{DOMAINS, Host};
use crate::doctor::{self, EXAMPLE_KEY};
use crate::environment::Variables;
use crate::report::Report;
use crate::{identity, runtime_config};
use config::{BaseUrl, PublicUrl, Server};
use url::Url;

/// Adds what is wrong with the variables for this host, and what should be known. `is_first`: the address is not known
/// yet.
pub(super) fn check(report: &mut Report, variables: &Variables, host: &Host, is_first: bool) {
    let has_provider = !identity::wants_emulator(variables);
    if has_provider {
        report.good(&format!("sign-in: {}", variables.identity().name()));
    } else {
        report.bad("sign-in: no identity provider is configured. Set the variables of your Descope project, or of another provider (README)");
    }
    let is_of_provider = |name: &str| name.starts_with("descope_") || name.starts_with("oidc_");
    for fault in doctor::faults(variables) {
        if has_provider || !is_of_provider(fault.variable) {
            report.bad(&doctor::in_words(&fault));
        }
    }
    doctor::describe_servers(report, variables);
    let public_url = PublicUrl::read(|name: &str| variables.get(name));
    // What is no https URL is among the faults.
    if let Ok(public_url) = public_url {
        check_public_url(report, public_url.configured(), host, is_first);
    }
    let keys = variables.get("encryption_key").unwrap_or_default();
    if keys.contains(EXAMPLE_KEY) {
        report.bad("encryption_key: it is an example in a public repository. Set it to what `openssl rand -hex 32` prints (SPIN_VARIABLE_ENCRYPTION_KEY)");
    }
    if let Some(name) = runtime_config::local_host(variables) {
        report.bad(&format!(
            "{name}: it names this machine, which {} cannot reach",
            host.name
        ));
    }
    if let Ok(server) = Server::read(|name: &str| variables.get(name)) {
        check_limits(report, variables, &server, host);
    }
    doctor::describe_rules(report, variables);
}

fn check_public_url(
    report: &mut Report,
    public_url: Option<&BaseUrl>,
    host: &Host,
    is_first: bool,
) {
    const VARIABLE: &str = "(SPIN_VARIABLE_PUBLIC_URL)";
    let url = public_url.and_then(|url| Url::parse(url.as_str()).ok());
    let Some(url) = url else {
        match (host.domain, is_first) {
            (Some(_), true) => report.warn("public_url: not set at the first deployment. Until the second one, every endpoint answers with an error that says so"),
            (Some(domain), false) => report.bad(&format!(
                "public_url: it is not set. The address of an application, below {domain}, is known after its first deployment: deploy with --first, set public_url to the address that it names, and deploy again. With a domain of your own, set it now {VARIABLE}"
            )),
            (None, _) => report.bad(&format!(
                "public_url: it is not set. Set it to the https URL under which people reach this server {VARIABLE}"
            )),
        }
        return;
    };
    if config::is_loopback(&url) {
        report.bad(&format!(
            "public_url: it is an address of this machine. Set it to the https URL under which people reach this server {VARIABLE}"
        ));
        return;
    }
    let domain = url.host_str().and_then(|name| {
        let is_below = |domain: &&str| {
            let name = name.strip_suffix(domain);
            name.is_some_and(|name| name.ends_with('.'))
        };
        DOMAINS.into_iter().find(is_below)
    });
    match domain {
        Some(domain) if Some(domain) != host.domain => report.bad(&format!(
            "public_url: {domain} belongs to another host than {} {VARIABLE}",
            host.name
        )),
        Some(domain) if url.path() != "/" => report.bad(&format!(
            "public_url: it has a path, but an application below {domain} is at the root {VARIABLE}"
        )),
        _ => report.good(&format!(
            "public_url: {}",
            url.as_str().trim_end_matches('/')
        )),
    }
}

/// Adds where the configuration goes beyond what the host gives, and what the host gives less than others.
fn check_limits(report: &mut Report, variables: &Variables, server: &Server, host: &Host) {
    let limits = host.flavour.limits();
    let name = host.name;
    if let Some(most) = limits.request_timeout {
        let most = most.as_secs();
        let ends_later = |seconds: Option<u64>| seconds.is_none_or(|seconds| seconds >= most);
        for (variable, seconds) in [
            ("call_timeout", Some(server.call_timeout)),
            ("stream_seconds", server.stream_seconds),
        ] {
            if ends_later(seconds) {
                report.bad(&format!(
                    "{variable}: {name} ends a request after {most} seconds. Set it to fewer, or leave it out"
                ));
            }
        }
    }
    let most = limits.max_body_bytes;
    if let Some(most) = most.filter(|most| server.message_limit as u64 > *most) {
        report.bad(&format!(
            "message_limit: {name} takes bodies of {most} bytes at most. Set it to that or less"
        ));
    }
    let client_metadata = variables.get("client_metadata").unwrap_or_default();
    if !limits.service_chaining && client_metadata.trim() != "false" {
        report.bad(&format!(
            "client_metadata: the component for it cannot be reached on {name}, which has no service chaining. Leave it out, or set it to false"
        ));
    }
    if server.redis_url.is_none() {
        if server.http_sse && !limits.key_value.atomics {
            report.bad(&format!(
                "http_sse: HTTP+SSE needs an atomic increment, which the store of {name} does not have. Leave it out, or set redis_url"
            ));
        }
        if let Some(most) = limits.key_value.max_keys {
            report.warn(&format!(
                "store: {name} keeps {most} keys, and a grant takes some six. redis_url has no such bound"
            ));
        }
        if !limits.key_value.atomics {
            report.warn(&format!(
                "store: {name} has no atomic increment, so single use is best effort (docs/security.md). With redis_url it is strict"
            ));
        }
    }
    if let Some(most) = limits.max_outbound_per_hour {
        report.warn(&format!(
            "{name} lets an application send {most} HTTP requests an hour; each sign-in and refresh takes a few"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::host::{AKAMAI_DOMAIN, FERMYON_CLOUD_DOMAIN};
    use crate::flavours::Flavour;

    const KEY: &str = "f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const URL: (&str, &str) = ("public_url", "https://mcp.example.com");
    const REDIS: [(&str, &str); 2] = [
        ("redis_url", "rediss://u:p@cache.example.com:6379"),
        ("redis_host", "rediss://cache.example.com:6379"),
    ];

    fn akamai() -> Host {
        host(Flavour::Akamai, Some(AKAMAI_DOMAIN))
    }

    fn fermyon_cloud() -> Host {
        host(Flavour::FermyonCloud, Some(FERMYON_CLOUD_DOMAIN))
    }

    fn host(flavour: Flavour, domain: Option<&'static str>) -> Host {
        Host {
            name: "the host",
            argument: "host",
            flavour,
            domain,
            tools: Vec::new(),
        }
    }

    /// What has to be corrected before a deployment that lacks nothing but for these changes.
    fn bad(host: &Host, is_first: bool, changes: &[(&str, &str)]) -> Vec<String> {
        lines(host, is_first, changes, "  MEND  ")
    }

    fn lines(host: &Host, is_first: bool, changes: &[(&str, &str)], kind: &str) -> Vec<String> {
        let manifest = include_str!("../../../../spin.toml").parse().unwrap();
        let mut variables = Variables::of(&manifest);
        variables.change_defaults(host.flavour.defaults());
        let good = [
            ("encryption_key", KEY),
            ("descope_project_id", "P1"),
            ("descope_client_id", "ours"),
            ("descope_client_secret", "secret"),
        ];
        for (name, value) in good.iter().chain(changes) {
            variables.set(name, *value);
        }
        let mut report = Report::default();
        check(&mut report, &variables, host, is_first);
        let lines = report.lines().iter();
        lines
            .filter_map(|line| line.strip_prefix(kind).map(str::to_owned))
            .collect()
    }

    #[test]
    fn a_complete_configuration_is_good_for_every_host() {
        for host in [
            akamai(),
            fermyon_cloud(),
            host(Flavour::Portable, None),
            host(Flavour::Spin, None),
        ] {
            assert_eq!(bad(&host, false, &[URL]), [""; 0]);
        }
    }

    #[test]
    fn public_url_may_be_missing_at_the_first_deployment() {
        for host in [akamai(), fermyon_cloud()] {
            let missing = bad(&host, false, &[]);
            assert!(missing[0].contains("--first"), "{missing:?}");
            assert_eq!(missing.len(), 1);
            assert!(bad(&host, true, &[]).is_empty());
            assert!(
                lines(&host, true, &[], "  WARN  ")[0]
                    .contains("every endpoint answers with an error")
            );
        }
        let own = host(Flavour::Portable, None);
        for is_first in [false, true] {
            assert!(bad(&own, is_first, &[])[0].starts_with("public_url"));
        }
    }

    #[test]
    fn public_url_is_one_that_the_host_can_have() {
        for (host, url, words) in [
            (akamai(), "http://127.0.0.1:3000", "this machine"),
            (akamai(), "https://localhost", "this machine"),
            (akamai(), "https://x.fermyon.app", "another host"),
            (akamai(), "https://x.fwf.app/tools", "path"),
            (fermyon_cloud(), "https://x.fwf.app", "another host"),
            (
                host(Flavour::Spin, None),
                "https://x.fwf.app",
                "another host",
            ),
            (akamai(), "http://x.fwf.app", "https://"),
        ] {
            let found = bad(&host, false, &[("public_url", url)]);
            assert_eq!(found.len(), 1, "{url}: {found:?}");
            assert!(found[0].starts_with("public_url"), "{found:?}");
            assert!(found[0].contains(words), "{found:?}");
        }
        for url in [
            "https://x.fwf.app",
            "https://notfwf.app/a",
            "https://a.example.com/b",
        ] {
            assert!(bad(&akamai(), false, &[("public_url", url)]).is_empty());
        }
    }

    #[test]
    fn a_key_that_is_missing_malformed_or_public_is_refused() {
        for value in ["", "bad-value", EXAMPLE_KEY] {
            let found = bad(&akamai(), false, &[URL, ("encryption_key", value)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("encryption_key"), "{found:?}");
            assert!(value.is_empty() || !found[0].contains(value));
        }
    }

    #[test]
    fn what_is_beyond_the_limits_of_a_host_is_refused() {
        for (name, value) in [
            ("call_timeout", "30"),
            ("stream_seconds", "30"),
            ("stream_seconds", ""),
            ("message_limit", "10485761"),
        ] {
            let found = bad(&akamai(), false, &[URL, (name, value)]);
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            assert!(found[0].starts_with(name), "{found:?}");
            let anywhere = host(Flavour::Portable, None);
            assert!(bad(&anywhere, false, &[URL, (name, value)]).is_empty());
        }
        let http_sse = [URL, ("http_sse", "true")];
        assert!(bad(&akamai(), false, &http_sse)[0].starts_with("http_sse"));
        assert!(bad(&akamai(), false, &[&http_sse[..], &REDIS].concat()).is_empty());
        let documents = [URL, ("client_metadata", "true")];
        assert!(bad(&akamai(), false, &documents).is_empty());
        assert!(bad(&fermyon_cloud(), false, &documents)[0].starts_with("client_metadata"));
    }

    #[test]
    fn a_store_with_bounds_is_warned_of_unless_there_is_a_redis() {
        let warnings = |changes: &[(&str, &str)]| {
            let all = [&[URL], changes].concat();
            let lines = lines(&fermyon_cloud(), false, &all, "  WARN  ");
            lines
                .iter()
                .filter(|line| line.starts_with("store"))
                .count()
        };
        assert_eq!(warnings(&[]), 2);
        assert_eq!(warnings(&REDIS), 0);
    }

    #[test]
    fn what_only_this_machine_reaches_is_refused() {
        let local = [URL, ("descope_base_url", "http://127.0.0.1:3001")];
        let found = bad(&akamai(), false, &local);
        assert!(found[0].contains("this machine"), "{found:?}");
    }

    #[test]
    fn without_an_identity_provider_there_is_one_line_that_says_so() {
        let manifest = include_str!("../../../../spin.toml").parse().unwrap();
        let mut variables = Variables::of(&manifest);
        variables.set(URL.0, URL.1);
        let mut report = Report::default();
        check(
            &mut report,
            &variables,
            &host(Flavour::Portable, None),
            false,
        );
        let bad = report.lines().iter().filter(|line| line.contains("MEND"));
        let bad = bad.collect::<Vec<_>>();
        assert!(bad[0].contains("no identity provider"), "{bad:?}");
        assert!(bad[1].contains("encryption_key"), "{bad:?}");
        assert_eq!(bad.len(), 2);
    }
}
