//! The server: its parts, and the way of a request to its transport.

use crate::call::cancellation::Cancellations;
use crate::call::client_requests::ClientRequests;
use crate::call::sandbox::SandboxLog;
use crate::call::streamed_call::StreamedCalls;
use crate::call::tool_call::ToolCaller;
use crate::call::upstream_credential::UpstreamCredentials;
use crate::context::Context;
use crate::http::authenticator::Authenticator;
use crate::http::base_urls::BaseUrls;
use crate::http::body::from_web;
use crate::http::endpoints::{EndpointUrls, Transport};
use crate::http::grant_watch::GrantWatch;
use crate::http::origin;
use crate::http::rejection::{ChallengeContext, RejectedRequest, Rejection};
use crate::http::response::json;
use crate::http::scheme::Scheme;
use crate::protocol::catalog::CatalogSource;
use crate::protocol::dispatch::Dispatcher;
use crate::protocol::methods::Methods;
use crate::protocol::pending_request::PendingRequests;
use crate::router::{Endpoint, Matched};
use crate::stream::change_feed::ChangeFeed;
use crate::stream::outbound::Outbound;
use crate::stream::resumable::ResumableStreams;
use crate::stream::session_notifications::SessionNotifications;
use crate::tasks::{TaskRunner, Tasks};
use crate::transport::http_sse::HttpSse;
use crate::transport::sessions::SessionTransport;
use crate::transport::stateless::{
    Listeners, RequestStates, Stateless, StatelessCalls, TaskMethods,
};
use crate::transport::streamable_http::StreamableHttp;
use crate::{Body, Parts};
use http::request::Parts as Head;
use http::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use web::cors::Origin;

/// The MCP endpoint. One per instance.
pub struct Server<P: Parts> {
    pub(crate) context: Arc<Context<P>>,
    base_urls: BaseUrls<P>,
    authenticator: Authenticator<P>,
    streamable_http: StreamableHttp<P>,
    http_sse: Arc<HttpSse<P>>,
    catalog: Arc<CatalogSource<P>>,
}

impl<P: Parts> Server<P> {
    /// Composes a server of these parts.
    pub fn new(
        config: config::Server,
        key_value: P::KeyValue,
        identity: P::Identity,
        tools: P::Tools,
        environment: P::Environment,
    ) -> Arc<Self> {
        let context = &Arc::new(Context::new(config, key_value, environment));
        let (identity, tools) = (&Arc::new(identity), &Arc::new(tools));
        let grants = &Arc::new(GrantWatch::new(context.clone()));
        let changes = &Arc::new(ChangeFeed::new(context.clone()));
        let resumable = &Arc::new(ResumableStreams::new(context.clone(), grants.clone()));
        let outbound = &Arc::new(Outbound::new(context.clone(), resumable.clone()));
        let notifications = &Arc::new(SessionNotifications::new(
            context.clone(),
            grants.clone(),
            changes.clone(),
        ));

        let credentials = &Arc::new(UpstreamCredentials::new(context.clone(), identity.clone()));
        let sandbox = &Arc::new(SandboxLog::default());
        let cancellations = &Arc::new(Cancellations::new(context.clone()));
        let client_requests = &Arc::new(ClientRequests::new(
            context.clone(),
            grants.clone(),
            cancellations.clone(),
            outbound.clone(),
        ));
        let caller = &Arc::new(ToolCaller::new(
            context.clone(),
            tools.clone(),
            grants.clone(),
            changes.clone(),
            credentials.clone(),
            sandbox.clone(),
        ));
        let streamed = &Arc::new(StreamedCalls::new(
            context.clone(),
            caller.clone(),
            client_requests.clone(),
            cancellations.clone(),
            outbound.clone(),
        ));

        let catalog = &Arc::new(CatalogSource::new(
            context.clone(),
            tools.clone(),
            changes.clone(),
        ));
        let methods = &Arc::new(Methods::new(
            context.clone(),
            tools.clone(),
            grants.clone(),
            catalog.clone(),
            caller.clone(),
            credentials.clone(),
            sandbox.clone(),
        ));
        let pending = Arc::new(PendingRequests::new(
            methods.clone(),
            client_requests.clone(),
            outbound.clone(),
        ));
        let dispatcher = &Arc::new(Dispatcher::new(
            catalog.clone(),
            methods.clone(),
            caller.clone(),
            cancellations.clone(),
            client_requests.clone(),
            pending,
        ));

        let tasks = &Arc::new(Tasks::new(context.clone(), catalog.clone(), grants.clone()));
        let runner = Arc::new(TaskRunner::new(
            context.clone(),
            tasks.clone(),
            grants.clone(),
            methods.clone(),
            caller.clone(),
        ));
        let states = &Arc::new(RequestStates::new(context.clone()));
        let task_methods = &Arc::new(TaskMethods::new(
            context.clone(),
            tasks.clone(),
            runner,
            states.clone(),
        ));
        let stateless = Arc::new(Stateless::new(
            catalog.clone(),
            methods.clone(),
            states.clone(),
            Arc::new(StatelessCalls::new(
                context.clone(),
                catalog.clone(),
                methods.clone(),
                streamed.clone(),
                outbound.clone(),
                states.clone(),
                task_methods.clone(),
            )),
            Arc::new(Listeners::new(
                context.clone(),
                catalog.clone(),
                changes.clone(),
                tasks.clone(),
                grants.clone(),
                outbound.clone(),
            )),
            task_methods.clone(),
        ));
        let sessions = Arc::new(SessionTransport::new(
            context.clone(),
            catalog.clone(),
            dispatcher.clone(),
            streamed.clone(),
            resumable.clone(),
            notifications.clone(),
        ));
        Arc::new(Self {
            context: context.clone(),
            base_urls: BaseUrls::new(context.clone()),
            authenticator: Authenticator::new(context.clone(), identity.clone(), grants.clone()),
            streamable_http: StreamableHttp::new(context.clone(), sessions, stateless),
            http_sse: Arc::new(HttpSse::new(
                context.clone(),
                grants.clone(),
                catalog.clone(),
                dispatcher.clone(),
                streamed.clone(),
                outbound.clone(),
                notifications.clone(),
            )),
            catalog: catalog.clone(),
        })
    }

