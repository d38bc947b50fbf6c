//! The rules of the component, as far as they need no stream of the component model.

use crate::bindings::contract::{CallResult, Guest};
use crate::*;
use futures::executor::block_on;
use platform::variables::Variables;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Offers a tool that does what it is called.
struct Fixture;

static MADE: AtomicU32 = AtomicU32::new(0);

impl Provider for Fixture {
    type Steps = AtOnce;

    async fn describe(&self) -> Result<Offer, Failure> {
        Err(Failure::Internal("nothing is configured".to_owned()))
    }

    async fn call_tool(&self, call: Call) -> Result<AtOnce, Failure> {
        match &*call.name {
            "finish" => Ok(Output::text("finished").into()),
            "ask" => {
                let state = Some("half".to_owned());
                let requests = Vec::new();
                Ok(InputRequired { requests, state }.into())
            }
            _ => Err(Failure::NotFound),
        }
    }
}

struct Fixtures;

impl Instance for Fixtures {
    type Provider = Fixture;
    const VARIABLES: &'static [&'static str] = &[];

    fn cell() -> &'static OnceLock<Fixture> {
        static CELL: OnceLock<Fixture> = OnceLock::new();
        &CELL
    }

    fn provider(_variables: &Variables) -> Fixture {
        MADE.fetch_add(1, Relaxed);
        Fixture
    }
}

type Exported = Component<Fixtures>;

fn call(name: &str) -> Result<CallResult, Failure> {
    block_on(Exported::call_tool(Call {
        name: name.to_owned(),
        arguments: "{}".to_owned(),
        context: Context {
            caller: caller(),
            capabilities: ClientCapabilities {
                elicits_forms: false,
                elicits_urls: false,
                samples: false,
                samples_with_tools: false,
                lists_roots: false,
            },
            wants_progress: false,
            log_level: None,
            answers: Vec::new(),
            state: None,
        },
    }))
}

fn caller() -> Caller {
    Caller {
        kind: CallerKind::Person,
        subject: "person".to_owned(),
        client_id: None,
        scopes: Vec::new(),
        profile: Profile {
            name: None,
            email: None,
            email_verified: None,
            picture: None,
            claims: "{}".to_owned(),
        },
        credential: None,
    }
}

#[test]
fn a_call_whose_first_step_is_its_last_is_answered_at_once() {
    let finished = call("finish").unwrap();
    assert!(matches!(finished, CallResult::Done(output) if output == Output::text("finished")));
    let asked = call("ask").unwrap();
    assert!(
        matches!(asked, CallResult::InputRequired(asked) if asked.state.as_deref() == Some("half"))
    );
    assert_eq!(call("missing").unwrap_err(), Failure::NotFound);
}

#[test]
fn an_instance_makes_its_provider_once() {
    let described = || block_on(Exported::describe()).unwrap_err();
    assert_eq!(described(), described());
    assert_eq!(MADE.load(Relaxed), 1);
}

#[test]
fn what_a_provider_does_not_have_is_unsupported() {
    let listed = block_on(Exported::list_resources(caller(), None));
    assert_eq!(listed.unwrap_err(), Failure::Unsupported);
}

#[test]
fn a_step_after_the_last_is_a_failure() {
    let mut steps = AtOnce::from(Output::text("finished"));
    assert!(block_on(steps.next()).is_ok());
    assert!(block_on(steps.next()).is_err());
}
