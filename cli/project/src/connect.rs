//! Addresses and steps that are printed once the application is served.

use crate::identity_component::Identity;
use std::net::SocketAddr;

/// What was started.
pub struct Served<'a> {
    /// The public base URL.
    pub base: &'a str,
    /// How people sign in.
    pub identity: Identity,
    /// Where the emulator is, if it stands in.
    pub emulator: Option<SocketAddr>,
    /// Whether clients sign in at Descope itself.
    pub is_descope_mode: bool,
    /// Whether the emulator signs people in without its page.
    pub auto_login: bool,
    /// Where Gatehouse's README is.
    pub readme: &'a str,
    /// Whether an encryption key was made.
    pub made_key: bool,
}

/// Prints how to use it.
pub fn print(served: &Served<'_>) {
    let base = served.base;
    println!(
        r#"
Gatehouse is served at {base}

  Paste this URL into your MCP client:   {base}/mcp
  Only if it speaks HTTP+SSE alone:      {base}/sse

MCP Inspector
  npx @modelcontextprotocol/inspector            then choose Streamable HTTP and paste the URL

Claude Code
  claude mcp add --transport http gatehouse {base}/mcp

VS Code
  code --add-mcp '{{"name":"gatehouse","type":"http","url":"{base}/mcp"}}'

Cursor (~/.cursor/mcp.json), Windsurf and others that take JSON
  {{ "mcpServers": {{ "gatehouse": {{ "url": "{base}/mcp" }} }} }}

Clients that only start programs, such as Claude Desktop without connectors
  {{ "mcpServers": {{ "gatehouse": {{ "command": "npx", "args": ["-y", "mcp-remote", "{base}/mcp"] }} }} }}
"#
    );
    match served.emulator {
        Some(address) => println!(
            "Sign-in: the emulator at http://{address}{}. It lets anyone in: it is for this machine.\n\
             For a real {};\n\
             {} goes through it step by step.",
            if served.auto_login {
                ", without its page"
            } else {
                ""
            },
            match served.identity {
                Identity::OpenId => {
                    "provider put SPIN_VARIABLE_OIDC_ISSUER, SPIN_VARIABLE_OIDC_HOST,\n\
                     SPIN_VARIABLE_OIDC_CLIENT_ID and SPIN_VARIABLE_OIDC_CLIENT_SECRET into .env"
                }
                Identity::Descope | Identity::Own => {
                    "Descope project put SPIN_VARIABLE_DESCOPE_PROJECT_ID, SPIN_VARIABLE_DESCOPE_CLIENT_ID and\n\
                     SPIN_VARIABLE_DESCOPE_CLIENT_SECRET into .env"
                }
            },
            served.readme
        ),
        None => println!("Sign-in: {}.", served.identity.name()),
    }
    if served.is_descope_mode {
        println!("         Clients sign in there themselves: authorization_server is descope.");
    }
    println!(
        "State:   .spin/ (runtime-config.toml says which store){}.",
        if served.made_key {
            "; a new encryption_key was written to .env"
        } else {
            "; the encryption_key is in .env or the environment"
        }
    );
    println!("Stop:    Ctrl-C");
}
