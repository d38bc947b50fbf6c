//! The requests that are measured.

use crate::application::{Bench, RESOURCE_SERVER, SECRET, Subject};
use crate::server::Server;
use anyhow::{Result, ensure};
use reqwest::{Client, Request};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tests::mcp::NEWEST;
use tests::{Mcp, Stateless};
use tokio::sync::Mutex;

/// The component that does nothing: what the ratios are of.
const EMPTY: &str = "empty component";

/// The same component, which does not look at the request of a call.
const UNREAD: &str = "empty component, a call's request";

/// The component that calls a tool and does nothing else.
const BARE: &str = "bare call";

/// The call that each speed is told of first.
pub const CALL: &str = "tools/call (2026-07-28)";

/// The call of clients that have a session.
pub const CALL_IN_A_SESSION: &str = "tools/call (2025-11-25, in a session)";

/// A kind of request, and how it is answered.
#[derive(Clone)]
pub struct Target {
    /// What the table calls it.
    pub name: &'static str,
    /// Whose request it is, as the table says it before the name.
    pub label: String,
    /// Whether its server ran before the bench, which knows nothing of its processor time and its store.
    pub is_external: bool,
    status: u16,
    /// What every answer has in it that is no error.
    parts: &'static [&'static str],
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// The same requests in turn, again and again, and how many were sent.
    InTurn(Arc<[Request]>, Arc<AtomicUsize>),
    /// A refresh with a token that no other request uses, and then with the one that came for it.
    Refresh {
        url: String,
        client_id: String,
        tokens: Arc<Mutex<VecDeque<String>>>,
    },
}

impl Target {
    fn same(
        name: &'static str,
        status: u16,
        parts: &'static [&'static str],
        request: Request,
    ) -> Self {
        Self::in_turn(name, status, parts, vec![request])
    }

    /// `requests` in turn, again and again, which are answered alike.
    pub fn in_turn(
        name: &'static str,
        status: u16,
        parts: &'static [&'static str],
        requests: Vec<Request>,
    ) -> Self {
        Self {
            name,
            label: String::new(),
            is_external: false,
            status,
            parts,
            kind: Kind::InTurn(requests.into(), Arc::default()),
        }
    }

    /// Whether it is the one whose first request after a rest is measured, or what that is held against.
    pub fn is_measured_after_a_rest(&self) -> bool {
        [EMPTY, CALL].contains(&self.name)
    }

    /// Whether it is not Gatehouse's, but what Gatehouse is held against.
    pub fn is_yardstick(&self) -> bool {
        [EMPTY, UNREAD, BARE].contains(&self.name)
    }

    /// The next request, or `None` when there is nothing to send it with.
    pub async fn next(&self, http: &Client) -> Option<Request> {
        match &self.kind {
            Kind::InTurn(requests, sent) => {
                let turn = sent.fetch_add(1, Relaxed) % requests.len();
                requests[turn].try_clone()
            }
            Kind::Refresh {
                url,
                client_id,
                tokens,
            } => {
                let token = tokens.lock().await.pop_front()?;
                let form = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token.as_str()),
                    ("client_id", client_id),
                ];
                http.post(url).form(&form).build().ok()
            }
        }
    }

    /// Checks an answer, and takes from it what the next request needs.
    ///
    /// # Errors
    ///
    /// If it is not what the target promises.
    pub async fn answered(&self, status: u16, body: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(body);
        let is_whole = self.parts.iter().all(|part| text.contains(part));
        ensure!(
            status == self.status && is_whole,
            "{}: {status} {text}",
            self.name
        );
        if let Kind::Refresh { tokens, .. } = &self.kind {
            let answer: Value = serde_json::from_str(&text)?;
            let token = answer["refresh_token"].as_str().unwrap_or_default();
            tokens.lock().await.push_back(token.to_owned());
        }
        Ok(())
    }
}

/// The parameters of the call.
pub fn add() -> Value {
    json!({ "name": "add", "arguments": { "a": 2, "b": 3 } })
}

/// Returns a client's request of revision 2026-07-28.
pub fn stateless_request(client: &Stateless, method: &str, params: Value) -> Result<Request> {
    Ok(client.message(&client.request(method, params)).build()?)
}

