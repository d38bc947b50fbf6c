//! Requests to the clients of the revisions with sessions (2025-11-25, Client Features). A client
//! responds in a request of its own, perhaps at another instance.
//!
//! The id of a request is sealed for the person, so that only that person's response is accepted and none
//! can be forged. A response waits in the store, sealed, under a key of that id, until the call that sent
//! the request takes it.

use crate::call::cancellation::Cancellations;
use crate::call::client_context::ClientContext;
use crate::call::input_required::INPUT_TTL;
use crate::context::Context;
use crate::contract::tools::{Answer, InputRequired, Round};
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::{CHECK_INTERVAL, GrantWatch, grant_ended};
use crate::http::rejection::Rejection;
use crate::rate_limit;
use crate::stream::outbound::{ClientStream, Outbound};
use crate::stream::poll_loop::{Poll, Polled, poll_loop};
use crate::stream::timing::pace;
use crate::{Environment, Parts};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::Purpose;
use mcp::jsonrpc::{self, Id};
use mcp::{Error, ErrorCode};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use store::{MAX_SEALED_BYTES, ReadAhead, Record};

const QUESTION: Purpose = Purpose("mcp question");
const ANSWER: Purpose = Purpose("mcp answer");

/// Times that one request may ask its client.
const MAX_ROUNDS: u32 = 32;

/// The record of a client's response.
#[derive(Serialize, Deserialize)]
struct ResponseRecord {
    sealed: String,
}

impl Record for ResponseRecord {
    const KIND: &'static str = "mcp-answer";
}

/// A response, as it is sealed.
#[derive(Serialize, Deserialize)]
enum StoredResponse {
    Result(String),
    Failed,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum ClientRequestError {
    /// The client is gone.
    ClientGone,
    /// The error for the response to the client's request.
    Failed(Error),
}

/// The number of rounds of one request.
#[derive(Debug, Default)]
pub(crate) struct Rounds(u32);

impl Rounds {
    /// Counts one more round.
    ///
    /// # Errors
    ///
    /// Fails if there are more than [`MAX_ROUNDS`].
    fn next(&mut self) -> Result<(), ClientRequestError> {
        self.0 += 1;
        if self.0 <= MAX_ROUNDS {
            return Ok(());
        }
        let reason = "The request asked the client too often.";
        Err(ClientRequestError::Failed(Error::new(
            ErrorCode::InternalError,
            reason,
        )))
    }
}

/// Requests to clients, and their responses.
pub(crate) struct ClientRequests<P: Parts> {
    context: Arc<Context<P>>,
    grants: Arc<GrantWatch<P>>,
    cancellations: Arc<Cancellations<P>>,
    outbound: Arc<Outbound<P>>,
}

impl<P: Parts> ClientRequests<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        grants: Arc<GrantWatch<P>>,
        cancellations: Arc<Cancellations<P>>,
        outbound: Arc<Outbound<P>>,
    ) -> Self {
        Self {
            context,
            grants,
            cancellations,
            outbound,
        }
    }

    /// Sends requests to a client and waits for its responses. Returns the next round of the client's
    /// request.
    pub(crate) async fn send(
        &self,
        questions: InputRequired,
        rounds: &mut Rounds,
        request: &Id,
        client: &ClientContext,
        authenticated: &Authenticated,
        stream: &mut ClientStream,
    ) -> Result<Round, ClientRequestError> {
        rounds.next()?;
        let subject = authenticated.subject();
        let ends_at = self.context.environment.now() + INPUT_TTL;
        let mut asked = Vec::new();
        for question in questions.requests {
            let name: [u8; 12] = self.context.environment.random().random();
            let plain = [ends_at.to_be_bytes().as_slice(), &name].concat();
            let random = &mut self.context.environment.random();
            let id = self
                .context
                .config
                .keys
                .seal(QUESTION, subject.as_bytes(), &plain, random);
            let message = jsonrpc::request(&id, &question.method, &question.params);
            if !self.outbound.send(stream, &message).await {
                return Err(ClientRequestError::ClientGone);
            }
            asked.push((question.id, URL_SAFE_NO_PAD.encode(name)));
        }
        let mut answers = Vec::new();
        for (id, name) in asked {
            let mut awaited = AwaitedResponse {
                requests: self,
                name: &name,
                subject,
                ends_at,
                request,
                client,
                stream: &mut *stream,
                since_look: Duration::ZERO,
            };
            let polled = poll_loop(
                &self.context,
                &self.grants,
                authenticated.authority(),
                pace,
                &mut awaited,
            );
            let result = polled
                .await
                .unwrap_or_else(|_| Err(ClientRequestError::Failed(Error::internal())))?;
            answers.push(Answer { id, result });
        }
        Ok(Round {
            answers,
            state: questions.state,
            ..client.first_round()
        })
    }

    fn open_response(
        &self,
        name: &str,
        subject: &str,
        answered: &ResponseRecord,
    ) -> Option<StoredResponse> {
        let context = context(name, subject);
        let keys = &self.context.config.keys;
        let plain = keys
            .open(ANSWER, context.as_bytes(), &answered.sealed)
            .ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// Stores a client's response to a request of ours. Ignores responses to other ids, and late ones.
    ///
    /// # Errors
    ///
    /// Fails with a bad request if the response is too large, with too many requests if the person sent too
    /// many, or if the store does.
    pub(crate) async fn accept_response(
        &self,
        id: &Id,
        outcome: Result<&RawValue, &RawValue>,
        authenticated: &Authenticated,
    ) -> Result<(), Rejection> {
        let subject = authenticated.subject();
        let keys = &self.context.config.keys;
        let Some(plain) = id
            .as_plain_text()
            .and_then(|id| keys.open(QUESTION, subject.as_bytes(), id).ok())
        else {
            return Ok(());
        };
        let Some((ends_at, name)) = plain.split_first_chunk::<8>() else {
            return Ok(());
        };
        let now = self.context.environment.now();
        let ends_at = u64::from_be_bytes(*ends_at);
        if now >= ends_at {
            return Ok(());
        }
        let outcome = match outcome {
            Ok(result) if result.get().len() > MAX_SEALED_BYTES => {
                let reason = format!("A response may have {MAX_SEALED_BYTES} bytes.");
                return Err(Rejection::BadRequest(Error::invalid_params(reason)));
            }
            Ok(result) if result.get().starts_with('{') => {
                StoredResponse::Result(result.get().to_owned())
            }
            Ok(_) | Err(_) => StoredResponse::Failed,
        };
        let name = URL_SAFE_NO_PAD.encode(name);
        // Only the first response counts.
        let known = self.context.store.get::<ResponseRecord>(&name, now).await;
        if known
            .map_err(|error| Rejection::unavailable(&error))?
            .is_some()
        {
            return Ok(());
        }
        let (store, person) = (&self.context.store, authenticated.person());
        let is_within_limit = rate_limit::check(store, "answer-limit", &person, now).await;
        if !is_within_limit.map_err(|error| Rejection::unavailable(&error))? {
            return Err(Rejection::TooMany);
        }
        let plain = serde_json::to_vec(&outcome).unwrap_or_default();
        let context = context(&name, subject);
        let random = &mut self.context.environment.random();
        let answered = ResponseRecord {
            sealed: keys.seal(ANSWER, context.as_bytes(), &plain, random),
        };
        self.context
            .store
            .create(&name, &answered, ends_at)
            .await
            .map_err(|error| Rejection::unavailable(&error))
    }
}

