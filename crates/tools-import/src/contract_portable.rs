//! The contract `wit/portable/tools.wit` with the face of `wit/tools`. While a call waits, so does the whole
//! instance: its deadline, cancellation and heartbeat are looked at between two events.

#[allow(
    missing_docs,
    unsafe_code,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
mod bindings {
    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        inline: "package gatehouse:tools-import; world tools-import { import gatehouse:tools-portable/tools@0.3.0; }",
        world: "gatehouse:tools-import/tools-import",
        path: "../../wit/portable/tools.wit",
        generate_all,
        additional_derives: [serde::Serialize, serde::Deserialize],
        additional_derives_ignore: ["call-result"],
    });
}

use bindings::gatehouse::tools_portable::tools as synchronous;
use std::time::Duration;

/// The events of a call.
pub struct EventStream(synchronous::EventStream);

impl EventStream {
    pub(crate) async fn next(&mut self) -> Option<tools::Event> {
        // Whatever can go on goes on first: what was told is on its way before the next event is waited for.
        platform::time::sleep(Duration::ZERO).await;
        self.0.next()
    }
}

pub(crate) mod tools {
    //! Each function as a future that is over at its first poll.

    use super::{EventStream, synchronous};
    pub(crate) use synchronous::{
        Annotations, Answer, Argument, Call, Caller, CallerKind, Changed, ClientCapabilities,
        Completion, CompletionTarget, Content, ContentBody, Context, Credential, Event, Failure,
        Freshness, Icon, InputRequest, InputRequired, ListedResource, LogLevel, Media, Offer,
        Output, Profile, Prompt, PromptArgument, PromptMessage, PromptRequest, Prompting, Read,
        Reading, ResourceBody, ResourceContents, ResourceOffer, ResourcePage, ResourceTemplate,
        Role, ServerInfo, Suggestions, TaskUse, Theme, Tool,
    };

    pub(crate) enum CallResult {
        Done(Output),
        InputRequired(InputRequired),
        Running(EventStream),
    }

    pub(crate) async fn describe() -> Result<Offer, Failure> {
        synchronous::describe()
    }

    pub(crate) async fn call_tool(call: Call) -> Result<CallResult, Failure> {
        Ok(match synchronous::call_tool(&call)? {
            synchronous::CallResult::Done(output) => CallResult::Done(output),
            synchronous::CallResult::InputRequired(questions) => {
                CallResult::InputRequired(questions)
            }
            synchronous::CallResult::Running(events) => CallResult::Running(EventStream(events)),
        })
    }

    pub(crate) async fn list_resources(
        caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        synchronous::list_resources(&caller, cursor.as_deref())
    }

    pub(crate) async fn read_resource(read: Read) -> Result<Reading, Failure> {
        synchronous::read_resource(&read)
    }

    pub(crate) async fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        synchronous::get_prompt(&request)
    }

    pub(crate) async fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        synchronous::complete(&completion)
    }
}
