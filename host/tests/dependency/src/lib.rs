//! Tries to use its grants, so that a test can look at which of them it has.
#![cfg(target_family = "wasm")]

use std::{net::ToSocketAddrs, time::Duration};

use spin_sdk::{key_value::Store, variables, wit_bindgen::StreamReader};

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]
    use super::Dependency;
    use spin_sdk::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "spin_sdk::wit_bindgen::rt",
        world: "test:probe/dependency",
        path: ["../../wit/deps/spin-redis", "../../wit/deps/wasi-keyvalue", "../guest/wit"],
        generate_all,
    });

    export!(Dependency);
}

use bindings::{exports::test::probe::probe::Guest, wit_stream};

struct Dependency;

impl Guest for Dependency {
    async fn attempt(grant: String) -> String {
        match grant.as_str() {
            "variables" => format!("{:?}", variables::get("greeting").await),
            "key_value_stores" => match Store::open("default").await {
                Ok(store) => format!("{:?}", store.exists("nothing").await),
                Err(error) => format!("{error:?}"),
            },
            "allowed_outbound_hosts" => {
                match spin_sdk::http::get("http://fixed.spin.internal/").await {
                    Ok(response) => response.status().as_u16().to_string(),
                    Err(error) => format!("{error:?}"),
                }
            }
            "sockets" => format!("{:?}", ("localhost", 80).to_socket_addrs()),
            "environment" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
            other => format!("cannot {other:?}"),
        }
    }

    async fn count(to: u32) -> StreamReader<u32> {
        let (mut sender, receiver) = wit_stream::new();
        spin_sdk::wit_bindgen::spawn(async move {
            for number in 1..=to {
                if !sender.write_all(vec![number]).await.is_empty() {
                    return;
                }
                spin_sdk::time::sleep(Duration::from_millis(10)).await;
            }
        });
        receiver
    }
}
