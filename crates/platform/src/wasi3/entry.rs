//! The export `wasi:http/handler`.

use super::scheduling::yield_after_blocking;
use crate::serve::serve;
use axum::Router;
use spin_sdk::http::{FromRequest, IntoResponse, Request};
use spin_sdk::wasip3::http::types::{ErrorCode, Request as WasiRequest, Response as WasiResponse};

/// Serves one request with the router that `router` gives.
///
/// # Errors
///
/// The WASI error code of a request whose URI or headers cannot be read.
pub async fn handle<R: Future<Output = &'static Router>>(
    router: impl FnOnce() -> R,
    request: WasiRequest,
) -> Result<WasiResponse, ErrorCode> {
    let request = Request::from_request(request)?;
    let response = serve(router, request).await;
    yield_after_blocking().await;
    response.into_response()
}

/// Makes the crate a Spin HTTP component.
///
/// Takes the path of an `async fn() -> axum::Router`. It runs once per instance; the router then
/// serves every request of that instance, several at once.
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
            use $crate::internal::wasip3;

            struct Component;
            wasip3::http::service::export!(Component);

            impl wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: wasip3::http::types::Request,
                ) -> Result<wasip3::http::types::Response, wasip3::http::types::ErrorCode> {
                    static ROUTER: ::std::sync::OnceLock<$crate::axum::Router> =
                        ::std::sync::OnceLock::new();
                    let router = async || match ROUTER.get() {
                        Some(router) => router,
                        None => {
                            let router = $router().await;
                            ROUTER.get_or_init(|| router)
                        }
                    };
                    $crate::internal::handle(router, request).await
                }
            }
        };
    };
}
