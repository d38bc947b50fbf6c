//! The one door to the platform: no other crate names `spin_sdk`.
//!
//! A component is an axum [`Router`](axum::Router) handed to [`http_component!`]. What else it may
//! touch is here as well, one module a capability: the key-value store, variables, outbound HTTP,
//! the clock and sleep, spawned work.

mod entry;
pub mod http_client;
pub mod key_value;
pub mod time;
pub mod variables;

pub use spin_sdk::wasip3::spawn;

/// For bindings of further contracts: two versions in one component would be two async runtimes.
/// Its `generate!` wants `runtime_path: "platform::wit_bindgen::rt"`.
pub use spin_sdk::wit_bindgen;

/// What [`http_component!`] expands to; not for direct use.
#[doc(hidden)]
pub mod internal {
    pub use crate::entry::handle;
    pub use spin_sdk::wasip3;
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
                    let router = match ROUTER.get() {
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

#[doc(hidden)]
pub use axum;
