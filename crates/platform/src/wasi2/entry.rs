//! The export `wasi:http/incoming-handler`.

use super::bindings::wasi::http::types::{
    ErrorCode, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam, Scheme,
};
use super::incoming_body::{IncomingBody, headers};
use super::outgoing_body::{fields, write};
use super::tasks::block_on;
use crate::serve::serve;
use axum::Router;
use http::{Request, Uri};

/// Serves one request with the router that `router` gives, and returns when its response and all work that it
/// spawned are over.
pub fn handle<R: Future<Output = &'static Router>>(
    router: impl FnOnce() -> R,
    request: IncomingRequest,
    response_out: ResponseOutparam,
) {
    block_on(async {
        let response = match read(request) {
            Ok(request) => serve(router, request).await,
            Err(code) => return ResponseOutparam::set(response_out, Err(code)),
        };
        let (response, body) = response.into_parts();
        match begin(&response) {
            Ok((response, outgoing)) => {
                ResponseOutparam::set(response_out, Ok(response));
                // A client that has gone needs no answer.
                let _ = write(outgoing, body).await;
            }
            Err(code) => ResponseOutparam::set(response_out, Err(code)),
        }
    });
}

fn read(request: IncomingRequest) -> Result<Request<IncomingBody<IncomingRequest>>, ErrorCode> {
    let method = match request.method() {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        Method::Connect => http::Method::CONNECT,
        Method::Options => http::Method::OPTIONS,
        Method::Trace => http::Method::TRACE,
        Method::Patch => http::Method::PATCH,
        Method::Other(name) => http::Method::from_bytes(name.as_bytes())
            .map_err(|_| ErrorCode::HttpRequestMethodInvalid)?,
    };
    let headers = headers(&request.headers()).map_err(|_| ErrorCode::HttpProtocolError)?;
    let uri = uri(&request).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    let body = IncomingBody::new(request, &headers);
    let mut read = Request::new(body);
    *read.method_mut() = method;
    *read.uri_mut() = uri;
    *read.headers_mut() = headers;
    Ok(read)
}

fn uri(request: &IncomingRequest) -> Result<Uri, http::Error> {
    let mut uri = Uri::builder();
    let authority = request.authority();
    // A URI has both or neither.
    if let Some(authority) = authority {
        let scheme = match request.scheme() {
            Some(Scheme::Https) => "https".to_owned(),
            Some(Scheme::Other(scheme)) => scheme,
            Some(Scheme::Http) | None => "http".to_owned(),
        };
        uri = uri.scheme(scheme.as_str()).authority(authority);
    }
    let path = request.path_with_query();
    uri.path_and_query(path.as_deref().unwrap_or("/")).build()
}

fn begin(response: &http::response::Parts) -> Result<(OutgoingResponse, OutgoingBody), ErrorCode> {
    let fields = fields(&response.headers)
        .map_err(|error| internal(&format!("a header of the response: {error:?}")))?;
    let outgoing = OutgoingResponse::new(fields);
    outgoing
        .set_status_code(response.status.as_u16())
        .map_err(|()| internal("the status of the response"))?;
    let body = outgoing
        .body()
        .map_err(|()| internal("the body of the response"))?;
    Ok((outgoing, body))
}

fn internal(what: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(format!("WASI refused {what}")))
}

/// Makes the crate a Spin HTTP component.
///
/// Takes the path of an `async fn() -> axum::Router`. It runs once per instance.
///
/// ```ignore
/// platform::http_component!(router);
///
/// async fn router() -> axum::Router {
///     axum::Router::new().route("/", axum::routing::get(|| async { "hello" }))
/// }
/// ```
#[macro_export]
macro_rules! http_component {
    ($router:path) => {
        const _: () = {
            use $crate::internal::bindings;

            struct Component;
    bindings::export_incoming_handler!(Component with_types_in bindings);

            impl bindings::exports::wasi::http::incoming_handler::Guest for Component {
                fn handle(
                    request: bindings::wasi::http::types::IncomingRequest,
                    response_out: bindings::wasi::http::types::ResponseOutparam,
                ) {
                    static ROUTER: ::std::sync::OnceLock<$crate::axum::Router> =
                        ::std::sync::OnceLock::new();
                    let router = async || match ROUTER.get() {
                        Some(router) => router,
                        None => {
                            let router = $router().await;
                            ROUTER.get_or_init(|| router)
                        }
                    };
                    $crate::internal::handle(router, request, response_out);
                }
            }
        };
    };
}
