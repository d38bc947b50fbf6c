//! A host that is killed at random points of the flow, and started again on the same records:
//! what it had answered holds, and what it had not is done or refused cleanly.

#![allow(
    clippy::print_stdout,
    reason = "a run that fails is repeated with its seed"
)]

use crate::host_process::HostProcess;
use crate::number;
use descope_emulator::User;
use futures::future::join_all;
use gatehouse_tests::client::{REDIRECT_URI, USED_REDIRECT_URI, VERIFIER, parameter};
use gatehouse_tests::{Client, Mcp, Person, secrets};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// Installations of clients that are in the middle of something at once.
const INSTALLATIONS: usize = 3;

/// How long one person is the one who signs in.
const PERSON_INTERVAL: Duration = Duration::from_millis(50);

/// Grants that an installation holds on to, and ended ones that it remembers.
const MAX_REMEMBERED: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_holds_after_the_host_was_killed_at_any_moment() {
    let kills = number("GATEHOUSE_TEST_KILLS", 100);
    let seed = number("GATEHOUSE_TEST_SEED", rand::random());
    println!("GATEHOUSE_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut machine = HostProcess::start().await;
    let base = machine.base();
    let mut installations: Vec<_> = (0..INSTALLATIONS)
        .map(|_| Installation::new(&base))
        .collect();

    let started = Instant::now();
    for round in join_all(installations.iter_mut().map(Installation::round)).await {
        round.expect("it was not killed");
    }
    let length = started.elapsed();
    let mut interrupted = BTreeMap::<_, u32>::new();
    let mut people = 0_u64..;
    for _ in 0..kills {
        let moment = Instant::now() + length.mul_f64(random.random());
        let kill = async {
            // Each person begins a bounded number of grants in an hour.
            for number in people.by_ref() {
                machine.sign_in_as(User::new("Person", format!("person{number}@example.com")));
                let left = moment.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                tokio::time::sleep(left.min(PERSON_INTERVAL)).await;
            }
            machine.kill();
        };
        let lives = join_all(installations.iter_mut().map(Installation::live));
        tokio::join!(kill, lives);
        for installation in &installations {
            *interrupted.entry(installation.doing).or_default() += 1;
        }
        machine.restart().await;
        let replay = random.random();
        join_all(
            installations
                .iter_mut()
                .map(|installation| installation.check(replay)),
        )
        .await;
    }
    machine.kill();
    println!("{kills} kills, which came while: {interrupted:?}");
    assert_eq!(secrets::find(machine.printed().lines()), None);
}

/// Nothing answered.
#[derive(Debug)]
struct Interrupted;

impl From<reqwest::Error> for Interrupted {
    fn from(_: reqwest::Error) -> Self {
        Self
    }
}

/// A client on a person's machine, and what it was answered.
struct Installation {
    base: String,
    doing: &'static str,
    client: Option<Client>,
    code: Option<Code>,
    grant: Option<Grant>,
    kept: Vec<Grant>,
    ended: Vec<Grant>,
}

struct Code {
    client: Client,
    code: String,
    /// Whether it was shown at `/token`.
    shown: bool,
}

struct Grant {
    client: Client,
    code: String,
    access: String,
    refresh: String,
    asked: Asked,
}

/// What was asked for and not answered yet.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Nothing,
    Refresh,
    End,
}

impl Installation {
    fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            doing: "nothing",
            client: None,
            code: None,
            grant: None,
            kept: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Goes on until nothing answers any more.
    async fn live(&mut self) {
        let Err(Interrupted) = self.rounds().await;
    }

    async fn rounds(&mut self) -> Result<Infallible, Interrupted> {
        loop {
            self.round().await?;
        }
    }

