//! The configuration of Descope, validated.

use config::{DescopeProject, Problem};
use oidc::DEFAULT_SCOPES;

/// What the variables say, each half with every [`Problem`] it has. Tokens can be verified with the
/// first half alone.
pub struct Settings {
    /// Whose tokens are good.
    pub project: Result<Project, Vec<Problem>>,
    /// As whom to sign people in.
    pub app: Result<App, Vec<Problem>>,
}

/// The Descope project, and the names that its tokens may give this server.
#[derive(Clone, Debug)]
pub struct Project {
    /// Without a trailing slash.
    pub base_url: String,
    /// As the Descope console shows it.
    pub id: String,
    /// The MCP server that stands for us in the project, if it is configured.
    pub mcp_server_id: Option<String>,
    /// The client id of our inbound app, if there is one.
    pub client_id: Option<String>,
    /// Our own base URL without a trailing slash, if it is configured.
    pub public_url: Option<String>,
}

/// How we sign people in.
#[derive(Clone)]
pub struct App {
    /// What proves at the token endpoint that it is us.
    pub credentials: Credentials,
    /// The scopes to ask for, with spaces between them.
    pub scopes: String,
}

/// Both of Descope's credential styles.
#[derive(Clone)]
pub enum Credentials {
    /// An inbound app's: form fields of the token request (RFC 6749 section 2.3.1).
    Client {
        /// The client id.
        id: String,
        /// The client secret.
        secret: String,
    },
    /// The project's: the project id is the client id, and the key goes with it into the
    /// `Authorization` header.
    ManagementKey(String),
}

impl Settings {
    /// The variables that [`Settings::read`] asks for.
    pub const VARIABLES: &[&'static str] = &[
        "descope_base_url",
        "descope_project_id",
        "descope_mcp_server_id",
        "descope_client_id",
        "descope_client_secret",
        "descope_management_key",
        "descope_scopes",
        "public_url",
    ];

    /// Reads and checks every variable. A blank one counts as not set.
    pub fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Self {
        let given = |name: &str| {
            values(name)
                .map(str::trim)
                .filter(|value| !value.is_empty())
        };
        Self {
            project: Project::read(&given),
            app: App::read(&given),
        }
    }

    /// Returns every problem of both halves.
    pub fn problems(&self) -> Vec<Problem> {
        let project = self.project.as_ref().err();
        let app = self.app.as_ref().err();
        [project, app]
            .into_iter()
            .flatten()
            .flatten()
            .cloned()
            .collect()
    }
}

impl Project {
    fn read<'a>(given: &impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let DescopeProject {
            base_url,
            id,
            mcp_server_id,
        } = DescopeProject::read(given)?;
        Ok(Self {
            base_url,
            id,
            mcp_server_id,
            client_id: given("descope_client_id").map(ToOwned::to_owned),
            public_url: given("public_url").map(|url| url.trim_end_matches('/').to_owned()),
        })
    }

    /// Returns the client that is ours alone. The project's own id, which stands for the client where a
    /// management key is used, is everyone's who has such a key: a token that was issued to it says
    /// nothing of whom it was issued for.
    pub fn own_client_id(&self) -> Option<&str> {
        self.client_id.as_deref().filter(|id| *id != self.id)
    }

    /// Returns where the project's public keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/{}/.well-known/jwks.json", self.base_url, self.id)
    }
}

impl App {
    fn read<'a>(given: &impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let credentials = read_credentials(given);
        let scopes = read_scopes(given("descope_scopes").unwrap_or(DEFAULT_SCOPES));
        match (credentials, scopes) {
            (Ok(credentials), Ok(scopes)) => Ok(Self {
                credentials,
                scopes,
            }),
            (credentials, scopes) => Err([credentials.err(), scopes.err()]
                .into_iter()
                .flatten()
                .collect()),
        }
    }

    /// Returns the client id that we have at `project`.
    pub fn client_id<'a>(&'a self, project: &'a Project) -> &'a str {
        match &self.credentials {
            Credentials::Client { id, .. } => id,
            Credentials::ManagementKey(_) => &project.id,
        }
    }
}

impl Credentials {
    /// Returns the variable that holds the secret half.
    pub(crate) fn secret_variable(&self) -> &'static str {
        match self {
            Self::Client { .. } => "descope_client_secret",
            Self::ManagementKey(_) => "descope_management_key",
        }
    }
}

