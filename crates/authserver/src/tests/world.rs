//! A server, a provider, and browsers to go there with.

use crate::client_metadata_documents::{DocumentFetcher, DocumentKind, Documents, FetchedDocument};
use crate::context::Context;
use crate::endpoints::well_known::WellKnown;
use crate::routes::{ACCOUNT, AUTHORIZE, METADATA, receive};
use crate::{RevocationQueue, SignInsInProgress, dispatch, endpoints};
use bytes::Bytes;
use config::{BaseUrl, Server};
use events::{Events, TraceContext};
use futures::executor::block_on;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http_body_util::{BodyExt, Full};
use identity::{
    CodeExchange, Login, Profile, Refreshed, RefreshedProfile, SignIn, SignInProvider,
    TokenRefresher, UpstreamTokens,
};
use oauth::pkce::challenge_of;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{MemoryKeyValue, Regions, Store};
use url::{Url, form_urlencoded};
use web::routes::Route;
use web::{Request, Response};

pub(super) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(super) const ADMIN_TOKEN: &str = "operator-operator-operator-operator";
pub(super) const ISSUER: &str = "https://mcp.example.com";
pub(super) const REDIRECT_URI: &str = "https://client.example/cb";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The server and the time.
pub(super) struct World {
    pub(super) config: Server,
    pub(super) base: BaseUrl,
    pub(super) store: Store<MemoryKeyValue>,
    pub(super) provider: Provider,
    pub(super) now: u64,
    /// What clients publish.
    pub(super) hosts: Arc<Hosts>,
    documents: Documents,
    pub(super) revocations: RevocationQueue,
    in_progress: SignInsInProgress,
    random: StdRng,
    /// The events that were written, and what writes them.
    events: Arc<Mutex<Vec<String>>>,
    write: Box<dyn Fn(&str) + Send + Sync>,
}

/// What lies at which URL, and what was asked for.
#[derive(Default)]
pub(super) struct Hosts {
    pages: Mutex<HashMap<String, String>>,
    pub(super) asked: Mutex<Vec<String>>,
}

impl Hosts {
    pub(super) fn publish(&self, url: &str, page: &Value) {
        let mut pages = self.pages.lock().unwrap();
        pages.insert(url.to_owned(), page.to_string());
    }

    pub(super) fn withdraw(&self, url: &str) {
        self.pages.lock().unwrap().remove(url);
    }
}

impl DocumentFetcher for Arc<Hosts> {
    fn fetch<'a>(
        &'a self,
        kind: DocumentKind,
        url: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<FetchedDocument, String>> + Send + 'a>> {
        self.asked.lock().unwrap().push(format!("{kind:?} {url}"));
        let page = self.pages.lock().unwrap().get(url).cloned();
        Box::pin(async {
            let body = page.ok_or("the host cannot be reached")?.into_bytes();
            Ok(FetchedDocument { body, max_age: 300 })
        })
    }
}

/// Remembers the sign-ins that were begun, and knows one code for each: `code-<nonce>`.
#[derive(Default)]
pub(super) struct Provider {
    pub(super) logins: Mutex<Vec<Login>>,
    /// What it answers instead, if anything.
    pub(super) failure: Option<identity::Error>,
    /// Whether it takes each code once, and after how long it answers then.
    pub(super) answers_once_after: Option<Duration>,
    /// Whether it takes a code again all the same.
    pub(super) takes_codes_again: bool,
    clock: Clock,
    /// The codes that it was shown.
    pub(super) shown: Mutex<Vec<String>>,
    /// Who signs in.
    pub(super) subject: String,
    /// What is said of them.
    pub(super) email: Option<(String, bool)>,
    pub(super) claims: Mutex<Value>,
    /// What comes with a sign-in for later, and when the access token ends.
    pub(super) refresh_token: Option<String>,
    pub(super) tokens_end_at: Option<u64>,
    /// What a refresh comes to instead of tokens, or of a profile.
    pub(super) refresh_failure: Mutex<Option<identity::Error>>,
    pub(super) profile_failure: Mutex<Option<RefreshedProfile>>,
    /// The refresh tokens that it was shown.
    pub(super) refreshed: Mutex<Vec<String>>,
    /// What is asked of it.
    pub(super) scopes: Vec<String>,
}

