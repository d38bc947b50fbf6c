//! A request of a caller, from its beginning to its result, or to what the caller's client is to be asked.

use crate::credentials::{Header, Unauthorized};
use crate::environment::Environment;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::incoming::{Incoming, RpcError};
use crate::notifications::{Notifications, wire_level};
use crate::outgoing::Outgoing;
use crate::peer::Peer;
use crate::question::{NotAsked, Question};
use crate::remote::Remote;
use crate::reports::Reports;
use crate::results::{Outcome, outcome};
use crate::round::{Answers, Round};
use mcp::jsonrpc::Id;
use mcp::{Error as RpcAnswer, ErrorCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;
use tools_export::{Caller, ClientCapabilities, Context, Event, InputRequest, InputRequired};

/// A request of a caller.
pub(crate) struct Asking<'a, E: Environment> {
    remote: &'a Remote<E>,
    context: &'a Context,
    round: Round,
    peer: Peer,
    deadline: Duration,
    /// Whether the request may be made again from its beginning, which a question while it runs takes.
    repeat: Repeat<'a>,
    reports: Option<&'a Reports>,
}

/// Whether a request may be made again from its beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Repeat<'a> {
    /// It only reads.
    Harmless,
    /// A call of the tool with this name at the server, and this name here.
    Tool(&'a str, &'a str),
}

/// What a request comes to.
#[derive(Debug)]
pub(crate) enum End<T> {
    Complete(T),
    InputRequired(InputRequired),
    /// The person did not go where the server had sent them.
    Declined,
}

enum Followed {
    Result(Box<RawValue>),
    Failed(RpcError),
    Asked(InputRequired),
}

/// What comes of a question of the server.
enum Asked {
    /// It has its answer; these answers are left.
    Replied(Answers),
    /// The caller's client has to be asked first.
    RoundEnded(InputRequired),
}

impl<'a, E: Environment> Asking<'a, E> {
    /// Prepares a request of the caller.
    ///
    /// # Errors
    ///
    /// If the caller has no credentials for the server.
    pub(crate) fn new(
        remote: &'a Remote<E>,
        context: &'a Context,
        repeat: Repeat<'a>,
        reports: Option<&'a Reports>,
    ) -> Result<Self, Unauthorized> {
        let authorization = remote.settings().credentials.for_caller(&context.caller)?;
        Ok(Self {
            remote,
            context,
            round: Round::read(context),
            peer: Peer {
                capabilities: capabilities(&context.capabilities),
                log_level: context.log_level.map(wire_level),
                ..peer(&context.caller, authorization)
            },
            deadline: remote.connection.wire.deadline(),
            repeat,
            reports,
        })
    }

    /// Makes the request, and reads its result with `complete`.
    ///
    /// # Errors
    ///
    /// If there is no result.
    pub(crate) async fn run<T>(
        &self,
        mut outgoing: Outgoing,
        complete: impl FnOnce(&RawValue) -> Result<T, &'static str>,
    ) -> Result<End<T>, Error> {
        let round = &self.round;
        if round.is_declined() {
            return Ok(End::Declined);
        }
        let (answers, state) = round.for_server();
        if !answers.is_empty() {
            outgoing = outgoing.with("inputResponses", &answers);
        }
        if let Some(state) = state {
            outgoing = outgoing.with("requestState", &state);
        }
        outgoing.wants_progress = self.context.wants_progress && self.reports.is_some();
        let connection = &self.remote.connection;
        let max_bytes = self.remote.settings().max_bytes;
        let sent = connection.send(&self.peer, &outgoing, max_bytes, self.deadline);
        let followed = match sent.await {
            Ok(exchange) => self.follow(exchange).await?,
            Err(Error::Rpc(error)) => Followed::Failed(error),
            Err(error) => return Err(error),
        };
        match followed {
            Followed::Result(result) => {
                let outcome = outcome(&result, &self.context.capabilities, complete);
                match outcome.map_err(Error::Malformed)? {
                    Outcome::Complete(value) => Ok(End::Complete(value)),
                    Outcome::InputRequired { requests, state } if round.may_ask() => {
                        Ok(End::InputRequired(round.asked_by_server(requests, state)))
                    }
                    Outcome::InputRequired { .. } => {
                        Err(Error::Malformed("it asks one question after the other"))
                    }
                }
            }
            Followed::Failed(error) => match self.to_open(&error).filter(|_| round.may_ask()) {
                Some(requests) => {
                    let answers = round.answers();
                    Ok(End::InputRequired(round.opened(requests, answers)))
                }
                None => Err(Error::Rpc(error)),
            },
            Followed::Asked(input_required) => Ok(End::InputRequired(input_required)),
        }
    }

