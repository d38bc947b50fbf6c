//! The state file.

use descope_emulator::{Config, Emulator, Mint, StartError};
use serde_json::Value;

use crate::support::*;

fn config(directory: &tempfile::TempDir) -> Config {
    Config {
        state_file: Some(directory.path().join("descope.json")),
        ..Config::for_tests()
    }
}

#[tokio::test]
async fn tokens_codes_and_people_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        listen: address_to_return_to(),
        ..config(&directory)
    };
    let descope = start_with(config.clone()).await;
    let tokens = login(&descope).await;
    let code = code_for(&descope, &request()).await;
    descope.stop().await;

    let descope = start_with(config).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert!(verify(&descope, access).await.is_some());
    assert_eq!(userinfo(&descope, access).await.status(), 200);
    let form = refresh_form(tokens["refresh_token"].as_str().unwrap());
    assert_eq!(post_token(&descope, &form).await.status(), 200);
    assert_eq!(
        post_token(&descope, &exchange_form(&code)).await.status(),
        200
    );
}

#[tokio::test]
async fn a_spent_refresh_token_stays_spent_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let descope = start_with(config(&directory)).await;
    let tokens = login(&descope).await;
    let form = refresh_form(tokens["refresh_token"].as_str().unwrap());
    let second: Value = post_token(&descope, &form).await.json().await.unwrap();
    descope.stop().await;

    let descope = start_with(config(&directory)).await;
    refusal(post_token(&descope, &form).await, 401).await;
    let form = refresh_form(second["refresh_token"].as_str().unwrap());
    assert_eq!(post_token(&descope, &form).await.status(), 200);
}

#[tokio::test]
async fn a_rotated_key_and_a_revocation_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let descope = start_with(config(&directory)).await;
    let tokens = login(&descope).await;
    let kid = descope.rotate_signing_key().unwrap();
    descope.revoke_user(&descope.config().user.subject.clone());
    descope.stop().await;

    let descope = start_with(config(&directory)).await;
    let minted = descope.mint(Mint::new()).unwrap();
    let header = jwt::Unverified::parse(&minted).unwrap().header().clone();
    assert_eq!(header.key_id, Some(kid));
    let form = refresh_form(tokens["refresh_token"].as_str().unwrap());
    refusal(post_token(&descope, &form).await, 404).await;
}

#[tokio::test]
async fn the_file_holds_no_token_in_the_clear_and_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let descope = start_with(config(&directory)).await;
    let tokens = login(&descope).await;
    let code = code_for(&descope, &request()).await;
    let file = config(&directory).state_file.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for name in ["access_token", "refresh_token", "id_token"] {
        assert!(!text.contains(tokens[name].as_str().unwrap()));
    }
    assert!(!text.contains(&code));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn what_has_ended_leaves_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let descope = start_with(config(&directory)).await;
    login(&descope).await;
    code_for(&descope, &request()).await;
    descope.advance_clock(descope.config().refresh_token_lifetime + 1);
    let _ = code_for(&descope, &request()).await;
    let file = config(&directory).state_file.unwrap();
    let state: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let count = |name: &str| state[name].as_object().unwrap().len();
    assert_eq!(
        (count("grants"), count("refresh_tokens"), count("codes")),
        (0, 0, 1)
    );
}

#[tokio::test]
async fn a_file_that_is_not_a_state_file_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("descope.json");
    for text in ["", "{}", r#"{"version":99}"#, "precious"] {
        std::fs::write(&file, text).unwrap();
        let error = Emulator::start(config(&directory)).await.err().unwrap();
        assert!(matches!(error, StartError::State(_)));
        assert!(error.to_string().contains("descope.json"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}
