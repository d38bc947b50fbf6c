//! A component of WASI 0.2 that calls its dependency and uses `wasi:keyvalue/atomics`.
#![cfg(target_family = "wasm")]

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]
    use super::Caller;

    wit_bindgen::generate!({
        world: "test:guest/caller",
        path: [
            "../../../wit/platform/deps/io",
            "../../../wit/platform/deps/clocks",
            "../../../wit/platform/deps/http",
            "../../wit/deps/fermyon-spin",
            "../../wit/deps/wasi-keyvalue",
            "wit",
        ],
        generate_all,
    });

    export!(Caller);
}

use bindings::{
    exports::wasi::http::incoming_handler::Guest,
    test::guest::probe,
    wasi::{
        http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam},
        keyvalue::{
            atomics::{self, Cas, CasError},
            store::{self, Error},
        },
    },
};

struct Caller;

impl Guest for Caller {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let what = path.rsplit('/').next().unwrap_or_default();
        let text = match what {
            "increment" => format!("{:?}", increment()),
            "swap" => format!("{:?}", swap()),
            grant => probe::attempt(grant),
        };
        let answer = OutgoingResponse::new(Fields::new());
        let body = answer.body().expect("taken once");
        ResponseOutparam::set(response, Ok(answer));
        let stream = body.write().expect("taken once");
        stream
            .blocking_write_and_flush(text.as_bytes())
            .expect("a client");
        drop(stream);
        OutgoingBody::finish(body, None).expect("a client");
    }
}

fn increment() -> Result<i64, Error> {
    atomics::increment(&store::open("default")?, "n", 5)
}

/// Two swaps after the same look, of which the second one is lost, and wins after another look.
fn swap() -> Result<[bool; 3], Error> {
    let bucket = store::open("default")?;
    bucket.set("c", b"before")?;
    let (first, second) = (Cas::new(&bucket, "c")?, Cas::new(&bucket, "c")?);
    first.current()?;
    second.current()?;
    let won = atomics::swap(first, b"first").is_ok();
    Ok(match atomics::swap(second, b"second") {
        Ok(()) => [won, true, true],
        Err(CasError::StoreError(error)) => return Err(error),
        Err(CasError::CasFailed(again)) => [won, false, atomics::swap(again, b"third").is_ok()],
    })
}