    /// Follows a request until its response, or until its client has to be asked.
    async fn follow(&self, mut exchange: Exchange<E>) -> Result<Followed, Error> {
        let mut answers = self.round.answers();
        let mut notifications = Notifications::new(exchange.id(), self.context);
        loop {
            match exchange.next().await? {
                Incoming::Response { outcome, .. } => {
                    return Ok(match outcome {
                        Ok(result) => Followed::Result(result),
                        Err(error) => Followed::Failed(error),
                    });
                }
                Incoming::Notification { method, params } => {
                    if let Some(event) = notifications.event(&method, params.as_deref()) {
                        self.report(event).await;
                    }
                }
                Incoming::Request { id, method, params } => {
                    let capabilities = &self.context.capabilities;
                    match Question::read(&method, params.as_deref(), capabilities) {
                        Ok(question) => {
                            let asked = self.answer(&exchange, &id, &question, answers).await?;
                            match asked {
                                Asked::Replied(left) => answers = left,
                                Asked::RoundEnded(input_required) => {
                                    return Ok(Followed::Asked(input_required));
                                }
                            }
                        }
                        Err(NotAsked::Unknown) => exchange.refuse(&id, &method).await?,
                        Err(NotAsked::Malformed | NotAsked::Unsupported) => {
                            let text = "The client cannot be asked this.";
                            let error = RpcAnswer::invalid_params(text);
                            exchange.reply(&id, Err(&error)).await?;
                        }
                    }
                }
            }
        }
    }

    async fn report(&self, event: Event) {
        if matches!(event, Event::Changed(_)) {
            self.remote.forget_lists();
        }
        if let Some(reports) = self.reports {
            reports.send(event).await;
        }
    }

    /// Answers a question with what was answered in an earlier round; or ends the round, for the client to be asked.
    async fn answer(
        &self,
        exchange: &Exchange<E>,
        id: &Id,
        question: &Question,
        mut answers: Answers,
    ) -> Result<Asked, Error> {
        let Question { method, params, .. } = question;
        if let Some(answer) = answers.next(method, params) {
            exchange.reply(id, Ok(answer.get())).await?;
            return Ok(Asked::Replied(answers));
        }
        let problem = if !self.round.may_ask() {
            "The client was asked too often."
        } else if self.may_repeat().await {
            let input_required = self.round.asked(question, answers);
            return Ok(Asked::RoundEnded(input_required));
        } else {
            "The client can be asked only by a tool whose calls may be made again from their beginning."
        };
        let error = RpcAnswer::new(ErrorCode::InternalError, problem);
        exchange.reply(id, Err(&error)).await?;
        Ok(Asked::Replied(answers))
    }

    /// Returns whether the request may be made again, and tells the operator if it may not.
    async fn may_repeat(&self) -> bool {
        let Repeat::Tool(there, here) = self.repeat else {
            return true;
        };
        let settings = self.remote.settings();
        if settings.may_repeat(there) {
            return true;
        }
        let lists = self.remote.lists().await;
        if lists.is_ok_and(|lists| lists.tool(here).is_some_and(|tool| tool.may_repeat)) {
            return true;
        }
        log_line::write(format_args!(
            "mcp-client: {}: the tool {there} asked its client something and got no answer. If its calls may be made again from their beginning, name it in the variable repeat",
            settings.host()
        ));
        false
    }

    /// Returns the URLs that a person has to open before the request can be done (2025-11-25, Elicitation,
    /// `URLElicitationRequiredError`), if that is what the error says and the client can be asked it.
    fn to_open(&self, error: &RpcError) -> Option<Vec<InputRequest>> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            elicitations: Vec<&'a RawValue>,
        }
        const URL_ELICITATION_REQUIRED: i64 = -32042;
        const MAX_URLS: usize = 8;
        let method = "elicitation/create";
        let data: Data<'_> = (error.code == URL_ELICITATION_REQUIRED).then(|| error.data())??;
        let elicitations = data.elicitations.into_iter().take(MAX_URLS);
        let request = |(number, params): (usize, &RawValue)| {
            let read = Question::read(method, Some(params), &self.context.capabilities);
            let question = read.ok().filter(|question| question.is_of_url)?;
            Some(InputRequest {
                id: number.to_string(),
                method: question.method,
                params: question.params,
            })
        };
        let requests: Vec<_> = elicitations
            .enumerate()
            .map(request)
            .collect::<Option<_>>()?;
        (!requests.is_empty()).then_some(requests)
    }
}

/// Returns for whom a request of this caller is made.
pub(crate) fn peer(caller: &Caller, authorization: Option<Header>) -> Peer {
    Peer {
        subject: Some(caller.subject.clone()),
        authorization,
        ..Peer::default()
    }
}

fn capabilities(capabilities: &ClientCapabilities) -> mcp::ClientCapabilities {
    mcp::ClientCapabilities {
        elicits_forms: capabilities.elicits_forms,
        elicits_urls: capabilities.elicits_urls,
        samples: capabilities.samples,
        samples_with_tools: capabilities.samples_with_tools,
        lists_roots: capabilities.lists_roots,
        knows_tasks: false,
    }
}
