//! Steps to connect each common client.

use crate::snippet::{json_string, shell_word, snippet};
use config::BaseUrl;
use maud::{Markup, html};

/// A client, and what to do in it.
pub struct Client {
    /// As its makers call it.
    pub name: &'static str,
    /// Where it runs, in a few words.
    pub kind: &'static str,
    /// Whether it can reach the server from there.
    pub is_reached: bool,
    /// What to do.
    pub steps: Markup,
}

/// Returns every client that the page tells about. `http_sse`: whether the server offers HTTP+SSE.
pub fn clients(base: &BaseUrl, http_sse: bool) -> Vec<Client> {
    let url = base.join("/mcp");
    let word = shell_word(&url);
    let json = json_string(&url);
    let mut clients = vec![
        Client {
            name: "Claude",
            kind: "web, desktop and phone",
            is_reached: base.is_https(),
            steps: html! {
                (needs_public_address(base))
                ol.bullets {
                    li { "Open " b { "Settings" } ", then " b { "Connectors" } ", and choose " b { "Add custom connector" } "." }
                    li { "Give it a name, and paste the address:" (snippet("Claude, address", &url)) }
                    li { "Choose " b { "Add" } ", then " b { "Connect" } ", and sign in." }
                }
            },
        },
        Client {
            name: "Claude Code",
            kind: "terminal",
            is_reached: true,
            steps: html! {
                (snippet("Claude Code, command", &format!("claude mcp add --transport http gatehouse {word}")))
                p { "Then start " code { "claude" } ", enter " code { "/mcp" } ", choose " b { "gatehouse" } " and sign in." }
            },
        },
        Client {
            name: "ChatGPT",
            kind: "web",
            is_reached: base.is_https(),
            steps: html! {
                (needs_public_address(base))
                ol.bullets {
                    li { "Turn on " b { "Developer mode" } " under " b { "Settings" } ", " b { "Apps & Connectors" } ", " b { "Advanced settings" } "." }
                    li { "Back under " b { "Apps & Connectors" } " choose " b { "Create" } ", and paste the address as the MCP server's URL:" (snippet("ChatGPT, address", &url)) }
                    li { "Leave " b { "OAuth" } " as the authentication, create it, and sign in." }
                }
            },
        },
        Client {
            name: "Cursor",
            kind: "editor",
            is_reached: true,
            steps: html! {
                p { "In " code { "~/.cursor/mcp.json" } ", or in " code { ".cursor/mcp.json" } " of a project:" }
                (snippet("Cursor, mcp.json", &format!("{{\n  \"mcpServers\": {{\n    \"gatehouse\": {{ \"url\": {json} }}\n  }}\n}}")))
                p { "Then sign in under " b { "Settings" } ", " b { "MCP" } "." }
            },
        },
        Client {
            name: "VS Code",
            kind: "editor",
            is_reached: true,
            steps: html! {
                p { "In a terminal:" }
                (snippet("VS Code, command", &format!(
                    "code --add-mcp {}",
                    shell_word(&format!("{{\"name\":\"gatehouse\",\"type\":\"http\",\"url\":{json}}}"))
                )))
                p { "Or in " code { ".vscode/mcp.json" } " of a project:" }
                (snippet("VS Code, mcp.json", &format!(
                    "{{\n  \"servers\": {{\n    \"gatehouse\": {{ \"type\": \"http\", \"url\": {json} }}\n  }}\n}}"
                )))
            },
        },
        Client {
            name: "MCP Inspector",
            kind: "for trying out and testing",
            is_reached: true,
            steps: html! {
                p { "In the browser: choose the transport " b { "Streamable HTTP" } " and paste the address." }
                (snippet("MCP Inspector, web", "npx @modelcontextprotocol/inspector"))
                p { "In a terminal:" }
                (snippet("MCP Inspector, command line", &format!(
                    "npx @modelcontextprotocol/inspector --cli {word} --transport http --method tools/list"
                )))
            },
        },
        Client {
            name: "Clients that only start programs",
            kind: "with mcp-remote in between",
            is_reached: true,
            steps: html! {
                p { "In the file where the client lists its servers:" }
                (snippet("mcp-remote, configuration", &format!(
                    "{{\n  \"mcpServers\": {{\n    \"gatehouse\": {{\n      \"command\": \"npx\",\n      \"args\": [\"-y\", \"mcp-remote\", {json}]\n    }}\n  }}\n}}"
                )))
            },
        },
    ];
    if http_sse {
        clients.push(Client {
            name: "Clients that only speak HTTP+SSE",
            kind: "the transport of 2024",
            is_reached: true,
            steps: html! {
                p { "Take this address instead:" }
                (snippet("HTTP+SSE, address", &base.join("/sse")))
            },
        });
    }
    clients
}

/// Returns what to say where a client that runs elsewhere cannot reach us.
fn needs_public_address(base: &BaseUrl) -> Markup {
    html! {
        @if !base.is_https() {
            p.warning {
                "This client connects from its maker's own machines, and they cannot reach "
                code { (base.as_str()) }
                ". It needs a public https address."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::PublicUrl;

    fn text(public_url: &'static str) -> String {
        let public_url = PublicUrl::read(|_| Some(public_url)).unwrap();
        let base = public_url.configured().unwrap();
        let clients = clients(base, true);
        clients
            .into_iter()
            .map(|client| client.steps.into_string())
            .collect()
    }

    /// Returns what the browser shows of each snippet.
    fn snippets(markup: &str) -> Vec<String> {
        markup
            .split("<code id=")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('>')?.1.split_once("</code>")?.0.to_owned()))
            .map(|text| {
                text.replace("&quot;", "\"")
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&amp;", "&")
            })
            .collect()
    }

    #[test]
    fn every_json_snippet_is_json_with_the_url_in_it() {
        let markup = text("https://mcp.example.com");
        let json: Vec<serde_json::Value> = snippets(&markup)
            .iter()
            .filter(|snippet| snippet.starts_with('{'))
            .map(|snippet| serde_json::from_str(snippet).unwrap())
            .collect();
        assert_eq!(json.len(), 3);
        assert_eq!(
            json[0]["mcpServers"]["gatehouse"]["url"],
            "https://mcp.example.com/mcp"
        );
        assert_eq!(json[1]["servers"]["gatehouse"]["type"], "http");
        assert_eq!(
            json[2]["mcpServers"]["gatehouse"]["args"][2],
            "https://mcp.example.com/mcp"
        );
    }

    #[test]
    fn every_snippet_has_an_id_of_its_own() {
        let markup = text("https://mcp.example.com");
        let mut ids: Vec<_> = markup
            .split("<code id=\"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"').map(|(id, _)| id))
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert_eq!(markup.matches("data-copy=").count(), count);
    }

    #[test]
    fn a_client_that_runs_elsewhere_is_told_that_loopback_is_out_of_its_reach() {
        assert_eq!(
            text("http://127.0.0.1:3000")
                .matches("public https address")
                .count(),
            2
        );
        assert!(!text("https://mcp.example.com").contains("public https address"));
    }
}
