//! The configuration, validated.

use crate::credential::{Credentials, Secret, SecretIn, SecretLocation};
use crate::methods::METHODS;
use crate::pattern::{Pattern, Subject};
use crate::safe_url::{has_credentials, is_safe};
use http::{HeaderName, Method};
use std::fmt;
use std::time::Duration;
use url::Url;

/// What the variables say.
#[derive(Debug)]
pub struct Settings {
    /// Where the document is.
    pub document: Source,
    /// Where the API is, with a path that ends without a slash; the document says it if this is absent.
    pub base_url: Option<Url>,
    /// Which operations become tools.
    pub selection: Selection,
    /// What the API is shown.
    pub credentials: Credentials,
    /// The scopes of the tools.
    pub scopes: ScopeRules,
    /// Whether tools have output schemas.
    pub output_schemas: bool,
    /// Bytes of the document.
    pub max_document_bytes: usize,
    /// Bytes of a response.
    pub max_response_bytes: usize,
    /// For a request, with its response.
    pub timeout: Duration,
}

/// Where the document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// To be fetched.
    Url(Url),
    /// In the configuration itself.
    Text(String),
}

/// Which operations become tools.
#[derive(Debug)]
pub struct Selection {
    tags: Vec<String>,
    methods: Vec<Method>,
    allow: Vec<Pattern>,
    deny: Vec<Pattern>,
    /// How many tools at most.
    pub max_operations: usize,
}

impl Selection {
    /// Returns whether an operation with these tags is offered. An empty list allows everything, and `deny`
    /// counts more than the others.
    pub fn includes(&self, subject: Subject<'_>, tags: &[&str]) -> bool {
        self.methods.contains(subject.method)
            && (self.tags.is_empty()
                || tags
                    .iter()
                    .any(|tag| self.tags.iter().any(|own| own == tag)))
            && (self.allow.is_empty() || self.allow.iter().any(|pattern| pattern.fits(subject)))
            && !self.deny.iter().any(|pattern| pattern.fits(subject))
    }
}

/// Patterns of operations, each with scopes.
#[derive(Debug)]
pub struct ScopeRules(Vec<(Pattern, Vec<String>)>);

impl ScopeRules {
    /// Returns the scopes of the first pattern that fits; `tools` if none does.
    pub fn of(&self, subject: Subject<'_>) -> Vec<String> {
        self.0
            .iter()
            .find(|(pattern, _)| pattern.fits(subject))
            .map_or_else(|| vec!["tools".to_owned()], |(_, scopes)| scopes.clone())
    }
}

/// What is wrong with a variable, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    problem: String,
    remedy: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variable,
            problem,
            remedy,
        } = self;
        write!(f, "{variable}: {problem}. {remedy}")
    }
}

impl Settings {
    /// The variables that [`Settings::read`] asks for.
    pub const VARIABLES: &[&'static str] = &[
        "document",
        "base_url",
        "allow_http",
        "tags",
        "methods",
        "operations",
        "deny",
        "max_operations",
        "credentials",
        "secret",
        "secret_in",
        "scopes",
        "output_schemas",
        "max_document_bytes",
        "max_response_bytes",
        "timeout",
    ];

