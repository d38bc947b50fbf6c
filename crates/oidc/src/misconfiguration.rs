//! Errors about variables.

use config::Problem;
use identity::Error;

/// Returns the error that names every one of `problems`.
pub fn of_all(problems: &[Problem]) -> Error {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Error::Misconfigured(texts.join("; "))
}

/// Returns the error about one variable, as [`Problem::new`] has it.
pub fn of(variable: &'static str, problem: impl Into<String>, remedy: impl Into<String>) -> Error {
    Error::Misconfigured(Problem::new(variable, problem, remedy).to_string())
}
