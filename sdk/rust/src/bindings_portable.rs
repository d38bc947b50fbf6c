//! The contract `gatehouse:tools-portable`.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

wit_bindgen::generate!({
    world: "tools-component",
    path: "wit/portable/tools.wit",
    pub_export_macro: true,
    export_macro_name: "export_tools",
});

pub use exports::gatehouse::tools_portable::tools as contract;
