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
use crate::stream::change_feed::ChangeFeed;
use crate::stream::outbound::Outbound;
use crate::stream::resumable::ResumableStreams;
use crate::stream::session_notifications::SessionNotifications;
use crate::tasks::{TaskRunner, Tasks};
use crate::transport::http_sse::{self, HttpSse};
use crate::transport::sessions::SessionTransport;
use crate::transport::stateless::{
    Listeners, RequestStates, Stateless, StatelessCalls, TaskMethods,
};
use crate::transport::streamable_http::{self, StreamableHttp};
use crate::{Body, Parts};
use http::request::Parts as Head;
use http::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use web::cors::{Cors, Origin};

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

    /// Answers a request to `/mcp`, `/sse` or `/messages`, or the landing page's to [`OFFER`].
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
        let (transport, methods) = match head.uri.path() {
            "/sse" | "/messages" if !self.context.config.http_sse => {
                let text = "HTTP+SSE is not offered here; the MCP endpoint is /mcp.\n";
                return from_web(web::text(StatusCode::NOT_FOUND, text));
            }
            // Its messages travel through rings of several writers, whose numbers only a counter gives.
            "/sse" | "/messages" if !self.context.store.has_atomics() => {
                let text = "HTTP+SSE is not offered here, because the key-value store of this server has no atomic operation; the MCP endpoint is /mcp.\n";
                return from_web(web::text(StatusCode::NOT_FOUND, text));
            }
            "/sse" => (Transport::HttpSse, http_sse::STREAM_METHODS),
            "/messages" => (Transport::HttpSse, http_sse::MESSAGE_METHODS),
            OFFER => return self.offer().await,
            "/mcp" | "/mcp/" => (Transport::StreamableHttp, streamable_http::METHODS),
            // Spin takes several slashes for one (`//mcp`).
            _ => {
                let text = "There is nothing at this path; the MCP endpoint is /mcp.\n";
                return from_web(web::text(StatusCode::NOT_FOUND, text));
            }
        };
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
        let cors = Cors { methods, ..CORS };
        let mut response = match (&endpoints, origin) {
            (Err(problem), _) => reject(Rejection::Misdirected(problem.clone()).into()),
            (Ok(_), Some(origin)) if head.method == Method::OPTIONS => {
                return from_web(cors.preflight(Origin::One(origin)));
            }
            (Ok(endpoints), _) => self
                .answer(&head, body, endpoints)
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

    /// Returns what is offered, in short, to who has no token. The manifest gives its path no route.
    async fn offer(&self) -> Response<Body> {
        match self.catalog.current().await {
            Ok(catalog) => json(StatusCode::OK, catalog.summary.clone()),
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
    ) -> Result<Response<Body>, RejectedRequest>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let headers = &head.headers;
        let authenticated = self.authenticator.authenticate(head, endpoints).await?;
        let method = &head.method;
        // In boxes, here and further on: a future has room for each that it may wait for, twice over,
        // and every request would carry the largest of them around.
        match head.uri.path() {
            "/sse" => {
                let opened = self
                    .http_sse
                    .open(method, headers, endpoints, &authenticated);
                Ok(Box::pin(opened).await?)
            }
            "/messages" => {
                let uri = &head.uri;
                let taken = self
                    .http_sse
                    .post(method, uri, headers, body, authenticated);
                Ok(Box::pin(taken).await?)
            }
            _ => {
                let handled = self
                    .streamable_http
                    .handle(method, headers, body, authenticated);
                Box::pin(handled).await
            }
        }
    }
}

/// Where the component `home` asks what is offered.
const OFFER: &str = "/offer";

/// What pages may send and read; the methods are each path's own. The star stands for
/// `Mcp-Param-*`, whose names are the tools' own; it does not stand for `Authorization`.
const CORS: Cors = Cors {
    methods: "",
    headers: "Authorization, DPoP, Content-Type, Accept, Last-Event-ID, MCP-Protocol-Version, MCP-Session-Id, Mcp-Method, Mcp-Name, *",
    exposed: "WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id",
};
