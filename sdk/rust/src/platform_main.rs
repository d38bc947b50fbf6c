//! Key-value stores and variables, as Spin has them for components of WASI 0.3.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

wit_bindgen::generate!({
    world: "gatehouse:sdk-main/platform",
    path: "wit/platform-main",
    generate_all,
});
