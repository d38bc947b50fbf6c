//! Dispatch of the messages of sessions to their methods (2025-11-25, Base Protocol).

use crate::Parts;
use crate::call::cancellation::Cancellations;
use crate::call::client_context::ClientContext;
use crate::call::client_requests::ClientRequests;
use crate::call::tool_call::{PreparedCall, ToolCaller};
use crate::contract::tools::InputRequired;
use crate::http::authenticated::Authenticated;
use crate::http::rejection::Rejection;
use crate::protocol::catalog::CatalogSource;
use crate::protocol::methods::{MethodError, MethodResult, Methods};
use crate::protocol::pending_request::{PendingRequest, PendingRequests};
use crate::stream::outbound::ClientStream;
use crate::stream::session_state::SessionUpdate;
use mcp::jsonrpc::{self, Id, Message, Reply};
use mcp::{
    CallParams, ClientCapabilities, Error, ErrorCode, InitializeParams, ReadParams, Revision,
    initialize_result,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The result of dispatching a message.
#[derive(Debug)]
pub(crate) enum Dispatched {
    /// The message expects no response.
    Nothing,
    /// The reply.
    Reply(Reply),
    /// The reply to an invalid message.
    Invalid(Reply),
    /// The reply to `initialize`, with the negotiated revision and the client's capabilities.
    Initialized(Reply, Revision, ClientCapabilities),
    /// A call that is to be made for the request with this id.
    Call(Id, PreparedCall),
    /// A request that waits for the client's responses.
    Questions(Box<PendingRequest>, InputRequired),
    /// A change of the session, for the request with this id.
    Update(Id, SessionUpdate),
}

/// The dispatch of the messages of sessions.
pub(crate) struct Dispatcher<P: Parts> {
    catalog: Arc<CatalogSource<P>>,
    methods: Arc<Methods<P>>,
    caller: Arc<ToolCaller<P>>,
    cancellations: Arc<Cancellations<P>>,
    client_requests: Arc<ClientRequests<P>>,
    pending: Arc<PendingRequests<P>>,
}

impl<P: Parts> Dispatcher<P> {
    pub(crate) fn new(
        catalog: Arc<CatalogSource<P>>,
        methods: Arc<Methods<P>>,
        caller: Arc<ToolCaller<P>>,
        cancellations: Arc<Cancellations<P>>,
        client_requests: Arc<ClientRequests<P>>,
        pending: Arc<PendingRequests<P>>,
    ) -> Self {
        Self {
            catalog,
            methods,
            caller,
            cancellations,
            client_requests,
            pending,
        }
    }

    /// Continues a request after its client's responses to `questions`.
    pub(crate) fn run(
        &self,
        request: PendingRequest,
        questions: InputRequired,
        stream: ClientStream,
    ) -> impl Future<Output = ()> + Send + use<P> {
        Arc::clone(&self.pending).run(request, questions, stream)
    }

    /// Returns the replies to the messages of a batch as one array; `None` if no message expects a
    /// response.
    pub(crate) async fn batch_replies(
        &self,
        messages: Vec<Message<'_>>,
        authenticated: &Authenticated,
        client: ClientContext,
    ) -> Result<Option<String>, Rejection> {
        let client = ClientContext {
            may_stream: false,
            ..client
        };
        let mut responses = Vec::new();
        for message in messages {
            let reply = self.batched(message, authenticated, &client).await?;
            responses.extend(reply.map(|reply| reply.to_json(client.revision)));
        }
        Ok((!responses.is_empty()).then(|| jsonrpc::batch_response(&responses)))
    }

    /// Returns the reply to a message of a batch; `None` if it expects no response.
    async fn batched(
        &self,
        message: Message<'_>,
        authenticated: &Authenticated,
        client: &ClientContext,
    ) -> Result<Option<Reply>, Rejection> {
        let not_in_batch = |id: Id, what: &str| {
            let reason = format!("{what} must not be part of a batch.");
            let error = Error::new(ErrorCode::InvalidRequest, reason);
            Ok(Some(Reply::new(id, Err(error))))
        };
        if let Message::Request { id, method, .. } = &message
            && method == "initialize"
        {
            return not_in_batch(id.clone(), "An initialize request");
        }
        let dispatched = self.dispatch(message, authenticated, client).await?;
        let (id, call) = match dispatched {
            Dispatched::Nothing => return Ok(None),
            Dispatched::Reply(reply)
            | Dispatched::Invalid(reply)
            | Dispatched::Initialized(reply, _, _) => return Ok(Some(reply)),
            Dispatched::Update(id, _) => {
                return not_in_batch(id, "A request that changes the session");
            }
            // A client that no request can reach has no capabilities, so tools send it no requests.
            Dispatched::Questions(asking, _) => {
                return Ok(Some(Reply::new(asking.id, Err(Error::internal()))));
            }
            Dispatched::Call(id, call) => (id, call),
        };
        let outcome = self.caller.run_to_end(call, authenticated.clone()).await;
        Ok(Some(Reply::new(id, outcome)))
    }

    /// Dispatches a message of a session to its method.
    ///
    /// # Errors
    ///
    /// The rejection of the HTTP request that brought the message.
    pub(crate) async fn dispatch(
        &self,
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
                    let cancelled = self
                        .cancellations
                        .cancel(&request, client, authenticated)
                        .await;
                    cancelled.map_err(|error| Rejection::unavailable(&error))?;
                }
                return Ok(Dispatched::Nothing);
            }
            Message::Response { id, outcome } => {
                let taken = self
                    .client_requests
                    .accept_response(&id, outcome, authenticated)
                    .await;
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
        &self,
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
                let catalog = self.catalog.current().await?;
                let result = initialize_result(
                    params.revision,
                    &catalog.offer.server,
                    &catalog.prepared(params.revision)?.capabilities,
                    catalog.offer.instructions.as_deref(),
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
                    .methods
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
                    .methods
                    .call(method, params, round, authenticated, revision)
                    .await?;
                match answered {
                    MethodResult::Result(result) => reply(Ok(result)),
                    MethodResult::InputRequired(questions) => {
                        self.methods
                            .check_input(method, &questions, capabilities, revision)?;
                        let asking = PendingRequest {
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

    /// Returns the update of `resources/subscribe` or `resources/unsubscribe`.
    async fn subscription(
        &self,
        method: &str,
        params: Option<&RawValue>,
        authenticated: &Authenticated,
    ) -> Result<SessionUpdate, MethodError> {
        let catalog = self.catalog.current().await?;
        let resources = catalog.offer.resources.as_ref();
        let resources = resources.ok_or_else(|| Error::method_not_found(method))?;
        authenticated.require_scopes(&resources.scopes)?;
        let uri = ReadParams::read(params)?.uri.into_owned();
        Ok(if method == "resources/subscribe" {
            SessionUpdate::Subscribe(uri)
        } else {
            SessionUpdate::Unsubscribe(uri)
        })
    }
}

/// Returns the id of the request that a notification cancels.
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
