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
use mcp::jsonrpc::{Id, Message, Reply};
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
    /// Nothing: it expects no response.
    Nothing,
    /// This reply.
    Reply(Reply),
    /// This reply, to something that is no message.
    Invalid(Reply),
    /// This reply; from now on the client speaks this revision and has these capabilities.
    Initialized(Reply, Revision, ClientCapabilities),
    /// A call that is to be made for the request with this id.
    Call(Id, PreparedCall),
    /// A request that waits for the client's answers.
    Questions(Box<Asking>, InputRequired),
    /// A change of the session, for the request with this id.
    Update(Id, SessionUpdate),
}

impl<P: Parts> Server<P> {
    /// Dispatches a message of a session to its method.
    ///
    /// # Errors
    ///
    /// The rejection of the HTTP request that brought the message.
    pub(crate) async fn dispatch(
        self: &Arc<Self>,
        message: Message<'_>,
        authenticated: &Authenticated,
        client: &ClientContext,
    ) -> Result<Dispatched, Rejection> {
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
                return Ok(Dispatched::Invalid(Reply {
                    id,
                    outcome: Err(error),
                }));
            }
        };
        let dispatched = self
            .dispatch_request(&id, &method, params, authenticated, client)
            .await;
        match dispatched {
            Err(MethodError::Error(error)) => Ok(Dispatched::Reply(Reply::new(id, Err(error)))),
            Err(MethodError::Rejected(rejection)) => Err(rejection),
            Ok(dispatched) => Ok(dispatched),
        }
    }

    async fn dispatch_request(
        self: &Arc<Self>,
        id: &Id,
        method: &str,
        params: Option<&RawValue>,
        authenticated: &Authenticated,
        client: &ClientContext,
    ) -> Result<Dispatched, MethodError> {
        let revision = client.revision;
        let reply = |outcome| Ok(Dispatched::Reply(Reply::new(id.clone(), outcome)));
        match method {
            "initialize" => {
                let params = InitializeParams::read(params)?;
                let catalog = self.catalog().await.ok_or_else(Error::internal)?;
                let result = initialize_result(
                    params.revision,
                    &catalog.prepared(params.revision).capabilities,
                    catalog.instructions.as_deref(),
                );
                Ok(Dispatched::Initialized(
                    Reply::new(id.clone(), Ok(result)),
                    params.revision,
                    params.capabilities,
                ))
            }
            "ping" => reply(Ok("{}".to_owned())),
            "tools/call" => {
                let params = CallParams::read(params)?;
                let round = client.first_round();
                let prepared = self
                    .prepare_call(params, authenticated, revision, round, client.may_stream)
                    .await;
                match prepared {
                    Ok(call) => Ok(Dispatched::Call(id.clone(), call)),
                    Err(not_prepared) => reply(not_prepared.into_outcome()?),
                }
            }
            "logging/setLevel" => {
                let level = mcp::read_level(params)?;
                Ok(Dispatched::Update(
                    id.clone(),
                    SessionUpdate::LogLevel(level),
                ))
            }
            "resources/subscribe" | "resources/unsubscribe" => {
                let update = self.subscription(method, params, authenticated).await?;
                Ok(Dispatched::Update(id.clone(), update))
            }
            method => {
                let round = client.first_round();
                let capabilities = round.capabilities;
                let answered = self
                    .answer_request(method, params, round, authenticated, revision)
                    .await?;
                match answered {
                    MethodResult::Result(result) => reply(Ok(result)),
                    MethodResult::InputRequired(questions) => {
                        self.askable(method, &questions, capabilities, revision)?;
                        let asking = Asking {
                            id: id.clone(),
                            method: method.to_owned(),
                            params: params.map(RawValue::to_owned),
                            authenticated: authenticated.clone(),
                            client: client.clone(),
                        };
                        Ok(Dispatched::Questions(Box::new(asking), questions))
                    }
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
