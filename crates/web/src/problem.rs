//! What people and programs read when the configuration is wrong.

use crate::{Page, Response, json, with_header};
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue};
use maud::html;
use serde_json::json;

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

/// The page that names every variable that is missing or wrong and what to do, and no value.
pub fn problem_page(problems: &[Problem]) -> Response {
    Page::new(
        "This server is not set up yet",
        html! {
            h1 { "This server is not set up yet" }
            p { "Whoever runs it has something to put right. Nothing is wrong on your side." }
            @for problem in problems {
                section.note {
                    h2 { code { (problem.variable) } }
                    p { (problem.problem) "." }
                    p { (problem.remedy) "." }
                    p { "Environment variable: " code { (problem.environment_variable()) } }
                }
            }
        },
    )
    .status(StatusCode::INTERNAL_SERVER_ERROR)
    .into_response()
}

/// The same for programs: `server_error` as OAuth spells it. A page of any origin may read it, or it
/// could not tell its user more than that nobody is there.
pub fn problem_json(problems: &[Problem]) -> Response {
    let text = problems
        .iter()
        .map(|problem| format!("{problem} ({}).", problem.environment_variable()))
        .collect::<Vec<_>>()
        .join(" ");
    let response = json(
        StatusCode::INTERNAL_SERVER_ERROR,
        &json!({
            "error": "server_error",
            "error_description": format!("This server is not set up yet. {text}"),
        }),
    );
    with_header(
        response,
        ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http_body_util::BodyExt;

    #[test]
    fn a_problem_names_the_variable_the_environment_variable_and_the_remedy() {
        let problems = [Problem::new("public_url", "it is not set", "Set it")];
        for response in [problem_page(&problems), problem_json(&problems)] {
            assert_eq!(response.status(), 500);
            let body = block_on(response.into_body().collect()).unwrap().to_bytes();
            let text = String::from_utf8_lossy(&body).into_owned();
            for part in [
                "public_url",
                "SPIN_VARIABLE_PUBLIC_URL",
                "it is not set",
                "Set it",
            ] {
                assert!(text.contains(part), "{part} is missing in {text}");
            }
        }
    }
}
