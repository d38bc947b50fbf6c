//! Denied imports: implementations of the interfaces that a dependency does not inherit, which return each interface's own
//! error for missing permission.

use wasmtime::{
    AsContextMut, Engine, StoreContextMut,
    component::{
        Component, Linker, ResourceAny, ResourceType, Val,
        types::{ComponentFunc, ComponentItem, Type},
    },
};

use wasmtime_wasi::{
    filesystem::Descriptor,
    p2::{DynInputStream, DynOutputStream, DynPollable, Network},
};
use wasmtime_wasi_http::{
    RequestOptions,
    p2::types::{HostFutureIncomingResponse, HostOutgoingRequest},
    p3,
};

use crate::state::State;

const PREFIX: &str = "denied-";

/// Returns the name of a denied import in the composed component.
pub(crate) fn name(import: &str) -> String {
    format!("{PREFIX}{import}")
}

/// A resource type without instances.
struct Nothing;

/// Links the denied imports of a component.
pub(crate) fn link(
    engine: &Engine,
    linker: &mut Linker<State>,
    component: &Component,
) -> wasmtime::Result<()> {
    for (import, item) in component.component_type().imports(engine) {
        let (Some(interface), ComponentItem::ComponentInstance(instance)) =
            (import.strip_prefix(PREFIX), item.ty)
        else {
            continue;
        };
        let mut linker = linker.instance(import)?;
        for (export, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(func) => {
                    let interface = interface.to_owned();
                    if func.async_() {
                        linker.func_new_concurrent(
                            export,
                            move |accessor, func, arguments, results| {
                                let answered = accessor
                                    .with(|mut access| {
                                        release_all(access.as_context_mut(), arguments)
                                    })
                                    .and_then(|()| answer(&interface, &func, arguments, results));
                                Box::pin(async { answered })
                            },
                        )?;
                    } else {
                        linker.func_new(export, move |store, func, arguments, results| {
                            release_all(store, arguments)?;
                            answer(&interface, &func, arguments, results)
                        })?;
                    }
                }
                ComponentItem::Resource(_) => {
                    linker.resource(export, resource(export), |_, _| Ok(()))?
                }
                _ => {}
            }
        }
    }
    Ok(())
}

macro_rules! shared_resources {
    ($($name:literal => $type:ty,)*) => {
        /// Returns the type of a resource in a denied interface: the one of the WASI interface that defines it, or one without
        /// instances.
        fn resource(name: &str) -> ResourceType {
            match name {
                $($name => ResourceType::host::<$type>(),)*
                _ => ResourceType::host::<Nothing>(),
            }
        }

        /// Releases a resource, and drops it if the call owns it.
        fn release(mut store: StoreContextMut<'_, State>, resource: ResourceAny) -> wasmtime::Result<()> {
            $(if resource.ty() == ResourceType::host::<$type>() {
                let resource = resource.try_into_resource::<$type>(&mut store)?;
                if resource.owned() {
                    // A resource with children in use is dropped with its instance.
                    let _ = store.data_mut().table.delete(resource);
                }
                return Ok(());
            })*
            // A denied interface's own resources have no instances.
            let _ = resource.try_into_resource::<Nothing>(&mut store)?;
            Ok(())
        }
    };
}

shared_resources! {
    "request" => p3::Request,
    "response" => p3::Response,
    "outgoing-request" => HostOutgoingRequest,
    "request-options" => RequestOptions,
    "future-incoming-response" => HostFutureIncomingResponse,
    "descriptor" => Descriptor,
    "network" => Network,
    "pollable" => DynPollable,
    "input-stream" => DynInputStream,
    "output-stream" => DynOutputStream,
}

/// Releases every resource among the arguments of a call: a borrow that is not returned traps the instance.
fn release_all(mut store: StoreContextMut<'_, State>, arguments: &[Val]) -> wasmtime::Result<()> {
    let mut resources = Vec::new();
    arguments
        .iter()
        .for_each(|argument| collect(argument, &mut resources));
    for resource in resources {
        release(store.as_context_mut(), resource)?;
    }
    Ok(())
}

/// Collects the resources in a value.
fn collect(value: &Val, resources: &mut Vec<ResourceAny>) {
    match value {
        Val::Resource(resource) => resources.push(*resource),
        Val::List(values) | Val::Tuple(values) => {
            values.iter().for_each(|value| collect(value, resources));
        }
        Val::Record(fields) => fields
            .iter()
            .for_each(|(_, value)| collect(value, resources)),
        Val::Variant(_, Some(value))
        | Val::Option(Some(value))
        | Val::Result(Ok(Some(value)) | Err(Some(value))) => collect(value, resources),
        _ => {}
    }
}

fn answer(
    interface: &str,
    func: &ComponentFunc,
    arguments: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    for (result, ty) in results.iter_mut().zip(func.results()) {
        *result = refusal(interface, &ty, arguments)
            .ok_or_else(|| wasmtime::format_err!("{interface:?} is not permitted"))?;
    }
    Ok(())
}

/// Returns the value of `ty` for a refusal: an error or an empty value.
fn refusal(interface: &str, ty: &Type, arguments: &[Val]) -> Option<Val> {
    match ty {
        Type::List(_) => Some(Val::List(Vec::new())),
        Type::Option(_) => Some(Val::Option(None)),
        Type::Result(result) => {
            let error = match result.err()? {
                Type::Enum(names) => names
                    .names()
                    .find(|name| *name == "access-denied")
                    .map(|name| Val::Enum(name.to_owned()))?,
                Type::Variant(variant) => {
                    let text = |text: String| Some(Box::new(Val::String(text)));
                    let message = || format!("{interface:?} is not permitted");
                    let (name, payload) = composition::REFUSALS
                        .into_iter()
                        .find_map(|wanted| variant.cases().find(|case| case.name == wanted))
                        .and_then(|case| match (case.name, case.ty) {
                            (name, None) => Some((name, None)),
                            // The error about a variable says which one.
                            ("undefined", Some(Type::String)) => match arguments {
                                [Val::String(name), ..] => Some(("undefined", text(name.clone()))),
                                _ => None,
                            },
                            (name, Some(Type::String)) => Some((name, text(message()))),
                            (name, Some(Type::Option(_))) => {
                                Some((name, Some(Box::new(Val::Option(text(message()))))))
                            }
                            _ => None,
                        })?;
                    Val::Variant(name.to_owned(), payload)
                }
                _ => return None,
            };
            Some(Val::Result(Err(Some(Box::new(error)))))
        }
        _ => None,
    }
}
