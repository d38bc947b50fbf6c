//! Requests that race for one code or with one refresh token, at several machines on one store.

use crate::number;
use crate::redis::Redis;
use descope_emulator::User;
use futures::future::join_all;
use gatehouse_tests::client::Tokens;
use gatehouse_tests::{Client, Flavour, Gatehouse, Mcp, Person, Settings};
use host::KeyValue;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::Path;
use tempfile::TempDir;

/// Machines on one store.
const MACHINES: usize = 3;

/// Rounds of each race.
fn rounds() -> u64 {
    number("GATEHOUSE_TEST_ROUNDS", 1000)
}

/// A race.
#[derive(Clone, Copy)]
struct Race<'a> {
    /// Each machine's connection to the store.
    store: &'a (dyn Fn() -> KeyValue + Sync),
    /// What runs, if it is not the main build.
    flavour: Option<Flavour>,
    /// Requests of one round.
    racers: usize,
    /// Rounds that go on at once, each with a code or a grant of its own.
    lanes: u64,
    rounds: u64,
    may_have_no_winner: bool,
}

impl<'a> Race<'a> {
    fn new(store: &'a (dyn Fn() -> KeyValue + Sync)) -> Self {
        Self {
            store,
            flavour: None,
            racers: 32,
            lanes: 4,
            rounds: rounds(),
            may_have_no_winner: false,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_redemptions_of_one_code_on_sqlite_exactly_one_succeeds() {
    let folder = folder_in_memory();
    let file = folder.path().join("gatehouse.db");
    race_for_codes(Race::new(&|| KeyValue::sqlite(&file))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_redemptions_of_one_code_on_redis_exactly_one_succeeds() {
    let redis = Redis::start().await;
    race_for_codes(Race::new(&|| redis.store())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_token_used_many_times_at_once_has_one_successor_on_sqlite() {
    let folder = folder_in_memory();
    let file = folder.path().join("gatehouse.db");
    race_with_refresh_tokens(Race::new(&|| KeyValue::sqlite(&file))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_token_used_many_times_at_once_has_one_successor_on_redis() {
    let redis = Redis::start().await;
    race_with_refresh_tokens(Race::new(&|| redis.store())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_portable_build_exactly_one_of_many_redemptions_succeeds() {
    let folder = folder_in_memory();
    let file = folder.path().join("gatehouse.db");
    race_for_codes(Race {
        flavour: Some(Flavour::Portable),
        rounds: rounds() / 10,
        ..Race::new(&|| KeyValue::sqlite(&file))
    })
    .await;
}

/// Such a host allows 50 writes a second and has no atomics, so that a redemption waits and looks for others. Each may give
/// way to another, and none succeed.
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::print_stdout,
    reason = "docs/state.md says how often none wins"
)]
async fn without_atomics_at_most_one_of_some_redemptions_succeeds() {
    let folder = folder_in_memory();
    let file = folder.path().join("gatehouse.db");
    let store = || KeyValue::sqlite(&file);
    let race = Race {
        flavour: Some(Flavour::Akamai),
        racers: 6,
        lanes: 1,
        rounds: rounds() / 50,
        may_have_no_winner: true,
        ..Race::new(&store)
    };
    let without_winner = race_for_codes(race).await;
    println!("none won {without_winner} of {} races", race.rounds);
}

/// Where the system has a place for files in memory, there: no one races for the disk, and it would
/// be most of the time.
fn folder_in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
    folder.expect("a folder")
}

/// Races for a code in each round. Returns the number of rounds that were won by none.
async fn race_for_codes(race: Race<'_>) -> u64 {
    let cluster = Cluster::start(race).await;
    let lanes = (0..race.lanes).map(|lane| {
        let cluster = &cluster;
        async move {
            let mut without_winner = 0;
            let racers = cluster.racers(race.racers).await;
            for round in (lane..race.rounds).step_by(race.lanes as usize) {
                cluster.sign_in_person(round);
                let code = racers[0].code(&Person::new()).await;
                let answers = racers.iter().map(|racer| async {
                    let response = racer.redeem(&code).await;
                    (response.status().as_u16(), response.json::<Value>().await)
                });
                let mut won = Vec::new();
                for (status, answer) in join_all(answers).await {
                    let answer = answer.expect("JSON");
                    match status {
                        200 => won.push(answer),
                        _ => assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant"))),
                    }
                }
                if won.is_empty() && race.may_have_no_winner {
                    without_winner += 1;
                    continue;
                }
                assert_eq!(won.len(), 1, "successes");
                // A code that comes back at once is refused, and what it gave lives; later it ends that
                // (`http::token::a_code_that_comes_back_ends_everything_it_gave`).
                let text = |name: &str| won[0][name].as_str().expect("a token").to_owned();
                assert_eq!(cluster.use_token(&text("access_token")).await, 200);
                let refreshed = racers[1].refresh(&text("refresh_token")).await;
                assert_eq!(refreshed.status(), 200);
            }
            without_winner
        }
    });
    join_all(lanes).await.into_iter().sum()
}

async fn race_with_refresh_tokens(race: Race<'_>) {
    let cluster = Cluster::start(race).await;
    let lanes = (0..race.lanes).map(|lane| {
        let cluster = &cluster;
        async move {
            let racers = cluster.racers(race.racers).await;
            let first = racers[0].sign_in(&Person::new()).await;
            let mut refresh_token = first.refresh.clone();
            for _ in (lane..race.rounds).step_by(race.lanes as usize) {
                let answers = racers
                    .iter()
                    .map(|racer| async { Tokens::read(racer.refresh(&refresh_token).await).await });
                let answers = join_all(answers).await;
                let successors: HashSet<_> = answers.iter().map(|tokens| &tokens.refresh).collect();
                assert_eq!(successors.len(), 1, "successors");
                assert_eq!(cluster.use_token(&answers[0].access).await, 200);
                assert_ne!(answers[0].refresh, refresh_token);
                refresh_token = answers[0].refresh.clone();
            }
            let last = Tokens::read(racers[0].refresh(&refresh_token).await).await;
            assert_eq!(cluster.use_token(&last.access).await, 200);
            // None of the others is alive: the use of one ends the grant.
            assert_eq!(racers[1].refresh(&first.refresh).await.status(), 400);
            assert_eq!(cluster.use_token(&last.access).await, 401);
        }
    });
    join_all(lanes).await;
}

/// Several machines, each with a connection of its own to the store.
struct Cluster {
    gatehouse: Gatehouse,
    others: Vec<host::Running>,
}

impl Cluster {
    async fn start(race: Race<'_>) -> Self {
        let settings = Settings {
            key_value: (race.store)(),
            flavour: race.flavour,
            ..Settings::default()
        };
        let gatehouse = Gatehouse::start_with(settings).await;
        let mut others = Vec::new();
        for _ in 1..MACHINES {
            others.push(gatehouse.another_with((race.store)()).await);
        }
        Self { gatehouse, others }
    }

    /// One client, as often as it races, at every machine in turn.
    async fn racers(&self, racers: usize) -> Vec<Client> {
        let client = Client::register(&self.gatehouse).await;
        let others = self.others.iter().map(|machine| machine.url());
        let bases: Vec<_> = [self.gatehouse.base()].into_iter().chain(others).collect();
        let turns = bases.iter().cycle().take(racers);
        turns.map(|base| client.at(base)).collect()
    }

    /// Has a person of this number sign in: each begins a bounded number of grants in an hour.
    fn sign_in_person(&self, number: u64) {
        let email = format!("person{number}@example.com");
        self.gatehouse
            .descope
            .sign_in_as(User::new("Person", email));
    }

    /// The status of a call with this access token, at a machine that did not issue it.
    async fn use_token(&self, access_token: &str) -> u16 {
        let url = format!("{}/mcp", self.others[0].url());
        let mcp = Mcp::new(url, Some(access_token));
        mcp.request("tools/list", json!({})).await.status().as_u16()
    }
}
