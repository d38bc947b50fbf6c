//! The configuration of the authorization server and the MCP server.

use crate::admin_token::read_admin_token;
use crate::consent::read_show_logos;
use crate::http_sse::{HTTP_SSE, read_http_sse};
use crate::origins::read_origins;
use crate::policy::read_policy;
use crate::redis_url::{RedisUrl, read_redis_url};
use crate::scopes::{read_default_scopes, read_scopes};
use crate::store_settings::{read_key_prefix, read_keys};
use crate::tools::read_tools;
use crate::{
    AdminToken, AuthorizationServer, Clients, Presented, Problem, PublicUrl, dpop, non_empty,
};
use events::{Kind, Kinds, UnknownKind};
use http::HeaderName;
use http::header::FORWARDED;
use keys::KeyRing;
use policy::Policy;

/// The configuration of the components that hold keys.
pub struct Server {
    /// Where the server is.
    pub public_url: PublicUrl,
    /// Whose tokens clients bring.
    pub authorization_server: AuthorizationServer,
    /// Every key.
    pub keys: KeyRing,
    /// What every key in the key-value store starts with.
    pub key_prefix: String,
    /// The Redis that holds the store; `None`: Spin's key-value store.
    pub redis_url: Option<RedisUrl>,
    /// The scopes that exist (RFC 6749 section 3.3), in the order in which pages list them.
    pub scopes: Vec<String>,
    /// The scopes of a request that asks for none of [`Server::scopes`].
    pub default_scopes: Vec<String>,
    /// Who may come in, and with which scopes.
    pub policy: Policy,
    /// Which tokens of the identity provider are taken besides ours, and what they may do.
    pub presented: Presented,
    /// Seconds that an access token lives.
    pub access_token_lifetime: u64,
    /// Seconds that a grant lives, and so its refresh tokens.
    pub grant_lifetime: u64,
    /// Seconds for which a refresh token is answered again after its successor was issued.
    pub refresh_grace: u64,
    /// How many clients may register in an hour.
    pub registrations_per_hour: u64,
    /// How many of them may come from one client address.
    pub registrations_per_source: u64,
    /// The header whose last entry is the client's address, where a proxy adds one; `None`: the
    /// address of the connection.
    pub client_address_header: Option<HeaderName>,
    /// Which clients there are, and who may register.
    pub clients: Clients,
    /// Whether proofs of possession need a nonce of ours.
    pub dpop_nonces: bool,
    /// Origins, besides our own, whose pages may call the MCP endpoint.
    pub allowed_origins: Vec<String>,
    /// Whether HTTP+SSE is offered.
    pub http_sse: bool,
    /// The components whose tools are offered: ids in the manifest, and [`COMPOSED`](crate::COMPOSED).
    pub tools: Vec<String>,
    /// Seconds for which an instance trusts that a grant is active, and the state of a session, after it read that from the
    /// store; 0: it reads for every request.
    pub grant_check: u64,
    /// Seconds that a call of a tool may take.
    pub call_timeout: u64,
    /// Seconds after which a stream of the MCP endpoint is closed, to be gone on with on another
    /// connection; `None`: when it is over.
    pub stream_seconds: Option<u64>,
    /// Bytes of a message to the MCP endpoint at most.
    pub message_limit: usize,
    /// Whether the consent page shows a client's logo, which the browser fetches from its host.
    pub show_logos: bool,
    /// How an operator shows who they are, if there is one.
    pub admin_token: Option<AdminToken>,
    /// Which events are written to the log.
    pub events: Kinds,
    /// What is wrong and was left out, because leaving it out opens nothing and the rest can be served:
    /// `cargo xtask up` and `doctor` refuse it, and a component logs it.
    pub left_out: Vec<Problem>,
}

