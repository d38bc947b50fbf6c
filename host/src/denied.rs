//! The answers to a dependency that calls an interface which it does not inherit: each interface's own error for it.

use wasmtime::{
    Engine,
    component::{
        Component, Linker, ResourceType, Val,
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
                            move |_, func, arguments, results| {
                                let answered = answer(&interface, &func, arguments, results);
                                Box::pin(async { answered })
                            },
                        )?;
                    } else {
                        linker.func_new(export, move |_, func, arguments, results| {
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

/// The type of a resource in a denied interface: that of the WASI interface it is taken over from, or one of its own.
fn resource(name: &str) -> ResourceType {
    match name {
        "request" => ResourceType::host::<p3::Request>(),
        "response" => ResourceType::host::<p3::Response>(),
        "outgoing-request" => ResourceType::host::<HostOutgoingRequest>(),
        "request-options" => ResourceType::host::<RequestOptions>(),
        "future-incoming-response" => ResourceType::host::<HostFutureIncomingResponse>(),
        "descriptor" => ResourceType::host::<Descriptor>(),
        "network" => ResourceType::host::<Network>(),
        "pollable" => ResourceType::host::<DynPollable>(),
        "input-stream" => ResourceType::host::<DynInputStream>(),
        "output-stream" => ResourceType::host::<DynOutputStream>(),
        _ => ResourceType::host::<Nothing>(),
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
