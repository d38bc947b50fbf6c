//! Public settings of the Descope project: its id and base URL, without secrets.

use crate::{Problem, non_empty};
use url::Url;

/// Descope's own address, where no other is configured.
pub const DESCOPE: &str = "https://api.descope.com";

/// A Descope project: which keys sign its tokens, and which issuers they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescopeProject {
    /// Descope's address without a trailing slash.
    pub base_url: String,
    /// As the Descope console shows it.
    pub id: String,
    /// The MCP server that stands for this one in the project, if it is configured.
    pub mcp_server_id: Option<String>,
}

impl DescopeProject {
    /// The variables that [`DescopeProject::read`] asks for.
    pub const VARIABLES: &[&'static str] = &[
        "descope_base_url",
        "descope_project_id",
        "descope_mcp_server_id",
    ];

    /// Reads and checks every variable. A blank one counts as not set; only the project id has to
    /// be.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is.
    pub fn read<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        let base_url = read_base_url(non_empty(values, "descope_base_url").unwrap_or(DESCOPE));
        let id = read_project_id(non_empty(values, "descope_project_id"));
        let mcp_server_id = non_empty(values, "descope_mcp_server_id")
            .map(read_mcp_server_id)
            .transpose();
        match (base_url, id, mcp_server_id) {
            (Ok(base_url), Ok(id), Ok(mcp_server_id)) => Ok(Self {
                base_url,
                id,
                mcp_server_id,
            }),
            (base_url, id, mcp_server_id) => Err([base_url.err(), id.err(), mcp_server_id.err()]
                .into_iter()
                .flatten()
                .collect()),
        }
    }

    /// Returns the issuer that clients sign in at: that of the MCP server, or else that of the project's
    /// inbound apps.
    pub fn issuer(&self) -> String {
        let Self { base_url, id, .. } = self;
        match &self.mcp_server_id {
            Some(server) => format!("{base_url}/v1/apps/agentic/{id}/{server}"),
            None => format!("{base_url}/v1/apps/{id}"),
        }
    }
}

fn read_base_url(value: &str) -> Result<String, Problem> {
    let problem = |problem| {
        Problem::new(
            "descope_base_url",
            problem,
            "Set it to https://api.descope.com or to the custom domain of your Descope project",
        )
    };
    let url = Url::parse(value).map_err(|_| problem("it is not a URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if crate::is_loopback(&url) => {}
        _ => return Err(problem("it does not start with https://")),
    }
    let is_origin = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_origin {
        return Err(problem(
            "there is more in it than a scheme, a host and a port",
        ));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The project id becomes part of paths, and of an `Authorization` header in front of a colon.
fn read_project_id(value: Option<&str>) -> Result<String, Problem> {
    let problem = |problem| {
        Problem::new(
            "descope_project_id",
            problem,
            "Copy the project id (it starts with P) from Project Settings in the Descope console; it is needed with either kind of credentials, because it names the keys and the issuer of Descope's tokens",
        )
    };
    let id = value.ok_or_else(|| problem("it is not set"))?;
    if is_id(id) {
        Ok(id.to_owned())
    } else {
        Err(problem(
            "it has a character that project ids do not have, or is too long",
        ))
    }
}

fn read_mcp_server_id(id: &str) -> Result<String, Problem> {
    if is_id(id) {
        return Ok(id.to_owned());
    }
    Err(Problem::new(
        "descope_mcp_server_id",
        "it has a character that the ids of MCP servers do not have, or is too long",
        "Copy the last part of the issuer (it starts with MS) from the MCP server's page in the Descope console",
    ))
}

fn is_id(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &'static str)]) -> Result<DescopeProject, Vec<Problem>> {
        DescopeProject::read(&|name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value)
        })
    }

    #[test]
    fn the_issuer_is_the_mcp_servers_where_one_is_named_and_else_the_projects() {
        let project = ("descope_project_id", "P1");
        assert_eq!(
            read(&[project]).unwrap().issuer(),
            "https://api.descope.com/v1/apps/P1"
        );
        let named = read(&[
            project,
            ("descope_base_url", "https://auth.example.com/"),
            ("descope_mcp_server_id", "MS1"),
        ]);
        assert_eq!(
            named.unwrap().issuer(),
            "https://auth.example.com/v1/apps/agentic/P1/MS1"
        );
    }

    #[test]
    fn every_bad_variable_is_named_and_no_value_repeated() {
        let problems = read(&[
            ("descope_base_url", "http://bad.example"),
            ("descope_project_id", "bad/value"),
            ("descope_mcp_server_id", "bad/../value"),
        ])
        .unwrap_err();
        let named: Vec<_> = problems.iter().map(|problem| problem.variable).collect();
        assert_eq!(named, DescopeProject::VARIABLES);
        assert!(!format!("{problems:?}").contains("bad"));
    }
}
