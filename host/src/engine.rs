//! Wasmtime: its configuration, and what every component can import.

use std::sync::OnceLock;

use host_limits::{Handlers, KeyValueLimits};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    component::{Component, InstancePre, Linker},
};
use wasmtime_wasi_http::{handler::ProxyPre, p2, p3};

use crate::{
    bindings::{key_value, keyvalue, redis, spin2, variables},
    denied_imports,
    state::{Platform, State},
};

/// How many instances there can be at once, as in Spin.
const MAX_INSTANCES: u32 = 1_000;

/// The engine of this process: pools of memory are large, and hosts share them.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    if let Some(engine) = ENGINE.get() {
        return Ok(engine.clone());
    }
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    let engine = Engine::new(&config).or_else(|error| {
        // The address space may be too small for a pool.
        tracing::debug!("no pool of instances: {error:#}");
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    })?;
    Ok(ENGINE.get_or_init(|| engine).clone())
}

/// What decides which code is compiled.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true);
    config
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(MAX_INSTANCES)
        .total_memories(MAX_INSTANCES)
        .total_tables(2 * MAX_INSTANCES)
        .total_stacks(MAX_INSTANCES)
        .total_core_instances(4 * MAX_INSTANCES)
        .table_elements(100_000)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_tables_per_component(64)
        .max_memories_per_component(32)
        .max_tables_per_module(2)
        .max_memories_per_module(2)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(512 << 10);
    pool
}

/// What every component can import.
pub(crate) fn linker(engine: &Engine, limits: &KeyValueLimits) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    spin2::key_value::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    spin2::redis::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    spin2::variables::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    key_value::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    redis::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    variables::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    keyvalue::store::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    if limits.atomics {
        keyvalue::atomics::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    }
    if limits.batch {
        keyvalue::batch::add_to_linker::<State, Platform>(&mut linker, |state| state)?;
    }
    Ok(linker)
}

/// Why a component cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// It does not handle HTTP requests, or by another version of the interface.
    #[error(
        "it must export wasi:http/handler@0.3 or wasi:http/incoming-handler@0.2, and exports {0}"
    )]
    NoHandler(String),
    /// It handles HTTP requests in two ways.
    #[error("it must export one handler of HTTP requests, and exports two: {0} and {1}")]
    TwoHandlers(String, String),
    /// It handles HTTP requests by a version of the interface that the restrictions of the host leave out.
    #[error("on this host it must export {EXACT_HANDLER}, and exports {0}")]
    HandlerVersion(String),
    /// It imports something that the host does not have, or is malformed.
    #[error("{0}")]
    Wasm(String),
}

/// The exports that a handler of HTTP requests begins with, by the generation of WASI.
const HANDLERS: [&str; 2] = ["wasi:http/incoming-handler@0.2.", "wasi:http/handler@0.3."];

/// The handler of [`Handlers::ExactlyWasi0_2_0`].
const EXACT_HANDLER: &str = "wasi:http/incoming-handler@0.2.0";

/// Resolves a component's imports.
pub(crate) fn prepare(
    engine: &Engine,
    linker: &Linker<State>,
    component: &Component,
    handlers: Handlers,
) -> Result<ProxyPre<State>, ComponentError> {
    let exports = component.component_type();
    let exports = exports
        .exports(engine)
        .map(|(name, _)| name.to_owned())
        .collect::<Vec<_>>();
    let [second, third] = HANDLERS.map(|prefix| {
        let mut found = exports.iter().filter(|export| export.starts_with(prefix));
        found.next().cloned()
    });
    if let (Handlers::ExactlyWasi0_2_0, Some(handler)) =
        (handlers, second.as_ref().or(third.as_ref()))
        && handler != EXACT_HANDLER
    {
        return Err(ComponentError::HandlerVersion(handler.clone()));
    }
    let is_second = match (second, third) {
        (Some(second), Some(third)) => return Err(ComponentError::TwoHandlers(second, third)),
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) if exports.is_empty() => {
            return Err(ComponentError::NoHandler("nothing".to_owned()));
        }
        (None, None) => return Err(ComponentError::NoHandler(exports.join(", "))),
    };
    let other = |error: wasmtime::Error| ComponentError::Wasm(format!("{error:#}"));
    let mut linker = linker.clone();
    denied_imports::link(engine, &mut linker, component).map_err(other)?;
    let instance: InstancePre<State> = linker.instantiate_pre(component).map_err(other)?;
    Ok(if is_second {
        ProxyPre::P2(p2::bindings::ProxyPre::new(instance).map_err(other)?)
    } else {
        ProxyPre::P3(p3::bindings::ServicePre::new(instance).map_err(other)?)
    })
}
