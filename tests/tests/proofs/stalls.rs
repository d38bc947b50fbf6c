//! A real Redis that stalls.

use crate::redis::Redis;
use futures::future::join_all;
use gatehouse_tests::{Client, Gatehouse, Person, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stalls_is_answered_503_and_service_is_back_with_it() {
    let redis = Redis::start().await;
    let gatehouse = Gatehouse::start_with(Settings {
        key_value: redis.store(),
        ..Settings::default()
    })
    .await;
    let client = Client::register(&gatehouse).await;
    let tokens = client.sign_in(&Person::new()).await;
    redis.pause();
    let refreshes = (0..64).map(|_| client.refresh(&tokens.refresh));
    for answer in join_all(refreshes).await {
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
    }
    redis.resume();
    assert_eq!(client.refresh(&tokens.refresh).await.status(), 200);
}
