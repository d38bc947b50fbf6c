//! Outbound HTTP requests of components: to allowed hosts, to other components, and to the application itself.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use http::{HeaderName, Request, Response, Uri, header::HOST, uri::Scheme};
use http_body_util::BodyExt;
use tokio::time::timeout;
use wasmtime_wasi::HostWallClock;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use crate::{
    allowed_hosts::chained_component,
    component::Component,
    hooks::OutboundCall,
    http_connector::{ConnectError, with_connect_timeout},
    key_value::Region,
    outbound_grant::{self, Application, Outbound},
    timed_body::TimedBody,
};

/// Where a component sets no timeout of its own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

type SentResponse = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

/// The hooks of what a component sends.
pub(crate) struct OutboundHooks {
    pub(crate) component: Arc<Component>,
    /// The region that the request is served in, and with it those that it sends to other components.
    pub(crate) region: Region,
}

impl WasiHttpHooks for OutboundHooks {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // Whether the component could use the response is of no use to anybody here.
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<SentResponse, Error>> + Send> {
        let (component, region) = (self.component.clone(), self.region.clone());
        request.extensions_mut().insert(region);
        Box::new(async move {
            let response = send(&component, request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Box<_>))
        })
    }
}

/// The hooks of the requests that come to a component: as in Spin, no header of them is kept back.
pub(crate) struct IncomingHooks;

impl WasiHttpHooks for IncomingHooks {
    fn is_forbidden_header(&mut self, _: &HeaderName) -> bool {
        false
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|_| false)
    }

    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<SentResponse, Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

async fn send(
    component: &Component,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let Outbound { allowed, shared } = &component.outbound;
    let itself = match request.uri().authority().map(|authority| authority.host()) {
        None | Some("" | "self.alt") => true,
        Some(_) => false,
    };
    let is_allowed = if itself {
        allowed.allows_itself()
    } else {
        allowed.allows(&request.uri().to_string(), "https")
    };
    if !is_allowed {
        component.report_refusal(&refusal(&component.id, request.uri(), itself));
        return Err(Error::HttpRequestDenied);
    }
    let application = || {
        shared
            .application
            .get()
            .and_then(Weak::upgrade)
            .ok_or(Error::ConnectionRefused)
    };
    if itself {
        *request.uri_mut() = own_url(&*application()?, request.uri())?;
    }
    // The header follows from the URL; with HTTP/2 some servers do not take both.
    request.headers_mut().remove(HOST);
    component.counters.outbound.fetch_add(1, Ordering::Relaxed);
    if let Some(hook) = &component.hooks.outbound {
        let call = OutboundCall {
            component: component.id.clone(),
            method: request.method().clone(),
            url: request.uri().clone(),
        };
        hook(call)
            .await
            .map_err(|text| Error::InternalError(Some(text)))?;
    }
    if let Some(target) = chained_component(request.uri()).map(ToOwned::to_owned) {
        return application()?
            .chain(&target, request)
            .await
            .map_err(|error| Error::InternalError(Some(error.to_string())));
    }
    if let Some(rate) = &shared.rate
        && !rate.take(1, component.hooks.clock.now())
    {
        return Err(Error::ConnectionLimitReached);
    }
    let connect_timeout = options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let answer = with_connect_timeout(connect_timeout, shared.client.request(request));
    let response = timeout(
        options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT),
        answer,
    )
    .await
    .map_err(|_| Error::ConnectionReadTimeout)?
    .map_err(|error| match ConnectError::find(&error) {
        Some(error) => error.into(),
        None => Error::HttpProtocolError,
    })?;
    let pause = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
    Ok(response.map(|body| {
        TimedBody::new(body.map_err(|_| Error::HttpProtocolError), pause).boxed_unsync()
    }))
}

/// What the operator reads of a request that is not allowed: to where, and what would allow it, as in Spin. Nothing of the URL
/// but its origin is part of it.
fn refusal(component: &str, uri: &Uri, itself: bool) -> String {
    let scheme = match uri.scheme_str() {
        Some("http") => "http",
        _ => "https",
    };
    let authority = uri.authority().map_or("", |authority| {
        // Without credentials, should there be some.
        authority.as_str().rsplit('@').next().unwrap_or_default()
    });
    let (to, pattern) = if itself {
        ("its own application".to_owned(), format!("{scheme}://self"))
    } else {
        let pattern = format!("{scheme}://{authority}");
        (format!("{pattern:?}"), pattern)
    };
    outbound_grant::refusal(component, &format!("send a request to {to}"), &pattern)
}

/// The URL of a request that a component sends to its own application, by the address that the host listens on.
fn own_url(application: &dyn Application, uri: &Uri) -> Result<Uri, Error> {
    Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(application.address().to_string())
        .path_and_query(uri.path_and_query().map_or("/", |path| path.as_str()))
        .build()
        .map_err(|_| Error::HttpRequestUriInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_component_the_origin_and_the_line_to_add() {
        let uri = "https://user:sesame@a.test:8443/path?token=secret"
            .parse()
            .unwrap();
        let refusal = refusal("mcp", &uri, false);
        for words in [
            "\"mcp\"",
            "\"https://a.test:8443\"",
            "allowed_outbound_hosts",
            "[component.mcp]",
        ] {
            assert!(refusal.contains(words), "{refusal}");
        }
        for words in ["sesame", "secret", "path"] {
            assert!(!refusal.contains(words), "{refusal}");
        }
        let itself = super::refusal("mcp", &"http://self.alt/path".parse().unwrap(), true);
        assert!(itself.contains("\"http://self\""), "{itself}");
    }
}
