//! The program, and what stops it from starting.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use descope_emulator::{Config, Emulator, StartError};
use serde_json::Value;

use crate::support::*;

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_program_serves_what_its_flags_say() {
    let child = Command::new(env!("CARGO_BIN_EXE_descope-emulator"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--project-id",
            "P_FLAG",
            "--auto-login",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Program(child);
    let mut first = String::new();
    BufReader::new(program.0.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let base = first.trim().strip_prefix("Descope emulator at ").unwrap();
    let url = format!("{base}/v1/apps/P_FLAG/.well-known/openid-configuration");
    let document: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["issuer"], format!("{base}/v1/apps/P_FLAG"));
    let url = format!("{base}/oauth2/v1/apps/authorize");
    let response = http().get(url).query(&request()).send().await.unwrap();
    assert!(redirected(&response).contains_key("code"));
}

#[test]
fn the_program_refuses_an_address_that_other_machines_reach() {
    let output = Command::new(env!("CARGO_BIN_EXE_descope-emulator"))
        .args(["--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("--allow-remote"), "{words}");
}

#[tokio::test]
async fn a_bad_base_url_or_id_is_refused_at_start() {
    for base_url in ["descope", "ftp://x", "http://x/?a", "http://u@x"] {
        let config = Config {
            base_url: Some(base_url.to_owned()),
            ..Config::for_tests()
        };
        let error = Emulator::start(config).await.err().unwrap();
        assert!(matches!(error, StartError::BaseUrl), "{base_url}");
    }
    for project_id in ["", "a/b", "local-client"] {
        let config = Config {
            project_id: project_id.to_owned(),
            ..Config::for_tests()
        };
        let error = Emulator::start(config).await.err().unwrap();
        assert!(matches!(error, StartError::Id(_)), "{project_id}");
    }
}

#[tokio::test]
async fn a_stopped_emulator_frees_its_port() {
    let config = Config {
        listen: address_to_return_to(),
        ..Config::for_tests()
    };
    start_with(config.clone()).await.stop().await;
    start_with(config).await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_up_the_stop() {
    let descope = start().await;
    let silent = tokio::net::TcpStream::connect(descope.address())
        .await
        .unwrap();
    login(&descope).await;
    descope.stop().await;
    drop(silent);
}
