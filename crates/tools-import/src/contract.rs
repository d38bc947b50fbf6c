//! The contract `wit/tools`. Its records and variants can be sent over HTTP.

#[allow(
    missing_docs,
    unsafe_code,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
mod bindings {
    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        world: "gatehouse:tools-import/tools-import",
        path: ["../../wit/tools", "wit"],
        generate_all,
        additional_derives: [serde::Serialize, serde::Deserialize],
        additional_derives_ignore: ["call-result"],
    });
}

pub(crate) use bindings::gatehouse::tools::tools;
use platform::wit_bindgen;

/// The events of a call.
pub(crate) type EventStream = wit_bindgen::StreamReader<tools::Event>;