    /// Answers a request to `/mcp`, `/sse` or `/messages`, or the landing page's to `/offer`.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let response = self.handle_unsecured(request).await;
        web::require_https(self.context.config.public_url.requires_https(), response)
    }

    async fn handle_unsecured<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let Some(matched) = Matched::find(head.uri.path(), &head.method) else {
            let text = "There is nothing at this path; the MCP endpoint is /mcp.\n";
            return from_web(web::text(StatusCode::NOT_FOUND, text));
        };
        let transport = matched.transport();
        if transport == Transport::HttpSse
            && let Some(text) = self.no_http_sse()
        {
            return from_web(web::text(StatusCode::NOT_FOUND, text));
        }
        if matched.endpoint == Some(Endpoint::Offer) {
            return self.offer().await;
        }
        let endpoints = self.base_urls.find(&head.headers);
        let known_endpoints = endpoints.as_deref().ok();
        let challenge = ChallengeContext {
            endpoints: known_endpoints,
            transport,
            scheme: Scheme::of(&head.headers),
            offers_dpop: self
                .context
                .config
                .authorization_server
                .external()
                .is_none(),
            scopes: &self.context.config.default_scopes,
        };
        let reject = |RejectedRequest { id, rejection }: RejectedRequest| {
            self.authenticator.record_rejection(&head, &rejection);
            rejection.into_response(id, &challenge)
        };
        let origin = match origin::check(
            &head.headers,
            known_endpoints,
            &self.context.config.allowed_origins,
        ) {
            Ok(origin) => origin.and_then(|origin| origin.to_str().ok()),
            Err(origin::ForeignOrigin) => return reject(Rejection::Origin.into()),
        };
        let cors = matched.cors();
        let mut response = match (&endpoints, origin) {
            (Err(problem), _) => reject(Rejection::Misdirected(problem.clone()).into()),
            (Ok(_), Some(origin)) if head.method == Method::OPTIONS => {
                return from_web(cors.preflight(Origin::One(origin)));
            }
            (Ok(endpoints), _) => self
                .answer(&head, body, endpoints, &matched)
                .await
                .unwrap_or_else(reject),
        };
        if head.headers.contains_key(dpop::PROOF)
            && let Some(nonce) = self.authenticator.nonce()
        {
            response.headers_mut().insert(dpop::NONCE, nonce);
        }
        if let Some(origin) = origin {
            cors.allow_headers(Origin::One(origin), response.headers_mut());
        }
        response
    }

    /// Returns why HTTP+SSE is not offered; `None` if it is.
    fn no_http_sse(&self) -> Option<&'static str> {
        if !self.context.config.http_sse {
            return Some("HTTP+SSE is not offered here; the MCP endpoint is /mcp.\n");
        }
        // Its messages travel through rings of several writers, whose numbers only a counter gives.
        (!self.context.store.has_atomics()).then_some(
            "HTTP+SSE is not offered here, because the key-value store of this server has no atomic operation; the MCP endpoint is /mcp.\n",
        )
    }

    /// Returns what is offered, in short, to who has no token.
    async fn offer(&self) -> Response<Body> {
        match self.catalog.current().await {
            Ok(catalog) => json(StatusCode::OK, catalog.summary()),
            Err(_) => from_web(web::text(
                StatusCode::SERVICE_UNAVAILABLE,
                "The tools do not describe themselves; the log says why.\n",
            )),
        }
    }

    async fn answer<B>(
        &self,
        head: &Head,
        body: B,
        endpoints: &EndpointUrls,
        matched: &Matched,
    ) -> Result<Response<Body>, RejectedRequest>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Head { headers, uri, .. } = head;
        let authenticated = self.authenticator.authenticate(head, endpoints).await?;
        let no_stream = || Rejection::Method(matched.allow_without_stream());
        // In boxes, here and further on: a future has room for each that it may wait for, twice over,
        // and every request would carry the largest of them around.
        match matched.endpoint {
            Some(Endpoint::Message) => {
                let handled = self.streamable_http.post(headers, body, authenticated);
                Box::pin(handled).await
            }
            Some(Endpoint::SessionStream) => {
                let opened = self.streamable_http.get(headers, &authenticated);
                Ok(Box::pin(opened).await?.ok_or_else(no_stream)?)
            }
            Some(Endpoint::SessionEnd) => {
                let ended = self.streamable_http.delete(headers, &authenticated);
                Ok(Box::pin(ended).await?.ok_or_else(no_stream)?)
            }
            Some(Endpoint::SseStream) => {
                let opened = self.http_sse.open(headers, endpoints, &authenticated);
                Ok(Box::pin(opened).await?)
            }
            Some(Endpoint::SseMessage) => {
                let taken = self.http_sse.post(uri, headers, body, authenticated);
                Ok(Box::pin(taken).await?)
            }
            // The offer needs no token and was answered before.
            Some(Endpoint::Offer) | None => Err(Rejection::Method(matched.allow()).into()),
        }
    }
}