fn read_credentials<'a>(given: &impl Fn(&str) -> Option<&'a str>) -> Result<Credentials, Problem> {
    const WHERE: &str = "Copy both from your inbound app in the Descope console, or set descope_management_key instead";
    let client_id = given("descope_client_id");
    let client_secret = given("descope_client_secret");
    let management_key = given("descope_management_key");
    for (name, value) in [
        ("descope_client_id", client_id),
        ("descope_client_secret", client_secret),
        ("descope_management_key", management_key),
    ] {
        if value.is_some_and(|value| {
            value.len() > 1024 || !value.bytes().all(|byte| byte.is_ascii_graphic())
        }) {
            return Err(Problem::new(
                name,
                "it is too long, or has a character that credentials do not have",
                "Copy it again from the Descope console",
            ));
        }
    }
    match (client_id, client_secret, management_key) {
        (Some(id), Some(secret), _) => Ok(Credentials::Client {
            id: id.to_owned(),
            secret: secret.to_owned(),
        }),
        (None, None, Some(key)) => Ok(Credentials::ManagementKey(key.to_owned())),
        (Some(_), None, _) => Err(Problem::new(
            "descope_client_secret",
            "it is not set, but descope_client_id is",
            WHERE,
        )),
        (None, Some(_), _) => Err(Problem::new(
            "descope_client_id",
            "it is not set, but descope_client_secret is",
            WHERE,
        )),
        (None, None, None) => Err(Problem::new(
            "descope_client_id",
            "it is not set, and neither is descope_management_key",
            "Set descope_client_id and descope_client_secret to those of an inbound app of your Descope project, or descope_management_key to a management key of it",
        )),
    }
}

fn read_scopes(value: &str) -> Result<String, Problem> {
    let scopes: Vec<&str> = value.split_whitespace().collect();
    // RFC 6749 section 3.3; a comma in a scope is a wrong separator.
    let fits = scopes.iter().all(|scope| {
        scope
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b','))
    });
    if fits {
        Ok(scopes.join(" "))
    } else {
        Err(Problem::new(
            "descope_scopes",
            "a scope in it has a character that scopes cannot have",
            "List scopes that are defined on the Descope app with spaces between them, such as openid profile email",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &'static str)]) -> Settings {
        Settings::read(|name| {
            values
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        })
    }

    fn named(settings: &Settings) -> Vec<&'static str> {
        settings
            .problems()
            .iter()
            .map(|problem| problem.variable)
            .collect()
    }

    #[test]
    fn either_kind_of_credentials_is_enough_with_the_project_id() {
        let client = read(&[
            ("descope_project_id", " P123 "),
            ("descope_client_id", "app=="),
            ("descope_client_secret", "s3cret"),
        ]);
        assert!(named(&client).is_empty());
        let project = client.project.unwrap();
        assert_eq!(project.base_url, "https://api.descope.com");
        assert_eq!(
            project.jwks_url(),
            "https://api.descope.com/P123/.well-known/jwks.json"
        );
        let app = client.app.unwrap();
        assert_eq!(app.client_id(&project), "app==");
        assert_eq!(app.scopes, "openid profile email");

        let key = read(&[
            ("descope_project_id", "P123"),
            ("descope_management_key", "K1"),
        ]);
        assert!(named(&key).is_empty());
        let project = key.project.unwrap();
        assert_eq!(key.app.unwrap().client_id(&project), "P123");
    }

    #[test]
    fn the_project_id_is_needed_with_either_kind_of_credentials() {
        let client = read(&[("descope_client_id", "app"), ("descope_client_secret", "s")]);
        assert_eq!(named(&client), ["descope_project_id"]);
        let text = client.problems()[0].to_string();
        assert!(text.contains("either kind of credentials"), "{text}");
        assert_eq!(
            named(&read(&[("descope_management_key", "K")])),
            ["descope_project_id"]
        );
    }

    #[test]
    fn half_of_the_credentials_names_the_other_half() {
        let project = ("descope_project_id", "P1");
        assert_eq!(
            named(&read(&[project, ("descope_client_id", "a")])),
            ["descope_client_secret"]
        );
        assert_eq!(
            named(&read(&[project, ("descope_client_secret", "a")])),
            ["descope_client_id"]
        );
        assert_eq!(named(&read(&[project])), ["descope_client_id"]);
    }

    #[test]
    fn every_bad_variable_is_named_and_no_value_repeated() {
        let settings = read(&[
            ("descope_base_url", "http://bad.example"),
            ("descope_project_id", "bad/value"),
            ("descope_client_id", "app"),
            ("descope_client_secret", "bad value"),
            ("descope_scopes", "bad,value"),
        ]);
        assert_eq!(
            named(&settings),
            [
                "descope_base_url",
                "descope_project_id",
                "descope_client_secret",
                "descope_scopes"
            ]
        );
        assert!(!format!("{:?}", settings.problems()).contains("bad"));
    }

    #[test]
    fn the_base_url_is_an_https_origin_or_a_loopback_one() {
        for good in [
            "https://auth.example.com/",
            "http://127.0.0.1:3001",
            "http://localhost:1",
        ] {
            let settings = read(&[("descope_base_url", good), ("descope_project_id", "P1")]);
            assert_eq!(
                settings.project.unwrap().base_url,
                good.trim_end_matches('/')
            );
        }
        for bad in [
            "api.descope.com",
            "http://api.descope.com",
            "https://api.descope.com/v1",
            "https://me@api.descope.com",
            "https://api.descope.com/?a",
        ] {
            let settings = read(&[("descope_base_url", bad), ("descope_project_id", "P1")]);
            assert!(settings.project.is_err(), "{bad}");
        }
    }
}
