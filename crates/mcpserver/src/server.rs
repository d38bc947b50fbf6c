//! The server: from a request to its transport, and what holds for all of them.

use crate::cache::Cache;
use crate::call::sandbox::Denied;
use crate::http::authenticator::{Remembered, Scheme};
use crate::http::body::from_web;
use crate::http::endpoints::{Place, Transport};
use crate::http::origin;
use crate::http::rejection::{Refusal, Terms};
use crate::protocol::catalog::Known;
use crate::transport::session::Sessions;
use crate::transport::{http_sse, streamable_http};
use crate::{Body, Environment, Parts};
use config::{Problem, Site};
use grants::OpenedGrant;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts as Head;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use oauth::access_token::Claims;
use std::sync::{Arc, RwLock};
use store::Store;
use web::cors::{Cors, Origin};

/// Tokens remembered per instance.
const TOKENS: usize = 512;

/// The MCP endpoint. One per instance.
pub struct Server<P: Parts> {
    pub(crate) config: config::Server,
    pub(crate) store: Store<P::KeyValue>,
    pub(crate) identity: P::Identity,
    pub(crate) tools: P::Tools,
    pub(crate) environment: P::Environment,
    /// What is offered.
    pub(crate) catalog: RwLock<Option<Known>>,
    pub(crate) sessions: Sessions,
    /// Our tokens whose signature was found good, by their SHA-256.
    pub(crate) claims: Cache<[u8; 32], Arc<Claims>>,
    /// Grants of tokens that were good, by their ids: what they say, not whether they are alive.
    pub(crate) grants: Cache<String, Arc<OpenedGrant>>,
    /// Pasted tokens that the identity provider knows, likewise.
    pub(crate) presented: Cache<[u8; 32], Arc<Remembered>>,
    /// Where requests came to, by what they told of it.
    places: Cache<String, Arc<Place>>,
    /// The refusals of the sandbox that the log has, by tool.
    pub(crate) denied: Cache<(String, Denied), ()>,
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
        Arc::new(Self {
            store: Store::new(key_value, config.key_prefix.clone()),
            config,
            identity,
            tools,
            environment,
            catalog: RwLock::default(),
            sessions: Sessions::new(),
            claims: Cache::new(TOKENS),
            grants: Cache::new(TOKENS),
            presented: Cache::new(TOKENS),
            places: Cache::new(16),
            denied: Cache::new(64),
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
        self.config.site.secured(response)
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
        let place = self.place(&head.headers);
        let known_place = place.as_deref().ok();
        let terms = Terms {
            place: known_place,
            transport,
            scheme: Scheme::of(&head.headers),
            offers_dpop: self.config.authorization_server.external().is_none(),
            scopes: &self.config.default_scopes,
        };
        let refuse = |refusal: Refusal| {
            self.record_refusal(&head, &refusal);
            refusal.into_response(&terms)
        };
        let origin = match origin::check(&head.headers, known_place, &self.config.allowed_origins) {
            Ok(origin) => origin.and_then(|origin| origin.to_str().ok()),
            Err(origin::Foreign) => return refuse(Refusal::Origin),
        };
        let cors = Cors { methods, ..CORS };
        let mut response = match (&place, origin) {
            (Err(problem), _) => refuse(Refusal::Misdirected(problem.clone())),
            (Ok(_), Some(origin)) if head.method == Method::OPTIONS => {
                return from_web(cors.preflight(Origin::One(origin)));
            }
            (Ok(place), _) => self.answer(&head, body, place).await.unwrap_or_else(refuse),
        };
        if head.headers.contains_key(dpop::PROOF)
            && let Some(nonce) = self.prover().nonce(self.environment.now())
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
        place: &Place,
    ) -> Result<Response<Body>, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let headers = &head.headers;
        let authenticated = self.authenticate(head, place).await?;
        let method = &head.method;
        // In boxes, here and further on: a future has room for each that it may wait for, twice over,
        // and every request would carry the largest of them around.
        match head.uri.path() {
            "/sse" => Box::pin(self.open_stream(method, headers, place, &authenticated)).await,
            "/messages" => {
                let uri = &head.uri;
                Box::pin(self.take_message(method, uri, headers, body, authenticated)).await
            }
            _ => Box::pin(self.streamable_http(method, headers, body, authenticated)).await,
        }
    }

    /// Where this request reached us.
    fn place(&self, headers: &HeaderMap) -> Result<Arc<Place>, Problem> {
        let site = &self.config.site;
        let told = match site.configured() {
            Some(_) => String::new(),
            None => origin::told(headers).ok_or_else(Site::elsewhere)?,
        };
        if let Some(place) = self.places.get(&told) {
            return Ok(place);
        }
        if site.configured().is_none() && !origin::is_here(headers) {
            return Err(Site::elsewhere());
        }
        let place = Arc::new(Place::new(&site.base(headers)?));
        self.places.insert(told, Arc::clone(&place));
        Ok(place)
    }
}

/// A response of server-sent events.
pub(crate) fn event_stream(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Or nginx holds events back.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// What pages may send and read; the methods are each path's own. The star stands for
/// `Mcp-Param-*`, whose names are the tools' own; it does not stand for `Authorization`.
const CORS: Cors = Cors {
    methods: "",
    headers: "Authorization, DPoP, Content-Type, Accept, Last-Event-ID, MCP-Protocol-Version, MCP-Session-Id, Mcp-Method, Mcp-Name, *",
    exposed: "WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id",
};