    /// From a registration to a grant that is kept and one that is revoked.
    async fn round(&mut self) -> Result<(), Interrupted> {
        self.register().await?;
        for keep in [true, false] {
            self.sign_in().await?;
            self.redeem().await?;
            self.call().await?;
            self.refresh().await?;
            self.call().await?;
            if keep {
                remember(&mut self.kept, self.grant.take());
            } else {
                self.revoke().await?;
            }
        }
        Ok(())
    }

    async fn register(&mut self) -> Result<(), Interrupted> {
        self.doing = "registering";
        let request = reqwest::Client::new()
            .post(format!("{}/register", self.base))
            .json(&json!({
                "redirect_uris": [REDIRECT_URI],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "none",
            }));
        let (status, registration) = read(request.send().await?).await?;
        assert_eq!(status, 201, "{registration}");
        self.client = Some(Client::with(&self.base, registration));
        Ok(())
    }

    async fn sign_in(&mut self) -> Result<(), Interrupted> {
        self.doing = "signing in";
        let client = self.client.as_ref().expect("a client").at(&self.base);
        let url = client.authorization_url(&client.authorization_request());
        let back = Person::new().try_allow(&url).await?;
        self.code = Some(Code {
            code: parameter(&back, "code").unwrap_or_else(|| panic!("no code: {back}")),
            client,
            shown: false,
        });
        Ok(())
    }

    async fn redeem(&mut self) -> Result<(), Interrupted> {
        self.doing = "redeeming";
        let code = self.code.as_mut().expect("a code");
        code.shown = true;
        let (status, answer) = code.redeem().await?;
        assert_eq!(status, 200, "{answer}");
        self.grant = self.code.take().map(|code| code.redeemed(&answer));
        Ok(())
    }

    async fn call(&mut self) -> Result<(), Interrupted> {
        self.doing = "calling";
        let grant = self.grant.as_ref().expect("a grant");
        assert_eq!(grant.call().await?, 200);
        Ok(())
    }

    async fn refresh(&mut self) -> Result<(), Interrupted> {
        self.doing = "refreshing";
        let grant = self.grant.as_mut().expect("a grant");
        grant.asked = Asked::Refresh;
        assert_eq!(grant.refresh().await?, 200);
        grant.asked = Asked::Nothing;
        Ok(())
    }

    async fn revoke(&mut self) -> Result<(), Interrupted> {
        self.doing = "revoking";
        let grant = self.grant.as_mut().expect("a grant");
        grant.asked = Asked::End;
        assert_eq!(grant.revoke().await?, 200);
        remember(&mut self.ended, self.grant.take());
        Ok(())
    }

    /// Looks at everything that was answered before the restart. With `replay`, also shows that
    /// the newest code is not good again.
    async fn check(&mut self, replay: bool) {
        if let Some(client) = &self.client {
            let url = client.authorization_url(&client.authorization_request());
            let page = Person::new().open(&url).await;
            assert_eq!(page.status(), 200, "a registration that was answered");
        }
        if let Some(code) = self.code.take() {
            let (status, answer) = code.redeem().await.expect("an answer");
            if code.shown && status == 400 {
                assert_eq!(
                    answer["error"], "invalid_grant",
                    "it was used up in silence"
                );
                assert_eq!(code.redeem().await.expect("an answer").0, 400);
            } else {
                assert_eq!(status, 200, "a code that was answered: {answer}");
                self.grant = Some(code.redeemed(&answer));
            }
        }
        if let Some(grant) = self.grant.take() {
            self.settle(grant, replay).await;
        }
        for grant in &mut self.kept {
            grant.assert_alive().await;
        }
        for grant in &mut self.ended {
            grant.assert_dead().await;
        }
    }