/// A browser: cookies.
#[derive(Default)]
pub(super) struct Browser(BTreeMap<String, String>);

/// What came back, read as a whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

impl SignInProvider for Provider {
    async fn display_name(&self) -> String {
        "Test Provider".into()
    }

    async fn scopes(&self) -> Vec<String> {
        self.scopes.clone()
    }

    async fn login_url(&self, login: Login) -> Result<String, identity::Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let url = format!("https://idp.example/login?state={}", login.state);
        self.logins.lock().unwrap().push(login);
        Ok(url)
    }

    async fn exchange_code(&self, exchange: CodeExchange) -> Result<SignIn, identity::Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let known = self.logins.lock().unwrap().iter().any(|login| {
            exchange.code == format!("code-{}", login.nonce)
                && exchange.nonce == login.nonce
                && exchange.redirect_uri == login.redirect_uri
                && challenge_of(&exchange.code_verifier) == login.code_challenge
        });
        if !known {
            return Err(identity::Error::Refused("no such code".into()));
        }
        let times = {
            let mut shown = self.shown.lock().unwrap();
            shown.push(exchange.code.clone());
            shown.iter().filter(|code| **code == exchange.code).count()
        };
        if let Some(time) = self.answers_once_after {
            if times > 1 && !self.takes_codes_again {
                return Err(identity::Error::Refused("the code was used".into()));
            }
            self.clock.sleep(time).await;
        }
        Ok(SignIn {
            profile: self.profile(),
            tokens: UpstreamTokens {
                access_token: "upstream".into(),
                refresh_token: self.refresh_token.clone(),
                expires_at: self.tokens_end_at,
            },
        })
    }
}

impl TokenRefresher for Provider {
    async fn refresh(
        &self,
        refresh_token: &str,
        wants_profile: bool,
    ) -> Result<Refreshed, identity::Error> {
        assert!(wants_profile, "only a policy needs a refresh here");
        let count = {
            let mut refreshed = self.refreshed.lock().unwrap();
            refreshed.push(refresh_token.to_owned());
            refreshed.len()
        };
        yield_now().await;
        if let Some(failure) = self.refresh_failure.lock().unwrap().clone() {
            return Err(failure);
        }
        let failed = self.profile_failure.lock().unwrap().clone();
        Ok(Refreshed {
            tokens: UpstreamTokens {
                access_token: format!("upstream-{count}"),
                refresh_token: Some(format!("refresh-{count}")),
                expires_at: self.tokens_end_at.map(|at| at + 1000),
            },
            profile: failed.unwrap_or_else(|| RefreshedProfile::Current(self.profile())),
        })
    }
}

impl Provider {
    pub(super) fn profile(&self) -> Profile {
        let claims = self.claims.lock().unwrap();
        Profile {
            subject: self.subject.clone(),
            name: Some("Ada".into()),
            email: self.email.as_ref().map(|(email, _)| email.clone()),
            email_verified: self.email.as_ref().map(|(_, verified)| *verified),
            picture: None,
            claims: match &*claims {
                Value::Null => "{}".into(),
                claims => claims.to_string(),
            },
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::at(ISSUER)
    }

    /// Returns a world whose store has no atomic operation.
    pub(super) fn without_atomics(regions: Regions) -> Self {
        Self {
            store: Store::new(MemoryKeyValue::without_atomics(regions), "t:"),
            ..Self::new()
        }
    }

    pub(super) fn at(public_url: &str) -> Self {
        Self::with(&[("public_url", public_url)])
    }

    pub(super) fn with(variables: &[(&str, &str)]) -> Self {
        let config = Server::read(|name| {
            let given = variables.iter().find(|(known, _)| *known == name);
            given.map(|(_, value)| *value).or(match name {
                "encryption_key" => Some(KEY),
                "public_url" => Some(ISSUER),
                "scopes" => Some("tools userinfo"),
                "access_token_lifetime" => Some("900"),
                "grant_lifetime" => Some("86400"),
                "registrations_per_hour" => Some("3"),
                "show_logos" => Some("true"),
                "admin_token" => Some(ADMIN_TOKEN),
                _ => None,
            })
        })
        .unwrap_or_else(|problems| panic!("{problems:?}"));
        let hosts = Arc::new(Hosts::default());
        let events = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&events);
        Self {
            events,
            write: Box::new(move |line| written.lock().unwrap().push(line.to_owned())),
            base: config.public_url.base(&http::HeaderMap::new()).unwrap(),
            config,
            store: Store::new(MemoryKeyValue::default(), "t:"),
            provider: Provider {
                subject: "person-1".into(),
                scopes: ["openid", "email"].map(str::to_owned).into(),
                ..Provider::default()
            },
            now: 1_000_000,
            documents: Documents::new(Arc::clone(&hosts)),
            hosts,
            revocations: RevocationQueue::default(),
            in_progress: SignInsInProgress::default(),
            random: StdRng::seed_from_u64(5),
        }
    }

