//! The shell of every HTML page.

use crate::Response;
use crate::headers::{ContentSecurityPolicy, secure};
use crate::respond::respond;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// A page: self-contained, no foreign hosts, no frames, no script but the one it names.
///
/// The body's markup goes into `main`; it starts with the page's `h1`. The style sheet knows, beside
/// plain elements: `.lead` and `.small` text; `.note`, `.warning` boxes; `.facts` (a `dl` of name and
/// value); `.choices` (a row of buttons or links); `.button` and `button`, with `.quiet` for the
/// lesser one; `.bullets`, `.cards` and `.card`; `.wide` on `main` through [`Page::wide`].
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    body: Markup,
    status: StatusCode,
    policy: ContentSecurityPolicy,
    style: &'static str,
    script: Option<&'static str>,
    wide: bool,
}

impl Page {
    /// Returns a page with this title. It answers 200, has no script, no form that leads anywhere, and is
    /// not cached.
    pub fn new(title: impl Into<String>, body: Markup) -> Self {
        Self {
            title: title.into(),
            body,
            status: StatusCode::OK,
            policy: ContentSecurityPolicy::default(),
            style: "",
            script: None,
            wide: false,
        }
    }

    /// Answers with another status.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Lets forms, and every redirect that follows them, lead to `source`: `'self'`, an origin, or a
    /// scheme with its colon.
    pub fn form_action(mut self, source: &str) -> Self {
        self.policy.form_action(source);
        self
    }

    /// Lets forms, and the redirects that follow them, lead anywhere. For a form that only this server can have
    /// written, and whose redirects are not known beforehand: Chromium holds every
    /// redirect after a form to `form-action`, however many hosts later, and stops at the first that
    /// is not listed.
    pub fn any_form_action(mut self) -> Self {
        self.policy.any_form_action();
        self
    }

    /// Lets the page show images of an origin.
    pub fn image_source(mut self, origin: &str) -> Self {
        self.policy.image_source(origin);
        self
    }

    /// Adds to the style sheet what this page alone needs.
    pub fn style(mut self, style: &'static str) -> Self {
        self.style = style;
        self
    }

    /// Adds an inline script, allowed by its hash. The page must work without it.
    pub fn script(mut self, script: &'static str) -> Self {
        self.policy.script(&hash(script));
        self.script = Some(script);
        self
    }

    /// Gives the page the width of a document instead of that of a dialog.
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Returns the response.
    pub fn into_response(self) -> Response {
        let Self {
            title,
            body,
            status,
            mut policy,
            style,
            script,
            wide,
        } = self;
        let style = format!("{STYLE}{style}");
        policy.style(&hash(&style));
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    link rel="icon" href=(ICON);
                    style { (PreEscaped(style)) }
                }
                body {
                    header { p.brand { (mark()) "Gatehouse" } }
                    main.wide[wide] { (body) }
                    @if let Some(script) = script {
                        script { (PreEscaped(script)) }
                    }
                }
            }
        };
        let mut response = respond(
            status,
            "text/html; charset=utf-8",
            markup.into_string().into(),
        );
        secure(response.headers_mut(), &policy);
        response
    }
}

/// Returns a gate between two towers.
fn mark() -> Markup {
    html! {
        svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false" {
            path fill="currentColor" d="M3 6h3v3h3V6h3v6h8V6h3v3h3V6h3v20h-9v-5a4 4 0 0 0-8 0v5H3z" {}
        }
    }
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

const STYLE: &str = include_str!("style.css");

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath fill='%23356859' d='M3 6h3v3h3V6h3v6h8V6h3v3h3V6h3v20h-9v-5a4 4 0 0 0-8 0v5H3z'/%3E%3C/svg%3E";

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use http_body_util::BodyExt;

    fn text(response: Response) -> String {
        let body = block_on(response.into_body().collect()).unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_policy_allows_exactly_the_style_and_script_that_the_page_has() {
        let response = Page::new("t", html! {})
            .style("b > i { color: red; }")
            .script("let a = 1 < 2")
            .into_response();
        let policy = response.headers()["content-security-policy"].clone();
        let policy = policy.to_str().unwrap().to_owned();
        let page = text(response);
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let inside = page
                .split_once(&format!("<{element}>"))
                .and_then(|(_, rest)| rest.split_once(&format!("</{element}>")))
                .map(|(inside, _)| inside)
                .unwrap();
            assert!(policy.contains(&format!("{directive} '{}'", hash(inside))));
        }
    }

    #[test]
    fn a_page_has_the_form_action_directive_unless_it_is_told_otherwise() {
        let policy = |page: Page| {
            let response = page.into_response();
            let value = response.headers()["content-security-policy"].clone();
            value.to_str().unwrap().to_owned()
        };
        let page = || Page::new("t", html! {});
        assert!(policy(page()).contains("form-action 'none'"));
        assert!(!policy(page().any_form_action()).contains("form-action"));
    }

    #[test]
    fn what_others_say_of_themselves_is_escaped() {
        let page = text(
            Page::new(
                "<script>",
                html! { p title=("\"><script>") { ("<script>") } },
            )
            .into_response(),
        );
        assert!(!page.contains("<script>"));
    }

    #[test]
    fn a_page_names_no_foreign_host() {
        let page = text(Page::new("t", html! {}).into_response());
        let hosts = page.matches("://").count();
        let namespaces = page.matches("xmlns='http://www.w3.org").count();
        assert_eq!(hosts, namespaces);
    }
}
