//! Requests that wait for their clients' responses before they have a result.

use crate::Parts;
use crate::call::client_context::ClientContext;
use crate::call::client_requests::{ClientRequestError, ClientRequests, Rounds};
use crate::contract::tools::InputRequired;
use crate::http::authenticated::Authenticated;
use crate::protocol::methods::{MethodError, MethodResult, Methods};
use crate::stream::outbound::{ClientStream, Outbound};
use mcp::Error;
use mcp::jsonrpc::{Id, Reply};
use serde_json::value::RawValue;
use std::sync::Arc;

/// A request, and what a next round of it needs.
#[derive(Debug)]
pub(crate) struct PendingRequest {
    pub(crate) id: Id,
    pub(crate) method: String,
    pub(crate) params: Option<Box<RawValue>>,
    pub(crate) authenticated: Authenticated,
    pub(crate) client: ClientContext,
}

/// The requests that wait.
pub(crate) struct PendingRequests<P: Parts> {
    methods: Arc<Methods<P>>,
    client_requests: Arc<ClientRequests<P>>,
    outbound: Arc<Outbound<P>>,
}

impl<P: Parts> PendingRequests<P> {
    pub(crate) fn new(
        methods: Arc<Methods<P>>,
        client_requests: Arc<ClientRequests<P>>,
        outbound: Arc<Outbound<P>>,
    ) -> Self {
        Self {
            methods,
            client_requests,
            outbound,
        }
    }

    /// Runs a request on after the client's responses to `questions`, and sends the reply.
    pub(crate) async fn run(
        self: Arc<Self>,
        request: PendingRequest,
        mut questions: InputRequired,
        mut stream: ClientStream,
    ) {
        let PendingRequest {
            id,
            method,
            params,
            authenticated,
            client,
        } = request;
        let capabilities = client.first_round().capabilities;
        let mut rounds = Rounds::default();
        let outcome = loop {
            let asked = self
                .client_requests
                .send(
                    questions,
                    &mut rounds,
                    &id,
                    &client,
                    &authenticated,
                    &mut stream,
                )
                .await;
            let round = match asked {
                Ok(round) => round,
                Err(ClientRequestError::ClientGone) => return,
                Err(ClientRequestError::Failed(error)) => break Err(error),
            };
            let params = params.as_deref();
            let answered = self
                .methods
                .call(&method, params, round, &authenticated, client.revision)
                .await;
            match answered {
                Ok(MethodResult::Result(result)) => break Ok(result),
                Ok(MethodResult::InputRequired(more)) => {
                    match self
                        .methods
                        .check_input(&method, &more, capabilities, client.revision)
                    {
                        Ok(()) => questions = more,
                        Err(error) => break Err(error),
                    }
                }
                Err(MethodError::Error(error)) => break Err(error),
                Err(MethodError::Rejected(_)) => break Err(Error::internal()),
            }
        };
        let reply = Reply::new(id, outcome);
        self.outbound.finish(stream, &reply, client.revision).await;
    }
}
