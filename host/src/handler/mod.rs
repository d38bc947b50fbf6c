//! The handler of a component: what turns a request into a response, in either generation of WASI.

mod wasip2;
mod wasip3;

use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};
use wasmtime::bail;
use wasmtime_wasi_http::{
    WasiBody,
    handler::{ProxyHandler, ProxyPre},
};

use crate::{
    component::Component,
    deadline::{CUT, DeadlineBody},
    key_value::Region,
    state::State,
};

/// A component that is served.
pub(crate) enum Handler {
    /// Of WASI 0.2: `wasi:http/incoming-handler`.
    Wasip2(wasip2::Handler),
    /// Of WASI 0.3: `wasi:http/handler`.
    Wasip3(ProxyHandler<wasip3::Instances>),
}

impl Handler {
    pub(crate) fn new(component: Component, proxy: ProxyPre<State>) -> Self {
        let component = Arc::new(component);
        match proxy {
            ProxyPre::P2(proxy) => Self::Wasip2(wasip2::Handler { component, proxy }),
            ProxyPre::P3(service) => {
                Self::Wasip3(ProxyHandler::new(wasip3::Instances { component, service }))
            }
        }
    }

    pub(crate) fn component(&self) -> &Arc<Component> {
        match self {
            Self::Wasip2(handler) => &handler.component,
            Self::Wasip3(handler) => &handler.state().component,
        }
    }

    /// Answers a request.
    ///
    /// # Errors
    /// The component fails, ends without a response, or has none in time.
    pub(crate) async fn handle(
        &self,
        request: Request<WasiBody>,
    ) -> wasmtime::Result<Response<WasiBody>> {
        let region = request.extensions().get().cloned().unwrap_or_default();
        let Some(timeout) = self.component().limits.request_timeout else {
            return self.handle_until(request, region, None).await;
        };
        let deadline = Instant::now() + timeout;
        let answer = timeout_at(deadline, self.handle_until(request, region, Some(deadline)));
        match answer.await {
            Ok(answer) => Ok(answer?.map(|body| DeadlineBody::new(body, deadline).boxed_unsync())),
            Err(_) => bail!(CUT),
        }
    }

    async fn handle_until(
        &self,
        request: Request<WasiBody>,
        region: Region,
        deadline: Option<Instant>,
    ) -> wasmtime::Result<Response<WasiBody>> {
        match self {
            Self::Wasip2(handler) => handler.handle(request, region, deadline).await,
            // Its instances know of the deadline themselves.
            Self::Wasip3(handler) => handler.handle(region, request).await,
        }
    }
}
