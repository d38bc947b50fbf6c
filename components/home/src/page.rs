//! The page itself.

use crate::clients::clients;
use crate::offer::{Items, Offer, Server};
use crate::snippet::snippet;
use config::{AuthorizationServer, BaseUrl};
use maud::{Markup, html};
use web::{Page, Response};

/// Returns the landing page of the server at `base`, whose tokens `server` issues. `http_sse`: whether it offers HTTP+SSE.
/// `offer` is what its MCP endpoint offers, if that is known.
pub fn home(
    base: &BaseUrl,
    http_sse: bool,
    server: &AuthorizationServer,
    offer: Option<&Offer>,
) -> Response {
    let described = offer.map(|offer| &offer.server);
    let title = described.map_or(
        "Tools for your AI client, behind your own sign-in",
        Server::title,
    );
    let icon = described.and_then(Server::icon);
    let clients = clients(base, http_sse);
    let first = clients
        .iter()
        .find(|client| client.is_reached)
        .map(|client| client.name);
    let body = html! {
        h1 {
            @if let Some(icon) = &icon { img.icon src=(icon.src) alt="" width="40" height="40"; }
            (title)
        }
        @if let Some(what) = described.and_then(|server| server.description.as_deref()) { p.lead { (what) } }
        p.lead[described.is_none()] {
            "An AI client that you connect to this server can use its tools for you, once you have signed in and said yes."
            @if let Some(website) = described.and_then(Server::website) { " " a href=(website) { "More about it" } }
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
            (offered(offer))
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
    let name = described.map_or("Gatehouse", Server::title);
    let page = Page::new(format!("{name}: an MCP server behind a sign-in"), body)
        .wide()
        .style(include_str!("style.css"))
        .script(include_str!("copy.js"));
    match icon.and_then(|icon| icon.origin) {
        Some(origin) => page.image_source(&origin).into_response(),
        None => page.into_response(),
    }
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

fn offered(offer: Option<&Offer>) -> Markup {
    let Some(offer) = offer else {
        return html! { p { "Your client lists them once it is connected." } };
    };
    html! {
        (cards(&offer.tools))
        @if !offer.prompts.first.is_empty() {
            h3 { "Prompts" }
            (cards(&offer.prompts))
        }
        p.small { "A client can use what you allowed it the scope of." }
    }
}

fn cards(items: &Items) -> Markup {
    html! {
        ul.cards.tools {
            @for item in &items.first {
                li.card {
                    h3 { code { (item.name) } }
                    @if let Some(title) = item.title.as_ref().filter(|title| **title != item.name) { p { b { (title) } } }
                    @if let Some(what) = &item.description { p { (what) } }
                    @if !item.scopes.is_empty() {
                        p.small { "Scope: " @for scope in &item.scopes { code { (scope) } " " } }
                    }
                }
            }
        }
        @if items.more > 0 { p.small { "And " (items.more) " more." } }
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
    use serde_json::json;

    fn page() -> String {
        page_with(&AuthorizationServer::BuiltIn)
    }

    fn page_with(server: &AuthorizationServer) -> String {
        text(response(server, None))
    }

    fn response(server: &AuthorizationServer, offer: Option<&Offer>) -> Response {
        let public_url = PublicUrl::read(|_| Some("https://mcp.example.com")).unwrap();
        home(public_url.configured().unwrap(), true, server, offer)
    }

    fn text(page: Response) -> String {
        let body = block_on(page.into_body().collect()).unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn with_another_authorization_server_the_page_says_where_people_sign_in() {
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

    fn offering(icon: &str) -> Response {
        let tool = json!({ "name": "weather_now", "title": "Weather", "description": "Tells <the> weather.", "scopes": ["weather.read"] });
        let prompt = json!({ "name": "travel", "scopes": [] });
        let offer = json!({
            "server": { "name": "weather", "title": "Weather of Oslo", "version": "1", "description": "It rains.",
                "icons": [{ "src": icon }], "websiteUrl": "https://weather.example/about" },
            "tools": { "first": [tool], "more": 12 },
            "prompts": { "first": [prompt], "more": 0 },
        });
        let offer = serde_json::from_value(offer).unwrap();
        response(&AuthorizationServer::BuiltIn, Some(&offer))
    }

    #[test]
    fn where_the_offer_is_not_known_the_page_says_who_lists_it() {
        let page = page();
        assert!(page.contains("Your client lists them once it is connected."));
        assert!(page.contains("<title>Gatehouse: "));
    }

    #[test]
    fn what_is_offered_is_shown_under_its_own_name_and_icon() {
        let page = text(offering("data:image/png;base64,AAAA"));
        for part in [
            "<title>Weather of Oslo: ",
            "src=\"data:image/png;base64,AAAA\"",
            "It rains.",
            "href=\"https://weather.example/about\"",
            "weather_now",
            "Tells &lt;the&gt; weather.",
            "weather.read",
            "And 12 more.",
            "travel",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }

    #[test]
    fn an_icon_from_elsewhere_is_all_that_is_loaded_from_there() {
        let policy = |icon| {
            offering(icon).headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert!(policy("https://a.example/icon.png").contains("img-src data: https://a.example;"));
        assert!(policy("data:image/png;base64,AAAA").contains("img-src data:;"));
        assert!(!text(offering("http://a.example/icon.png")).contains("<img"));
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
