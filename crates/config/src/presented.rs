//! Tokens of the identity provider that a client presents to the MCP endpoint in place of ours.

use crate::scopes::read_some;
use crate::{Problem, non_empty};
use oauth::scope::UPSTREAM_TOKEN;

/// Which of them are taken, and what they may do. Where the provider is the authorization server,
/// its rules hold and this does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Which of them are taken.
    pub tokens: PresentedTokens,
    /// The scopes that they have here: the provider knows none of ours.
    pub scopes: Vec<String>,
}

/// Which tokens of the identity provider are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentedTokens {
    /// Access tokens that a person allowed, and that were issued for this server: to our own client,
    /// or with a resource of ours in their audience.
    Own,
    /// Besides, access tokens of any client of the provider, and people's sessions.
    Project,
    /// None.
    Off,
}

impl Presented {
    /// Reads both variables. `existing` are the scopes that exist, if that is known.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is.
    pub(crate) fn read<'a>(
        values: &impl Fn(&str) -> Option<&'a str>,
        existing: Option<&[String]>,
    ) -> Result<Self, Vec<Problem>> {
        let tokens = PresentedTokens::read(values);
        let scopes = read_some(values, "presented_scopes", existing);
        match (tokens, scopes) {
            (Ok(tokens), Ok(scopes)) => Ok(Self {
                tokens,
                scopes: scopes.unwrap_or_else(|| tokens.scopes(existing.unwrap_or_default())),
            }),
            (tokens, scopes) => Err([tokens.err(), scopes.err()].into_iter().flatten().collect()),
        }
    }
}

impl PresentedTokens {
    fn read<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<Self, Problem> {
        const NAME: &str = "presented_tokens";
        match non_empty(values, NAME).unwrap_or("own") {
            "own" => Ok(Self::Own),
            "project" => Ok(Self::Project),
            "off" => Ok(Self::Off),
            _ => Err(Problem::new(
                NAME,
                "it is not `own`, `project` or `off`",
                "Set it to `own` for tokens that the identity provider issued for this server, to `off` for none; `project` takes those that it issued for others too",
            )),
        }
    }

    /// Returns the scopes of such tokens where no variable lists them.
    fn scopes(self, existing: &[String]) -> Vec<String> {
        let mut scopes = existing.to_vec();
        match self {
            Self::Own => {}
            // One that was issued for something else is not handed to a tool.
            Self::Project => scopes.retain(|scope| scope != UPSTREAM_TOKEN),
            Self::Off => scopes.clear(),
        }
        scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tokens: &'static str, scopes: &'static str) -> Result<Presented, Vec<Problem>> {
        let existing = ["tools", "userinfo", "upstream_token"].map(str::to_owned);
        let values = |name: &str| match name {
            "presented_tokens" => Some(tokens),
            "presented_scopes" => Some(scopes),
            _ => None,
        };
        Presented::read(&values, Some(&existing))
    }

    #[test]
    fn presented_tokens_are_our_own_with_every_scope_by_default() {
        let presented = read("", "").unwrap();
        assert_eq!(presented.tokens, PresentedTokens::Own);
        assert_eq!(presented.scopes, ["tools", "userinfo", "upstream_token"]);
    }

    #[test]
    fn tokens_of_the_project_do_not_have_the_upstream_token_by_default() {
        let presented = read("project", "").unwrap();
        assert_eq!(presented.tokens, PresentedTokens::Project);
        assert_eq!(presented.scopes, ["tools", "userinfo"]);
        let named = read("project", "upstream_token").unwrap();
        assert_eq!(named.scopes, ["upstream_token"]);
    }

    #[test]
    fn each_wrong_variable_about_presented_tokens_is_named() {
        let named = |tokens, scopes| {
            let problems = read(tokens, scopes).unwrap_err();
            assert!(!format!("{problems:?}").contains("bad-value"));
            problems
                .iter()
                .map(|problem| problem.variable)
                .collect::<Vec<_>>()
        };
        let both = ["presented_tokens", "presented_scopes"];
        assert_eq!(named("bad-value", "tools bad-value"), both);
        assert_eq!(named("off", "profile"), both[1..]);
    }
}
