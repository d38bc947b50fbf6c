//! The answers to a dependency that calls an interface which it does not inherit: each interface's own error for it.

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

/// The name that a denied import goes by.
pub(crate) fn name(import: &str) -> String {
    format!("{PREFIX}{import}")
}

/// A resource that nobody ever gets hold of.
struct Nothing;

/// Answers the denied imports of a component.
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
                                    .with(|mut access| give_up(access.as_context_mut(), arguments))
                                    .and_then(|()| answer(&interface, &func, arguments, results));
                                Box::pin(async { answered })
                            },
                        )?;
                    } else {
                        linker.func_new(export, move |store, func, arguments, results| {
                            give_up(store, arguments)?;
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

macro_rules! taken_over {
    ($($name:literal => $type:ty,)*) => {
        /// The type of a resource in a denied interface: that of the WASI interface it is taken over from, or one of its own.
        fn resource(name: &str) -> ResourceType {
            match name {
                $($name => ResourceType::host::<$type>(),)*
                _ => ResourceType::host::<Nothing>(),
            }
        }

        /// Ends the call's hold on a resource, and the resource itself if it was handed over with the call.
        fn let_go(mut store: StoreContextMut<'_, State>, resource: ResourceAny) -> wasmtime::Result<()> {
            $(if resource.ty() == ResourceType::host::<$type>() {
                let resource = resource.try_into_resource::<$type>(&mut store)?;
                if resource.owned() {
                    // What still has parts in use goes with its instance.
                    let _ = store.data_mut().table.delete(resource);
                }
                return Ok(());
            })*
            // Of the denied interfaces' own resources there are none.
            let _ = resource.try_into_resource::<Nothing>(&mut store)?;
            Ok(())
        }
    };
}

taken_over! {
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

/// Lets go of every resource among the arguments of a call: one that is borrowed and not given back traps its instance.
fn give_up(mut store: StoreContextMut<'_, State>, arguments: &[Val]) -> wasmtime::Result<()> {
    let mut resources = Vec::new();
    arguments
        .iter()
        .for_each(|argument| collect(argument, &mut resources));
    for resource in resources {
        let_go(store.as_context_mut(), resource)?;
    }
    Ok(())
}

/// The resources anywhere in a value.
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

/// The value of a type that says no, or says that there is nothing.
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
                    let (name, payload) = [
                        "access-denied",
                        "undefined",
                        "internal-error",
                        "io",
                        "other",
                    ]
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
