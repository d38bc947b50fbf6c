//! What each message asks for, whatever way it came.

use crate::authentication::Authenticated;
use crate::calls::PreparedCall;
use crate::catalog::Prepared;
use crate::refusal::Refusal;
use crate::requests::{Answered, NotAnswered};
use crate::tools::Round;
use crate::{Environment, Parts, Server};
use mcp::jsonrpc::{self, Id, Message};
use mcp::{
    CallParams, CompleteParams, Error, InitializeParams, PageParams, PromptParams, ReadParams,
    Revision, initialize_result,
};
use serde_json::value::RawValue;

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
                Ok(params) => match self.catalog().await {
                    Some(catalog) => {
                        let result = initialize_result(
                            params.revision,
                            &catalog.prepared(params.revision).capabilities,
                            catalog.instructions.as_deref(),
                        );
                        let response = jsonrpc::response(&id, &result);
                        Ok(Handled::Initialized(response, params.revision))
                    }
                    None => fail(&id, Error::internal()),
                },
                Err(error) => fail(&id, error),
            },
            "ping" => respond("{}"),
            "tools/call" => {
                let params = CallParams::read(params);
                let round = Round::default();
                let prepared = self
                    .prepare_call(id, params, authenticated, revision, round, may_stream)
                    .await?;
                Ok(prepared.map_or_else(Handled::Response, Handled::Call))
            }
            method => {
                let answered = self
                    .answer_request(method, params, Round::default(), authenticated, revision)
                    .await;
                match answered {
                    Ok(Answered::Result(result)) => respond(&result),
                    Ok(Answered::InputRequired(questions)) => {
                        self.environment.log(&format!(
                            "mcp: {method} has {} questions for the client, which cannot be asked yet",
                            questions.requests.len()
                        ));
                        fail(&id, Error::internal())
                    }
                    Err(NotAnswered::Error(error)) => fail(&id, error),
                    Err(NotAnswered::Refused(refusal)) => Err(refusal),
                }
            }
        }
    }

    /// Answers a request with one result, or finds that there is no such method.
    pub(crate) async fn answer_request(
        &self,
        method: &str,
        params: Option<&RawValue>,
        round: Round,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<Answered, NotAnswered> {
        let prepared = async |list: fn(&Prepared) -> &String| match self.catalog().await {
            Some(catalog) => Ok(Answered::Result(list(catalog.prepared(revision)).clone())),
            None => Err(Error::internal().into()),
        };
        match method {
            "tools/list" => prepared(|prepared| &prepared.tools).await,
            "prompts/list" => prepared(|prepared| &prepared.prompts).await,
            "resources/templates/list" => prepared(|prepared| &prepared.templates).await,
            "resources/list" => {
                let params = PageParams::read(params)?;
                self.list_resources(params, authenticated, revision).await
            }
            "resources/read" => {
                let params = ReadParams::read(params)?;
                self.read_resource(params, round, authenticated, revision)
                    .await
            }
            "prompts/get" => {
                let params = PromptParams::read(params)?;
                self.get_prompt(params, round, authenticated, revision)
                    .await
            }
            "completion/complete" => {
                let params = CompleteParams::read(params)?;
                self.complete(params, authenticated, revision).await
            }
            method => Err(Error::method_not_found(method).into()),
        }
    }
}
