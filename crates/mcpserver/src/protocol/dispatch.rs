//! What each message asks for, whatever way it came.

use crate::call::client_context::Talk;
use crate::call::input_required::{self, Unaskable};
use crate::call::streamed_call::Asking;
use crate::call::tool_call::PreparedCall;
use crate::contract::tools::{InputRequired, Round};
use crate::http::authenticator::Authenticated;
use crate::http::rejection::Refusal;
use crate::protocol::catalog::Prepared;
use crate::protocol::methods::{Answered, NotAnswered};
use crate::transport::session::Wish;
use crate::{Environment, Parts, Server};
use mcp::jsonrpc::{self, Id, Message};
use mcp::{
    CallParams, ClientAbilities, CompleteParams, Error, InitializeParams, PageParams, PromptParams,
    ReadParams, Revision, initialize_result,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// What becomes of a message.
#[derive(Debug)]
pub(crate) enum Handled {
    /// Nothing: it wanted no answer.
    Nothing,
    /// This response.
    Response(String),
    /// This response, to something that is no message.
    Invalid(String),
    /// This response, and from now on this revision is spoken by a client that can be asked so much.
    Initialized(String, Revision, ClientAbilities),
    /// A call that is to be made.
    Call(PreparedCall),
    /// A request that waits for the client's answers.
    Questions(Box<Asking>, InputRequired),
    /// Something that is to be different from now on, and the request that wishes for it.
    Wish(Id, Wish),
}

impl<P: Parts> Server<P> {
    pub(crate) async fn handle_message(
        self: &Arc<Self>,
        message: Message<'_>,
        authenticated: &Authenticated,
        talk: &Talk,
    ) -> Result<Handled, Refusal> {
        let revision = talk.revision;
        let (id, method, params) = match message {
            Message::Request { id, method, params } => (id, method, params),
            Message::Notification { method, params } => {
                if method == "notifications/cancelled"
                    && let Some(request) = params.and_then(cancelled_request)
                {
                    let cancelled = self.cancel(&request, talk, authenticated).await;
                    cancelled.map_err(|error| self.unavailable(&error))?;
                }
                return Ok(Handled::Nothing);
            }
            Message::Response { id, outcome } => {
                let taken = self.take_answer(&id, outcome, authenticated).await;
                return taken.map(|()| Handled::Nothing);
            }
            Message::Invalid { id, error } => {
                return Ok(Handled::Invalid(jsonrpc::error_response(
                    id.as_ref(),
                    &error,
                    revision,
                )));
            }
        };
        let respond = |result: &str| Ok(Handled::Response(jsonrpc::response(&id, result)));
        let fail = |id: &Id, error: Error| {
            let response = jsonrpc::error_response(Some(id), &error, revision);
            Ok(Handled::Response(response))
        };
        match &*method {
            "initialize" => match InitializeParams::read(params) {
                Ok(params) => match self.catalog().await {
                    Some(catalog) => {
                        let result = initialize_result(
                            params.revision,
                            &catalog.prepared(params.revision).capabilities,
                            catalog.instructions.as_deref(),
                        );
                        let response = jsonrpc::response(&id, &result);
                        Ok(Handled::Initialized(
                            response,
                            params.revision,
                            params.abilities,
                        ))
                    }
                    None => fail(&id, Error::internal()),
                },
                Err(error) => fail(&id, error),
            },
            "ping" => respond("{}"),
            "tools/call" => {
                let params = CallParams::read(params);
                let round = talk.first_round();
                let prepared = self
                    .prepare_call(id, params, authenticated, revision, round, talk.may_stream)
                    .await?;
                Ok(prepared.map_or_else(Handled::Response, Handled::Call))
            }
            "logging/setLevel" => match mcp::read_level(params) {
                Ok(level) => Ok(Handled::Wish(id, Wish::LogLevel(level))),
                Err(error) => fail(&id, error),
            },
            "resources/subscribe" | "resources/unsubscribe" => {
                match self.subscription(&method, params, authenticated).await {
                    Ok(wish) => Ok(Handled::Wish(id, wish)),
                    Err(NotAnswered::Error(error)) => fail(&id, error),
                    Err(NotAnswered::Refused(refusal)) => Err(refusal),
                }
            }
            method => {
                let round = talk.first_round();
                let abilities = round.abilities;
                let answered = self
                    .answer_request(method, params, round, authenticated, revision)
                    .await;
                match answered {
                    Ok(Answered::Result(result)) => respond(&result),
                    Ok(Answered::InputRequired(questions)) => {
                        match self.askable(method, &questions, abilities, revision) {
                            Ok(()) => Ok(Handled::Questions(
                                Box::new(Asking {
                                    id,
                                    method: method.to_owned(),
                                    params: params.map(RawValue::to_owned),
                                    authenticated: authenticated.clone(),
                                    talk: talk.clone(),
                                }),
                                questions,
                            )),
                            Err(error) => fail(&id, error),
                        }
                    }
                    Err(NotAnswered::Error(error)) => fail(&id, error),
                    Err(NotAnswered::Refused(refusal)) => Err(refusal),
                }
            }
        }
    }

    /// What `resources/subscribe` or `resources/unsubscribe` wishes for.
    async fn subscription(
        &self,
        method: &str,
        params: Option<&RawValue>,
        authenticated: &Authenticated,
    ) -> Result<Wish, NotAnswered> {
        let catalog = self.catalog().await.ok_or_else(Error::internal)?;
        let resources = catalog.resources.as_ref();
        let resources = resources.ok_or_else(|| Error::method_not_found(method))?;
        authenticated.needs(&resources.scopes)?;
        let uri = ReadParams::read(params)?.uri.into_owned();
        Ok(if method == "resources/subscribe" {
            Wish::Subscribe(uri)
        } else {
            Wish::Unsubscribe(uri)
        })
    }

    /// Whether a client with these abilities can be asked what a request needs to know.
    ///
    /// # Errors
    ///
    /// What to answer instead.
    pub(crate) fn askable(
        &self,
        method: &str,
        questions: &InputRequired,
        abilities: ClientAbilities,
        revision: Revision,
    ) -> Result<(), Error> {
        let what = match input_required::check(questions, abilities) {
            Ok(()) => return Ok(()),
            Err(Unaskable::Garbage(what)) => what,
            Err(Unaskable::MissingCapabilities(missing)) => {
                return Err(Error::missing_capabilities(missing, revision));
            }
        };
        self.environment
            .log(&format!("mcp: {method} was answered with {what}"));
        Err(Error::internal())
    }

    /// Answers a request with one result, or finds that there is no such method.
    pub(crate) async fn answer_request(
        &self,
        method: &str,
        params: Option<&RawValue>,
        round: Round,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<Answered, NotAnswered> {
        let prepared = async |list: fn(&Prepared) -> &String| match self.newest_catalog().await {
            Some(catalog) => Ok(Answered::Result(list(catalog.prepared(revision)).clone())),
            None => Err(Error::internal().into()),
        };
        match method {
            "tools/list" => {
                PageParams::read_single_page(params)?;
                prepared(|prepared| &prepared.tools).await
            }
            "prompts/list" => {
                PageParams::read_single_page(params)?;
                prepared(|prepared| &prepared.prompts).await
            }
            "resources/templates/list" => {
                PageParams::read_single_page(params)?;
                prepared(|prepared| &prepared.templates).await
            }
            "resources/list" => {
                let params = PageParams::read(params)?;
                self.list_resources(params, authenticated, revision).await
            }
            "resources/read" => {
                let params = ReadParams::read(params)?;
                self.read_resource(params, round, authenticated, revision)
                    .await
            }
            "prompts/get" => {
                let params = PromptParams::read(params)?;
                self.get_prompt(params, round, authenticated, revision)
                    .await
            }
            "completion/complete" => {
                let params = CompleteParams::read(params)?;
                self.complete(params, authenticated, revision).await
            }
            method => Err(Error::method_not_found(method).into()),
        }
    }
}

/// The request that a notification cancels.
fn cancelled_request(params: &RawValue) -> Option<Id> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params<'a> {
        #[serde(borrow)]
        request_id: &'a RawValue,
    }
    let params: Params<'_> = serde_json::from_str(params.get()).ok()?;
    Id::read(params.request_id)
}
