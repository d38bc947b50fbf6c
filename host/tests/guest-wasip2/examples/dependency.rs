//! A dependency of WASI 0.2 that tries to use its grants, so that a test can look at which of them it has.
#![cfg(target_family = "wasm")]

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]
    use super::Dependency;

    wit_bindgen::generate!({
        world: "test:guest/dependency",
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

    export!(Dependency);
}

use bindings::{
    exports::test::guest::probe::Guest,
    fermyon::spin::{key_value::Store, redis::Connection, variables},
    wasi::{
        http::{
            outgoing_handler,
            types::{Fields, OutgoingRequest, Scheme},
        },
        keyvalue::store as buckets,
    },
};

struct Dependency;

impl Guest for Dependency {
    fn attempt(grant: String) -> String {
        match grant.as_str() {
            "variables" => format!("{:?}", variables::get("greeting")),
            "key-value" => match Store::open("default") {
                Ok(store) => format!("{:?}", store.exists("nothing")),
                Err(error) => format!("{error:?}"),
            },
            "buckets" => match buckets::open("default") {
                Ok(bucket) => format!("{:?}", bucket.exists("nothing")),
                Err(error) => format!("{error:?}"),
            },
            "redis" => match Connection::open("redis://127.0.0.1:1") {
                Ok(_) => "opened".to_owned(),
                Err(error) => format!("{error:?}"),
            },
            "http" => fetch(),
            "environment" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
            other => format!("cannot {other:?}"),
        }
    }
}

fn fetch() -> String {
    let request = OutgoingRequest::new(Fields::new());
    let set = request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some("127.0.0.1:1")))
        .and_then(|()| request.set_path_with_query(Some("/")));
    set.expect("a host");
    match outgoing_handler::handle(request, None) {
        Ok(response) => {
            response.subscribe().block();
            let answer = response
                .get()
                .map(|answer| answer.map(|answer| answer.map(drop)));
            format!("{answer:?}")
        }
        Err(error) => format!("{error:?}"),
    }
}
