//! The methods with one result: lists, resources, prompts and completion (2025-11-25, Server
//! Features), and the preparation of `tools/call`.

use crate::call::input_required::{self, UnsupportedInput};
use crate::call::sandbox::SandboxLog;
use crate::call::tool_call::{NotPrepared, PreparedCall, ToolCaller};
use crate::call::upstream_credential::{CredentialError, UpstreamCredentials};
use crate::context::Context;
use crate::contract::tools::{Completion, InputRequired, PromptRequest, Read, Round, RoundResult};
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::{GrantWatch, Interruption, grant_ended};
use crate::http::rejection::Rejection;
use crate::protocol::catalog::{Catalog, CatalogSource, Prepared};
use crate::protocol::cursor;
use crate::{Caller, Failure, Parts, ToolProvider};
use futures::future::{Either, select};
use mcp::{
    CallParams, ClientCapabilities, CompleteParams, Error, InvalidJson, PageParams, PromptParams,
    ReadParams, Reference, Revision,
};
use serde_json::value::RawValue;
use std::pin::pin;
use std::sync::Arc;

/// The result of a method.
#[derive(Debug)]
pub(crate) enum MethodResult {
    /// The result, as JSON.
    Result(String),
    /// Requests to the client, after which it sends its request again.
    InputRequired(InputRequired),
}

/// Why a method fails: the HTTP request is rejected, or the response is an error.
#[derive(Debug)]
pub(crate) enum MethodError {
    Rejected(Rejection),
    Error(Error),
}

impl From<Rejection> for MethodError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Error> for MethodError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The methods with one result, and the preparation of calls.
pub(crate) struct Methods<P: Parts> {
    context: Arc<Context<P>>,
    tools: Arc<P::Tools>,
    grants: Arc<GrantWatch<P>>,
    catalog: Arc<CatalogSource<P>>,
    caller: Arc<ToolCaller<P>>,
    credentials: Arc<UpstreamCredentials<P>>,
    sandbox: Arc<SandboxLog>,
}

