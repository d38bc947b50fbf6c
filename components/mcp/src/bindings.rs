//! The tools contract. That of the identity provider is in the crate `identity-import`.

#![allow(missing_docs, unsafe_code, unused_qualifications)]

use platform::wit_bindgen;

wit_bindgen::generate!({
    runtime_path: "platform::wit_bindgen::rt",
    world: "gatehouse:mcp/mcp",
    path: ["../../wit/tools", "wit"],
    generate_all,
});

pub(crate) use gatehouse::tools::tools;

/// The events of a call.
pub(crate) type EventStream = wit_bindgen::StreamReader<tools::Event>;
