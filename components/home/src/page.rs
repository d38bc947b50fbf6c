//! The page itself.

use crate::clients::clients;
use crate::snippet::snippet;
use config::{AuthorizationServer, BaseUrl};
use maud::{Markup, html};
use web::{Page, Response};

/// Returns the landing page of the server at `base`, whose tokens `server` issues. `http_sse`: whether it offers HTTP+SSE.
pub fn home(base: &BaseUrl, http_sse: bool, server: &AuthorizationServer) -> Response {
    let clients = clients(base, http_sse);
    let first = clients
        .iter()
        .find(|client| client.is_reached)
        .map(|client| client.name);
    let body = html! {
        h1 { "Tools for your AI client, behind your own sign-in" }
        p.lead {
            "Gatehouse is a remote MCP server. An AI client that you connect to it can use its tools for you, once you \
             have signed in and said yes."
        }
        section aria-labelledby="address" {
            h2 #address { "The address" }
            p { "Paste this into your client:" }
            div.address { (snippet("the address", &base.join("/mcp"))) }
            p.small { "The client finds the sign-in by itself. There is no key to make and nothing to install." }
        }
        section aria-labelledby="connect" {
            h2 #connect { "Connect your client" }
            @for client in &clients {
                details open[Some(client.name) == first] {
                    summary { b { (client.name) } " " span.small { (client.kind) } }
                    div.steps { (client.steps) }
                }
            }
        }
        section aria-labelledby="tools" {
            h2 #tools { "Its tools" }
            (tools())
        }
        section aria-labelledby="sign-in" {
            h2 #sign-in { "How signing in works" }
            (sign_in(base, server))
        }
        section aria-labelledby="developers" {
            h2 #developers { "For developers" }
            (documents(base, server))
        }
        p.visually-hidden #copied role="status" {}
    };
    Page::new("Gatehouse: an MCP server behind a sign-in", body)
        .wide()
        .style(include_str!("style.css"))
        .script(include_str!("copy.js"))
        .into_response()
}

fn sign_in(base: &BaseUrl, server: &AuthorizationServer) -> Markup {
    match server {
        AuthorizationServer::BuiltIn => html! {
            ol.bullets {
                li { "The client asks this server where to sign in, and opens your browser." }
                li { "A page here says which client it is, where it wants to be called back, and what it asks for. You allow it or you do not." }
                li { "You sign in with this server's identity provider. The client sees neither your password nor your session there." }
                li { "The client gets a token that is good for this server alone. It lasts for minutes and renews itself, until the client gives it back or you have to sign in again." }
            }
            p {
                "At " a href=(base.join("/account")) { "your account" } " you see which clients you have connected, and disconnect them."
            }
            p {
                "A token that the identity provider issued for this server works as well, where it is put into the client's "
                code { "Authorization" } " header by hand."
            }
        },
        AuthorizationServer::External(external) => html! {
            ol.bullets {
                li { "The client asks this server where to sign in, and is told: at " code { (external.issuer) } "." }
                li { "You sign in there in your browser, and allow the client what it asks for." }
                li { "The client gets a token from there that is good for this server, and calls its tools with it." }
            }
        },
    }
}

/// The tools of `components/tools`; a change of that component changes this list too.
const TOOLS: [(&str, &str, &str); 3] = [
    ("add", "Adds two numbers and gives their sum.", "tools"),
    (
        "getUserInfo",
        "Tells who you are: your name, your email address, and whatever else the identity provider says of you.",
        "userinfo",
    ),
    (
        "getToken",
        "Gives your token of the identity provider, for its own services. Allow it to clients alone that you trust with it.",
        "upstream_token",
    ),
];

fn tools() -> Markup {
    html! {
        ul.cards.tools {
            @for (name, what, scope) in TOOLS {
                li.card {
                    h3 { code { (name) } }
                    p { (what) }
                    p.small { "Scope: " code { (scope) } }
                }
            }
        }
        p.small { "A client can call a tool if you allowed it the tool's scope." }
    }
}

fn documents(base: &BaseUrl, server: &AuthorizationServer) -> Markup {
    const RESOURCE: &[(&str, &str)] = &[(
        "/.well-known/oauth-protected-resource/mcp",
        "what the MCP endpoint asks for (RFC 9728)",
    )];
    const OURS: &[(&str, &str)] = &[
        (
            "/.well-known/oauth-authorization-server",
            "the authorization server (RFC 8414)",
        ),
        (
            "/.well-known/jwks.json",
            "the public keys of its tokens (RFC 7517)",
        ),
    ];
    let is_ours = *server == AuthorizationServer::BuiltIn;
    html! {
        ul.bullets {
            @for (path, what) in RESOURCE.iter().chain(if is_ours { OURS } else { &[] }) {
                li { a href=(base.join(path)) { (path) } ": " (what) }
            }
        }
        @if is_ours {
            p.small {
                "Clients register themselves at " code { "/register" } " (RFC 7591). Authorization is by code with PKCE; resources are named by "
                code { "resource" } " (RFC 8707)."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{External, PublicUrl};
    use futures::executor::block_on;
    use http_body_util::BodyExt;

    fn page() -> String {
        page_with(&AuthorizationServer::BuiltIn)
    }

    fn page_with(server: &AuthorizationServer) -> String {
        let public_url = PublicUrl::read(|_| Some("https://mcp.example.com")).unwrap();
        let page = home(public_url.configured().unwrap(), true, server);
        let body = block_on(page.into_body().collect()).unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn where_signing_in_happens_elsewhere_the_page_says_where_and_names_nothing_that_is_not_here() {
        let elsewhere = page_with(&AuthorizationServer::External(External {
            mode: "descope",
            issuer: "https://as.example/v1".into(),
        }));
        assert!(elsewhere.contains("https://as.example/v1"));
        for absent in [
            "/register",
            "/account",
            "oauth-authorization-server",
            "jwks",
        ] {
            assert!(!elsewhere.contains(absent), "{absent}");
            assert!(page().contains(absent), "{absent}");
        }
    }

    #[test]
    fn every_tool_is_named_with_its_scope() {
        let page = page();
        for (name, what, scope) in TOOLS {
            for part in [name, what, scope] {
                assert!(page.contains(part), "{part}");
            }
        }
    }

    #[test]
    fn the_page_loads_nothing_and_calls_no_foreign_host() {
        let page = page();
        for loading in ["src=", "@import", "url(", "<iframe", "<form"] {
            assert!(!page.contains(loading), "{loading}");
        }
        for link in page.split("href=\"").skip(1) {
            assert!(
                link.starts_with("https://mcp.example.com/") || link.starts_with("data:image/svg"),
                "{link:.60}"
            );
        }
    }

    #[test]
    fn no_attribute_needs_more_than_the_policy_allows() {
        let page = page();
        assert!(!page.contains(" style=") && !page.contains(" onclick="));
        assert_eq!(page.matches("<h1>").count(), 1);
    }
}
