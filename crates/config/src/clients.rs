//! Clients (RFC 6749 section 2): configured ones, and the ways by which others become known.

use crate::{MIN_TOKEN_CHARS, Problem, PublicUrl, is_loopback, non_empty, read_bool};
use oauth::redirect_uri::PrivateUse;
use oauth::{Client, pre_registered, secret};
use url::Url;

/// Who may register a client (RFC 7591 section 1.3).
#[derive(Clone, PartialEq, Eq)]
pub enum Registration {
    /// Anybody.
    Open,
    /// Callers with the initial access token of this [`hash`](secret::hash).
    Token(String),
    /// No caller.
    Off,
}

/// The rules for clients.
pub struct Clients {
    /// Who may register.
    pub registration: Registration,
    /// The clients that the operator has configured.
    pub pre_registered: Vec<Client>,
    /// Whether clients may be described by metadata documents: the component that fetches them is there.
    pub documents: bool,
    /// Where else than at public https hosts metadata documents may be fetched, for development.
    pub documents_origin: Option<String>,
    /// Which private-use schemes the redirect URIs of clients may have that the operator has not configured.
    pub private_use: PrivateUse,
}

impl Clients {
    /// Returns the own `scope` of the configured client `client_id`, if it is one and has one.
    pub fn scope_of(&self, client_id: &str) -> Option<&str> {
        let configured = self.pre_registered.iter();
        let mut known = configured.filter(|client| client.client_id == client_id);
        known.next()?.metadata.scope.as_deref()
    }

    /// Reads the rules. `public_url` says where the server is, if that is known, and `scopes` are the
    /// scopes that exist, if they are known; what depends on them is read by the other reader.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is.
    pub(crate) fn read<'a>(
        values: &impl Fn(&str) -> Option<&'a str>,
        public_url: Option<&PublicUrl>,
        scopes: Option<&[String]>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut note = |problem| problems.push(problem);
        let registration = read_registration(values).map_err(&mut note);
        let documents = read_documents(values).map_err(&mut note);
        let documents_origin = read_origin(values, public_url).map_err(&mut note);
        let origin = documents_origin.as_ref().ok().and_then(Option::as_deref);
        let pre_registered =
            read_clients(values, scopes.unwrap_or_default(), origin).map_err(&mut note);
        let private_use = read_private_use(values).map_err(&mut note);
        let read = || {
            Some(Self {
                registration: registration.ok()?,
                pre_registered: pre_registered.ok()?,
                documents: documents.ok()?,
                documents_origin: documents_origin.ok()?,
                private_use: private_use.ok()?,
            })
        };
        read().ok_or(problems)
    }
}

/// Returns the origin that `client_metadata_origin` adds to where metadata documents may be fetched, for
/// the component that fetches them and has no key: it reads this and `public_url`.
///
/// # Errors
///
/// A [`Problem`] of either variable.
pub fn documents_origin<'a>(
    values: impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<String>, Problem> {
    let public_url = PublicUrl::read(&values)?;
    read_origin(&values, Some(&public_url))
}

fn read_registration<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Registration, Problem> {
    match non_empty(values, "registration").unwrap_or("open") {
        "open" => Ok(Registration::Open),
        "off" => Ok(Registration::Off),
        "token" => {
            let token = non_empty(values, "registration_token").unwrap_or_default();
            if token.len() < MIN_TOKEN_CHARS {
                return Err(Problem::new(
                    "registration_token",
                    format!(
                        "registration is `token`, and this is not set or has fewer than {MIN_TOKEN_CHARS} characters"
                    ),
                    "Set it to what `openssl rand -hex 32` prints, and give that to those who may register clients",
                ));
            }
            Ok(Registration::Token(secret::hash(token)))
        }
        _ => Err(Problem::new(
            "registration",
            "it is not `open`, `token` or `off`",
            "Set it to `open` for any client, to `token` for those that show registration_token, or to `off`",
        )),
    }
}

/// Honoured on a loopback address alone: anywhere else a stranger's identifier would have the
/// server call itself and its neighbours.
fn read_origin<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
    public_url: Option<&PublicUrl>,
) -> Result<Option<String>, Problem> {
    const NAME: &str = "client_metadata_origin";
    let Some(value) = non_empty(values, NAME) else {
        return Ok(None);
    };
    let is_public = public_url
        .and_then(PublicUrl::configured)
        .and_then(|base| Url::parse(base.as_str()).ok())
        .is_some_and(|url| !is_loopback(&url));
    if is_public {
        return Err(Problem::new(
            NAME,
            "it is set, and public_url is not a loopback address",
            "Leave it out: it is for development on one machine",
        ));
    }
    Url::parse(value)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && is_loopback(url))
        .map(|url| url.origin().ascii_serialization())
        .filter(|origin| origin == value.trim_end_matches('/'))
        .map(Some)
        .ok_or_else(|| {
            Problem::new(
                NAME,
                "it is not an origin on a loopback address",
                "Set it to an origin such as http://127.0.0.1:4000, or leave it out",
            )
        })
}

