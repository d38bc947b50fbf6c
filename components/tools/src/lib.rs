//! Three tools, and an example of a tools component: it knows of nothing but the contract in
//! `wit/tools`, or in `wit/portable` for hosts of WASI 0.2.
//!
//! | tool | scope | gives |
//! | --- | --- | --- |
//! | `add` | `tools` | the sum of two numbers |
//! | `getUserInfo` | `userinfo` | what the identity provider says of the person |
//! | `getToken` | `upstream_token` | the person's token of the identity provider |

mod add;
mod arguments;
#[cfg(not(portable))]
mod bindings;
#[cfg(portable)]
#[path = "bindings_portable.rs"]
mod bindings;
mod common;
mod get_token;
mod get_user_info;

use bindings::contract::{
    Call, CallResult, Caller, Changes, Completion, Failure, Guest, Offer, PromptRequest, Prompting,
    Read, Reading, ResourcePage, ServerInfo, Suggestions,
};

struct Component;

impl Guest for Component {
    async fn describe() -> Result<Offer, Failure> {
        Ok(Offer {
            server: ServerInfo {
                name: "gatehouse".to_owned(),
                title: Some("Gatehouse".to_owned()),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                description: Some("A remote MCP server behind an OAuth 2.1 login.".to_owned()),
                icons: Vec::new(),
                website: None,
            },
            instructions: None,
            tools: vec![add::tool(), get_user_info::tool(), get_token::tool()],
            prompts: Vec::new(),
            resources: None,
            completes: false,
            changes: Changes {
                tools: false,
                prompts: false,
                resources: false,
                resource_contents: false,
            },
        })
    }

    async fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let output = match call.name.as_str() {
            add::NAME => add::call(&call)?,
            get_user_info::NAME => get_user_info::call(&call)?,
            get_token::NAME => get_token::call(&call)?,
            _ => return Err(Failure::NotFound),
        };
        Ok(CallResult::Done(output))
    }

    async fn list_resources(
        _caller: Caller,
        _cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        Err(Failure::Unsupported)
    }

    async fn read_resource(_read: Read) -> Result<Reading, Failure> {
        Err(Failure::Unsupported)
    }

    async fn get_prompt(_request: PromptRequest) -> Result<Prompting, Failure> {
        Err(Failure::Unsupported)
    }

    async fn complete(_completion: Completion) -> Result<Suggestions, Failure> {
        Err(Failure::Unsupported)
    }
}