    /// As another instance: with the same store, and nothing remembered.
    pub(super) fn forget(&mut self) {
        self.documents = Documents::new(Arc::clone(&self.hosts));
    }

    /// Returns the events since the last time, without their times.
    pub(super) fn events(&self) -> Vec<Value> {
        let lines = std::mem::take(&mut *self.events.lock().unwrap());
        let events = lines.iter().map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            assert!(event.as_object_mut().unwrap().remove("time").is_some());
            event
        });
        events.collect()
    }

    /// Sends a request to the endpoint at its path.
    pub(super) fn send(&mut self, request: Request) -> Answer {
        let mut own_random = std::mem::replace(&mut self.random, StdRng::seed_from_u64(0));
        let context = self.context(&request);
        let (random, provider) = (&mut own_random, &self.provider);
        let in_progress = &self.in_progress;
        let answer = block_on(async {
            let response = route(&context, random, provider, in_progress, request).await;
            Answer::read(response).await
        });
        self.random = own_random;
        answer
    }

    /// Sends a form to `/token`, which waits with `sleep`.
    pub(super) fn post_token<S: Future<Output = ()> + Send>(
        &self,
        form: &[(&str, &str)],
        sleep: impl Fn(Duration) -> S + Sync,
    ) -> Answer {
        let request = form_request("/token").body(encode(form)).unwrap();
        let context = self.context(&request);
        let mut random = StdRng::seed_from_u64(9);
        block_on(async {
            let (random, provider) = (&mut random, &self.provider);
            Answer::read(
                endpoints::token::handle(&context, random, provider, sleep, &request).await,
            )
            .await
        })
    }

    /// Returns what an endpoint may look at when it answers `request`.
    fn context(&self, request: &Request) -> Context<'_, MemoryKeyValue> {
        Context {
            config: &self.config,
            base: &self.base,
            store: &self.store,
            documents: Some(&self.documents),
            source: crate::request_source(&self.config, request.headers()),
            revocations: Some(&self.revocations),
            events: Events::new(
                self.config.events,
                self.now,
                TraceContext::of(request.headers()),
                &self.write,
            ),
            now: self.now,
        }
    }

    /// Loads `/callback` at `path` so many times at once, each load at the next of so many instances.
    pub(super) fn load_at_once(
        &self,
        browser: &Browser,
        path: &str,
        loads: usize,
        instances: usize,
    ) -> Vec<Answer> {
        let instances: Vec<_> = (0..instances)
            .map(|_| SignInsInProgress::default())
            .collect();
        let load = async |in_progress: &SignInsInProgress, seed| {
            let request = request("GET", path).header(COOKIE, browser.cookies());
            let request = request.body(Bytes::new()).unwrap();
            let context = self.context(&request);
            let mut random = StdRng::seed_from_u64(seed);
            let (provider, sleep) = (&self.provider, |time| self.provider.clock.sleep(time));
            let response = endpoints::callback::handle(
                &context,
                &mut random,
                provider,
                in_progress,
                sleep,
                &request,
            );
            Answer::read(response.await).await
        };
        let answers = instances
            .iter()
            .cycle()
            .zip(100..)
            .take(loads)
            .map(|(in_progress, seed)| load(in_progress, seed));
        self.provider.clock.run(futures::future::join_all(answers))
    }

    /// Returns the time that waiting has taken.
    pub(super) fn waited(&self) -> Duration {
        self.provider.clock.now()
    }

    pub(super) fn get(&mut self, path: &str) -> Answer {
        self.send(request("GET", path).body(Bytes::new()).unwrap())
    }

    pub(super) fn post_form(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(form_request(path).body(encode(form)).unwrap())
    }

    pub(super) fn register_json(&mut self, body: &Value) -> Answer {
        let request = request("POST", "/register").header(CONTENT_TYPE, "application/json");
        self.send(request.body(body.to_string().into()).unwrap())
    }

    /// Registers a public client that may refresh, and returns its identifier.
    pub(super) fn register(&mut self, redirect_uri: &str) -> String {
        let answer = self.register_json(&json!({
            "client_name": "Test App",
            "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        }));
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["client_id"].as_str().unwrap().to_owned()
    }

    /// Asks for authorization and allows it: up to the provider's page.
    pub(super) fn begin_login(&mut self, browser: &mut Browser, query: &str) -> Answer {
        let page = browser.open(self, &format!("/authorize?{query}"));
        assert_eq!(page.status, 200, "{page:?}");
        let sealed = page.consent();
        browser.post(self, &[("consent", &sealed), ("decision", "allow")])
    }

    /// Comes back from the provider, where the person has signed in to the newest login.
    pub(super) fn finish_login(&mut self, browser: &mut Browser) -> Answer {
        let path = self.callback_path();
        browser.open(self, &path)
    }

    pub(super) fn callback_path(&self) -> String {
        let logins = self.provider.logins.lock().unwrap();
        let login = logins.last().unwrap();
        format!("/callback?code=code-{}&state={}", login.nonce, login.state)
    }

    /// Returns the whole way: a code for the client.
    pub(super) fn code(&mut self, client_id: &str, more: &str) -> String {
        let mut browser = Browser::default();
        let query = format!("{}{more}", query(client_id, REDIRECT_URI));
        self.begin_login(&mut browser, &query);
        let answer = self.finish_login(&mut browser);
        answer.redirect().get("code").cloned().unwrap()
    }

    /// Redeems a code as the client that got it.
    pub(super) fn redeem(&mut self, client_id: &str, code: &str) -> Answer {
        self.post_form(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", client_id),
                ("code", code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ],
        )
    }

    /// Registers a client with a secret that may refresh, and returns its identifier and the secret.
    pub(super) fn register_confidential(&mut self) -> (String, String) {
        let answer = self.register_json(&json!({
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code", "refresh_token"],
        }));
        let json = answer.json();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        (text("client_id"), text("client_secret"))
    }

    pub(super) fn refresh(&mut self, client_id: &str, refresh_token: &str) -> Answer {
        self.post_form(
            "/token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", client_id),
                ("refresh_token", refresh_token),
            ],
        )
    }
}

