//! The contract `wit/tools`.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

wit_bindgen::generate!({
    world: "tools-component",
    path: "../../wit/tools",
});

use crate::Component;
export!(Component with_types_in self);

pub(crate) use exports::gatehouse::tools::tools as contract;