    /// Returns the patterns, each with its variable.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = (&'static str, &Pattern)> {
        let Selection { allow, deny, .. } = &self.selection;
        let scopes = self.scopes.0.iter().map(|(pattern, _)| ("scopes", pattern));
        let allow = allow.iter().map(|pattern| ("operations", pattern));
        allow
            .chain(deny.iter().map(|pattern| ("deny", pattern)))
            .chain(scopes)
    }

    /// Reads and checks every variable. A blank one counts as not set.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is. No problem repeats a value.
    pub fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let given = |name: &str| {
            values(name)
                .map(str::trim)
                .filter(|value| !value.is_empty())
        };
        let mut problems = Vec::new();
        let allow_http = or(
            &mut problems,
            boolean("allow_http", given("allow_http"), false),
            false,
        );
        let settings = Self {
            document: or(
                &mut problems,
                source(given("document")),
                Source::Text(String::new()),
            ),
            base_url: or(
                &mut problems,
                given("base_url")
                    .map(|value| base_url(value, allow_http))
                    .transpose(),
                None,
            ),
            selection: Selection {
                tags: list(given("tags"), ","),
                methods: or(&mut problems, methods(given("methods")), Vec::new()),
                allow: or(
                    &mut problems,
                    patterns("operations", given("operations")),
                    Vec::new(),
                ),
                deny: or(&mut problems, patterns("deny", given("deny")), Vec::new()),
                max_operations: or(
                    &mut problems,
                    number("max_operations", given("max_operations"), 128, 1..=1000),
                    0,
                ),
            },
            credentials: or(
                &mut problems,
                credentials(given("credentials"), given("secret"), given("secret_in")),
                Credentials::None,
            ),
            scopes: or(
                &mut problems,
                scope_rules(given("scopes")),
                ScopeRules(Vec::new()),
            ),
            output_schemas: or(
                &mut problems,
                boolean("output_schemas", given("output_schemas"), true),
                false,
            ),
            max_document_bytes: or(
                &mut problems,
                number(
                    "max_document_bytes",
                    given("max_document_bytes"),
                    4 * MIB,
                    1024..=32 * MIB,
                ),
                0,
            ),
            max_response_bytes: or(
                &mut problems,
                number(
                    "max_response_bytes",
                    given("max_response_bytes"),
                    MIB,
                    1024..=MAX_RESPONSE_BYTES,
                ),
                0,
            ),
            timeout: or(
                &mut problems,
                number("timeout", given("timeout"), 25, 1..=300),
                0,
            )
            .try_into()
            .map_or(Duration::ZERO, Duration::from_secs),
        };
        let has_credentials = !matches!(settings.credentials, Credentials::None);
        let is_fetched = matches!(settings.document, Source::Url(_));
        if has_credentials && is_fetched && given("base_url").is_none() {
            problems.push(Problem {
                variable: "base_url",
                problem: "it is not set, and credentials would go where the fetched document says"
                    .to_owned(),
                remedy: BASE_URL_REMEDY,
            });
        }
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(problems)
        }
    }
}

const MIB: usize = 1024 * 1024;

/// A result is text and structured content, and a tool server takes 16 MiB.
const MAX_RESPONSE_BYTES: usize = 6 * MIB;

/// Returns the value, or notes the problem and returns `fallback`, which is never used.
fn or<T>(problems: &mut Vec<Problem>, value: Result<T, Problem>, fallback: T) -> T {
    value.unwrap_or_else(|problem| {
        problems.push(problem);
        fallback
    })
}

fn source(value: Option<&str>) -> Result<Source, Problem> {
    let problem = |problem: &str| Problem {
        variable: "document",
        problem: problem.to_owned(),
        remedy: "Set it to the https URL of an OpenAPI document, or to its text",
    };
    let value = value.ok_or_else(|| problem("it is not set"))?;
    // JSON begins with a brace, and YAML has more than one line.
    if value.starts_with('{') || value.contains('\n') {
        return Ok(Source::Text(value.to_owned()));
    }
    let mut url = Url::parse(value).map_err(|_| problem("it is neither a URL nor a document"))?;
    if !is_safe(&url) {
        return Err(problem(
            "it does not start with https://, or has credentials in it",
        ));
    }
    url.set_fragment(None);
    Ok(Source::Url(url))
}

const BASE_URL_REMEDY: &str =
    "Set it to what the paths of the document are appended to, such as https://api.example.com/v1";

