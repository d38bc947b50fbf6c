//! The variables.

use crate::credentials::{Credentials, Header};
use crate::names::Names;
use crate::pattern::{Kind, Pattern};
use http::Uri;
use http::uri::Scheme;
use mcp::Revision;
use std::str::FromStr;
use std::time::Duration;
use tool_adapters::stays_here;

/// How to reach the server, and what of it is offered.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) url: Uri,
    pub(crate) credentials: Credentials,
    pub(crate) names: Names,
    /// The tools whose calls may be made again from their beginning.
    pub(crate) repeat: Vec<Pattern>,
    /// `None`: the server says which revision it speaks.
    pub(crate) revision: Option<Revision>,
    /// For how long lists are kept, unless the server says for how long.
    pub(crate) list_ttl: Duration,
    /// For one call, or for all lists.
    pub(crate) timeout: Duration,
    /// Of one response, or of one list.
    pub(crate) max_bytes: usize,
}

impl Settings {
    /// The variables that are read.
    pub const VARIABLES: &'static [&'static str] = &[
        "url",
        "allow_http",
        "revision",
        "credentials",
        "secret",
        "secret_header",
        "prefix",
        "allow",
        "deny",
        "scopes",
        "repeat",
        "list_ttl",
        "timeout",
        "max_bytes",
    ];

    /// Reads the variables. One that is absent or empty has its default; `url` has none.
    ///
    /// # Errors
    ///
    /// Says which variables are wrong, and how to mend them, without repeating their values.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, String> {
        let get = |name: &str| get(name).map(str::trim).filter(|value| !value.is_empty());
        let mut problems = Vec::new();
        let allow_http = read(get, "allow_http", false, "true or false", &mut problems);
        let url = get("url").ok_or(
            "it is missing: give the address of the MCP endpoint, such as https://example.com/mcp",
        );
        let url = url.and_then(|url| read_url(url, allow_http));
        let credentials = Credentials::read(
            get("credentials").unwrap_or("none"),
            Header::read(get("secret"), get("secret_header")),
        );
        let prefix = get("prefix").unwrap_or_default();
        let is_prefix = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        if prefix.len() > MAX_PREFIX_BYTES || !prefix.bytes().all(is_prefix) {
            problems
                .push("prefix: it has at most 64 of the characters A-Z a-z 0-9 _ - . /".to_owned());
        }
        let patterns = |name| Pattern::parse_all(get(name).unwrap_or_default());
        let repeat = patterns("repeat").and_then(|patterns| {
            let are_of_tools = patterns.iter().all(|pattern| pattern.kind() == Kind::Tool);
            are_of_tools
                .then_some(patterns)
                .ok_or("it names tools alone")
        });
        let scopes = read_scopes(get("scopes").unwrap_or_default());
        let revision = match get("revision") {
            None | Some("auto") => Ok(None),
            Some(name) => Revision::parse(name)
                .filter(|revision| revision.has_annotations())
                .map(Some)
                .ok_or("it is auto, 2026-07-28, 2025-11-25, 2025-06-18 or 2025-03-26"),
        };
        let seconds = "a number of seconds, from 1 to 86400";
        let list_ttl = read(get, "list_ttl", 300, seconds, &mut problems);
        let timeout = read(get, "timeout", 60, seconds, &mut problems);
        for (name, value) in [("list_ttl", list_ttl), ("timeout", timeout)] {
            if !(1..=86_400).contains(&value) {
                problems.push(format!("{name}: it is {seconds}"));
            }
        }
        let bytes = "a number of bytes, from 1 to 5242880: a tool server passes no more on";
        let max_bytes = read(get, "max_bytes", MAX_BYTES, bytes, &mut problems);
        if !(1..=MAX_BYTES).contains(&max_bytes) {
            problems.push(format!("max_bytes: it is {bytes}"));
        }
        let settings = Self {
            url: note("url", url, &mut problems),
            credentials: note("credentials", credentials, &mut problems),
            names: Names {
                prefix: prefix.to_owned(),
                allow: note("allow", patterns("allow"), &mut problems),
                deny: note("deny", patterns("deny"), &mut problems),
                scopes: note("scopes", scopes, &mut problems),
            },
            repeat: note("repeat", repeat, &mut problems),
            revision: note("revision", revision, &mut problems),
            list_ttl: Duration::from_secs(list_ttl),
            timeout: Duration::from_secs(timeout),
            max_bytes,
        };
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(format!(
                "the variables of this component are wrong: {}",
                problems.join("; ")
            ))
        }
    }

    /// Returns all patterns, of whatever variable.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let Names {
            allow,
            deny,
            scopes,
            ..
        } = &self.names;
        let scopes = scopes.iter().map(|(pattern, _)| pattern);
        allow.iter().chain(deny).chain(scopes).chain(&self.repeat)
    }

    /// Returns whether calls of the tool that the server calls so may be made again.
    pub(crate) fn may_repeat(&self, name: &str) -> bool {
        let mut patterns = self.repeat.iter();
        patterns.any(|pattern| pattern.matches(Kind::Tool, name))
    }

    /// Returns the host, for messages.
    pub(crate) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }
}

