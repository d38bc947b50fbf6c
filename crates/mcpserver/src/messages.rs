//! What each message asks for, whatever way it came.

use crate::authentication::Authenticated;
use crate::calls::PreparedCall;
use crate::refusal::Refusal;
use crate::{Parts, Server};
use mcp::jsonrpc::{self, Id, Message};
use mcp::{CallParams, Error, InitializeParams, Revision, ServerInfo, initialize_result};

const SERVER: ServerInfo = ServerInfo {
    name: "gatehouse",
    title: "Gatehouse",
    version: env!("CARGO_PKG_VERSION"),
};

/// What becomes of a message.
#[derive(Debug)]
pub(crate) enum Handled {
    /// Nothing: it wanted no answer.
    Nothing,
    /// This response.
    Response(String),
    /// This response, to something that is no message.
    Invalid(String),
    /// This response, and from now on this revision is spoken.
    Initialized(String, Revision),
    /// A call that is to be made.
    Call(PreparedCall),
}

impl<P: Parts> Server<P> {
    pub(crate) async fn handle_message(
        &self,
        message: Message<'_>,
        authenticated: &Authenticated,
        revision: Revision,
        may_stream: bool,
    ) -> Result<Handled, Refusal> {
        let (id, method, params) = match message {
            Message::Request { id, method, params } => (id, method, params),
            // Cancelling reaches a call by the end of its own request; nothing else that clients
            // notify of changes anything here. Nor do we ask them for anything they could answer.
            Message::Notification { .. } | Message::Response => return Ok(Handled::Nothing),
            Message::Invalid { id, error } => {
                return Ok(Handled::Invalid(jsonrpc::error_response(
                    id.as_ref(),
                    &error,
                    revision,
                )));
            }
        };
        let respond = |result: &str| Ok(Handled::Response(jsonrpc::response(&id, result)));
        let fail = |id: &Id, error: Error| {
            let response = jsonrpc::error_response(Some(id), &error, revision);
            Ok(Handled::Response(response))
        };
        match &*method {
            "initialize" => match InitializeParams::read(params) {
                Ok(params) => {
                    let result = initialize_result(params.revision, SERVER);
                    let response = jsonrpc::response(&id, &result);
                    Ok(Handled::Initialized(response, params.revision))
                }
                Err(error) => fail(&id, error),
            },
            "ping" => respond("{}"),
            "tools/list" => match self.toolbox().await {
                Some(toolbox) => respond(toolbox.list(revision)),
                None => fail(&id, Error::internal()),
            },
            "tools/call" => {
                let params = CallParams::read(params);
                let prepared = self
                    .prepare_call(id, params, authenticated, revision, may_stream)
                    .await?;
                Ok(prepared.map_or_else(Handled::Response, Handled::Call))
            }
            method => fail(&id, Error::method_not_found(method)),
        }
    }
}
