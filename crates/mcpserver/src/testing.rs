//! Parts for tests: a memory store, an identity provider, tools of all manners.

pub(crate) use crate::test_environment::TestEnvironment;

use crate::{
    Call, Caller, Changed, Changes, Completion, Environment, Event, Events, Failure, InputRequest,
    InputRequired, Offer, OfferedPrompt, OfferedTool, Parts, PromptRequest, Read, ResourceOffer,
    Round, RoundResult, TaskUse, ToolProvider,
};
use grants::{Grant, Grants};
use identity::{
    Presented, Profile, Refreshed, RefreshedProfile, TokenKind, TokenRefresher, TokenRevoker,
    TokenVerifier, UpstreamTokens,
};
use keys::KeyRing;
use mcp::{
    BaseMetadata, Content, Contents, Freshness, Log, LogLevel, Output, Progress, Prompt,
    PromptArgument, PromptMessage, PromptMessages, Resource, ResourceBody, ResourceContents,
    ResourcePage, Role, ServerInfo, Suggestions, Tool, ToolDescription,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Capabilities, Claimed, Entry, Error, KeyValue, MemoryKeyValue, Regions, Store};

pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The second at which every test begins.
pub(crate) const START: u64 = TestEnvironment::START;

pub(crate) struct TestParts;

impl Parts for TestParts {
    type KeyValue = TestKeyValue;
    type Identity = TestIdentity;
    type Tools = TestTools;
    type Environment = TestEnvironment;
}

/// A memory store that counts what is asked of it.
#[derive(Clone, Default)]
pub(crate) struct TestKeyValue {
    memory: Arc<MemoryKeyValue>,
    reads: Arc<AtomicU32>,
    writes: Arc<AtomicU32>,
}

impl TestKeyValue {
    /// Returns a store without atomics.
    pub(crate) fn without_atomics(regions: Regions) -> Self {
        Self {
            memory: Arc::new(MemoryKeyValue::without_atomics(regions)),
            ..Self::default()
        }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.memory.keys()
    }

    /// Fails every call from now on, or no longer.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.memory.set_down(is_down);
    }

    /// Reads and writes so far.
    pub(crate) fn operations(&self) -> (u32, u32) {
        let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        (count(&self.reads), count(&self.writes))
    }

    fn reads(&self) -> &MemoryKeyValue {
        self.reads.fetch_add(1, Ordering::Relaxed);
        &self.memory
    }

    fn writes(&self) -> &MemoryKeyValue {
        self.writes.fetch_add(1, Ordering::Relaxed);
        &self.memory
    }
}

impl KeyValue for TestKeyValue {
    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.reads().get(key).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.reads().get_many(keys).await
    }

    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), Error> {
        self.writes().set(key, value, until).await
    }

    async fn set_many(&self, entries: Vec<Entry>) -> Result<(), Error> {
        self.writes().set_many(entries).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.writes().delete(key).await
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        self.writes().delete_many(keys).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.reads().exists(key).await
    }

    async fn increment(&self, key: &str, delta: i64, until: Option<u64>) -> Result<i64, Error> {
        self.writes().increment(key, delta, until).await
    }

    async fn counted(&self, key: &str) -> Result<Option<i64>, Error> {
        self.reads().counted(key).await
    }

    async fn claim(&self, key: &str, note: i64, until: Option<u64>) -> Result<Claimed, Error> {
        self.writes().claim(key, note, until).await
    }

    async fn claim_with(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<bool, Error> {
        self.writes().claim_with(key, value, until).await
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        Ok(self.memory.keys())
    }
}

/// A store with keys, a provider and a clock, for what needs no whole server.
pub(crate) struct World {
    pub(crate) store: Store<TestKeyValue>,
    pub(crate) keys: KeyRing,
    pub(crate) identity: TestIdentity,
    pub(crate) environment: TestEnvironment,
}

impl World {
    pub(crate) fn new() -> Self {
        let environment = TestEnvironment::default();
        Self {
            store: Store::new(TestKeyValue::default(), ""),
            keys: KeyRing::parse(KEY).unwrap(),
            identity: TestIdentity::new(&environment),
            environment,
        }
    }