/// Returns the call in a session of 2025-11-25.
pub fn session_call(session: &Mcp) -> Result<Request> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": add() });
    let call = session.message(&call);
    Ok(call.header("mcp-protocol-version", NEWEST).build()?)
}

impl Bench {
    /// What is measured: first what the others are held against, and then each request to each subject, with the
    /// calls of `others` behind those of the same name.
    ///
    /// # Errors
    ///
    /// If a request cannot be made.
    pub fn targets(&self, others: &[Target]) -> Result<Vec<Target>> {
        let mut targets = vec![Target::same(
            EMPTY,
            200,
            &[],
            Client::new().get(self.empty.base()).build()?,
        )];
        if let Some(subject) = self.subjects.first() {
            targets.extend([
                Target::same(UNREAD, 200, &[], subject.call_to(&self.empty)?),
                Target::same(BARE, 200, &["\"sum\":5"], subject.call_to(&self.bare)?),
            ]);
        }
        let subjects: Result<Vec<_>> = self.subjects.iter().map(Subject::targets).collect();
        let subjects = subjects?;
        let requests = subjects.first().map_or(0, Vec::len);
        for request in 0..requests {
            let same = subjects.iter().filter_map(|of| of.get(request).cloned());
            targets.extend(same);
            if let Some(name) = targets.last().map(|target| target.name) {
                let same = others.iter().filter(|other| other.name == name);
                targets.extend(same.cloned());
            }
        }
        Ok(targets)
    }
}

impl Subject {
    fn targets(&self) -> Result<Vec<Target>> {
        let http = Client::new();
        let metadata = self.client.url("/.well-known/oauth-authorization-server");
        let mut targets = vec![Target::same(
            "GET metadata",
            200,
            &["\"issuer\""],
            http.get(metadata).build()?,
        )];
        targets.extend(self.mcp()?);
        targets.extend(self.oauth(&http)?);
        for target in &mut targets {
            target.label = self.label.to_owned();
        }
        Ok(targets)
    }

    /// The request of a call, to one who does not look at it.
    fn call_to(&self, server: &Server) -> Result<Request> {
        let mut request = stateless_request(&self.stateless, "tools/call", add())?;
        *request.url_mut() = server.base().parse()?;
        Ok(request)
    }

    fn mcp(&self) -> Result<[Target; 4]> {
        let sum = &["\"result\"", "\"structuredContent\":{\"sum\":5}"];
        let steps = json!({ "name": "ten_steps", "_meta": { "progressToken": "p" } });
        Ok([
            Target::same(
                "tools/list (2026-07-28)",
                200,
                &["\"result\"", "\"getUserInfo\""],
                stateless_request(&self.stateless, "tools/list", json!({}))?,
            ),
            Target::same(
                CALL,
                200,
                sum,
                stateless_request(&self.stateless, "tools/call", add())?,
            ),
            Target::same(CALL_IN_A_SESSION, 200, sum, session_call(&self.session)?),
            Target::same(
                "10 progress events (2026-07-28)",
                200,
                &["\"progress\":1.0", "\"progress\":10.0", "\"result\""],
                stateless_request(&self.fixtures.1, "tools/call", steps)?,
            ),
        ])
    }

    fn oauth(&self, http: &Client) -> Result<[Target; 3]> {
        let registration = json!({
            "client_name": "Bench",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
        });
        let register = http.post(self.client.url("/register"));
        let introspect = http.post(self.client.url("/introspect"));
        Ok([
            Target::same(
                "POST /register",
                201,
                &["\"client_id\""],
                register.json(&registration).build()?,
            ),
            Target {
                name: "refresh at /token",
                label: String::new(),
                is_external: false,
                status: 200,
                parts: &["\"access_token\"", "\"refresh_token\""],
                kind: Kind::Refresh {
                    url: self.client.url("/token"),
                    client_id: self.client.id().to_owned(),
                    tokens: self.refresh_tokens.clone(),
                },
            },
            Target::same(
                "POST /introspect",
                200,
                &["\"active\":true"],
                introspect
                    .basic_auth(RESOURCE_SERVER, Some(SECRET))
                    .form(&[("token", &self.access_token)])
                    .build()?,
            ),
        ])
    }
}