/// The wait for the response to one request.
struct AwaitedResponse<'a, P: Parts> {
    requests: &'a ClientRequests<P>,
    name: &'a str,
    subject: &'a str,
    ends_at: u64,
    request: &'a Id,
    client: &'a ClientContext,
    stream: &'a mut ClientStream,
    since_look: Duration,
}

impl<P: Parts> Poll for AwaitedResponse<'_, P> {
    type End = Result<String, ClientRequestError>;

    fn next_key(&self) -> Option<String> {
        let store = &self.requests.context.store;
        Some(store.key(ResponseRecord::KIND, self.name))
    }

    async fn look(&mut self, ahead: &mut ReadAhead) -> Result<Polled<Self::End>, store::Error> {
        let failed = |reason: &'static str| {
            let error = Error::new(ErrorCode::InternalError, reason);
            Ok(Polled::End(Err(ClientRequestError::Failed(error))))
        };
        let Context {
            store, environment, ..
        } = &*self.requests.context;
        let now = environment.now();
        let found = store.get_ahead::<ResponseRecord>(self.name, now, ahead);
        match found.await {
            Ok(Some(answered)) => {
                if let Err(error) = store.delete::<ResponseRecord>(self.name).await {
                    log_line::write(format_args!("mcp: an answer is left to the sweep: {error}"));
                }
                let opened = self
                    .requests
                    .open_response(self.name, self.subject, &answered);
                return match opened {
                    Some(StoredResponse::Result(result)) => Ok(Polled::End(Ok(result))),
                    Some(StoredResponse::Failed) => failed("The client did not return a result."),
                    None => failed("The server failed."),
                };
            }
            Ok(None) => {}
            Err(error) => self.on_error(error)?,
        }
        if now >= self.ends_at {
            return failed("The client did not respond in time.");
        }
        Ok(Polled::Nothing)
    }

    async fn rest(&mut self, waited: Duration) -> Result<Option<Self::End>, store::Error> {
        let ClientRequests {
            cancellations,
            outbound,
            ..
        } = self.requests;
        self.since_look += waited;
        if self.since_look >= CHECK_INTERVAL {
            self.since_look = Duration::ZERO;
            if cancellations.is_given_up(self.request, self.client).await {
                return Ok(Some(Err(ClientRequestError::ClientGone)));
            }
        }
        let is_open = outbound.keep_alive(self.stream, waited).await;
        Ok((!is_open).then_some(Err(ClientRequestError::ClientGone)))
    }

    fn grant_ended(&self) -> Self::End {
        Err(ClientRequestError::Failed(grant_ended()))
    }

    /// Logs the error: the store may work again at the next read.
    fn on_error(&self, error: store::Error) -> Result<(), store::Error> {
        log_line::write(format_args!("mcp: {error}"));
        Ok(())
    }
}

fn context(name: &str, subject: &str) -> String {
    format!("{name} {subject}")
}
