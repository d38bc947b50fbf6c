//! The contracts that the component is composed through.

#![allow(missing_docs, unsafe_code, unused_qualifications)]

use platform::wit_bindgen;

wit_bindgen::generate!({
    runtime_path: "platform::wit_bindgen::rt",
    world: "gatehouse:mcp/mcp",
    path: ["../../wit/identity", "../../wit/tools", "wit"],
    generate_all,
});
