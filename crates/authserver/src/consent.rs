//! The consent page: the client, the scopes it asks for, and where the code goes.

use crate::remembered_consents::may_be_remembered;
use crate::sign_in::PendingConsent;
use config::BaseUrl;
use maud::{Markup, html};
use oauth::look_alike::{self, Oddity, Ours};
use oauth::redirect_uri::{Destination, destination};
use oauth::{Client, scope};
use web::{Page, Response};

/// What the page is made of.
pub(crate) struct Consent<'a> {
    /// Who asks.
    pub(crate) client: &'a Client,
    /// For what.
    pub(crate) pending: &'a PendingConsent,
    /// The same, sealed for the browser.
    pub(crate) sealed: &'a str,
    /// Where we are.
    pub(crate) base: &'a BaseUrl,
    /// What the identity provider is called.
    pub(crate) provider: &'a str,
    /// What is asked of it.
    pub(crate) provider_scopes: &'a [String],
    /// Whether the operator has configured the client, and so vouches for it.
    pub(crate) is_configured: bool,
    /// Whether the browser fetches the client's logo.
    pub(crate) show_logo: bool,
    /// Whether a person may turn out to have fewer scopes than were asked for.
    pub(crate) has_scope_rules: bool,
}

impl Consent<'_> {
    /// Returns the page.
    pub(crate) fn respond(&self) -> Response {
        let name = self.client.display_name();
        let redirect_uri = &self.pending.target.redirect_uri;
        let destination = destination(redirect_uri);
        let oddities = if self.is_configured {
            Vec::new()
        } else {
            oddities(self.client, redirect_uri, self.base, self.provider)
        };
        let is_odd = !oddities.is_empty();
        let logo = self.logo();
        let body = html! {
            @if let Some((url, _)) = &logo {
                // Its name is in the heading: the picture adds nothing for who cannot see it.
                img.logo src=(url) alt="" width="48" height="48" referrerpolicy="no-referrer";
            }
            h1 { "Connect " (name) "?" }
            p.lead { b { (name) } " asks to use this server in your name." }
            @if is_odd { (warning(&oddities)) }
            (facts(self.client, redirect_uri, self.base))
            h2 { "It will be able to" }
            ul.bullets {
                @for scope in &self.pending.request.scopes { li { (scope_text(scope, self.provider)) } }
            }
            @if self.has_scope_rules {
                p.small { "Anything that your account itself may not do is left out." }
            }
            @if !self.provider_scopes.is_empty() {
                h2 { "This server will ask " (self.provider) " for" }
                ul.bullets {
                    @for scope in self.provider_scopes { li { (provider_scope_text(scope)) } }
                }
            }
            @if !is_odd || !matches!(destination, Destination::Host(_)) {
                (notice(&destination))
            }
            form method="post" action="authorize" {
                input type="hidden" name="consent" value=(self.sealed);
                @if may_be_remembered(&self.pending.target) {
                    label {
                        input type="checkbox" name="remember" value="yes";
                        span {
                            "Do not ask me again for 30 days in this browser"
                            br;
                            span.small { "As long as nothing on this page changes." }
                        }
                    }
                }
                // The choice that stands out is the one that most people should make.
                div.choices {
                    button.quiet[!is_odd] type="submit" name="decision" value="deny" { "Cancel" }
                    button.quiet[is_odd] type="submit" name="decision" value="allow" { "Allow" }
                }
            }
            p.small { "If you allow it, you sign in with " (self.provider) " next. You can end it at any time at " a href=(self.base.join("/account")) { "your account" } "." }
        };
        // Chromium holds every redirect after the form to `form-action` (CSP Level 3 leaves that to
        // browsers). The way goes to the identity provider, wherever that sends the browser, back
        // here, to the client, and on to wherever the client sends it: often to `claude:` or to a
        // loopback address. A list would have to have every scheme there is, and where one is
        // missing, the person stays on a dead page. So the directive is left out. What it would keep
        // out is a form that was injected into the page: everything that others say is escaped, no
        // script runs, and a form that this server did not seal for this browser is refused, as is
        // one that another origin sends.
        let mut page = Page::new(format!("Connect {name}?"), body).any_form_action();
        if let Some((_, origin)) = &logo {
            page = page.image_source(origin);
        }
        page.into_response()
    }

    /// Returns the logo and its origin: of an https URL, and only where the operator lets browsers fetch it.
    fn logo(&self) -> Option<(String, String)> {
        let logo = self.client.metadata.logo_uri.as_deref()?;
        let url = url::Url::parse(logo).ok()?;
        (self.show_logo && url.scheme() == "https")
            .then(|| (url.to_string(), url.origin().ascii_serialization()))
    }
}

