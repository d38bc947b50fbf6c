//! Faults on purpose.

use std::time::Duration;

use descope_emulator::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn a_failing_status_lasts_for_its_number_of_requests() {
    let descope = start().await;
    descope.fail(Endpoint::Token, Fault::Status(500), 2);
    let form = exchange_form(&code_for(&descope, &request()).await);
    for _ in 0..2 {
        assert_eq!(post_token(&descope, &form).await.status(), 500);
    }
    assert_eq!(post_token(&descope, &form).await.status(), 200);
    assert_eq!(descope.requests(Endpoint::Token), 3);
    assert_eq!(descope.requests(Endpoint::UserInfo), 0);
}

#[tokio::test]
async fn a_fault_meets_its_endpoint_alone_and_healing_ends_it() {
    let descope = start().await;
    descope.fail(Endpoint::UserInfo, Fault::Status(503), 100);
    let access = login(&descope).await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(userinfo(&descope, &access).await.status(), 503);
    descope.heal();
    assert_eq!(userinfo(&descope, &access).await.status(), 200);
}

#[tokio::test]
async fn garbage_claims_to_be_json_and_is_not() {
    let descope = start().await;
    descope.fail(Endpoint::Jwks, Fault::Garbage, 1);
    let url = format!("{}/P_LOCAL/.well-known/jwks.json", descope.base_url());
    let response = http().get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.json::<Value>().await.is_err());
    assert!(jwks(&descope).await["keys"].is_array());
}

#[tokio::test]
async fn any_json_can_be_the_answer() {
    let descope = start().await;
    descope.fail(Endpoint::UserInfo, Fault::Json(json!({ "sub": 7 })), 1);
    let answer: Value = userinfo(&descope, "x").await.json().await.unwrap();
    assert_eq!(answer, json!({ "sub": 7 }));
}

#[tokio::test]
async fn a_hanging_request_ends_when_the_emulator_stops() {
    let descope = start().await;
    descope.fail(Endpoint::Token, Fault::Hang, 1);
    let url = format!("{}/oauth2/v1/apps/token", descope.base_url());
    let request = http().post(url).form(&refresh_form("x")).send();
    let hanging = tokio::spawn(request);
    while descope.requests(Endpoint::Token) == 0 {
        tokio::task::yield_now().await;
    }
    login(&descope).await;
    assert!(!hanging.is_finished());
    descope.stop().await;
    let answer = hanging.await.unwrap();
    assert!(answer.is_err() || answer.unwrap().status() == 503);
}

#[tokio::test]
async fn a_delayed_answer_is_the_true_one() {
    let descope = start().await;
    descope.fail(Endpoint::Token, Fault::Delay(Duration::from_millis(10)), 1);
    login(&descope).await;
}

#[tokio::test]
async fn a_lost_answer_has_had_its_effect() {
    let descope = start().await;
    let tokens = login(&descope).await;
    descope.fail(Endpoint::Token, Fault::LoseAnswer, 1);
    let form = refresh_form(tokens["refresh_token"].as_str().unwrap());
    assert_eq!(post_token(&descope, &form).await.status(), 502);
    refusal(post_token(&descope, &form).await, 401).await;
}
