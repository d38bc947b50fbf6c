//! Responses of a server whose configuration is wrong: a page for browsers, JSON for programs. Both name
//! the variables and what to do, and no value.

use config::Problem;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue};
use http::{HeaderMap, StatusCode};
use maud::html;
use web::{Page, Response, with_header};

/// Returns the page for a browser, and JSON for any other client.
pub fn respond(problems: &[Problem], headers: &HeaderMap) -> Response {
    if web::wants_html(headers) {
        page(problems)
    } else {
        json(problems)
    }
}

/// Returns the page.
pub fn page(problems: &[Problem]) -> Response {
    Page::new(
        "This server is not set up yet",
        html! {
            h1 { "This server is not set up yet" }
            p { "Its operator has to correct its configuration. You did nothing wrong." }
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

/// Returns the OAuth error `server_error`. A web page of any origin may read it, so that it can show
/// its user the reason.
pub fn json(problems: &[Problem]) -> Response {
    let text = problems
        .iter()
        .map(|problem| format!("{problem} ({}).", problem.environment_variable()))
        .collect::<Vec<_>>()
        .join(" ");
    let response = web::json(
        StatusCode::INTERNAL_SERVER_ERROR,
        &serde_json::json!({
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
        for response in [page(&problems), json(&problems)] {
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