impl Server {
    /// The variables that [`Server::read`] asks for. A component reads those of them that it is
    /// [granted](crate::granted).
    pub const VARIABLES: &[&'static str] = &[
        "public_url",
        "encryption_key",
        "key_prefix",
        "redis_url",
        "scopes",
        "default_scopes",
        "allowed",
        "scope_rules",
        "presented_tokens",
        "presented_scopes",
        "access_token_lifetime",
        "grant_lifetime",
        "refresh_grace",
        "registrations_per_hour",
        "registrations_per_source",
        "client_address_header",
        "dpop_nonces",
        "allowed_origins",
        HTTP_SSE,
        "tools",
        "grant_check",
        "call_timeout",
        "stream_seconds",
        "message_limit",
        "authorization_server",
        "descope_base_url",
        "descope_project_id",
        "descope_mcp_server_id",
        "show_logos",
        "admin_token",
        "events",
        "registration",
        "registration_token",
        "client_metadata",
        "client_metadata_origin",
        "clients",
        "private_use_schemes",
    ];

    /// Reads and checks every variable. One that is blank, or that the manifest does not grant to
    /// a component because it does not use it, has its default; only the key has none.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is, so that they can be mended in one go.
    pub fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let public_url = note(PublicUrl::read(&values), &mut problems);
        let keys = note(read_keys(&values), &mut problems);
        let key_prefix = note(read_key_prefix(&values), &mut problems);
        let redis_url = note(read_redis_url(&values), &mut problems);
        let scopes = note(read_scopes(&values), &mut problems);
        let existing = scopes.as_deref();
        let default_scopes = note(read_default_scopes(&values, existing), &mut problems);
        let policy = read_policy(&values, existing)
            .map_err(|found| problems.extend(found))
            .ok();
        let presented = Presented::read(&values, existing)
            .map_err(|found| problems.extend(found))
            .ok();
        let access_token_lifetime = note(ACCESS_TOKEN_LIFETIME.read(&values), &mut problems);
        let grant_lifetime = note(GRANT_LIFETIME.read(&values), &mut problems);
        let refresh_grace = note(REFRESH_GRACE.read(&values), &mut problems);
        let registrations_per_hour = note(REGISTRATIONS_PER_HOUR.read(&values), &mut problems);
        let registrations_per_source = note(REGISTRATIONS_PER_SOURCE.read(&values), &mut problems);
        let client_address_header = note(read_client_address_header(&values), &mut problems);
        let dpop_nonces = note(dpop::read_nonces(&values), &mut problems);
        let (allowed_origins, left_out) = read_origins(&values);
        problems.extend(left_out.iter().cloned());
        let http_sse = note(read_http_sse(&values), &mut problems);
        let tools = note(read_tools(&values), &mut problems);
        let grant_check = note(GRANT_CHECK.read(&values), &mut problems);
        let call_timeout = note(CALL_TIMEOUT.read(&values), &mut problems);
        let stream_seconds = note(STREAM_SECONDS.read_optional(&values), &mut problems);
        let message_limit = note(MESSAGE_LIMIT.read(&values), &mut problems);
        let authorization_server = AuthorizationServer::read(&values)
            .map_err(|found| problems.extend(found))
            .ok();
        let show_logos = note(read_show_logos(&values), &mut problems);
        let admin_token = note(read_admin_token(&values), &mut problems);
        let events = note(read_events(&values), &mut problems);
        let clients = Clients::read(&values, public_url.as_ref(), scopes.as_deref())
            .map_err(|more| problems.extend(more))
            .ok();
        let read = || {
            Some(Self {
                public_url: public_url?,
                authorization_server: authorization_server?,
                keys: keys?,
                key_prefix: key_prefix?,
                redis_url: redis_url?,
                scopes: scopes?,
                default_scopes: default_scopes?,
                policy: policy?,
                presented: presented?,
                access_token_lifetime: access_token_lifetime?,
                grant_lifetime: grant_lifetime?,
                refresh_grace: refresh_grace?,
                registrations_per_hour: registrations_per_hour?,
                registrations_per_source: registrations_per_source?,
                client_address_header: client_address_header?,
                clients: clients?,
                dpop_nonces: dpop_nonces?,
                allowed_origins,
                http_sse: http_sse?,
                tools: tools?,
                grant_check: grant_check?,
                call_timeout: call_timeout?,
                stream_seconds: stream_seconds?,
                message_limit: usize::try_from(message_limit?).ok()?,
                show_logos: show_logos?,
                admin_token: admin_token?,
                events: events?,
                left_out,
            })
        };
        read().ok_or(problems)
    }
}

/// Returns the value, or its problem noted down.
fn note<T>(read: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    read.map_err(|problem| problems.push(problem)).ok()
}

