//! Whose tokens clients bring.

use crate::{DescopeProject, Problem, non_empty};

/// Who the authorization server is, of the MCP endpoint as the protected resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationServer {
    /// This application: it registers clients, asks people, and issues tokens of its own.
    BuiltIn,
    /// An identity provider's own: this application is a protected resource and nothing else.
    External(External),
}

/// An authorization server that is not ours. Whether a token is its, the identity component says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// The value of the variable: which provider it is.
    pub mode: &'static str,
    /// The issuer identifier (RFC 8414 section 2).
    pub issuer: String,
}

impl AuthorizationServer {
    /// The variables that [`AuthorizationServer::read`] asks for.
    pub const VARIABLES: &[&'static str] = &[
        VARIABLE,
        "descope_base_url",
        "descope_project_id",
        "descope_mcp_server_id",
    ];

    /// Reads which one it is, and for an external one what its issuer follows from.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is.
    pub fn read<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Problem>> {
        match non_empty(values, VARIABLE).unwrap_or(BUILT_IN) {
            BUILT_IN => Ok(Self::BuiltIn),
            DESCOPE => Ok(Self::External(External {
                mode: DESCOPE,
                issuer: DescopeProject::read(values)?.issuer(),
            })),
            _ => Err(vec![Problem::new(
                VARIABLE,
                "it is not a known authorization server",
                "Set it to built-in, where this server issues tokens of its own, or to descope, where clients sign in at Descope itself",
            )]),
        }
    }

    /// Returns the external one, if it is one.
    pub fn external(&self) -> Option<&External> {
        match self {
            Self::BuiltIn => None,
            Self::External(external) => Some(external),
        }
    }
}

const VARIABLE: &str = "authorization_server";
const BUILT_IN: &str = "built-in";
const DESCOPE: &str = "descope";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &'static str)]) -> Result<AuthorizationServer, Vec<Problem>> {
        AuthorizationServer::read(&|name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value)
        })
    }

    #[test]
    fn it_is_our_own_unless_another_is_named() {
        for value in ["", " built-in "] {
            let read = read(&[(VARIABLE, value), ("descope_project_id", "not/read")]);
            assert_eq!(read, Ok(AuthorizationServer::BuiltIn));
        }
    }

    #[test]
    fn descope_is_named_by_its_issuer_and_needs_the_project() {
        let mode = (VARIABLE, "descope");
        let known = read(&[mode, ("descope_project_id", "P1")]).unwrap();
        let external = known.external().unwrap();
        assert_eq!(external.issuer, "https://api.descope.com/v1/apps/P1");
        let problems = read(&[mode]).unwrap_err();
        assert_eq!(problems[0].variable, "descope_project_id");
    }

    #[test]
    fn a_word_for_no_authorization_server_is_refused_and_not_repeated() {
        let problems = read(&[(VARIABLE, "bad-value")]).unwrap_err();
        assert_eq!(problems[0].variable, VARIABLE);
        assert!(!format!("{problems:?}").contains("bad-value"));
    }
}
