//! Reading and checking the application's variables, in one place.
//!
//! The components read them once per instance; `cargo xtask doctor` and `up` read them before
//! anything starts. Both get the same [`Problem`]s, which name a variable and never its value.

mod authorization_server;
mod consent;
mod descope;
mod operator;
mod server;
mod site;

pub use authorization_server::{AuthorizationServer, External};
pub use descope::{DESCOPE, DescopeProject};
pub use operator::AdminToken;
pub use server::Server;
pub use site::{Base, Site, is_loopback};

/// What is wrong with the configuration, and what to do about it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable}: {problem}. {remedy}")]
pub struct Problem {
    /// The name of the variable, as `spin.toml` has it.
    pub variable: &'static str,
    /// What is wrong, without the value.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Problem {
    /// A problem of `variable`.
    pub fn new(
        variable: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            variable,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The environment variable that sets it on Spin.
    pub fn environment_variable(&self) -> String {
        format!("SPIN_VARIABLE_{}", self.variable.to_ascii_uppercase())
    }
}

/// The value of a variable, if it is there and not blank.
fn given<'a>(values: &impl Fn(&str) -> Option<&'a str>, name: &str) -> Option<&'a str> {
    values(name)
        .map(str::trim)
        .filter(|value| !value.is_empty())
}