/// Three lists of so much are what a tool server passes on at once.
const MAX_BYTES: usize = 5 * 1024 * 1024;

/// A name with a prefix has 128 bytes at most.
const MAX_PREFIX_BYTES: usize = 64;

/// Takes the value, or notes what is wrong with the variable.
fn note<T: Default>(name: &str, value: Result<T, &str>, problems: &mut Vec<String>) -> T {
    value.unwrap_or_else(|problem| {
        problems.push(format!("{name}: {problem}"));
        T::default()
    })
}

/// Reads a number or a boolean.
fn read<'a, T: FromStr + Default>(
    get: impl Fn(&str) -> Option<&'a str>,
    name: &str,
    default: T,
    what: &str,
    problems: &mut Vec<String>,
) -> T {
    match get(name).map(str::parse) {
        None => default,
        Some(Ok(value)) => value,
        Some(Err(_)) => {
            problems.push(format!("{name}: it is {what}"));
            default
        }
    }
}

fn read_url(text: &str, allow_http: bool) -> Result<Uri, &'static str> {
    let url = Uri::from_str(text).map_err(|_| "it is not a URL")?;
    let (scheme, authority) = (url.scheme(), url.authority());
    let authority = authority.ok_or("it is a whole URL, such as https://example.com/mcp")?;
    if authority.as_str().contains('@') {
        return Err("it holds no user or password: put them into secret");
    }
    let is_safe = match scheme {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => allow_http || stays_here(authority.host()),
        _ => false,
    };
    if is_safe {
        Ok(url)
    } else {
        Err(
            "it begins with https://, or with http:// on a loopback address; allow_http = true lets all on the way read along",
        )
    }
}

