//! The HTTP server: from a connection to the component of a request.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use host_limits::HostLimits;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use serde::Serialize;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Instant,
};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::{
    component::Component,
    handler::Handler,
    headers,
    http_tap::{HttpTapHook, TappedExchange},
    key_value::Region,
    limits::{Limits, Requests, TimedStream},
    manifest::{App, StaticResponse, Target},
    outbound_grant::{Application, Chained},
    routes::{RouteMatch, Router, WELL_KNOWN},
};

/// The client's address of a request that another component sent.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The header by which a test says which region a request is served in.
const REGION_HEADER: &str = "x-test-region";

/// How often a client of HTTP/2 with open streams is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How often the log says that there are too many connections.
const FULL_WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// An application, ready to be served.
pub(crate) struct Server {
    app: App,
    router: Router,
    components: BTreeMap<String, Handler>,
    address: SocketAddr,
    watcher: Option<HttpTapHook>,
    limits: Limits,
    host_limits: Arc<HostLimits>,
}

impl Server {
    pub(crate) fn new(
        app: App,
        router: Router,
        components: BTreeMap<String, Handler>,
        address: SocketAddr,
        watcher: Option<HttpTapHook>,
        limits: Limits,
        host_limits: Arc<HostLimits>,
    ) -> Self {
        Self {
            app,
            router,
            components,
            address,
            watcher,
            limits,
            host_limits,
        }
    }

    /// The address that the host listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The application that is served.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The components that are served.
    pub(crate) fn components(&self) -> impl Iterator<Item = &Component> {
        self.components
            .values()
            .map(|handler| &**handler.component())
    }

    /// Notes that whatever is open now is about to be cut off, and that nothing is wrong about it.
    pub(crate) fn stop(&self) {
        for component in self.components() {
            component.stopping.store(true, Ordering::Relaxed);
        }
    }

