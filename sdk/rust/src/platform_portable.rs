//! What WASI 0.2 has: clocks, polling and outbound HTTP; and Spin with it: key-value stores and variables.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

wit_bindgen::generate!({
    world: "gatehouse:sdk/platform",
    path: "wit/platform",
    generate_all,
});
