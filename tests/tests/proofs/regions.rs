//! A store of several regions: a code that the person's region wrote is redeemed in the client's.

use gatehouse_tests::client::Tokens;
use gatehouse_tests::{Client, Flavour, Gatehouse, Person, Settings};
use host::{HostLimits, Operation};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::time::Duration;

/// The header that names a request's region. Requests without it are of one region.
const REGION: &str = "x-test-region";

/// Signs a person in, and redeems the code at once in a region that sees it after so many seconds.
async fn redeem_elsewhere(lag: u64) -> Response {
    let mut limits = HostLimits::akamai();
    limits.key_value.replication_lag = Some(Duration::from_secs(lag));
    let settings = Settings::default()
        .flavour(Flavour::Akamai)
        .host_limits(limits);
    let gatehouse = Gatehouse::start_with(settings).await;
    let client = Client::register(&gatehouse).await;
    // From then on every region knows the client.
    gatehouse.pass(lag);
    let code = client.code(&Person::new()).await;
    let redemption = client.redemption(&code).header(REGION, "the client's");
    redemption.send().await.unwrap()
}

#[tokio::test]
async fn a_code_is_redeemed_in_a_region_that_sees_its_grant_two_seconds_later() {
    let tokens = Tokens::read(redeem_elsewhere(2).await).await;
    assert!(!tokens.access.is_empty());
}

#[tokio::test]
async fn a_code_is_refused_in_a_region_that_does_not_see_its_grant_in_time() {
    let refused = redeem_elsewhere(60).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let answer: Value = refused.json().await.unwrap();
    assert_eq!(answer["error"], "invalid_grant");
}

/// A host may answer from what was read and written through the same opened store before.
#[tokio::test]
async fn without_atomics_each_call_of_the_store_opens_it() {
    let gatehouse = Gatehouse::start_with(Settings::default().flavour(Flavour::Akamai)).await;
    let client = Client::register(&gatehouse).await;
    client.sign_in(&Person::new()).await;
    let counters = gatehouse.host.counters();
    let opened = counters.key_value.get(&Operation::Open).copied();
    assert_eq!(opened, Some(counters.reads() + counters.writes()));
}