impl<P: Parts> Methods<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        tools: Arc<P::Tools>,
        grants: Arc<GrantWatch<P>>,
        catalog: Arc<CatalogSource<P>>,
        caller: Arc<ToolCaller<P>>,
        credentials: Arc<UpstreamCredentials<P>>,
        sandbox: Arc<SandboxLog>,
    ) -> Self {
        Self {
            context,
            tools,
            grants,
            catalog,
            caller,
            credentials,
            sandbox,
        }
    }

    /// Prepares a call of a tool.
    ///
    /// # Errors
    ///
    /// [`NotPrepared`].
    pub(crate) async fn prepare_call(
        &self,
        params: CallParams<'_>,
        authenticated: &Authenticated,
        revision: Revision,
        round: Round,
        may_stream: bool,
    ) -> Result<PreparedCall, NotPrepared> {
        let catalog = self.catalog.current().await?;
        let tool = catalog.tool(&params.name);
        self.caller
            .prepare(params, tool, authenticated, revision, round, may_stream)
    }

    /// Checks that a client with these capabilities supports the requests that a method needs.
    ///
    /// # Errors
    ///
    /// Fails with the error for the response.
    pub(crate) fn check_input(
        &self,
        method: &str,
        questions: &InputRequired,
        capabilities: ClientCapabilities,
        revision: Revision,
    ) -> Result<(), Error> {
        let what = match input_required::check(questions, capabilities) {
            Ok(()) => return Ok(()),
            Err(UnsupportedInput::Malformed(what)) => what,
            Err(UnsupportedInput::MissingCapabilities(missing)) => {
                return Err(Error::missing_capabilities(missing, revision));
            }
        };
        log_line::write(format_args!("mcp: {method} was answered with {what}"));
        Err(Error::internal())
    }

    /// Calls a method with one result.
    ///
    /// # Errors
    ///
    /// Fails if there is no such method, or the method does.
    pub(crate) async fn call(
        &self,
        method: &str,
        params: Option<&RawValue>,
        round: Round,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<MethodResult, MethodError> {
        let prepared = async |list: fn(&Prepared) -> &String| {
            let catalog = self.catalog.newest().await?;
            let result = list(catalog.prepared(revision)?).clone();
            Ok(MethodResult::Result(result))
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

    /// `resources/list`.
    async fn list_resources(
        &self,
        params: PageParams<'_>,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<MethodResult, MethodError> {
        let catalog = self.catalog.current().await?;
        let wants_credential = resource_scopes(&catalog, "resources/list", authenticated)?;
        let caller = self.caller(authenticated, wants_credential).await?;
        let (keys, subject) = (&self.context.config.keys, authenticated.subject());
        let cursor = match params.cursor {
            None => None,
            Some(sealed) => {
                let cursor = cursor::open(keys, subject, &sealed);
                Some(cursor.ok_or_else(Error::invalid_cursor)?)
            }
        };
        let listing = self.tools.list_resources(caller, cursor);
        let failed = |failure| match failure {
            Failure::NotFound | Failure::InvalidArguments(_) => Error::invalid_cursor(),
            failure => self.request_failed("resources/list", failure),
        };
        let mut page = self
            .wait("resources/list", authenticated, listing, failed)
            .await?;
        let next = page.next_cursor.take();
        page.next_cursor = next.map(|cursor| cursor::seal(keys, subject, &cursor));
        self.to_method_result(
            "resources/list",
            page.into_result(&self.context.envelope(revision)),
        )
    }

    /// `resources/read`.
    async fn read_resource(
        &self,
        params: ReadParams<'_>,
        round: Round,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<MethodResult, MethodError> {
        const METHOD: &str = "resources/read";
        let catalog = self.catalog.current().await?;
        let wants_credential = resource_scopes(&catalog, METHOD, authenticated)?;
        let read = Read {
            uri: params.uri.clone().into_owned(),
            caller: self.caller(authenticated, wants_credential).await?,
            round,
        };
        let reading = self.tools.read_resource(read);
        let failed = |failure| match failure {
            Failure::NotFound | Failure::Unsupported => {
                Error::unknown_resource(&params.uri, revision)
            }
            failure => self.request_failed(METHOD, failure),
        };
        let round = self.wait(METHOD, authenticated, reading, failed).await?;
        self.to_round_result(METHOD, round, |contents| {
            contents.to_result(&self.context.envelope(revision))
        })
    }

    /// `prompts/get`.
    async fn get_prompt(
        &self,
        params: PromptParams<'_>,
        round: Round,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<MethodResult, MethodError> {
        const METHOD: &str = "prompts/get";
        let catalog = self.catalog.current().await?;
        let unknown = || Error::unknown_prompt(&params.name);
        let offered = catalog.prompt(&params.name).ok_or_else(unknown)?;
        authenticated.require_scopes(&offered.scopes)?;
        let arguments = offered.prompt.arguments.iter();
        let missing = arguments
            .filter(|argument| argument.required)
            .find(|argument| !params.arguments.contains_key(&argument.name));
        if let Some(missing) = missing {
            let text = format!("Missing required argument: `{}`.", missing.name);
            return Err(Error::invalid_params(text).into());
        }
        let request = PromptRequest {
            name: params.name.clone().into_owned(),
            arguments: params.arguments.clone().into_iter().collect(),
            caller: authenticated.caller.clone(),
            round,
        };
        let given = self.tools.get_prompt(request);
        let failed = |failure| match failure {
            Failure::NotFound => unknown(),
            failure => self.request_failed(METHOD, failure),
        };
        let round = self.wait(METHOD, authenticated, given, failed).await?;
        self.to_round_result(METHOD, round, |messages| {
            messages.to_result(&self.context.envelope(revision))
        })
    }

    /// `completion/complete`.
    async fn complete(
        &self,
        params: CompleteParams,
        authenticated: &Authenticated,
        revision: Revision,
    ) -> Result<MethodResult, MethodError> {
        const METHOD: &str = "completion/complete";
        let catalog = self.catalog.current().await?;
        if !catalog.offer.completes {
            return Err(Error::method_not_found(METHOD).into());
        }
        match &params.reference {
            Reference::Prompt { name } => {
                let offered = catalog.prompt(name);
                let offered = offered.ok_or_else(|| Error::unknown_prompt(name))?;
                authenticated.require_scopes(&offered.scopes)?;
            }
            Reference::Resource { .. } => {
                resource_scopes(&catalog, METHOD, authenticated)?;
            }
        }
        let completion = Completion {
            reference: params.reference,
            argument: params.argument,
            known: params.known.into_iter().collect(),
            caller: authenticated.caller.clone(),
        };
        let failed = |failure| match failure {
            Failure::NotFound => Error::invalid_params("Unknown reference or argument."),
            failure => self.request_failed(METHOD, failure),
        };
        let completing = self.tools.complete(completion);
        let suggestions = self.wait(METHOD, authenticated, completing, failed).await?;
        Ok(MethodResult::Result(
            suggestions.to_result(&self.context.envelope(revision)),
        ))
    }

    async fn caller(
        &self,
        authenticated: &Authenticated,
        wants_credential: bool,
    ) -> Result<Caller, Error> {
        let credential = if wants_credential {
            self.credentials
                .credential(authenticated)
                .await
                .map_err(|error| match error {
                    CredentialError::Ended(_) => grant_ended(),
                    CredentialError::UpstreamRefresh(_) => Error::internal(),
                })?
        } else {
            None
        };
        Ok(Caller {
            credential,
            ..authenticated.caller.clone()
        })
    }

    /// Waits for the tools component, until the timeout or the end of the grant.
    async fn wait<T>(
        &self,
        method: &str,
        authenticated: &Authenticated,
        work: impl Future<Output = Result<T, Failure>>,
        failed: impl FnOnce(Failure) -> Error,
    ) -> Result<T, MethodError> {
        let interruption = self
            .grants
            .interruption(authenticated.authority(), self.context.call_timeout());
        match select(pin!(work), pin!(interruption)).await {
            Either::Left((Err(Failure::InsufficientScope(scopes)), _)) => {
                authenticated.require_scopes(&scopes)?;
                Err(Error::internal().into())
            }
            Either::Left((done, _)) => done.map_err(|failure| failed(failure).into()),
            Either::Right((Interruption::GrantEnded, _)) => Err(grant_ended().into()),
            Either::Right((Interruption::Timeout, _)) => {
                log_line::write(format_args!("mcp: {method} was not answered in time"));
                Err(Error::new(
                    mcp::ErrorCode::InternalError,
                    "The request did not finish in time.",
                )
                .into())
            }
        }
    }

    /// Returns a method's result, or logs that the tools component gave invalid JSON.
    fn to_method_result(
        &self,
        method: &str,
        result: Result<String, InvalidJson>,
    ) -> Result<MethodResult, MethodError> {
        result.map(MethodResult::Result).map_err(|invalid| {
            log_line::write(format_args!("mcp: {method} was answered with {invalid}"));
            Error::internal().into()
        })
    }

    /// Returns the result of a round, final or not.
    fn to_round_result<T>(
        &self,
        method: &str,
        round: RoundResult<T>,
        to_result: impl FnOnce(T) -> Result<String, InvalidJson>,
    ) -> Result<MethodResult, MethodError> {
        match round {
            RoundResult::Complete(complete) => self.to_method_result(method, to_result(complete)),
            RoundResult::InputRequired(questions) => Ok(MethodResult::InputRequired(questions)),
        }
    }

    fn request_failed(&self, method: &str, failure: Failure) -> Error {
        match failure {
            Failure::Unsupported => Error::method_not_found(method),
            Failure::InvalidArguments(reason) => {
                Error::invalid_params(format!("Invalid arguments: {reason}"))
            }
            Failure::NotFound => Error::invalid_params("Unknown name."),
            // Rejected before, in `wait`.
            Failure::InsufficientScope(_) => Error::internal(),
            Failure::Internal(reason) => {
                log_line::write(format_args!("mcp: {method} failed: {reason}"));
                self.sandbox.note_denied(method, None, &reason);
                Error::internal()
            }
        }
    }
}

/// Checks the scopes for resources. Returns whether reading takes the person's credential.
///
/// # Errors
///
/// Fails if there are no resources, or the token lacks a scope for them.
fn resource_scopes(
    catalog: &Catalog,
    method: &str,
    authenticated: &Authenticated,
) -> Result<bool, MethodError> {
    let resources = catalog.offer.resources.as_ref();
    let resources = resources.ok_or_else(|| Error::method_not_found(method))?;
    authenticated.require_scopes(&resources.scopes)?;
    Ok(resources.wants_credential)
}