/// Reads rules such as `delete_*=tools.write,admin *=tools`.
fn read_scopes(text: &str) -> Result<Vec<(Pattern, Vec<String>)>, &'static str> {
    let mut rules: Vec<(Pattern, Vec<String>)> = Vec::new();
    for rule in text.split_whitespace() {
        let (pattern, scopes) = rule.split_once('=').ok_or(
            "each rule is PATTERN=SCOPE or PATTERN=SCOPE,SCOPE, such as delete_*=tools.write",
        )?;
        let pattern = Pattern::parse(pattern)?;
        if pattern.kind() == Kind::Resource && !pattern.is_everything() {
            return Err("all resources have the same scopes: resource:*=SCOPE");
        }
        let hides = |(earlier, _): &(Pattern, _)| {
            earlier.kind() == pattern.kind() && earlier.is_everything()
        };
        if rules.iter().any(hides) {
            return Err("a rule comes after one that fits everything, which has to be the last");
        }
        let scopes = scopes.split(',').filter(|scope| !scope.is_empty());
        rules.push((pattern, scopes.map(str::to_owned).collect()));
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &'static str)]) -> Result<Settings, String> {
        Settings::read(|name| {
            let value = values.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| *value)
        })
    }

    #[test]
    fn a_url_is_all_that_is_needed() {
        let settings = read(&[("url", "https://example.com/mcp"), ("prefix", " ")]).unwrap();
        assert_eq!(settings.host(), "example.com");
        assert_eq!(settings.timeout, Duration::from_secs(60));
        assert!(matches!(settings.credentials, Credentials::None));
    }

    #[test]
    fn a_url_is_https_or_leaves_neither_the_machine_nor_the_application() {
        for url in [
            "https://example.com/mcp",
            "http://127.0.0.1:8000/mcp",
            "http://[::1]:8000/mcp",
            "http://localhost/mcp",
            "http://other.spin.internal/mcp",
        ] {
            assert!(read(&[("url", url)]).is_ok(), "{url}");
        }
        for url in [
            "http://example.com/mcp",
            "http://127.0.0.1.example.com/mcp",
            "http://localhost.example.com/mcp",
            "ftp://example.com",
            "example.com/mcp",
            "/mcp",
            "not a url",
        ] {
            assert!(
                read(&[("url", url)]).unwrap_err().contains("url: "),
                "{url}"
            );
        }
        assert!(read(&[("url", "http://example.com/mcp"), ("allow_http", "true")]).is_ok());
    }

    #[test]
    fn every_wrong_variable_is_named_and_none_is_repeated() {
        let problems = read(&[
            ("url", "https://user:hunter2@example.com/mcp"),
            ("credentials", "hunter2"),
            ("prefix", "hunter2 "),
            ("prefix", "ü"),
            ("scopes", "hunter2"),
            ("revision", "hunter2"),
            ("list_ttl", "0"),
            ("timeout", "hunter2"),
            ("max_bytes", "5242881"),
            ("allow_http", "hunter2"),
        ])
        .unwrap_err();
        for name in [
            "url",
            "credentials",
            "scopes",
            "revision",
            "list_ttl",
            "timeout",
            "max_bytes",
            "allow_http",
        ] {
            assert!(
                problems.contains(&format!("{name}: ")),
                "{name} in {problems}"
            );
        }
        assert!(!problems.contains("hunter2"), "{problems}");
        let missing = read(&[]).unwrap_err();
        assert!(missing.contains("url: it is missing"), "{missing}");
    }

    #[test]
    fn a_rule_that_can_never_apply_is_a_problem() {
        for (name, value) in [
            ("deny", "tool:delete_*"),
            ("allow", "get_* resources:*"),
            ("repeat", "prompt:x"),
            ("scopes", "tool:delete_*=admin"),
            ("scopes", "resource:file:*=admin"),
            ("scopes", "*=tools delete_*=admin"),
            ("scopes", "delete_*"),
        ] {
            let problem = read(&[("url", "https://example.com"), (name, value)]).unwrap_err();
            assert!(
                problem.contains(&format!("{name}: ")),
                "{name} {value}: {problem}"
            );
        }
        let rules = "delete_*=admin *=tools prompt:*=prompts resource:*=files";
        assert!(read(&[("url", "https://example.com"), ("scopes", rules)]).is_ok());
    }

    #[test]
    fn a_rule_gives_the_scopes_of_a_pattern() {
        let rules = "delete_*=tools.write,admin resource:*=files free_*=";
        let settings = read(&[("url", "https://example.com"), ("scopes", rules)]).unwrap();
        let rules: Vec<_> = settings
            .names
            .scopes
            .into_iter()
            .map(|(_, scopes)| scopes)
            .collect();
        assert_eq!(rules, [vec!["tools.write", "admin"], vec!["files"], vec![]]);
    }
}
