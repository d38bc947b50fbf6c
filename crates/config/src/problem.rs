//! A fault in the configuration.

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
    /// Returns a problem of `variable`.
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

    /// Returns the environment variable that sets it on Spin.
    pub fn environment_variable(&self) -> String {
        format!("SPIN_VARIABLE_{}", self.variable.to_ascii_uppercase())
    }
}
