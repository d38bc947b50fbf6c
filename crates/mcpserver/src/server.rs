//! The server: from a request to its transport, and what holds for all of them.

use crate::cache::Cache;
use crate::call::sandbox::Denied;
use crate::context::Context;
use crate::http::authenticator::{CachedVerification, Scheme};
use crate::http::body::from_web;
use crate::http::endpoints::{EndpointUrls, Transport};
use crate::http::grant_watch::GrantWatch;
use crate::http::origin;
use crate::http::rejection::{ChallengeContext, RejectedRequest, Rejection};
use crate::protocol::catalog::CachedCatalog;
use crate::stream::change_feed::ChangeFeed;
use crate::stream::resumable::ResumableStreams;
use crate::tasks::TaskRecords;
use crate::transport::session::Sessions;
use crate::transport::{http_sse, streamable_http};
use crate::{Body, Environment, Parts};
use config::{Problem, PublicUrl};
use http::request::Parts as Head;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use oauth::access_token::Claims;
use std::sync::{Arc, RwLock};
use web::cors::{Cors, Origin};

/// Tokens remembered per instance.
const TOKENS: usize = 512;

/// The MCP endpoint. One per instance.
pub struct Server<P: Parts> {
    pub(crate) context: Arc<Context<P>>,
    pub(crate) identity: P::Identity,
    pub(crate) tools: P::Tools,
    /// What is offered.
    pub(crate) catalog: RwLock<Option<CachedCatalog>>,
    pub(crate) sessions: Sessions,
    /// Our tokens whose signature was found good, by their SHA-256.
    pub(crate) claims: Cache<[u8; 32], Arc<Claims>>,
    /// Pasted tokens that the identity provider knows, likewise.
    pub(crate) presented: Cache<[u8; 32], Arc<CachedVerification>>,
    /// Where requests came to, by their base URL keys.
    endpoints: Cache<String, Arc<EndpointUrls>>,
    /// The refusals of the sandbox that the log has, by tool.
    pub(crate) denied: Cache<(String, Denied), ()>,
    pub(crate) grants: Arc<GrantWatch<P>>,
    pub(crate) changes: Arc<ChangeFeed<P>>,
    pub(crate) resumable: Arc<ResumableStreams<P>>,
    pub(crate) task_records: TaskRecords<P>,
}

impl<P: Parts> Server<P> {
    /// A server of these parts.
    pub fn new(
        config: config::Server,
        key_value: P::KeyValue,
        identity: P::Identity,
        tools: P::Tools,
        environment: P::Environment,
    ) -> Arc<Self> {
        let context = Arc::new(Context::new(config, key_value, environment));
        let grants = Arc::new(GrantWatch::new(Arc::clone(&context)));
        Arc::new(Self {
            identity,
            tools,
            catalog: RwLock::default(),
            sessions: Sessions::new(),
            claims: Cache::new(TOKENS),
            presented: Cache::new(TOKENS),
            endpoints: Cache::new(16),
            denied: Cache::new(64),
            changes: Arc::new(ChangeFeed::new(Arc::clone(&context))),
            resumable: Arc::new(ResumableStreams::new(
                Arc::clone(&context),
                Arc::clone(&grants),
            )),
            task_records: TaskRecords::new(Arc::clone(&context)),
            grants,
            context,
        })
    }

    /// Answers a request to `/mcp`, `/sse` or `/messages`.
    pub async fn handle<B>(self: &Arc<Self>, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let response = self.handle_unsecured(request).await;
        web::require_https(self.context.config.public_url.requires_https(), response)
    }

    async fn handle_unsecured<B>(self: &Arc<Self>, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let (transport, methods) = match head.uri.path() {
            "/sse" => (Transport::HttpSse, http_sse::STREAM_METHODS),
            "/messages" => (Transport::HttpSse, http_sse::MESSAGE_METHODS),
            "/mcp" | "/mcp/" => (Transport::StreamableHttp, streamable_http::METHODS),
            // Spin takes several slashes for one (`//mcp`).
            _ => {
                let text = "There is nothing at this path; the MCP endpoint is /mcp.\n";
                return from_web(web::text(StatusCode::NOT_FOUND, text));
            }
        };
        let endpoints = self.endpoints(&head.headers);
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
            self.record_rejection(&head, &rejection);
            rejection.into_response(id, &challenge)
        };
        let origin = match origin::check(
            &head.headers,
            known_endpoints,
            &self.context.config.allowed_origins,
        ) {
            Ok(origin) => origin.and_then(|origin| origin.to_str().ok()),
            Err(origin::Foreign) => return reject(Rejection::Origin.into()),
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
            && let Some(nonce) = self.proof_verifier().nonce(self.context.environment.now())
        {
            response.headers_mut().insert(dpop::NONCE, nonce);
        }
        if let Some(origin) = origin {
            cors.allow_headers(Origin::One(origin), response.headers_mut());
        }
        response
    }

    async fn answer<B>(
        self: &Arc<Self>,
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
        let authenticated = self.authenticate(head, endpoints).await?;
        let method = &head.method;
        // In boxes, here and further on: a future has room for each that it may wait for, twice over,
        // and every request would carry the largest of them around.
        match head.uri.path() {
            "/sse" => {
                let opened = self.open_stream(method, headers, endpoints, &authenticated);
                Ok(Box::pin(opened).await?)
            }
            "/messages" => {
                let uri = &head.uri;
                let taken = self.take_message(method, uri, headers, body, authenticated);
                Ok(Box::pin(taken).await?)
            }
            _ => Box::pin(self.streamable_http(method, headers, body, authenticated)).await,
        }
    }

    /// Where this request reached us.
    fn endpoints(&self, headers: &HeaderMap) -> Result<Arc<EndpointUrls>, Problem> {
        let public_url = &self.context.config.public_url;
        let key = match public_url.configured() {
            Some(_) => String::new(),
            None => origin::base_url_key(headers).ok_or_else(PublicUrl::unknown)?,
        };
        if let Some(endpoints) = self.endpoints.get(&key) {
            return Ok(endpoints);
        }
        if public_url.configured().is_none() && !origin::is_loopback_host(headers) {
            return Err(PublicUrl::unknown());
        }
        let endpoints = Arc::new(EndpointUrls::new(&public_url.base(headers)?));
        self.endpoints.insert(key, Arc::clone(&endpoints));
        Ok(endpoints)
    }
}

/// What pages may send and read; the methods are each path's own. The star stands for
/// `Mcp-Param-*`, whose names are the tools' own; it does not stand for `Authorization`.
const CORS: Cors = Cors {
    methods: "",
    headers: "Authorization, DPoP, Content-Type, Accept, Last-Event-ID, MCP-Protocol-Version, MCP-Session-Id, Mcp-Method, Mcp-Name, *",
    exposed: "WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id",
};