impl Browser {
    pub(super) fn open(&mut self, world: &mut World, path: &str) -> Answer {
        let request = request("GET", path).header(COOKIE, self.cookies());
        let answer = world.send(request.body(Bytes::new()).unwrap());
        self.store_cookies(&answer);
        answer
    }

    /// Sends the consent form.
    pub(super) fn post(&mut self, world: &mut World, form: &[(&str, &str)]) -> Answer {
        self.post_to(world, "/authorize", form)
    }

    /// Sends a form.
    pub(super) fn post_to(
        &mut self,
        world: &mut World,
        path: &str,
        form: &[(&str, &str)],
    ) -> Answer {
        let request = form_request(path).header(COOKIE, self.cookies());
        let answer = world.send(request.body(encode(form)).unwrap());
        self.store_cookies(&answer);
        answer
    }

    pub(super) fn has(&self, cookie: &str) -> bool {
        self.0.contains_key(cookie)
    }

    pub(super) fn cookies(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join("; ")
    }

    fn store_cookies(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A clock that goes on where everyone waits for it.
#[derive(Default)]
struct Clock(Mutex<ClockState>);

#[derive(Default)]
struct ClockState {
    now: Duration,
    /// What is waited for.
    until: Vec<Duration>,
}

impl Clock {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    async fn sleep(&self, time: Duration) {
        let until = self.now() + time;
        self.0.lock().unwrap().until.push(until);
        std::future::poll_fn(|_| match self.now() >= until {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        })
        .await;
    }

    /// Runs a future whose parts wait for this clock and nothing else.
    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        block_on(std::future::poll_fn(|context| {
            let polled = future.as_mut().poll(context);
            if polled.is_pending() {
                let state = &mut *self.0.lock().unwrap();
                let now = state.now;
                state.until.retain(|until| *until > now);
                state.now = state.until.iter().min().copied().unwrap_or(now);
                context.waker().wake_by_ref();
            }
            polled
        }))
    }
}

/// Lets all other futures go on first.
pub(super) async fn yield_now() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if has_yielded {
            return std::task::Poll::Ready(());
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header(LOCATION.as_str())
    }

