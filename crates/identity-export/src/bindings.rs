//! The contract `wit/identity`.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

use platform::wit_bindgen;

wit_bindgen::generate!({
    runtime_path: "platform::wit_bindgen::rt",
    world: "identity",
    path: "../../wit/identity",
    pub_export_macro: true,
    export_macro_name: "export_identity",
});

pub(crate) use exports::gatehouse::identity::provider as contract;
