//! The state of an instance, and the host interfaces that use it.

use std::sync::{Arc, atomic::Ordering};

use wasmtime::{
    Engine, Store, StoreLimits, StoreLimitsBuilder,
    component::{HasData, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    component::Component,
    key_value::Region,
    outbound::{IncomingHooks, OutboundHooks},
};

/// The data of an instance's store.
pub(crate) struct State {
    pub(crate) component: Arc<Component>,
    pub(crate) table: ResourceTable,
    /// How many connections to Redis servers are open.
    pub(crate) redis_connections: usize,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: OutboundHooks,
    incoming: IncomingHooks,
    memory: StoreLimits,
}

impl State {
    /// Makes the store of an instance, which is in `region` until another is [set](Self::set_region).
    pub(crate) fn new_store(
        engine: &Engine,
        component: Arc<Component>,
        region: Region,
    ) -> Store<Self> {
        let is_bounded = component.limits.max_memory_bytes.is_some();
        let mut store = Store::new(engine, Self::new(component, region));
        if is_bounded {
            store.limiter(|state| &mut state.memory);
        }
        store
    }

    fn new(component: Arc<Component>, region: Region) -> Self {
        component.counters.instances.fetch_add(1, Ordering::Relaxed);
        let mut wasi = WasiCtx::builder();
        wasi.stdout(component.logs.stream(&component.id));
        wasi.stderr(component.logs.stream(&component.id));
        wasi.wall_clock(component.hooks.clock.clone());
        for (name, value) in &component.environment {
            wasi.env(name, value);
        }
        let mut memory = StoreLimitsBuilder::new();
        if let Some(bytes) = component.limits.max_memory_bytes {
            memory = memory.memory_size(bytes);
        }
        Self {
            table: ResourceTable::new(),
            redis_connections: 0,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: OutboundHooks {
                component: component.clone(),
                region,
            },
            incoming: IncomingHooks,
            memory: memory.build(),
            component,
        }
    }

    /// The region that the request is served in.
    pub(crate) fn region(&self) -> Region {
        self.outbound.region.clone()
    }

    pub(crate) fn set_region(&mut self, region: Region) {
        self.outbound.region = region;
    }

    /// The view that requests come in by to components of WASI 0.3: unlike [`WasiHttpView::http`], it keeps every header of the
    /// client.
    pub(crate) fn incoming(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.incoming,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outbound,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Stands for [`State`] where an interface asks which part of an instance's data it needs.
pub(crate) struct Platform;

impl HasData for Platform {
    type Data<'a> = &'a mut State;
}
