//! The contract `gatehouse:tools`.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

wit_bindgen::generate!({
    world: "tools-component",
    path: "wit/tools.wit",
    pub_export_macro: true,
    export_macro_name: "export_tools",
});

pub use exports::gatehouse::tools::tools as contract;
