//! Bindings of the interfaces in `wit/` that the host itself implements.

#[allow(missing_docs, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "gatehouse:host/platform",
        imports: { default: async | trappable },
        with: {
            "fermyon:spin/key-value.store": crate::key_value::Store,
            "fermyon:spin/redis.connection": crate::outbound_redis::Connection,
            "spin:key-value/key-value.store": crate::key_value::Store,
            "spin:redis/redis.connection": crate::outbound_redis::Connection,
            "wasi:keyvalue/store.bucket": crate::key_value::Store,
            "wasi:keyvalue/atomics.cas": crate::key_value::Cas,
        },
        trappable_error_type: {
            "fermyon:spin/key-value.error" => super::spin2::key_value::Error,
            "fermyon:spin/redis.error" => super::spin2::redis::Error,
            "fermyon:spin/variables.error" => super::spin2::variables::Error,
            "spin:key-value/key-value.error" => super::key_value::Error,
            "spin:redis/redis.error" => super::redis::Error,
            "spin:variables/variables.error" => super::variables::Error,
            "wasi:keyvalue/store.error" => super::keyvalue::store::Error,
            "wasi:keyvalue/atomics.cas-error" => super::keyvalue::atomics::CasError,
        },
    });
}

pub(crate) use generated::{
    fermyon::spin as spin2,
    spin::{key_value::key_value, redis::redis, variables::variables},
    wasi::keyvalue,
};
