//! Components of WASI 0.2: an instance for each request, as in Spin.

use std::sync::Arc;

use http::{Request, Response};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use wasmtime::{bail, format_err};
use wasmtime_wasi_http::{
    WasiBody, WasiHttpView,
    p2::bindings::{ProxyPre, http::types::Scheme},
};

use crate::{component::Component, deadline::CUT, key_value::Region, state::State};

/// What makes the instances of a component.
pub(crate) struct Handler {
    pub(super) component: Arc<Component>,
    pub(super) proxy: ProxyPre<State>,
}

impl Handler {
    /// Answers a request. Its instance goes on after the head of the response, until the component's function returns or the
    /// deadline is there.
    pub(super) async fn handle(
        &self,
        request: Request<WasiBody>,
        region: Region,
        deadline: Option<Instant>,
    ) -> wasmtime::Result<Response<WasiBody>> {
        let mut store = State::new_store(self.proxy.engine(), self.component.clone(), region);
        let proxy = self.proxy.instantiate_async(&mut store).await?;
        let (sender, receiver) = oneshot::channel();
        // As in Spin, headers about the connection and `host` are kept from the component, which has the URL for that.
        let mut incoming = store.data_mut().http();
        let request = incoming.new_incoming_request(Scheme::Http, request)?;
        let response = incoming.new_response_outparam(sender)?;
        let running = tokio::spawn(async move {
            let handler = proxy.wasi_http_incoming_handler();
            let running = handler.call_handle(&mut store, request, response);
            match deadline {
                Some(deadline) => match timeout_at(deadline, running).await {
                    Ok(ended) => ended,
                    Err(_) => bail!(CUT),
                },
                None => running.await,
            }
        });
        match receiver.await {
            Ok(response) => {
                tokio::spawn(report(self.component.clone(), running));
                Ok(response?)
            }
            // The other end is gone with its instance.
            Err(_) => match running.await {
                Ok(Ok(())) => bail!("it returned without one"),
                Ok(Err(error)) => Err(error),
                Err(error) => Err(format_err!("{error}")),
            },
        }
    }
}

/// Reports an instance that fails after it has begun to answer.
async fn report(component: Arc<Component>, running: JoinHandle<wasmtime::Result<()>>) {
    // A task that is cancelled ends with the host.
    if let Ok(Err(error)) = running.await {
        component.report_failure(&error);
    }
}
