//! Clocks, polling and outbound HTTP of WASI 0.2; key-value stores and variables, as Spin has them with it.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

wit_bindgen::generate!({
    world: "gatehouse:sdk/platform",
    path: "wit/platform",
    generate_all,
});
