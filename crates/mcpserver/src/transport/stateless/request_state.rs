//! `requestState` and input requests (2026-07-28, Multi Round-Trip Requests).
//!
//! The server stores nothing between two rounds of a request. The component's state goes to the client and
//! comes back, sealed: it opens for the same person, client and request alone, and expires.

use super::request::{REVISION, Request};
use crate::call::input_required::{self, INPUT_TTL};
use crate::context::Context;
use crate::contract::tools::{Answer, InputRequired, Round};
use crate::http::authenticated::Authenticated;
use crate::{Environment, Parts};
use keys::Purpose;
use mcp::jsonrpc::Outcome;
use mcp::{Error, InputRequest, input_required_result};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const STATE: Purpose = Purpose("mcp request state");

/// Bytes of a component's state, which the client sends back.
const MAX_STATE_BYTES: usize = 64 * 1024;

/// The members of the parameters that differ from round to round.
const CHANGING: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// The person and the client of a request.
pub(super) struct Requester {
    subject: String,
    client_id: Option<String>,
}

impl Authenticated {
    pub(super) fn requester(&self) -> Requester {
        Requester {
            subject: self.subject().to_owned(),
            client_id: self.caller.client_id.clone(),
        }
    }
}

/// The hash of a requester, a method and parameters, to which a state is bound.
pub(super) struct RequestDigest([u8; 32]);

impl RequestDigest {
    pub(super) fn of(request: &Request<'_>, requester: &Requester) -> Self {
        let mut hash = Sha256::new();
        feed_text(&mut hash, &requester.subject);
        match &requester.client_id {
            Some(client_id) => feed_text(&mut hash, client_id),
            None => hash.update([0xff]),
        }
        feed_text(&mut hash, &request.method);
        let params = request.params.map(RawValue::get).map(serde_json::from_str);
        if let Some(Ok(Value::Object(mut params))) = params {
            params.retain(|name, _| !CHANGING.contains(&name.as_str()));
            feed(&mut hash, &Value::Object(params));
        }
        Self(hash.finalize().into())
    }
}

/// Hashes a value so that no two values are hashed alike, and an object's keys may come in any
/// order.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            feed_count(hash, b'o', fields.len());
            for (name, value) in fields {
                feed_text(hash, name);
                feed(hash, value);
            }
        }
        Value::Array(items) => {
            feed_count(hash, b'a', items.len());
            items.iter().for_each(|item| feed(hash, item));
        }
        Value::String(text) => {
            hash.update(b"s");
            feed_text(hash, text);
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {
            hash.update(b"v");
            feed_text(hash, &value.to_string());
        }
    }
}

fn feed_text(hash: &mut Sha256, text: &str) {
    feed_count(hash, b't', text.len());
    hash.update(text);
}

fn feed_count(hash: &mut Sha256, kind: u8, count: usize) {
    hash.update([kind]);
    hash.update((count as u64).to_be_bytes());
}

/// The states of requests that need input.
pub(crate) struct RequestStates<P: Parts> {
    context: Arc<Context<P>>,
}

impl<P: Parts> RequestStates<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self { context }
    }

    /// Returns the round of a request, with the client's responses to the round before.
    pub(super) fn round(
        &self,
        request: &Request<'_>,
        authenticated: &Authenticated,
    ) -> Result<Round, Error> {
        let metadata = &request.metadata;
        let state = match &metadata.request_state {
            None => None,
            Some(sealed) => {
                let digest = RequestDigest::of(request, &authenticated.requester());
                Some(self.open_state(sealed, &digest)?)
            }
        };
        let answers = metadata.input_responses.iter().map(|(id, result)| Answer {
            id: id.clone(),
            result: (*result).to_owned(),
        });
        Ok(Round {
            capabilities: metadata.capabilities,
            log_level: metadata.log_level,
            answers: answers.collect(),
            state,
        })
    }

    /// Returns the `InputRequiredResult`, if the client supports its requests.
    pub(super) fn ask(
        &self,
        request: &Request<'_>,
        authenticated: &Authenticated,
        questions: &InputRequired,
    ) -> Outcome {
        input_required::check(questions, request.metadata.capabilities).map_err(|unsupported| {
            match unsupported {
                input_required::UnsupportedInput::MissingCapabilities(missing) => {
                    Error::missing_capabilities(missing, REVISION)
                }
                input_required::UnsupportedInput::Malformed(what) => self.cannot_ask(what),
            }
        })?;
        let digest = RequestDigest::of(request, &authenticated.requester());
        self.input_required(questions, &digest)
    }

    /// Returns the `InputRequiredResult` for a client that supports its requests.
    pub(super) fn input_required(
        &self,
        questions: &InputRequired,
        digest: &RequestDigest,
    ) -> Outcome {
        let state = match questions.state.as_deref() {
            None => None,
            Some(state) if state.len() > MAX_STATE_BYTES => {
                return Err(self.cannot_ask("a state that is too large"));
            }
            Some(state) => Some(self.seal_state(state, digest)),
        };
        let requests = questions.requests.iter().map(|request| InputRequest {
            id: &request.id,
            method: &request.method,
            params: &request.params,
        });
        input_required_result(requests, state.as_deref(), &self.context.envelope(REVISION))
            .map_err(|invalid| self.cannot_ask(&invalid.to_string()))
    }

    fn cannot_ask(&self, what: &str) -> Error {
        log_line::write(format_args!("mcp: a question to the client: {what}"));
        Error::internal()
    }

    fn seal_state(&self, state: &str, digest: &RequestDigest) -> String {
        let ends_at = self.context.environment.now().saturating_add(INPUT_TTL);
        let plain = [&ends_at.to_be_bytes(), state.as_bytes()].concat();
        let random = &mut self.context.environment.random();
        self.context
            .config
            .keys
            .seal(STATE, &digest.0, &plain, random)
    }

    fn open_state(&self, sealed: &str, digest: &RequestDigest) -> Result<String, Error> {
        let opened = self.context.config.keys.open(STATE, &digest.0, sealed).ok();
        let state = opened.and_then(|plain| {
            let (ends_at, state) = plain.split_first_chunk::<8>()?;
            let lives = u64::from_be_bytes(*ends_at) > self.context.environment.now();
            lives.then(|| String::from_utf8(state.to_vec()).ok())?
        });
        state.ok_or_else(|| Error::invalid_params("Invalid or expired `requestState`."))
    }
}
