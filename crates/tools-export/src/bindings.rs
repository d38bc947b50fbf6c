//! The contract `wit/tools`.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

use platform::wit_bindgen;

wit_bindgen::generate!({
    runtime_path: "platform::wit_bindgen::rt",
    world: "tools-component",
    path: "../../wit/tools",
    additional_derives: [PartialEq],
    additional_derives_ignore: ["call-result"],
    pub_export_macro: true,
    export_macro_name: "export_tools",
});

pub(crate) use exports::gatehouse::tools::tools as contract;