    /// Returns the parameters that went back to the client.
    pub(super) fn redirect(&self) -> BTreeMap<String, String> {
        let url = Url::parse(self.location()).unwrap();
        url.query_pairs().into_owned().collect()
    }

    /// Returns the sealed request in the consent page.
    pub(super) fn consent(&self) -> String {
        self.field("consent")
    }

    /// Returns the value of the first hidden field of this name.
    pub(super) fn field(&self, name: &str) -> String {
        let start = format!(r#"name="{name}" value=""#);
        let (_, rest) = self.body.split_once(&start).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Returns the status and the error code of a JSON answer.
    pub(super) fn error(&self) -> (u16, String) {
        let json = self.json();
        (
            self.status,
            json["error"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

/// Returns an authorization request's query.
pub(super) fn query(client_id: &str, redirect_uri: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", client_id),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("state", "client state"),
            ("code_challenge", &challenge_of(VERIFIER)),
            ("code_challenge_method", "S256"),
        ])
        .finish()
}

pub(super) fn request(method: &str, path: &str) -> http::request::Builder {
    http::Request::builder().method(method).uri(path)
}

fn form_request(path: &str) -> http::request::Builder {
    request("POST", path).header(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

pub(super) fn encode(form: &[(&str, &str)]) -> Bytes {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
        .into()
}

/// Answers a request as the component does that has the path.
async fn route(
    context: &Context<'_, MemoryKeyValue>,
    random: &mut StdRng,
    provider: &Provider,
    in_progress: &SignInsInProgress,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let request = request.map(Full::new);
    let sleep = |_| yield_now();
    if path.starts_with("/.well-known/") || path.starts_with("/register") {
        let (route, endpoint, request) = match receive(METADATA, request).await {
            Ok(received) => received,
            Err(response) => return response,
        };
        let well_known = &WellKnown::default();
        let response = dispatch::metadata(endpoint, context, random, well_known, &request).await;
        route.finish(request.method(), response)
    } else if path == "/account/sign-in" || Route::find(ACCOUNT, &path).is_none() {
        let (route, endpoint, request) = match receive(AUTHORIZE, request).await {
            Ok(received) => received,
            Err(response) => return response,
        };
        let response = dispatch::authorize(
            endpoint,
            context,
            random,
            provider,
            in_progress,
            sleep,
            &request,
        )
        .await;
        route.finish(request.method(), response)
    } else {
        let (route, endpoint, request) = match receive(ACCOUNT, request).await {
            Ok(received) => received,
            Err(response) => return response,
        };
        let response = dispatch::account(endpoint, context, || context.now, &request).await;
        route.finish(request.method(), response)
    }
}