    /// Takes connections until the task is dropped.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let most = self.limits.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let connections = Arc::new(Semaphore::new(most));
        let mut warned: Option<Instant> = None;
        loop {
            if connections.available_permits() == 0
                && warned.is_none_or(|warned| warned.elapsed() > FULL_WARNING_INTERVAL)
            {
                tracing::warn!("{most} connections are open, the most there may be; others wait");
                warned = Some(Instant::now());
            }
            // Those that wait are kept by the system until one of these ends.
            let Ok(permit) = connections.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, client)) => {
                    let server = self.clone();
                    tokio::spawn(async move {
                        server.connection(stream, client).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    // Such as too many open files: those who are served are served on.
                    tracing::warn!("cannot take a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, client: SocketAddr) {
        // Small writes, such as events, are worth sending at once.
        let _ = stream.set_nodelay(true);
        let limits = self.limits;
        let requests = Arc::new(Requests::default());
        let stream = TimedStream::new(stream, limits, requests.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let server = self.clone();
            let open = requests.begin();
            async move {
                let request =
                    request.map(|body| limits.timed(body.map_err(Error::from)).boxed_unsync());
                let (request, watched) = TappedExchange::request(server.watcher.as_ref(), request);
                let answer = server.request(request, client).await?;
                let answer = match watched {
                    Some(watched) => watched.answer(answer),
                    None => answer,
                };
                anyhow::Ok(answer.map(|body| open.until_sent(body)))
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        // HTTP/2 finds out about a client that is gone; with HTTP/1 the next write does.
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL);
        if let Err(error) = builder
            .serve_connection(TokioIo::new(stream), service)
            .await
        {
            tracing::debug!("a connection ended: {error}");
        }
    }

    /// Answers a request from outside. An error closes its connection.
    async fn request(
        &self,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> anyhow::Result<Response<WasiBody>> {
        if let Err(error) = headers::resolve_host(&mut request, self.address) {
            let mut answer = Response::new(full(format!("{error}\n")));
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            answer.headers_mut().insert(CONTENT_TYPE, text);
            return Ok(answer);
        }
        let path = request.uri().path().to_owned();
        if let Some(well_known) = path.strip_prefix(WELL_KNOWN) {
            return Ok(match well_known {
                "health" => Response::new(full("OK")),
                "info" => self.info()?,
                _ => status(StatusCode::NOT_FOUND),
            });
        }
        if let Some(most) = self.host_limits.max_body_bytes {
            match limited(request, most) {
                Some(limited) => request = limited,
                None => return Ok(status(StatusCode::PAYLOAD_TOO_LARGE)),
            }
        }
        if self.host_limits.key_value.replication_lag.is_some()
            && let Some(region) = request.headers().get(REGION_HEADER)
        {
            let region = Region::from(String::from_utf8_lossy(region.as_bytes()));
            request.extensions_mut().insert(region);
        }
        match self.router.find(&path) {
            Some(route) => self.route(request, &route, client).await,
            None => Ok(status(StatusCode::NOT_FOUND)),
        }
    }

    /// Answers a request of one component to another one.
    pub(crate) async fn chain(
        &self,
        component: &str,
        mut request: Request<WasiBody>,
    ) -> anyhow::Result<Response<WasiBody>> {
        headers::make_chained_absolute(&mut request)?;
        let is_for = |target: &Target| matches!(target, Target::Component(id) if id == component);
        let trigger = self
            .app
            .triggers
            .iter()
            .position(|trigger| is_for(&trigger.target));
        let trigger =
            trigger.with_context(|| format!("no trigger is for component {component:?}"))?;
        let path = request.uri().path().to_owned();
        self.route(
            request,
            &RouteMatch::chained(trigger, &path),
            CHAINED_CLIENT,
        )
        .await
    }

    async fn route(
        &self,
        mut request: Request<WasiBody>,
        route: &RouteMatch<'_>,
        client: SocketAddr,
    ) -> anyhow::Result<Response<WasiBody>> {
        let id = match &self.app.triggers[route.trigger].target {
            Target::Component(id) => id,
            Target::Static(response) => return fixed(response),
        };
        let handler = self
            .components
            .get(id)
            .with_context(|| format!("component {id:?} is not loaded"))?;
        let component = handler.component();
        component.counters.requests.fetch_add(1, Ordering::Relaxed);
        let answer = match headers::add(&mut request, route, client) {
            Ok(()) => handler.handle(request).await.map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        Ok(answer.unwrap_or_else(|error| {
            tracing::error!("component {id:?} gave no response: {error:#}");
            component.logs.keep(id, &format!("no response: {error:#}"));
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }))
    }

    fn info(&self) -> anyhow::Result<Response<WasiBody>> {
        #[derive(Serialize)]
        struct Info<'a> {
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            version: Option<&'a str>,
        }
        let info = Info {
            name: &self.app.name,
            version: self.app.version.as_deref(),
        };
        let body = full(serde_json::to_vec_pretty(&info)?);
        Ok(Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .body(body)?)
    }
}

/// Returns the request with a body that fails beyond so many bytes; nothing if its head says that it has more.
fn limited(request: Request<WasiBody>, most: u64) -> Option<Request<WasiBody>> {
    if request.body().size_hint().lower() > most {
        return None;
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let limited = request.map(|body| {
        let body = Limited::new(body, most);
        body.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(_) => Error::HttpRequestBodySize(None),
        })
        .boxed_unsync()
    });
    Some(limited)
}

fn fixed(response: &StaticResponse) -> anyhow::Result<Response<WasiBody>> {
    let mut builder = Response::builder().status(response.status_code.unwrap_or(200));
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    Ok(builder.body(response.body.clone().map_or_else(empty, full))?)
}

fn status(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

fn full(body: impl Into<Bytes>) -> WasiBody {
    Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn empty() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

impl Application for Server {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn chain<'a>(&'a self, component: &'a str, request: Request<WasiBody>) -> Chained<'a> {
        Box::pin(self.chain(component, request))
    }
}