/// A variable that is a whole number.
struct Number {
    name: &'static str,
    what: &'static str,
    default: u64,
    least: u64,
    most: u64,
}

const DAY: u64 = 86_400;

const ACCESS_TOKEN_LIFETIME: Number = Number {
    name: "access_token_lifetime",
    what: "seconds",
    default: 900,
    least: 60,
    most: DAY,
};

const GRANT_LIFETIME: Number = Number {
    name: "grant_lifetime",
    what: "seconds",
    default: 90 * DAY,
    least: 3600,
    most: 366 * DAY,
};

/// Less than the least would end the grants of clients that send a refresh twice at once.
const REFRESH_GRACE: Number = Number {
    name: "refresh_grace",
    what: "seconds",
    default: 120,
    least: 10,
    most: 3600,
};

const REGISTRATIONS_PER_HOUR: Number = Number {
    name: "registrations_per_hour",
    what: "registrations",
    default: 1000,
    least: 1,
    most: 1_000_000_000,
};

const REGISTRATIONS_PER_SOURCE: Number = Number {
    name: "registrations_per_source",
    what: "registrations",
    default: 50,
    least: 1,
    most: 1_000_000_000,
};

const GRANT_CHECK: Number = Number {
    name: "grant_check",
    what: "seconds",
    default: 1,
    least: 0,
    most: 60,
};

const CALL_TIMEOUT: Number = Number {
    name: "call_timeout",
    what: "seconds",
    default: 60,
    least: 1,
    most: DAY,
};

const STREAM_SECONDS: Number = Number {
    name: "stream_seconds",
    what: "seconds",
    default: 25,
    least: 1,
    most: DAY,
};

const MESSAGE_LIMIT: Number = Number {
    name: "message_limit",
    what: "bytes",
    default: 1024 * 1024,
    least: 1024,
    most: 64 * 1024 * 1024,
};

impl Number {
    /// Returns the number, if there is one.
    fn read_optional<'a>(
        &self,
        values: &impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Option<u64>, Problem> {
        non_empty(values, self.name)
            .map(|_| self.read(values))
            .transpose()
    }

    fn read<'a>(&self, values: &impl Fn(&str) -> Option<&'a str>) -> Result<u64, Problem> {
        let Some(value) = non_empty(values, self.name) else {
            return Ok(self.default);
        };
        let number = value.parse().ok();
        number
            .filter(|number| (self.least..=self.most).contains(number))
            .ok_or_else(|| {
                let Self {
                    what, least, most, ..
                } = self;
                Problem::new(
                    self.name,
                    format!("it is not a number of {what} from {least} to {most}"),
                    format!(
                        "Set it to such a number; {} if you are not sure",
                        self.default
                    ),
                )
            })
    }
}

fn read_client_address_header<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<HeaderName>, Problem> {
    const NAME: &str = "client_address_header";
    let Some(value) = non_empty(values, NAME) else {
        return Ok(None);
    };
    let name = HeaderName::from_bytes(value.as_bytes()).ok();
    // `Forwarded` (RFC 7239) has parameters, and Spin's own is read without a proxy.
    name.filter(|name| *name != FORWARDED && !name.as_str().starts_with("spin-"))
        .map(Some)
        .ok_or_else(|| {
            Problem::new(
                NAME,
                "it is not the name of a header that lists addresses",
                "Set it to the header in which your proxy adds the client's address, such as x-forwarded-for; leave it out without a proxy",
            )
        })
}