    pub(crate) async fn grant(&self, scopes: &[&str], upstream_ends_at: Option<u64>) -> String {
        begin_grant(&self.store, &self.keys, scopes, upstream_ends_at).await
    }
}

pub(crate) fn profile(subject: &str) -> Profile {
    Profile {
        subject: subject.into(),
        name: Some("Ann".into()),
        email: None,
        email_verified: None,
        picture: None,
        claims: "{}".into(),
    }
}

pub(crate) async fn begin_grant(
    store: &Store<TestKeyValue>,
    keys: &KeyRing,
    scopes: &[&str],
    upstream_ends_at: Option<u64>,
) -> String {
    let grant = Grant {
        client_id: "client".into(),
        client: grants::ShownClient::default(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        resources: Vec::new(),
        profile: profile("ann"),
        created_at: 0,
        expires_at: 1_000_000,
        code: None,
    };
    let upstream = UpstreamTokens {
        access_token: "up-0".into(),
        refresh_token: Some("refresh".into()),
        expires_at: upstream_ends_at,
    };
    // No two grants have one id.
    let (_, writes) = store.backend().operations();
    Grants::new(store, keys)
        .begin(&grant, &upstream, &mut StdRng::seed_from_u64(writes.into()))
        .await
        .unwrap()
        .id
}

/// A token of the provider's for a subject that begins as a client's does.
pub(crate) const TOKEN_OF_A_CLIENTS_SUBJECT: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.BBBB";

#[derive(Clone)]
pub(crate) struct TestIdentity {
    environment: TestEnvironment,
    refreshes: Arc<AtomicU32>,
    verifications: Arc<AtomicU32>,
    revoked: Arc<Mutex<Vec<UpstreamTokens>>>,
    refuses: Arc<AtomicBool>,
    is_down: Arc<AtomicBool>,
    profiles: Arc<AtomicU32>,
    is_silent: Arc<AtomicBool>,
    /// Whose the tokens are after a refresh.
    subject: Arc<Mutex<String>>,
    /// The claims of every token's holder.
    claims: Arc<Mutex<String>>,
    /// Of whatever token is presented.
    pub(crate) scopes: Arc<Mutex<Option<Vec<String>>>>,
    pub(crate) kind: Arc<Mutex<TokenKind>>,
}

impl TestIdentity {
    pub(crate) fn new(environment: &TestEnvironment) -> Self {
        Self {
            environment: environment.clone(),
            refreshes: Arc::default(),
            verifications: Arc::default(),
            revoked: Arc::default(),
            refuses: Arc::default(),
            is_down: Arc::default(),
            profiles: Arc::default(),
            is_silent: Arc::default(),
            subject: Arc::new(Mutex::new("ann".into())),
            claims: Arc::new(Mutex::new("{}".into())),
            scopes: Arc::default(),
            kind: Arc::new(Mutex::new(TokenKind::AccessToken)),
        }
    }

    pub(crate) fn refreshes(&self) -> u32 {
        self.refreshes.load(Ordering::Relaxed)
    }

    pub(crate) fn verifications(&self) -> u32 {
        self.verifications.load(Ordering::Relaxed)
    }

    pub(crate) fn revoked(&self) -> Vec<UpstreamTokens> {
        self.revoked.lock().unwrap().clone()
    }

    /// How often it was asked who a person is now.
    pub(crate) fn profiles_asked(&self) -> u32 {
        self.profiles.load(Ordering::Relaxed)
    }

    /// From now on these are the claims about everyone.
    pub(crate) fn now_says(&self, claims: &str) {
        *self.claims.lock().unwrap() = claims.into();
    }

    /// From now on refreshed tokens are this person's.
    pub(crate) fn now_is(&self, subject: &str) {
        *self.subject.lock().unwrap() = subject.into();
    }

    /// Whether refreshes bring tokens and nothing of the person.
    pub(crate) fn says_nothing(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::Relaxed);
    }

    fn profile_of(&self, subject: &str) -> Profile {
        Profile {
            claims: self.claims.lock().unwrap().clone(),
            ..profile(subject)
        }
    }

    pub(crate) fn refuse(&self) {
        self.refuses.store(true, Ordering::Relaxed);
    }

    pub(crate) fn go_down(&self) {
        self.is_down.store(true, Ordering::Relaxed);
    }

    pub(crate) fn come_up(&self) {
        self.is_down.store(false, Ordering::Relaxed);
    }

    fn answer(&self) -> Result<(), identity::Error> {
        if self.is_down.load(Ordering::Relaxed) {
            Err(identity::Error::Unavailable("it is down".into()))
        } else if self.refuses.load(Ordering::Relaxed) {
            Err(identity::Error::Refused("it refuses".into()))
        } else {
            Ok(())
        }
    }
}

