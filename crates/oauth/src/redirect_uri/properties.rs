//! Properties of every redirect URI, over generated ones.

use super::{Destination, PrivateUse, destination, matches, with_parameters};
use proptest::prelude::*;
use url::{Host, Url};

/// Texts that look like redirect URIs, most of them nearly right.
fn redirect_uri() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![
        4 => Just("https".to_owned()),
        4 => Just("http".to_owned()),
        1 => Just("HTTPS".to_owned()),
        1 => Just("javascript".to_owned()),
        2 => "[a-z][a-z0-9+.-]{0,12}",
    ];
    let separator =
        prop_oneof![6 => Just("://"), 1 => Just(":"), 1 => Just(":/"), 1 => Just(":\\\\")];
    let host = prop_oneof![
        2 => Just("127.0.0.1".to_owned()),
        1 => Just("localhost".to_owned()),
        1 => Just("[::1]".to_owned()),
        1 => Just("127.0.0.1.evil.example".to_owned()),
        1 => Just("me@127.0.0.1".to_owned()),
        1 => Just("2130706433".to_owned()),
        3 => "[a-zA-Z0-9.@:*\\[\\]-]{0,20}",
    ];
    let port = prop_oneof![3 => Just(String::new()), 2 => ":[0-9]{0,6}", 1 => ":[+a-z0-9]{1,4}"];
    let rest = "[/?#a-zA-Z0-9.%@:&=\\\\*{} -]{0,24}";
    (scheme, separator, host, port, rest).prop_map(|(scheme, separator, host, port, rest)| {
        format!("{scheme}{separator}{host}{port}{rest}")
    })
}

fn check(uri: &str) -> Result<(), super::RedirectUriError> {
    super::check(uri, PrivateUse::Any)
}

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![4 => redirect_uri(), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_may_be_registered_leads_where_it_seems_to_and_runs_nothing(uri in anything()) {
        if check(&uri).is_ok() {
            let url = Url::parse(&uri).unwrap();
            prop_assert!(url.fragment().is_none());
            prop_assert!(url.username().is_empty() && url.password().is_none());
            prop_assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!uri.contains(['*', '\\', '#']));
            match url.scheme() {
                "https" => prop_assert!(url.host().is_some()),
                "http" => prop_assert!(
                    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
                    "{}", uri
                ),
                scheme => prop_assert!(
                    !["javascript", "data", "file", "blob", "vbscript", "about", "ws", "wss", "ftp"]
                        .contains(&scheme)
                ),
            }
        }
    }

    #[test]
    fn an_address_of_this_machine_is_never_taken_for_a_web_host(uri in redirect_uri()) {
        if check(&uri).is_ok() && matches!(destination(&uri), Destination::Host(_)) {
            match Url::parse(&uri).unwrap().host() {
                Some(Host::Ipv4(address)) => {
                    prop_assert!(!address.is_loopback() && !address.is_unspecified());
                }
                Some(Host::Ipv6(address)) => {
                    prop_assert!(!address.is_loopback() && !address.is_unspecified());
                }
                Some(Host::Domain(name)) => prop_assert!(name != "localhost"),
                None => prop_assert!(false, "{}", uri),
            }
        }
    }

    #[test]
    fn a_listed_scheme_is_one_that_an_operator_may_use_as_well(uri in anything()) {
        for narrow in [PrivateUse::Off, PrivateUse::Listed] {
            if super::check(&uri, narrow).is_ok() {
                prop_assert!(check(&uri).is_ok(), "{}", uri);
            }
        }
    }

    #[test]
    fn only_the_port_of_this_machine_is_free(registered in redirect_uri(), requested in redirect_uri()) {
        if check(&registered).is_ok() && matches(&registered, &requested) && registered != requested {
            prop_assert!(check(&requested).is_ok());
            let (mut one, mut other) = (Url::parse(&registered).unwrap(), Url::parse(&requested).unwrap());
            prop_assert_eq!(one.scheme(), "http");
            one.set_port(None).unwrap();
            other.set_port(None).unwrap();
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn a_port_of_the_moment_matches_and_another_path_does_not(
        host in prop_oneof![Just("127.0.0.1"), Just("[::1]"), Just("localhost")],
        one: u16,
        other: u16,
        path in "/[a-z]{0,8}",
    ) {
        let registered = format!("http://{host}:{one}{path}");
        let requested = format!("http://{host}:{other}{path}");
        prop_assert!(check(&registered).is_ok());
        prop_assert!(matches(&registered, &requested));
        let longer = format!("{requested}x");
        prop_assert!(!matches(&registered, &longer));
        let public = requested.replace("http://", "https://");
        prop_assert!(!matches(&registered, &public));
    }

    #[test]
    fn matching_is_mutual_and_everything_matches_itself(one in redirect_uri(), other in redirect_uri()) {
        prop_assert!(matches(&one, &one));
        prop_assert_eq!(matches(&one, &other), matches(&other, &one));
    }

    #[test]
    fn an_answer_goes_where_the_redirect_uri_says_with_what_was_given(
        uri in redirect_uri(),
        code in any::<String>(),
        state in any::<String>(),
    ) {
        if check(&uri).is_ok() {
            let location = with_parameters(&uri, [("code", code.as_str()), ("state", &state)]);
            prop_assert!(location.starts_with(&uri));
            let (before, after) = (Url::parse(&uri).unwrap(), Url::parse(&location).unwrap());
            let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port());
            prop_assert_eq!(place(&before), place(&after));
            prop_assert_eq!(before.path(), after.path());
            prop_assert_eq!(destination(&uri), destination(&location));
            let given: Vec<_> = after.query_pairs().into_owned().collect();
            let last = &given[given.len() - 2..];
            prop_assert_eq!(last, &[("code".to_owned(), code), ("state".to_owned(), state)]);
        }
    }
}