    /// Finds out what became of a grant that was in use.
    async fn settle(&mut self, mut grant: Grant, replay: bool) {
        if grant.asked == Asked::End {
            let called = grant.call().await.expect("an answer");
            let refreshed = grant.refresh().await.expect("an answer");
            assert!(
                matches!((called, refreshed), (200, 200) | (401, 400)),
                "half of a grant is alive: {called}, {refreshed}"
            );
            assert_eq!(grant.revoke().await.expect("an answer"), 200);
            grant.assert_dead().await;
            remember(&mut self.ended, Some(grant));
            return;
        }
        if grant.asked == Asked::Nothing {
            assert_eq!(grant.call().await.expect("an answer"), 200);
        }
        // A refresh that was not answered may be repeated.
        grant.assert_alive().await;
        if replay {
            let (status, answer) = grant.replay().await;
            assert_eq!(status, 400, "a code works twice: {answer}");
            // Within ten seconds of its redemption that is all, and later it ends the grant.
            match grant.call().await.expect("an answer") {
                200 => {
                    grant.assert_alive().await;
                    remember(&mut self.kept, Some(grant));
                }
                _ => {
                    grant.assert_dead().await;
                    remember(&mut self.ended, Some(grant));
                }
            }
        } else {
            remember(&mut self.kept, Some(grant));
        }
    }
}

impl Code {
    async fn redeem(&self) -> Result<(u16, Value), Interrupted> {
        redeem(&self.client, &self.code).await
    }

    fn redeemed(self, answer: &Value) -> Grant {
        Grant {
            access: text(answer, "access_token"),
            refresh: text(answer, "refresh_token"),
            client: self.client,
            code: self.code,
            asked: Asked::Nothing,
        }
    }
}

impl Grant {
    /// The status of a call with the access token.
    async fn call(&self) -> Result<u16, Interrupted> {
        let mcp = Mcp::new(self.client.url("/mcp"), Some(&self.access));
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
        let response = mcp.message(&list).send().await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok(status)
    }

    /// The status of a refresh, whose tokens are then the grant's.
    async fn refresh(&mut self) -> Result<u16, Interrupted> {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.refresh),
            ("client_id", self.client.id()),
        ];
        let (status, answer) = read(self.client.try_post("/token", &parameters).await?).await?;
        if status == 200 {
            self.access = text(&answer, "access_token");
            self.refresh = text(&answer, "refresh_token");
        } else {
            assert_eq!(answer["error"], "invalid_grant");
        }
        Ok(status)
    }

    /// The status of a revocation.
    async fn revoke(&self) -> Result<u16, Interrupted> {
        let parameters = [
            ("token", self.refresh.as_str()),
            ("client_id", self.client.id()),
        ];
        let response = self.client.try_post("/revoke", &parameters).await?;
        Ok(response.status().as_u16())
    }

    /// Shows the code again.
    async fn replay(&self) -> (u16, Value) {
        let answer = redeem(&self.client, &self.code).await;
        answer.expect("an answer")
    }

    async fn assert_alive(&mut self) {
        assert_eq!(
            self.refresh().await.expect("an answer"),
            200,
            "the refresh token"
        );
        assert_eq!(
            self.call().await.expect("an answer"),
            200,
            "the access token"
        );
    }

    async fn assert_dead(&mut self) {
        assert_eq!(
            self.call().await.expect("an answer"),
            401,
            "the access token"
        );
        assert_eq!(
            self.refresh().await.expect("an answer"),
            400,
            "the refresh token"
        );
    }
}

async fn redeem(client: &Client, code: &str) -> Result<(u16, Value), Interrupted> {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", USED_REDIRECT_URI),
        ("client_id", client.id()),
        ("code_verifier", VERIFIER),
    ];
    read(client.try_post("/token", &parameters).await?).await
}

/// The status and the JSON of an answer that came whole.
async fn read(response: Response) -> Result<(u16, Value), Interrupted> {
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    Ok((status, serde_json::from_slice(&body).expect("JSON")))
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().expect("text").to_owned()
}

/// Keeps the newest few.
fn remember(grants: &mut Vec<Grant>, grant: Option<Grant>) {
    grants.extend(grant);
    if grants.len() > MAX_REMEMBERED {
        grants.remove(0);
    }
}