impl TokenVerifier for TestIdentity {
    async fn verify(&self, token: &str) -> Result<Presented, identity::Error> {
        self.verifications.fetch_add(1, Ordering::Relaxed);
        self.answer()?;
        Ok(Presented {
            profile: self.profile_of(if token == TOKEN_OF_A_CLIENTS_SUBJECT {
                "client:nightly"
            } else {
                "bob"
            }),
            kind: *self.kind.lock().unwrap(),
            issuer: "https://api.descope.com/v1/apps/P1".into(),
            audience: vec!["http://127.0.0.1:3000/mcp".into()],
            client_id: None,
            our_client_id: None,
            scopes: self.scopes.lock().unwrap().clone(),
            expires_at: self.environment.now() + 600,
        })
    }
}

impl TokenRevoker for TestIdentity {
    async fn revoke(&self, tokens: UpstreamTokens) -> Result<(), identity::Error> {
        self.revoked.lock().unwrap().push(tokens);
        self.answer()
    }
}

impl TokenRefresher for TestIdentity {
    async fn refresh(
        &self,
        _refresh_token: &str,
        wants_profile: bool,
    ) -> Result<Refreshed, identity::Error> {
        let count = self.refreshes.fetch_add(1, Ordering::Relaxed) + 1;
        self.environment.sleep(Duration::from_millis(20)).await;
        self.answer()?;
        let profile = if !wants_profile {
            RefreshedProfile::Unchanged
        } else if self.is_silent.load(Ordering::Relaxed) {
            RefreshedProfile::Unavailable("it says nothing".into())
        } else {
            self.profiles.fetch_add(1, Ordering::Relaxed);
            let subject = self.subject.lock().unwrap().clone();
            RefreshedProfile::Current(self.profile_of(&subject))
        };
        Ok(Refreshed {
            tokens: UpstreamTokens {
                access_token: format!("up-{count}"),
                refresh_token: None,
                expires_at: Some(self.environment.now() + 3600),
            },
            profile,
        })
    }
}

/// Tools of all manners; the names say which.
#[derive(Clone)]
pub(crate) struct TestTools {
    environment: TestEnvironment,
    /// The calls of `changes`, which the instructions tell.
    changes: Arc<AtomicU32>,
    /// Seconds that a description takes.
    pub(crate) describe_time: Arc<AtomicU64>,
}

pub(crate) struct TestEvents(Vec<Event>, Option<TestEnvironment>);

impl Events for TestEvents {
    async fn next(&mut self) -> Option<Event> {
        if let (true, Some(environment)) = (self.0.len() <= 1, &self.1) {
            environment.sleep(Duration::from_secs(40)).await;
        }
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }
}

fn metadata(name: &str) -> BaseMetadata {
    BaseMetadata {
        name: name.into(),
        ..BaseMetadata::default()
    }
}

fn done(text: &str) -> Event {
    Event::Done(Output {
        content: vec![Content::text(text)],
        structured: None,
        is_error: false,
        meta: None,
    })
}

fn log(text: &str) -> Event {
    Event::Log(Log {
        level: LogLevel::Info,
        data: format!("{text:?}"),
        logger: None,
    })
}

/// The answer to the question for a name, or that question.
fn answered(round: &Round) -> Result<String, InputRequired> {
    let answer = round.answers.iter().find(|answer| answer.id == "name");
    match (answer, &round.state) {
        (Some(answer), Some(state)) => Ok(format!("{} {state}", answer.result)),
        _ => Err(InputRequired {
            requests: vec![InputRequest {
                id: "name".into(),
                method: "elicitation/create".into(),
                params: r#"{"message":"?","requestedSchema":{"type":"object","properties":{}}}"#
                    .into(),
            }],
            state: Some("seen".into()),
        }),
    }
}

