//! Bindings of what `wit/platform` lists.
#![allow(
    missing_docs,
    unsafe_code,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]

wit_bindgen::generate!({
    world: "portable",
    path: "../../wit/platform",
    pub_export_macro: true,
    export_macro_name: "export_incoming_handler",
    default_bindings_module: "platform::internal::bindings",
    generate_all,
});
