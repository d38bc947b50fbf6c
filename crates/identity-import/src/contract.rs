//! The contract `wit/identity`.

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
        world: "identity-client",
        path: "../../wit/identity",
    });
}

pub(crate) use bindings::gatehouse::identity::provider;