/// Returns who a client is, and where its answers go: the host by which a person can judge it, and the whole
/// redirect URI.
pub(crate) fn facts(client: &Client, redirect_uri: &str, base: &BaseUrl) -> Markup {
    let issuer = base.as_str();
    html! {
        dl.facts {
            @if let Some(host) = host_of(&client.client_id) {
                dt { "The app is" }
                dd { b { (host) } }
            }
            dt { "You go back to" }
            dd {
                b { (destination(redirect_uri)) }
                br;
                code { (redirect_uri) }
            }
            dt { "Server" }
            dd { (issuer.split_once("://").map_or(issuer, |(_, rest)| rest)) }
        }
    }
}

/// Returns what is odd about a client that the operator has not configured.
pub(crate) fn oddities(
    client: &Client,
    redirect_uri: &str,
    base: &BaseUrl,
    provider: &str,
) -> Vec<Oddity> {
    let ours = Ours {
        host: &host_of_base(base),
        provider,
    };
    let client_url = host_of(&client.client_id).map(|_| client.client_id.as_str());
    look_alike::oddities(client.display_name(), redirect_uri, client_url, ours)
}

/// Returns a box with what is odd.
pub(crate) fn warning(oddities: &[Oddity]) -> Markup {
    html! {
        section.warning aria-labelledby="odd" {
            h2 #odd { "Be careful" }
            @for oddity in oddities { p { (oddity) } }
            p { "Go on only if you are sure that this is the app you mean." }
        }
    }
}

/// Returns the host of a client identifier that is a URL (a client ID metadata document).
fn host_of(client_id: &str) -> Option<String> {
    let url = url::Url::parse(client_id).ok()?;
    (url.scheme() == "https").then(|| url.host_str().unwrap_or_default().to_owned())
}

fn host_of_base(base: &BaseUrl) -> String {
    url::Url::parse(base.as_str())
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Anybody can give an app any name; where the answer goes is what counts.
fn notice(destination: &Destination) -> Markup {
    match destination {
        Destination::Host(host) => html! {
            p.note { "Any app can call itself what it likes. Go on only if you know " b { (host) } "." }
        },
        Destination::Loopback(_) => html! {
            p.warning { "The answer goes to a program that runs on this computer. Go on only if you have just started connecting from it." }
        },
        Destination::App(scheme) => html! {
            p.warning { "The answer goes to whichever app on this device opens links that start with " b { (scheme) ":" } " Go on only if you have just started connecting from it." }
        },
    }
}

/// Returns what a scope lets a client do, as a list says it.
pub(crate) fn scope_text(scope: &str, provider: &str) -> Markup {
    match scope {
        "tools" => html! { "use the tools of this server" },
        "userinfo" => html! { "see your profile: name, email address, picture" },
        "upstream_token" => html! { "get the access token that " (provider) " issues for you" },
        scope::OFFLINE_ACCESS => html! { "stay connected while you are away" },
        other => html! { "what this server calls " code { (other) } },
    }
}

/// Returns what is asked of the identity provider, as a list says it (OpenID Connect Core section 5.4).
fn provider_scope_text(scope: &str) -> Markup {
    match scope {
        "openid" => html! { "who you are there" },
        "profile" => html! { "your profile: name, picture" },
        "email" => html! { "your email address" },
        "phone" => html! { "your phone number" },
        "address" => html! { "your postal address" },
        scope::OFFLINE_ACCESS => html! { "access while you are away" },
        other => html! { "what it calls " code { (other) } },
    }
}