fn read_documents<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<bool, Problem> {
    let remedy = "Set it to false where the component client-metadata is not there";
    read_bool(values, "client_metadata", true, remedy)
}

fn read_private_use<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<PrivateUse, Problem> {
    let remedy =
        "Set it to false to refuse clients whose redirect URIs open an app by a scheme of its own";
    let is_listed = read_bool(values, "private_use_schemes", true, remedy)?;
    Ok(if is_listed {
        PrivateUse::Listed
    } else {
        PrivateUse::Off
    })
}

fn read_clients<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
    scopes: &[String],
    origin: Option<&str>,
) -> Result<Vec<Client>, Problem> {
    let Some(text) = non_empty(values, "clients") else {
        return Ok(Vec::new());
    };
    pre_registered::read(text, scopes, origin).map_err(|error| {
        Problem::new(
            "clients",
            error.to_string(),
            "Set it to a JSON array of clients as the README shows",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn read(pairs: &[(&str, &'static str)]) -> Result<Clients, Vec<Problem>> {
        let value = |name: &str| {
            pairs
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        let public_url = PublicUrl::read(value).unwrap();
        Clients::read(&value, Some(&public_url), Some(&[]))
    }

    fn problem(pairs: &[(&str, &'static str)]) -> Problem {
        let problems = read(pairs).err().unwrap_or_default();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn registration_is_open_unless_told_otherwise() {
        let registration = |pairs: &[_]| read(pairs).ok().map(|clients| clients.registration);
        assert!(registration(&[]) == Some(Registration::Open));
        assert!(registration(&[("registration", "off")]) == Some(Registration::Off));
        let pairs = [("registration", "token"), ("registration_token", TOKEN)];
        let Some(Registration::Token(hash)) = registration(&pairs) else {
            panic!("no token");
        };
        assert_eq!(hash, secret::hash(TOKEN));
    }

    #[test]
    fn a_guarded_registration_needs_a_token_that_cannot_be_guessed() {
        for token in ["", "short"] {
            let pairs = [("registration", "token"), ("registration_token", token)];
            let problem = problem(&pairs);
            assert_eq!(problem.variable, "registration_token");
            assert!(!problem.to_string().contains("short"));
        }
        assert_eq!(
            problem(&[("registration", "closed")]).variable,
            "registration"
        );
    }

    #[test]
    fn private_use_schemes_are_taken_unless_they_are_switched_off() {
        let private_use = |pairs: &[_]| read(pairs).ok().map(|clients| clients.private_use);
        assert_eq!(private_use(&[]), Some(PrivateUse::Listed));
        let off = private_use(&[("private_use_schemes", "false")]);
        assert_eq!(off, Some(PrivateUse::Off));
        let wrong = problem(&[("private_use_schemes", "off")]);
        assert_eq!(wrong.variable, "private_use_schemes");
    }

    #[test]
    fn an_origin_for_documents_is_a_loopback_one_and_only_on_a_loopback_server() {
        let origin = ("client_metadata_origin", "http://127.0.0.1:4000");
        for public_url in ["", "http://127.0.0.1:3000", "http://localhost:3000/"] {
            let clients = read(&[origin, ("public_url", public_url)]).ok();
            assert_eq!(
                clients
                    .and_then(|clients| clients.documents_origin)
                    .as_deref(),
                Some("http://127.0.0.1:4000")
            );
        }
        let public = [origin, ("public_url", "https://mcp.example.com")];
        assert_eq!(problem(&public).variable, "client_metadata_origin");
        for value in [
            "http://10.0.0.1",
            "https://app.example",
            "127.0.0.1:4000",
            "http://127.0.0.1:4000/path",
            "http://127.0.0.1.example",
            "http://me@127.0.0.1:4000",
        ] {
            let problem = problem(&[("client_metadata_origin", value)]);
            assert_eq!(problem.variable, "client_metadata_origin", "{value}");
        }
    }

    #[test]
    fn configured_clients_are_read_and_what_is_wrong_is_named_without_the_value() {
        let good = r#"[{"client_id":"a","redirect_uris":["https://a.example/cb"]}]"#;
        let clients = read(&[("clients", good)]).ok();
        assert_eq!(clients.map(|clients| clients.pre_registered.len()), Some(1));
        let bad = r#"[{"client_id":"a","redirect_uris":["https://a.example/cb"]},{"client_id":"b","client_secret":"s3cret","redirect_uris":["https://a.example/cb"]}]"#;
        let problem = problem(&[("clients", bad)]);
        assert_eq!(problem.variable, "clients");
        let text = problem.to_string();
        assert!(
            text.contains("entry 2") && text.contains("client_secret"),
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
    }
}
