//! Pages: sign-in, errors, and a description of the server. Plain HTML, no script, nothing from other hosts.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

use crate::app::Shared;
use crate::config::TokenIssuer;

/// What the sign-in page shows.
pub(crate) struct SignIn<'a> {
    /// The application that asks.
    pub(crate) client_id: &'a str,
    /// Where the browser goes afterwards.
    pub(crate) redirect_host: &'a str,
    /// What it asks for.
    pub(crate) scopes: &'a [String],
    /// The query of the authorization request, which comes back with the form.
    pub(crate) request: &'a str,
    /// The suggested name.
    pub(crate) name: &'a str,
    /// The suggested email address.
    pub(crate) email: &'a str,
    /// What was wrong with the form.
    pub(crate) problem: Option<Problem>,
}

/// The field that was wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The name.
    Name,
    /// The email address.
    Email,
}

/// Returns the sign-in page: status 200, or 422 when it comes back with a problem.
pub(crate) fn sign_in(view: &SignIn<'_>) -> Response {
    let mut scopes = String::new();
    for scope in view.scopes {
        let _ = write!(scopes, "<li><code>{}</code></li>", escape(scope));
    }
    let name = field(
        "name",
        "Name",
        "text",
        view.name,
        (view.problem == Some(Problem::Name)).then_some("Enter a name of at most 200 characters."),
    );
    let email = field(
        "email",
        "Email",
        "email",
        view.email,
        (view.problem == Some(Problem::Email))
            .then_some("Enter an email address such as developer@example.com."),
    );
    let body = format!(
        r#"<h1>Sign in</h1>
<p><strong>{client}</strong> asks who you are. You will go back to <strong>{host}</strong>.</p>
<form method="post" action="/emulator/sign-in">
<input type="hidden" name="request" value="{request}">
{name}
{email}
<p class="label" id="scopes">It asks for</p>
<ul class="scopes" aria-labelledby="scopes">{scopes}</ul>
<div class="actions">
<button type="submit" name="decision" value="allow">Sign in</button>
<button type="submit" name="decision" value="deny" class="quiet" formnovalidate>Deny</button>
</div>
</form>"#,
        client = escape(view.client_id),
        host = escape(view.redirect_host),
        request = escape(view.request),
    );
    let (status, title) = match view.problem {
        None => (StatusCode::OK, "Sign in"),
        Some(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Error: sign in"),
    };
    document(status, title, &body)
}

/// Returns a page that says why a login cannot go on.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    let body = format!(
        "<h1>This login cannot go on</h1>\n<p>{}</p>\n<p>Go back to the application and start again. If it stays this \
         way, compare the application's Descope settings with the emulator's.</p>",
        escape(message)
    );
    document(status, "This login cannot go on", &body)
}

/// `GET /`: what answers here.
pub(crate) async fn home(State(app): State<Shared>) -> Response {
    let inbound = app.issuer(TokenIssuer::InboundApp);
    let openid = app.issuer(TokenIssuer::OpenId);
    let body = format!(
        r#"<h1>Descope emulator</h1>
<p>This server answers the OAuth requests that an application would send to Descope.</p>
<dl>
<dt>Base URL</dt><dd><code>{base}</code></dd>
<dt>Project</dt><dd><code>{project}</code></dd>
<dt>Metadata</dt><dd><a href="{inbound}/.well-known/openid-configuration">openid-configuration</a></dd>
<dt>Another provider, which is not Descope</dt><dd><a href="{openid}/.well-known/openid-configuration">openid-configuration</a></dd>
</dl>"#,
        base = escape(&app.base_url),
        project = escape(&app.config.project_id),
        inbound = escape(&inbound),
        openid = escape(&openid),
    );
    document(StatusCode::OK, "Descope emulator", &body)
}

/// `GET /emulator/style.css`.
pub(crate) async fn style() -> Response {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, css)], STYLE).into_response()
}

fn field(name: &str, label: &str, kind: &str, value: &str, problem: Option<&str>) -> String {
    let value = escape(value);
    let (state, message) = match problem {
        Some(problem) => (
            format!(r#" aria-invalid="true" aria-describedby="{name}-problem" autofocus"#),
            format!(
                r#"<p class="problem" id="{name}-problem">{}</p>"#,
                escape(problem)
            ),
        ),
        None => (String::new(), String::new()),
    };
    format!(
        r#"<label for="{name}">{label}</label>
<input id="{name}" name="{name}" type="{kind}" value="{value}" autocomplete="{name}" required{state}>
{message}"#
    )
}

fn document(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} - Descope emulator</title>
<link rel="stylesheet" href="/emulator/style.css">
</head>
<body>
<p class="banner" role="note"><strong>Local emulator.</strong> This stands in for an identity provider on your machine. There is no password: anyone who opens this page can sign in as anyone.</p>
<main>
{body}
</main>
</body>
</html>
"#,
        title = escape(title),
    );
    let no_store = HeaderValue::from_static("no-store");
    (status, [(header::CACHE_CONTROL, no_store)], Html(html)).into_response()
}

/// `text` for HTML text and quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_leaves_no_way_out_of_text_or_a_quoted_attribute() {
        assert_eq!(
            escape(r#"<a href="x" title='y'>&amp;"#),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;"
        );
    }
}