fn progress(progress: f64) -> Event {
    Event::Progress(Progress {
        progress,
        total: None,
        message: None,
    })
}

impl TestTools {
    pub(crate) fn new(environment: &TestEnvironment) -> Self {
        Self {
            environment: environment.clone(),
            changes: Arc::default(),
            describe_time: Arc::default(),
        }
    }

    /// What a call of `task` does that may become one: its argument says it.
    async fn as_task(&self, call: &Call) -> Result<TestEvents, Failure> {
        let began = || {
            Event::Progress(Progress {
                progress: 0.0,
                total: None,
                message: Some("began".into()),
            })
        };
        let round = &call.round;
        let ask = |ids: &[&str], state: &str| {
            let request = |id: &&str| InputRequest {
                id: (*id).into(),
                method: "roots/list".into(),
                params: "{}".into(),
            };
            Event::InputRequired(InputRequired {
                requests: ids.iter().map(request).collect(),
                state: Some(state.into()),
            })
        };
        let answers = || {
            let answers = round.answers.iter();
            let answers = answers.map(|answer| format!("{}={}", answer.id, answer.result));
            done(&answers.collect::<Vec<_>>().join(" "))
        };
        let state = round.state.as_deref();
        let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap();
        let events = match (arguments["does"].as_str().unwrap_or(""), state) {
            ("ends", _) => vec![began(), done("ended")],
            ("ends at once", _) => vec![done("ended")],
            ("asks first", None) => vec![ask(&["a"], "1")],
            ("asks", None) => vec![began(), ask(&["a", "b"], "1")],
            ("asks, then hangs", None) => vec![began(), ask(&["a"], "1")],
            ("asks, then hangs", _) => futures::future::pending().await,
            ("asks twice", None) => vec![began(), ask(&["a"], "1")],
            ("asks twice", Some("1")) => vec![began(), ask(&["a"], "2")],
            ("asks nothing", None) => vec![began(), ask(&[], "1")],
            ("asks without end", _) => vec![began(), ask(&[], "1")],
            ("asks first" | "asks" | "asks twice" | "asks nothing", _) => vec![began(), answers()],
            ("vanishes", _) => vec![began()],
            ("is large", _) => vec![began(), done(&"x".repeat(600_000))],
            ("is too large", _) => vec![began(), done(&"x".repeat(3_000_000))],
            ("hangs", _) => futures::future::pending().await,
            _ => {
                let pause = Some(self.environment.clone());
                return Ok(TestEvents(vec![began(), done("paused")], pause));
            }
        };
        Ok(TestEvents(events, None))
    }
}

impl ToolProvider for TestTools {
    type Events = TestEvents;

