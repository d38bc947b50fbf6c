//! Components of WASI 0.3: a pool of instances, which are made on demand, reused, and dropped when idle.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::Sleep;
use wasmtime::{Store, StoreContextMut, component::GuestTaskId};
use wasmtime_wasi_http::{
    handler::{
        HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
    },
    p3::bindings::ServicePre,
};

use crate::{component::Component, state::State};

/// How many requests an instance takes in all, as in Spin.
const REQUESTS: usize = 128;

/// How many requests an instance takes at once, as in Spin.
const CONCURRENT: usize = 16;

/// How long an instance waits for another request, as in Spin.
const IDLE: Duration = Duration::from_secs(1);

/// Makes the instances of a component.
pub(crate) struct Instances {
    pub(super) component: Arc<Component>,
    pub(super) service: ServicePre<State>,
}

impl HandlerState for Instances {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Reuse>> {
        let mut store = Store::new(self.service.engine(), State::new(self.component.clone()));
        let service = self.service.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: State::incoming,
            expiration: Expiration {
                sleep: Box::pin(tokio::time::sleep(IDLE)),
            },
            state: Reuse {
                component: self.component.clone(),
            },
        })
    }
}

/// Ends instances that are idle for too long, and no others: there is no limit to a request's time.
pub(crate) struct Expiration {
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        let deadline = (start + IDLE).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

/// Which requests an instance takes.
pub(crate) struct Reuse {
    component: Arc<Component>,
}

impl WorkerState for Reuse {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= REQUESTS {
            ShouldAccept::Never
        } else if concurrent >= CONCURRENT {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<State>, result: Result<(), wasmtime::Error>) {
        drop(store);
        if let Err(error) = result {
            self.component.report_failure(&error);
        }
    }
}
