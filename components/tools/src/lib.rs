//! Three tools, and an example of a tools component: it knows of nothing but the contract in
//! `wit/tools`.
//!
//! | tool | scope | gives |
//! | --- | --- | --- |
//! | `add` | `tools` | the sum of two numbers |
//! | `getUserInfo` | `profile` | what the identity provider says of the person |
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
    Call, Caller, Changes, Completion, Event, Failure, Guest, Offer, PromptRequest, Prompting,
    Read, Reading, ResourcePage, Suggestions,
};
use bindings::wit_stream;
use std::future::poll_fn;
use std::task::Poll;
use wit_bindgen::StreamReader;

struct Component;

impl Guest for Component {
    async fn describe() -> Result<Offer, Failure> {
        Ok(Offer {
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

    async fn call_tool(call: Call) -> Result<StreamReader<Event>, Failure> {
        let output = match call.name.as_str() {
            add::NAME => add::call(&call)?,
            get_user_info::NAME => get_user_info::call(&call)?,
            get_token::NAME => get_token::call(&call)?,
            _ => return Err(Failure::NotFound),
        };
        Ok(only(Event::Done(output)).await)
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

/// The events of a call that was over at once.
async fn only(event: Event) -> StreamReader<Event> {
    let (mut events, stream) = wit_stream::new();
    let mut write = Box::pin(async move {
        // A caller who no longer listens needs no answer.
        let _ = events.write_one(event).await;
    });
    // Begun here, so that the caller's first read finds the event waiting.
    let is_written = poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx).is_ready())).await;
    if !is_written {
        wit_bindgen::spawn(write);
    }
    stream
}
