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

use crate::{component::Component, key_value::Region, state::State};

/// How many requests an instance takes in all, as in Spin.
const MAX_REQUESTS: usize = 128;

/// How many requests an instance takes at once, as in Spin.
const MAX_CONCURRENT_REQUESTS: usize = 16;

/// How long an instance waits for another request, as in Spin.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

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
        let limits = &self.component.limits;
        let deadline = match limits.reuses_instances() {
            true => None,
            false => limits
                .request_timeout
                .map(|timeout| Instant::now() + timeout),
        };
        let component = self.component.clone();
        let mut store = State::new_store(self.service.engine(), component, Region::default());
        let service = self.service.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: State::incoming,
            expiration: Expiration {
                sleep: Box::pin(tokio::time::sleep(IDLE_TIMEOUT)),
                deadline,
            },
            state: Reuse {
                component: self.component.clone(),
            },
        })
    }
}

/// Ends instances that are idle for too long, and those of one request whose time is over.
pub(crate) struct Expiration {
    sleep: Pin<Box<Sleep>>,
    deadline: Option<Instant>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let deadline = match (status, self.deadline) {
            (WorkerStatus::Idle, _) => start + IDLE_TIMEOUT,
            (_, Some(deadline)) => deadline,
            (_, None) => return Poll::Pending,
        };
        let deadline = deadline.into();
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
    type RequestData = Region;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        let most = match self.component.limits.reuses_instances() {
            true => MAX_REQUESTS,
            false => 1,
        };
        if total >= most {
            ShouldAccept::Never
        } else if concurrent >= MAX_CONCURRENT_REQUESTS {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, State>,
        region: Region,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // Where instances are reused there are no regions, and this changes nothing.
        store.data_mut().set_region(region);
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<State>, result: Result<(), wasmtime::Error>) {
        drop(store);
        if let Err(error) = result {
            self.component.report_failure(&error);
        }
    }
}