fn base_url(value: &str, allow_http: bool) -> Result<Url, Problem> {
    let problem = |problem: &str| Problem {
        variable: "base_url",
        problem: problem.to_owned(),
        remedy: BASE_URL_REMEDY,
    };
    let mut url = Url::parse(value).map_err(|_| problem("it is not a URL"))?;
    let is_allowed = allow_http && url.scheme() == "http" && !has_credentials(&url);
    if !is_allowed && !is_safe(&url) {
        return Err(problem(
            "it does not start with https:// (allow_http = true lets all on the way read along), or has credentials in it",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("there is a query or a fragment in it"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn list(value: Option<&str>, separator: &str) -> Vec<String> {
    value
        .unwrap_or_default()
        .split(separator)
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The methods that are offered if none are named: HEAD and OPTIONS say nothing that a model needs.
const DEFAULT_METHODS: [Method; 5] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::PATCH,
];

fn methods(value: Option<&str>) -> Result<Vec<Method>, Problem> {
    let Some(value) = value else {
        return Ok(DEFAULT_METHODS.to_vec());
    };
    value
        .split([' ', ','])
        .filter(|name| !name.is_empty())
        .map(|name| {
            let known = METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(name));
            known.cloned().ok_or_else(|| Problem {
                variable: "methods",
                problem: "there is a word in it that is no method of an operation".to_owned(),
                remedy: "Set it to some of GET PUT POST DELETE PATCH HEAD OPTIONS, with spaces between them",
            })
        })
        .collect()
}

fn patterns(variable: &'static str, value: Option<&str>) -> Result<Vec<Pattern>, Problem> {
    let patterns = value.unwrap_or_default().split_whitespace().enumerate();
    let read = patterns.map(|(n, text)| {
        Pattern::read(text).ok_or_else(|| Problem {
            variable,
            problem: format!(
                "pattern {} has a comma, or an unknown method before its colon",
                n + 1
            ),
            remedy: "Write patterns as in `get* DELETE:* /pets/*`, with spaces between them",
        })
    });
    read.collect()
}

fn scope_rules(value: Option<&str>) -> Result<ScopeRules, Problem> {
    let rules = value.unwrap_or_default().split_whitespace().enumerate().map(|(n, rule)| {
        let (pattern, scopes) = rule.rsplit_once('=').unwrap_or_default();
        let scopes: Vec<String> = scopes.split(',').map(str::to_owned).collect();
        let are_scopes = !pattern.is_empty() && scopes.iter().all(|scope| is_scope(scope));
        let pattern = Pattern::read(pattern).filter(|_| are_scopes);
        let pattern = pattern.ok_or_else(|| Problem {
            variable: "scopes",
            problem: format!("rule {} is no pattern with a scope", n + 1),
            remedy: "Write rules as in `get*=tools.read *=tools.write`, with spaces between them and commas between \
                     the scopes of one rule",
        })?;
        Ok((pattern, scopes))
    });
    rules.collect::<Result<_, _>>().map(ScopeRules)
}

/// Returns whether this is a scope-token (RFC 6749 section 3.3).
fn is_scope(scope: &str) -> bool {
    !scope.is_empty()
        && scope
            .bytes()
            .all(|c| c.is_ascii_graphic() && c != b'"' && c != b'\\')
}

fn number(
    variable: &'static str,
    value: Option<&str>,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, Problem> {
    let Some(value) = value else {
        return Ok(default);
    };
    value
        .parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| Problem {
            variable,
            problem: format!("it is no number from {} to {}", range.start(), range.end()),
            remedy: "Set it to such a number, or leave it out",
        })
}

fn boolean(variable: &'static str, value: Option<&str>, default: bool) -> Result<bool, Problem> {
    value.map_or(Ok(default), |value| {
        value.parse().map_err(|_| Problem {
            variable,
            problem: "it is neither true nor false".to_owned(),
            remedy: "Set it to `true` or `false`, or leave it out",
        })
    })
}

fn credentials(
    kind: Option<&str>,
    secret: Option<&str>,
    location: Option<&str>,
) -> Result<Credentials, Problem> {
    let unused = |variable| Problem {
        variable,
        problem: "it is set, but credentials is not `secret`".to_owned(),
        remedy: "Set credentials to `secret`, or leave this variable out",
    };
    let kind = kind.unwrap_or("none");
    if kind != "secret" {
        // A secret that is not used would make an operator believe that the API is called with it.
        if secret.is_some() {
            return Err(unused("secret"));
        }
        if location.is_some() {
            return Err(unused("secret_in"));
        }
    }
    match kind {
        "none" => Ok(Credentials::None),
        "upstream" => Ok(Credentials::Upstream),
        "secret" => {
            let secret = secret.and_then(Secret::read).ok_or_else(|| Problem {
                variable: "secret",
                problem: "it is not set, or no header could hold it".to_owned(),
                remedy: "Set it to the key or token of the API, as one line of ASCII; for `basic`, to user:password",
            })?;
            Ok(Credentials::Secret {
                secret,
                location: secret_in(location)?,
            })
        }
        _ => Err(Problem {
            variable: "credentials",
            problem: "it is not none, secret or upstream".to_owned(),
            remedy: "Set it to `secret` for one key of the operator's, or to `upstream` for the person's own token",
        }),
    }
}

fn secret_in(value: Option<&str>) -> Result<SecretIn, Problem> {
    let Some(value) = value else {
        return Ok(SecretIn::Document);
    };
    let named = |name: &str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_graphic());
    match value.split_once(':') {
        None if value == "bearer" => Ok(SecretIn::Fixed(SecretLocation::Bearer)),
        None if value == "basic" => Ok(SecretIn::Fixed(SecretLocation::Basic)),
        Some(("header", name)) => match name.trim().parse::<HeaderName>() {
            Ok(name) => Ok(SecretIn::Fixed(SecretLocation::Header(name))),
            Err(_) => Err(place_problem()),
        },
        Some(("query", name)) if named(name.trim()) => Ok(SecretIn::Fixed(SecretLocation::Query(
            name.trim().to_owned(),
        ))),
        Some(("cookie", name)) if SecretLocation::is_cookie_name(name.trim()) => Ok(
            SecretIn::Fixed(SecretLocation::Cookie(name.trim().to_owned())),
        ),
        Some(("scheme", name)) if !name.trim().is_empty() => {
            Ok(SecretIn::Scheme(name.trim().to_owned()))
        }
        _ => Err(place_problem()),
    }
}

fn place_problem() -> Problem {
    Problem {
        variable: "secret_in",
        problem: "it is no location for a secret".to_owned(),
        remedy: "Set it to `bearer`, `basic`, `header:NAME`, `query:NAME`, `cookie:NAME`, or `scheme:NAME` for a \
                 security scheme of the document",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let settings = Settings::read(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        });
        settings.map_err(|problems| problems.iter().map(Problem::to_string).collect())
    }

    fn with(variables: &[(&str, &str)]) -> Settings {
        let document = [("document", "{}")];
        read(&[&document, variables].concat()).unwrap()
    }

    fn subject<'a>(name: &'a str, method: &'a Method) -> Subject<'a> {
        Subject {
            name,
            operation_id: None,
            method,
            path: "/pets",
        }
    }

    #[test]
    fn only_the_document_has_to_be_set() {
        let settings = with(&[("base_url", " "), ("tags", "")]);
        assert!(settings.base_url.is_none());
        assert!(matches!(settings.credentials, Credentials::None));
        assert_eq!(settings.selection.max_operations, 128);
        assert_eq!(settings.timeout, Duration::from_secs(25));
        assert!(
            settings
                .selection
                .includes(subject("x", &Method::PATCH), &[])
        );
        assert!(
            !settings
                .selection
                .includes(subject("x", &Method::HEAD), &[])
        );
        assert_eq!(settings.scopes.of(subject("x", &Method::GET)), ["tools"]);
        let problems = read(&[]).unwrap_err();
        assert_eq!(
            problems,
            [
                "document: it is not set. Set it to the https URL of an OpenAPI document, or to its text"
            ]
        );
    }

    #[test]
    fn a_document_is_a_safe_url_or_a_text() {
        for (value, is_text) in [
            ("https://example.com/openapi.yaml#x", false),
            ("http://127.0.0.1:8080/openapi.json", false),
            ("http://crm.spin.internal/openapi.json", false),
            ("{\"openapi\":\"3.1.0\"}", true),
            ("openapi: 3.1.0\ninfo: {}", true),
        ] {
            let settings = read(&[("document", value)]).unwrap();
            assert_eq!(
                matches!(settings.document, Source::Text(_)),
                is_text,
                "{value}"
            );
        }
        for value in [
            "http://example.com/openapi.json",
            "https://user:word@example.com/",
            "file:///etc/passwd",
            "openapi.json",
        ] {
            assert_eq!(
                read(&[("document", value)]).unwrap_err().len(),
                1,
                "{value}"
            );
        }
    }

    #[test]
    fn every_problem_is_named_and_no_value_repeated() {
        let problems = read(&[
            ("document", "v4lue"),
            ("base_url", "ftp://v4lue"),
            ("methods", "GET v4lue"),
            ("max_operations", "0v4lue"),
            ("max_document_bytes", "1"),
            ("max_response_bytes", "999999999"),
            ("timeout", "-1"),
            ("credentials", "secret"),
            ("secret", "v4lue\nv4lue"),
            ("scopes", "get*=a =v4lue"),
            ("output_schemas", "v4lue"),
        ])
        .unwrap_err();
        let variables: Vec<_> = problems
            .iter()
            .filter_map(|p| p.split(':').next())
            .collect();
        let expected = [
            "document",
            "base_url",
            "methods",
            "max_operations",
            "secret",
            "scopes",
            "output_schemas",
            "max_document_bytes",
            "max_response_bytes",
            "timeout",
        ];
        assert_eq!(variables, expected);
        assert!(
            !problems.iter().any(|problem| problem.contains("v4lue")),
            "{problems:?}"
        );
    }

    #[test]
    fn a_base_url_ends_without_a_slash() {
        for (value, expected) in [
            ("https://a.example/v1/", "https://a.example/v1"),
            ("https://a.example", "https://a.example/"),
            ("http://127.0.0.1:8080//", "http://127.0.0.1:8080/"),
        ] {
            assert_eq!(
                with(&[("base_url", value)]).base_url.unwrap().as_str(),
                expected
            );
        }
        for value in [
            "https://a.example/?x",
            "https://a.example/#x",
            "https://u:p@a.example",
            "http://a.example",
            "a",
        ] {
            assert!(
                read(&[("document", "{}"), ("base_url", value)]).is_err(),
                "{value}"
            );
        }
    }

    #[test]
    fn http_elsewhere_is_allowed_by_a_variable_of_its_own() {
        let of = |base_url| {
            read(&[
                ("document", "{}"),
                ("allow_http", "true"),
                ("base_url", base_url),
            ])
        };
        assert!(of("http://a.example").is_ok());
        assert!(of("http://u:p@a.example").is_err() && of("ftp://a.example").is_err());
    }

    #[test]
    fn a_fetched_document_does_not_say_where_credentials_go() {
        let url = ("document", "https://docs.example/openapi.json");
        let upstream = ("credentials", "upstream");
        let base = ("base_url", "https://api.example");
        let problems = read(&[url, upstream]).unwrap_err();
        assert!(
            problems[0].starts_with("base_url: it is not set"),
            "{problems:?}"
        );
        assert!(read(&[url, upstream, base]).is_ok());
        assert!(read(&[("document", "{}"), upstream]).is_ok());
        assert!(read(&[url]).is_ok());
    }

    #[test]
    fn a_pattern_that_denies_nothing_by_mistake_is_a_problem() {
        for (variable, value) in [
            ("deny", "delet:*"),
            ("deny", "a*, b*"),
            ("operations", "get*,list*"),
            ("scopes", "gett:*=a"),
            ("scopes", "a,b=a"),
        ] {
            let problems = read(&[("document", "{}"), (variable, value)]).unwrap_err();
            assert!(problems[0].starts_with(variable), "{problems:?}");
        }
        let settings = with(&[("deny", "delete:*")]);
        let delete = subject("x", &Method::DELETE);
        assert!(!settings.selection.includes(delete, &[]));
    }

    #[test]
    fn operations_are_selected_and_denied() {
        let settings = with(&[
            ("tags", "User Management, pets"),
            ("methods", "get, Post"),
            ("operations", "list* add*"),
            ("deny", "*All POST:addUser"),
        ]);
        let includes =
            |name, method, tags| settings.selection.includes(subject(name, method), tags);
        assert!(includes("listPets", &Method::GET, &["other", "pets"]));
        assert!(includes("addPet", &Method::POST, &["User Management"]));
        assert!(!includes("listPets", &Method::GET, &["users"]));
        assert!(!includes("listPets", &Method::GET, &[]));
        assert!(!includes("listPets", &Method::DELETE, &["pets"]));
        assert!(!includes("getPet", &Method::GET, &["pets"]));
        assert!(!includes("listAll", &Method::GET, &["pets"]));
        assert!(!includes("addUser", &Method::POST, &["pets"]));
    }

    #[test]
    fn the_first_rule_that_fits_gives_the_scopes() {
        let settings = with(&[(
            "scopes",
            "GET:*=tools.read drop*=tools.write,admin *=tools.write",
        )]);
        let scopes = |name, method| settings.scopes.of(subject(name, method));
        assert_eq!(scopes("dropAll", &Method::GET), ["tools.read"]);
        assert_eq!(scopes("dropAll", &Method::DELETE), ["tools.write", "admin"]);
        assert_eq!(scopes("add", &Method::POST), ["tools.write"]);
        for wrong in ["get*", "=x", "a=", "a=x,,y", "a=\"x\"", "a=é"] {
            assert!(
                read(&[("document", "{}"), ("scopes", wrong)]).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_secret_goes_where_the_operator_says() {
        let location = |value| match with(&[
            ("credentials", "secret"),
            ("secret", "s3cret"),
            ("secret_in", value),
        ])
        .credentials
        {
            Credentials::Secret { location, .. } => location,
            other => panic!("{other:?}"),
        };
        assert_eq!(location(""), SecretIn::Document);
        assert_eq!(location("bearer"), SecretIn::Fixed(SecretLocation::Bearer));
        assert_eq!(location("basic"), SecretIn::Fixed(SecretLocation::Basic));
        let header = SecretLocation::Header(HeaderName::from_static("x-api-key"));
        assert_eq!(location("header:X-Api-Key"), SecretIn::Fixed(header));
        assert_eq!(
            location("query:key"),
            SecretIn::Fixed(SecretLocation::Query("key".to_owned()))
        );
        assert_eq!(
            location("cookie:sid"),
            SecretIn::Fixed(SecretLocation::Cookie("sid".to_owned()))
        );
        assert_eq!(
            location("scheme:ApiKey"),
            SecretIn::Scheme("ApiKey".to_owned())
        );
        for wrong in [
            "header",
            "header:",
            "header:a b",
            "query:",
            "cookie:a=b",
            "form:x",
            "Bearer",
        ] {
            let variables = [
                ("document", "{}"),
                ("credentials", "secret"),
                ("secret", "x"),
                ("secret_in", wrong),
            ];
            assert!(read(&variables).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_that_is_not_used_is_a_problem() {
        for variables in [
            [("document", "{}"), ("secret", "x"), ("credentials", "")],
            [
                ("document", "{}"),
                ("secret", "x"),
                ("credentials", "upstream"),
            ],
            [
                ("document", "{}"),
                ("secret_in", "bearer"),
                ("credentials", "none"),
            ],
            [
                ("document", "{}"),
                ("secret", ""),
                ("credentials", "secret"),
            ],
            [
                ("document", "{}"),
                ("secret", ""),
                ("credentials", "password"),
            ],
        ] {
            assert_eq!(read(&variables).unwrap_err().len(), 1, "{variables:?}");
        }
    }

    #[test]
    fn settings_do_not_show_the_secret() {
        let settings = with(&[("credentials", "secret"), ("secret", "s3cret")]);
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
