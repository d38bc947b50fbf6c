//! What each message asks for, whatever way it came.

use crate::call::client_context::ClientContext;
use crate::call::input_required::{self, UnsupportedInput};
use crate::call::streamed_call::Asking;
use crate::call::tool_call::PreparedCall;
use crate::contract::tools::{InputRequired, Round};
use crate::http::authenticator::Authenticated;
use crate::http::rejection::Rejection;
use crate::protocol::catalog::Prepared;
use crate::protocol::methods::{MethodError, MethodResult};
use crate::stream::session_state::SessionUpdate;
use crate::{Environment, Parts, Server};
use mcp::jsonrpc::{self, Id, Message};
use mcp::{
    CallParams, ClientCapabilities, CompleteParams, Error, InitializeParams, PageParams,
    PromptParams, ReadParams, Revision, initialize_result,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// What becomes of a message.
#[derive(Debug)]
pub(crate) enum Dispatched {
    /// Nothing: it wanted no answer.
    Nothing,
    /// This response.
    Response(String),
    /// This response, to something that is no message.
    Invalid(String),
    /// This response, and from now on this revision is spoken by a client that can be asked so much.
    Initialized(String, Revision, ClientCapabilities),
    /// A call that is to be made.
    Call(PreparedCall),
    /// A request that waits for the client's answers.
    Questions(Box<Asking>, InputRequired),
    /// Something that is to be different from now on, and the request that wishes for it.
    SessionUpdate(Id, SessionUpdate),
}

impl<P: Parts> Server<P> {
    pub(crate) async fn dispatch(
        self: &Arc<Self>,
        message: Message<'_>,
        authenticated: &Authenticated,
        client: &ClientContext,
    ) -> Result<Dispatched, Rejection> {
        let revision = client.revision;
        let (id, method, params) = match message {
            Message::Request { id, method, params } => (id, method, params),
            Message::Notification { method, params } => {
                if method == "notifications/cancelled"
                    && let Some(request) = params.and_then(cancelled_request)
                {
                    let cancelled = self.cancel(&request, client, authenticated).await;
                    cancelled.map_err(|error| self.unavailable(&error))?;
                }
                return Ok(Dispatched::Nothing);
            }
            Message::Response { id, outcome } => {
                let taken = self.take_answer(&id, outcome, authenticated).await;
                return taken.map(|()| Dispatched::Nothing);
            }
            Message::Invalid { id, error } => {
                return Ok(Dispatched::Invalid(jsonrpc::error_response(
                    id.as_ref(),
                    &error,
                    revision,
                )));
            }
        };
        let respond = |result: &str| Ok(Dispatched::Response(jsonrpc::response(&id, result)));
        let fail = |id: &Id, error: Error| {
            let response = jsonrpc::error_response(Some(id), &error, revision);
            Ok(Dispatched::Response(response))
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
                        Ok(Dispatched::Initialized(
                            response,
                            params.revision,
                            params.capabilities,
                        ))
                    }
                    None => fail(&id, Error::internal()),
                },
                Err(error) => fail(&id, error),
            },
            "ping" => respond("{}"),
            "tools/call" => {
                let params = CallParams::read(params);
                let round = client.first_round();
                let prepared = self
                    .prepare_call(
                        id,
                        params,
                        authenticated,
                        revision,
                        round,
                        client.may_stream,
                    )
                    .await?;
                Ok(prepared.map_or_else(Dispatched::Response, Dispatched::Call))
            }
            "logging/setLevel" => match mcp::read_level(params) {
                Ok(level) => Ok(Dispatched::SessionUpdate(
                    id,
                    SessionUpdate::LogLevel(level),
                )),
                Err(error) => fail(&id, error),
            },
            "resources/subscribe" | "resources/unsubscribe" => {
                match self.subscription(&method, params, authenticated).await {
                    Ok(update) => Ok(Dispatched::SessionUpdate(id, update)),
                    Err(MethodError::Error(error)) => fail(&id, error),
                    Err(MethodError::Rejected(rejection)) => Err(rejection),
                }
            }
            method => {
                let round = client.first_round();
                let capabilities = round.capabilities;
                let answered = self
                    .answer_request(method, params, round, authenticated, revision)
                    .await;
                match answered {
                    Ok(MethodResult::Result(result)) => respond(&result),
                    Ok(MethodResult::InputRequired(questions)) => {
                        match self.askable(method, &questions, capabilities, revision) {
                            Ok(()) => Ok(Dispatched::Questions(
                                Box::new(Asking {
                                    id,
                                    method: method.to_owned(),
                                    params: params.map(RawValue::to_owned),
                                    authenticated: authenticated.clone(),
                                    client: client.clone(),
                                }),
                                questions,
                            )),
                            Err(error) => fail(&id, error),
                        }
                    }
                    Err(MethodError::Error(error)) => fail(&id, error),
                    Err(MethodError::Rejected(rejection)) => Err(rejection),
                }
            }
        }
    }

    /// What `resources/subscribe` or `resources/unsubscribe` wishes for.
    async fn subscription(
        &self,
        method: &str,
        params: Option<&RawValue>,
        authenticated: &Authenticated,
    ) -> Result<SessionUpdate, MethodError> {
        let catalog = self.catalog().await.ok_or_else(Error::internal)?;
        let resources = catalog.resources.as_ref();
        let resources = resources.ok_or_else(|| Error::method_not_found(method))?;
        authenticated.require_scopes(&resources.scopes)?;
        let uri = ReadParams::read(params)?.uri.into_owned();
        Ok(if method == "resources/subscribe" {
            SessionUpdate::Subscribe(uri)
        } else {
            SessionUpdate::Unsubscribe(uri)
        })
    }

    /// Whether a client with these abilities can be asked what a request needs to know.
    ///
    /// # Errors
    ///
    /// What to answer instead.
    pub(crate) fn askable(
        &self,
        method: &str,
        questions: &InputRequired,
        capabilities: ClientCapabilities,
        revision: Revision,
    ) -> Result<(), Error> {
        let what = match input_required::check(questions, capabilities) {
            Ok(()) => return Ok(()),
            Err(UnsupportedInput::Malformed(what)) => what,
            Err(UnsupportedInput::MissingCapabilities(missing)) => {
                return Err(Error::missing_capabilities(missing, revision));
            }
        };
        self.context
            .environment
            .log(&format!("mcp: {method} was answered with {what}"));
        Err(Error::internal())
    }

    /// Answers a request with one result, or finds that there is no such method.
    pub(crate) async fn answer_request(
        &self,
        method: &str,
        params: Option<&RawValue>,
        round: Round,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<MethodResult, MethodError> {
        let prepared = async |list: fn(&Prepared) -> &String| match self.newest_catalog().await {
            Some(catalog) => Ok(MethodResult::Result(
                list(catalog.prepared(revision)).clone(),
            )),
            None => Err(Error::internal().into()),
        };
        match method {
            "tools/list" => {
                PageParams::read_single_page(params)?;
                prepared(|prepared| &prepared.tools).await
            }
            "prompts/list" => {
                PageParams::read_single_page(params)?;
                prepared(|prepared| &prepared.prompts).await
            }
            "resources/templates/list" => {
                PageParams::read_single_page(params)?;
                prepared(|prepared| &prepared.templates).await
            }
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

/// The request that a notification cancels.
fn cancelled_request(params: &RawValue) -> Option<Id> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params<'a> {
        #[serde(borrow)]
        request_id: &'a RawValue,
    }
    let params: Params<'_> = serde_json::from_str(params.get()).ok()?;
    Id::read(params.request_id)
}
