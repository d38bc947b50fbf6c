//! Three tools, and an example of a tools component: it knows of nothing but the contract in
//! `wit/tools`.
//!
//! | tool | scope | gives |
//! | --- | --- | --- |
//! | `add` | `tools` | the sum of two numbers |
//! | `getUserInfo` | `userinfo` | what the identity provider says of the person |
//! | `getToken` | `upstream_token` | the person's token of the identity provider |

mod add;
mod arguments;
mod common;
mod get_token;
mod get_user_info;

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]

    wit_bindgen::generate!({
        world: "tools-component",
        path: "../../wit/tools",
    });

    use super::Component;
    export!(Component with_types_in self);
}

use bindings::exports::gatehouse::tools::tools::{
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