fn read_events<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<Kinds, Problem> {
    const NAME: &str = "events";
    Kinds::parse(non_empty(values, NAME).unwrap_or("all")).map_err(|UnknownKind| {
        let names: Vec<_> = Kind::ALL.into_iter().map(Kind::name).collect();
        Problem::new(
            NAME,
            "it is neither `all` nor `none`, and has a word in it that is not a kind of event",
            format!(
                "Set it to `all`, to `none`, or to some of these with spaces between them: {}",
                names.join(" ")
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn read(changes: &[(&str, &'static str)]) -> Result<Server, Vec<Problem>> {
        Server::read(|name| {
            let changed = changes.iter().find(|(changed, _)| *changed == name);
            Some(changed.map_or_else(
                || match name {
                    "encryption_key" => KEY,
                    "scopes" => "tools userinfo",
                    _ => "",
                },
                |(_, value)| value,
            ))
        })
    }

    #[test]
    fn the_defaults_are_enough_with_a_key() {
        let server = read(&[]).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(server.key_prefix, "gatehouse:");
        assert_eq!(server.redis_url, None);
        assert_eq!(server.scopes, ["tools", "userinfo"]);
        assert_eq!(server.default_scopes, server.scopes);
        assert_eq!(server.access_token_lifetime, 900);
        assert!(server.allowed_origins.is_empty());
        assert_eq!(server.grant_check, 1);
        assert_eq!((server.call_timeout, server.message_limit), (60, 1_048_576));
        assert_eq!(server.stream_seconds, None);
    }

    #[test]
    fn every_bad_variable_is_named_at_once_and_no_value_repeated() {
        let problems = read(&[
            ("public_url", "http://mcp.example.com/bad-value"),
            ("encryption_key", "bad-value"),
            ("key_prefix", "bad-value/"),
            ("redis_url", "http://x:bad-value@y"),
            ("scopes", "bad-value,b"),
            ("default_scopes", "bad-value,b"),
            ("allowed", "bad-value"),
            ("scope_rules", "bad-value"),
            ("presented_tokens", "bad-value"),
            ("presented_scopes", "bad-value,b"),
            ("access_token_lifetime", "bad-value"),
            ("grant_lifetime", "1"),
            ("refresh_grace", "9"),
            ("refresh_grace", "3601"),
            ("registrations_per_hour", "-1"),
            ("registrations_per_source", "0"),
            ("client_address_header", "bad-value:"),
            ("dpop_nonces", "bad-value"),
            ("allowed_origins", "bad-value"),
            ("http_sse", "bad-value"),
            ("tools", "bad-value bad-value"),
            ("grant_check", "61"),
            ("call_timeout", "0"),
            ("stream_seconds", "0"),
            ("message_limit", "bad-value"),
            ("authorization_server", "descope"),
            ("descope_base_url", "bad-value"),
            ("descope_project_id", "bad-value/"),
            ("descope_mcp_server_id", "bad-value/"),
            ("show_logos", "bad-value"),
            ("admin_token", "bad-value"),
            ("events", "bad-value"),
            ("registration", "token"),
            ("registration_token", "bad-value"),
            ("client_metadata", "bad-value"),
            ("client_metadata_origin", "bad-value"),
            ("clients", "bad-value"),
            ("private_use_schemes", "bad-value"),
        ])
        .err()
        .unwrap_or_default();
        let named: Vec<_> = problems.iter().map(|problem| problem.variable).collect();
        // These are good as they are; what they ask for is not there.
        let mut expected = Server::VARIABLES.to_vec();
        expected.retain(|name| !matches!(*name, "authorization_server" | "registration"));
        assert_eq!(named, expected);
        assert!(!format!("{problems:?}").contains("bad-value"));
    }

    #[test]
    fn the_client_address_header_is_one_that_lists_addresses() {
        let header = |value| {
            let server = read(&[("client_address_header", value)]).ok()?;
            Some(server.client_address_header?.as_str().to_owned())
        };
        assert_eq!(
            header("X-Forwarded-For").as_deref(),
            Some("x-forwarded-for")
        );
        assert_eq!(header(""), None);
        for value in ["Forwarded", "spin-client-addr", "two words"] {
            assert!(
                read(&[("client_address_header", value)]).is_err(),
                "{value}"
            );
        }
    }

    #[test]
    fn an_origin_that_is_none_is_left_out_and_told_and_the_rest_is_served() {
        let server = read(&[("allowed_origins", "https://a.example bad-value")]);
        let server = server.unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(server.allowed_origins, ["https://a.example"]);
        let told: Vec<_> = server.left_out.iter().map(|left| left.variable).collect();
        assert_eq!(told, ["allowed_origins"]);
        assert!(!format!("{:?}", server.left_out).contains("bad-value"));
        let good = read(&[("allowed_origins", "app://obsidian.md")]);
        assert!(good.is_ok_and(|server| server.left_out.is_empty()));
    }
}