    async fn describe(&self) -> Result<Offer, String> {
        let time = self.describe_time.load(Ordering::Relaxed);
        if time > 0 {
            self.environment.sleep(Duration::from_secs(time)).await;
        }
        let tool = |name: &str, scope: &str| OfferedTool {
            tool: Tool::new(ToolDescription {
                name: name.into(),
                input_schema: r#"{"type":"object"}"#.into(),
                ..ToolDescription::default()
            })
            .unwrap(),
            scopes: vec![scope.into()],
            wants_credential: name == "credential",
            tasks: match name {
                "task" => TaskUse::Optional,
                "task-only" => TaskUse::Required,
                _ => TaskUse::Never,
            },
            component: None,
        };
        let described = |name: &str, input: &str, output: Option<&str>| OfferedTool {
            tool: Tool::new(ToolDescription {
                name: name.into(),
                input_schema: input.into(),
                output_schema: output.map(str::to_owned),
                ..ToolDescription::default()
            })
            .unwrap(),
            scopes: vec!["tools".into()],
            wants_credential: false,
            tasks: TaskUse::Never,
            component: None,
        };
        let tools = vec![
            tool("echo", "tools"),
            tool("steps", "tools"),
            tool("pauses", "tools"),
            tool("again", "tools"),
            tool("endless", "tools"),
            tool("hangs", "tools"),
            tool("vanishes", "tools"),
            tool("garbage", "tools"),
            tool("refuses", "tools"),
            tool("fails", "tools"),
            tool("large", "tools"),
            tool("credential", "secret"),
            tool("asks", "tools"),
            tool("changes", "tools"),
            tool("chatters", "tools"),
            tool("unreachable", "nowhere"),
            tool("denied", "tools"),
            tool("denied-softly", "tools"),
            tool("task", "tools"),
            tool("task-only", "tools"),
            described(
                "strict",
                r#"{"type":"object","properties":{"count":{"type":"integer"}},"required":["count"],"additionalProperties":false}"#,
                Some(r#"{"type":"object","properties":{"count":{"const":1}}}"#),
            ),
            described(
                "defaults",
                r#"{"type":"object","properties":{"count":{"type":"integer","default":3},"at":{"type":"object","properties":{"unit":{"default":"m"}}}},"required":["count"]}"#,
                None,
            ),
            described(
                "bad-default",
                r#"{"type":"object","properties":{"count":{"type":"integer","minimum":5,"default":3}}}"#,
                None,
            ),
            described(
                "regional",
                r#"{"type":"object","properties":{"region":{"type":["string","null"],"x-mcp-header":"Region"}}}"#,
                None,
            ),
            described(
                "foreign",
                r#"{"type":"object","properties":{"x":{"$ref":"https://example.com/x"}}}"#,
                None,
            ),
        ];
        let resources = ResourceOffer {
            scopes: vec!["tools".into()],
            change_scopes: vec!["tools".into()],
            ..ResourceOffer::default()
        };
        let prompt = |name: &str, scope: &str| OfferedPrompt {
            prompt: Prompt {
                metadata: metadata(name),
                arguments: vec![PromptArgument {
                    name: "topic".into(),
                    title: None,
                    description: None,
                    required: true,
                }],
            },
            scopes: vec![scope.into()],
        };
        let mut asks = prompt("asks", "tools");
        asks.prompt.arguments.clear();
        let changes = self.changes.load(Ordering::Relaxed);
        Ok(Offer {
            server: ServerInfo {
                name: "fixture".into(),
                title: Some("Fixture".into()),
                version: "1.2.3".into(),
                description: Some("Tools of all manners.".into()),
                website_url: Some("https://fixture.example/".into()),
                ..ServerInfo::default()
            },
            instructions: (changes > 0).then(|| changes.to_string()),
            tools,
            prompts: vec![prompt("ask", "tools"), prompt("secret", "secret"), asks],
            resources: Some(resources),
            completes: true,
            changes: Changes {
                tools: true,
                prompts: false,
                resources: true,
                resource_contents: true,
            },
            missing: Vec::new(),
            left_out: vec!["a tool is left out: its name is no name".to_owned()],
        })
    }

    async fn list_resources(
        &self,
        _caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        let resource = |name: &str| Resource {
            uri: format!("test:{name}"),
            metadata: metadata(name),
            mime_type: None,
            size: None,
            annotations: None,
        };
        let (resources, next_cursor) = match cursor.as_deref() {
            None => (vec![resource("one")], Some("2".into())),
            Some("2") => (vec![resource("two")], None),
            Some(_) => return Err(Failure::InvalidArguments("no such page".into())),
        };
        Ok(ResourcePage {
            resources,
            next_cursor,
            freshness: Freshness::default(),
        })
    }

    async fn read_resource(&self, read: Read) -> Result<RoundResult<Contents>, Failure> {
        match read.uri.as_str() {
            "test:asks" => Ok(match answered(&read.round) {
                Err(questions) => RoundResult::InputRequired(questions),
                Ok(answer) => RoundResult::Complete(Contents {
                    parts: vec![ResourceContents {
                        uri: read.uri,
                        mime_type: None,
                        body: ResourceBody::Text(answer),
                        meta: None,
                    }],
                    freshness: Freshness::default(),
                }),
            }),
            "test:one" => Ok(RoundResult::Complete(Contents {
                parts: vec![ResourceContents {
                    uri: read.uri,
                    mime_type: None,
                    body: ResourceBody::Text("1".into()),
                    meta: None,
                }],
                freshness: Freshness::default(),
            })),
            "test:asks-more" => Ok(RoundResult::InputRequired(InputRequired {
                requests: vec![InputRequest {
                    id: "one".into(),
                    method: if read.round.answers.is_empty() {
                        "elicitation/create".into()
                    } else {
                        "sampling/createMessage".into()
                    },
                    params: "{}".into(),
                }],
                state: None,
            })),
            "test:hangs" => futures::future::pending().await,
            "test:broken" => Err(Failure::Internal("for the log".into())),
            _ => Err(Failure::NotFound),
        }
    }

    async fn get_prompt(
        &self,
        request: PromptRequest,
    ) -> Result<RoundResult<PromptMessages>, Failure> {
        let mut text = format!("{:?}", request.arguments);
        if request.name == "asks" {
            match answered(&request.round) {
                Ok(answer) => text = answer,
                Err(questions) => return Ok(RoundResult::InputRequired(questions)),
            }
        }
        Ok(RoundResult::Complete(PromptMessages {
            description: None,
            messages: vec![PromptMessage {
                role: Role::User,
                content: Content::text(text),
            }],
            meta: None,
        }))
    }

    async fn complete(&self, completion: Completion) -> Result<Suggestions, Failure> {
        Ok(Suggestions {
            values: vec![format!("{}…", completion.argument.1)],
            total: None,
        })
    }

    async fn call(&self, call: Call) -> Result<TestEvents, Failure> {
        let events = match call.name.as_str() {
            "echo" => vec![log("began"), progress(1.0), done(&call.arguments)],
            "asks" => match answered(&call.round) {
                Ok(answer) => vec![done(&answer)],
                Err(questions) => vec![Event::InputRequired(questions)],
            },
            "strict" => vec![Event::Done(Output {
                content: Vec::new(),
                structured: (!call.arguments.contains('3')).then_some(call.arguments),
                is_error: false,
                meta: None,
            })],
            "regional" => vec![done("there")],
            "defaults" | "bad-default" => vec![done(&call.arguments)],
            "chatters" => (0..100).map(f64::from).map(progress).collect(),
            "denied" => return Err(Failure::Internal("ErrorCode::HttpRequestDenied".into())),
            "denied-softly" => vec![Event::Done(Output::error("ErrorCode::HttpRequestDenied"))],
            "task" | "task-only" => return self.as_task(&call).await,
            "changes" => {
                self.changes.fetch_add(1, Ordering::Relaxed);
                vec![
                    Event::Changed(Changed::Tools),
                    Event::Changed(Changed::Prompts),
                    Event::Changed(Changed::Resource("test:one".into())),
                    Event::Changed(Changed::Resource("test:two".into())),
                    done("changed"),
                ]
            }
            "steps" => vec![
                progress(1.0),
                progress(0.5),
                log("began"),
                progress(f64::NAN),
                progress(2.0),
                done("steps"),
            ],
            "pauses" => {
                return Ok(TestEvents(
                    vec![progress(1.0), done("paused")],
                    Some(self.environment.clone()),
                ));
            }
            "again" => vec![match call.round.state.as_deref() {
                Some("kept") => done("again"),
                _ => Event::InputRequired(InputRequired {
                    requests: Vec::new(),
                    state: Some("kept".into()),
                }),
            }],
            "endless" => vec![Event::InputRequired(InputRequired {
                requests: Vec::new(),
                state: Some("kept".into()),
            })],
            "hangs" => futures::future::pending().await,
            "vanishes" => vec![progress(1.0)],
            "garbage" => vec![Event::Done(Output {
                content: Vec::new(),
                structured: Some("{".into()),
                is_error: false,
                meta: None,
            })],
            "refuses" => return Err(Failure::InvalidArguments("mend this".into())),
            "large" => vec![done(&"x".repeat(600_000))],
            "credential" => vec![done(&format!("{:?}", call.caller.credential))],
            _ => return Err(Failure::Internal("for the log".into())),
        };
        Ok(TestEvents(events, None))
    }
}
