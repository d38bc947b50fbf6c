//! Bindings of the interfaces in `wit/` that the host itself implements.

#[allow(missing_docs, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "gatehouse:host/platform",
        imports: { default: async | trappable },
        with: {
            "spin:key-value/key-value.store": crate::key_value::Store,
            "wasi:keyvalue/store.bucket": crate::key_value::Store,
            "wasi:keyvalue/atomics.cas": crate::key_value::Cas,
        },
        trappable_error_type: {
            "spin:key-value/key-value.error" => crate::key_value::SpinError,
            "spin:variables/variables.error" => super::VariablesError,
            "wasi:keyvalue/store.error" => crate::key_value::WasiError,
            "wasi:keyvalue/atomics.cas-error" => crate::key_value::WasiCasError,
        },
    });
}

pub(crate) use generated::{
    spin::{key_value::key_value, variables::variables},
    wasi::keyvalue,
};

/// Errors of `spin:variables`; none of them traps.
pub(crate) type VariablesError = variables::Error;
