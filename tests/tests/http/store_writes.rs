//! Writes of the store that requests cost: each is a commit in SQLite.

use gatehouse_tests::{Client, Flavour, Gatehouse, Person, Settings, Tokens};
use host::KeyValue;

/// Requests of each kind: an instance takes numbers of ledger lines with some of them, and one in sixteen sweeps.
const REQUESTS: usize = 12;

#[tokio::test]
async fn a_registration_a_sign_in_and_a_refresh_take_few_writes() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        key_value: KeyValue::sqlite(folder.path().join("gatehouse.db")),
        ..Settings::default()
    };
    let gatehouse = Gatehouse::start_with(settings).await;
    let writes = || gatehouse.host.counters().writes();
    let mut fewest = [u64::MAX; 4];
    for _ in 0..REQUESTS {
        let before = writes();
        let client = Client::register(&gatehouse).await;
        let registered = writes();
        let code = client.code(&Person::new()).await;
        let signed_in = writes();
        let tokens = Tokens::read(client.redeem(&code).await).await;
        let redeemed = writes();
        Tokens::read(client.refresh(&tokens.refresh).await).await;
        let steps = [before, registered, signed_in, redeemed, writes()];
        for (fewest, step) in fewest.iter_mut().zip(steps.windows(2)) {
            *fewest = (*fewest).min(step[1] - step[0]);
        }
    }
    let expected = match Flavour::chosen() {
        None => [2, 3, 1, 1],
        // Each request has an instance of its own, which takes its own numbers.
        Some(Flavour::Portable) => [3, 5, 1, 1],
        // A step for each key and each claim; no ledger.
        Some(Flavour::Akamai | Flavour::FermyonCloud) => [2, 6, 1, 1],
    };
    assert_eq!(fewest, expected);
}
