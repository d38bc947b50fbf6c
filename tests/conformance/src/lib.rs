//! A tools component that offers what the server scenarios of the official conformance suite call
//! for, and `ten_steps` for the bench. It takes the place of `components/tools` by one line of the
//! manifest.
//!
//! The suite says by name what each tool, resource and prompt has to do; docs/conformance.md says
//! which scenarios there are. `test_trigger_resource_change` is for the black-box tests alone.

mod asking;
#[cfg(not(portable))]
mod bindings;
#[cfg(portable)]
#[path = "bindings_portable.rs"]
mod bindings;
mod content;
mod fixture;
mod prompts;
mod resources;
mod script;
mod tasks;
mod telling;

#[cfg(not(portable))]
mod play;
#[cfg(portable)]
#[path = "play_portable.rs"]
mod play;

pub(crate) use bindings::contract;

use contract::{
    Call, CallResult, Caller, Changes, Completion, Failure, Guest, Icon, Offer, PromptRequest,
    Prompting, Read, Reading, ResourcePage, ServerInfo, Suggestions,
};
use fixture::Fixture;

struct Component;

impl Guest for Component {
    async fn describe() -> Result<Offer, Failure> {
        Ok(Offer {
            server: ServerInfo {
                name: "conformance".to_owned(),
                title: Some("Conformance fixtures".to_owned()),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                description: Some("What the official conformance suite calls for.".to_owned()),
                icons: vec![Icon {
                    src: "https://example.com/icon.png".to_owned(),
                    mime_type: Some("image/png".to_owned()),
                    sizes: vec!["48x48".to_owned()],
                    theme: None,
                }],
                website: Some("https://example.com/conformance".to_owned()),
            },
            instructions: Some("These tools test clients and servers, and do nothing.".to_owned()),
            tools: fixtures().map(Fixture::tool).collect(),
            prompts: prompts::offered(),
            resources: Some(resources::offered()),
            completes: true,
            changes: Changes {
                tools: true,
                prompts: true,
                resources: true,
                resource_contents: true,
            },
        })
    }

    async fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let fixture = fixtures().find(|fixture| fixture.name == call.name);
        let fixture = fixture.ok_or(Failure::NotFound)?;
        Ok(play::play((fixture.script)(&call)))
    }

    async fn list_resources(
        _caller: Caller,
        _cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        Ok(resources::page())
    }

    async fn read_resource(read: Read) -> Result<Reading, Failure> {
        resources::read(&read.uri).ok_or(Failure::NotFound)
    }

    async fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        prompts::get(&request).ok_or(Failure::NotFound)
    }

    async fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        Ok(prompts::complete(&completion))
    }
}

fn fixtures() -> impl Iterator<Item = &'static Fixture> {
    [
        content::FIXTURES,
        telling::FIXTURES,
        asking::FIXTURES,
        tasks::FIXTURES,
    ]
    .into_iter()
    .flatten()
}
