//! The state of a task (SEP-2663), as its caller sees it.

use super::record::{
    EndKind, RoundEnd, TaskId, TaskInputRequest, TaskInputResponse, TaskRecords, TaskRequest,
};
use super::{POLL_INTERVAL, TASK_TTL};
use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::GrantWatch;
use crate::http::rejection::Rejection;
use crate::protocol::catalog::CatalogSource;
use crate::{Environment, Parts};
use mcp::{Error, ErrorCode, InputRequest, Task, TaskState};
use std::sync::Arc;

/// Seconds after the last heartbeat at which a runner counts as dead: four heartbeats are missing.
pub(super) const RUNNER_TIMEOUT: u64 = 40;

/// A task at one moment.
#[derive(Debug)]
pub(crate) struct TaskView {
    pub(crate) request: TaskRequest,
    pub(crate) updated_at: u64,
    pub(crate) message: Option<String>,
    pub(crate) state: State,
}

/// A value that differs where states differ.
pub(crate) type Fingerprint = (usize, Option<String>);

/// The status of a task (SEP-2663), and what it brings.
#[derive(Debug)]
pub(crate) enum State {
    /// A round runs.
    Working,
    /// The task waits for input responses.
    InputRequired {
        /// The round that sent the requests.
        round: u32,
        /// The requests without a response.
        pending: Vec<TaskInputRequest>,
    },
    /// The result, as JSON.
    Completed(String),
    /// The JSON-RPC error, as JSON.
    Failed(String),
    /// By the client, or with its grant.
    Cancelled,
}

impl State {
    /// Returns whether the state never changes again.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::Working | Self::InputRequired { .. })
    }
}

impl TaskView {
    /// Returns the task as clients see it.
    pub(crate) fn task<'a>(&'a self, id: &'a TaskId) -> Task<'a> {
        Task {
            id: &id.shown,
            created_at: self.request.created_at,
            updated_at: self.updated_at,
            ttl: TASK_TTL * 1000,
            poll_interval: POLL_INTERVAL,
            message: self.message.as_deref(),
            state: match &self.state {
                State::Working => TaskState::Working,
                State::InputRequired { pending, .. } => {
                    let questions = pending.iter().map(|request| InputRequest {
                        id: &request.key,
                        method: &request.method,
                        params: &request.params,
                    });
                    TaskState::InputRequired(questions.collect())
                }
                State::Completed(result) => TaskState::Completed(result),
                State::Failed(error) => TaskState::Failed(error),
                State::Cancelled => TaskState::Cancelled,
            },
        }
    }

    /// Returns the fingerprint of the state and the message.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let kind = match &self.state {
            State::Working => 0,
            State::Completed(_) => 1,
            State::Failed(_) => 2,
            State::Cancelled => 3,
            State::InputRequired { pending, round } => 4 + *round as usize * 100 + pending.len(),
        };
        (kind, self.message.clone())
    }
}

/// Why a caller cannot view a task.
#[derive(Debug)]
pub(crate) enum ViewError {
    /// The token lacks a scope of the tool.
    Scopes(Rejection),
    Store(store::Error),
}

impl From<store::Error> for ViewError {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// The tasks, as their callers see them.
pub(crate) struct Tasks<P: Parts> {
    context: Arc<Context<P>>,
    pub(super) records: TaskRecords<P>,
    catalog: Arc<CatalogSource<P>>,
    grants: Arc<GrantWatch<P>>,
}

impl<P: Parts> Tasks<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        catalog: Arc<CatalogSource<P>>,
        grants: Arc<GrantWatch<P>>,
    ) -> Self {
        Self {
            records: TaskRecords::new(Arc::clone(&context)),
            context,
            catalog,
            grants,
        }
    }

    /// Returns the task that an id names, if it is this caller's.
    pub(crate) fn find(&self, authenticated: &Authenticated, shown: &str) -> Option<TaskId> {
        self.records.find(authenticated, shown)
    }

    /// Cancels a task, unless it has ended. Its runner finds out within a second.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn cancel(&self, id: &TaskId) -> Result<(), store::Error> {
        self.records.cancel(id).await
    }

    /// Returns the task as it is now, or `None` once it has expired. Nothing else returns what a task
    /// holds.
    ///
    /// # Errors
    ///
    /// Fails if the store does, or if the token lacks a scope of the tool: a result takes the scopes of
    /// its call.
    pub(crate) async fn view(
        &self,
        id: &TaskId,
        authenticated: &Authenticated,
    ) -> Result<Option<TaskView>, ViewError> {
        let Some(request) = self.records.request(id).await? else {
            return Ok(None);
        };
        authenticated
            .require_scopes(&request.scopes)
            .map_err(ViewError::Scopes)?;
        // The tool may take more scopes than when the task began.
        if let Ok(catalog) = self.catalog.current().await
            && let Some(tool) = catalog.tool(&request.tool)
        {
            authenticated
                .require_scopes(&tool.offered.scopes)
                .map_err(ViewError::Scopes)?;
        }
        Ok(self.view_request(id, request).await?)
    }

    async fn view_request(
        &self,
        id: &TaskId,
        request: TaskRequest,
    ) -> Result<Option<TaskView>, store::Error> {
        let view = |request, updated_at, message, state| {
            Ok(Some(TaskView {
                request,
                updated_at,
                message,
                state,
            }))
        };
        if let Some((at, state)) = self.final_state(id).await? {
            return view(request, at, None, state);
        }
        if let Some(authority) = &request.authority
            && !self.grants.is_valid(authority).await?
        {
            // The runner may have died, and nothing else would end the task.
            self.cancel(id).await?;
            let now = self.context.environment.now();
            let (at, state) = match self.final_state(id).await? {
                Some(ended) => ended,
                None => (now, State::Cancelled),
            };
            return view(request, at, None, state);
        }
        let mut heard_at = request.created_at;
        let mut message = None;
        if let Some((round, ended)) = self.last_round_end(id).await? {
            let (responses, pending) = self.responses(id, &ended).await?;
            if !pending.is_empty() {
                let last = responses.iter().map(|response| response.at).max();
                let at = last.unwrap_or(ended.at);
                let state = State::InputRequired { round, pending };
                return view(request, at, None, state);
            }
            let times = responses.iter().map(|response| response.at);
            heard_at = times.fold(ended.at, u64::max);
        }
        if let Some(heartbeat) = self.records.last_heartbeat(id).await? {
            heard_at = heard_at.max(heartbeat.at);
            message = heartbeat.message;
        }
        if self.context.environment.now() < heard_at + RUNNER_TIMEOUT {
            return view(request, heard_at, message, State::Working);
        }
        // Stored, so that the state is final.
        let error = Error::new(
            ErrorCode::InternalError,
            "The server that ran the task stopped before it was done. Call the tool again.",
        );
        let error = serde_json::to_string(&error).unwrap_or_default();
        self.records.end(id, EndKind::Failed, &error).await?;
        match self.final_state(id).await? {
            Some((at, state)) => view(request, at, None, state),
            // The instance that claimed the end died before it wrote the end.
            None => view(
                request,
                heard_at + RUNNER_TIMEOUT,
                None,
                State::Failed(error),
            ),
        }
    }

    async fn final_state(&self, id: &TaskId) -> Result<Option<(u64, State)>, store::Error> {
        let ended = self.records.ended(id).await?;
        Ok(ended.map(|(end, content)| {
            let state = match end.kind {
                EndKind::Completed => State::Completed(content),
                EndKind::Failed => State::Failed(content),
                EndKind::Cancelled => State::Cancelled,
            };
            (end.at, state)
        }))
    }

    /// Returns the last round that has ended, and how; `None` if the round after it runs.
    pub(super) async fn last_round_end(
        &self,
        id: &TaskId,
    ) -> Result<Option<(u32, RoundEnd)>, store::Error> {
        let mut last = None;
        let mut round = 0;
        while let Some(ended) = self.records.round_end(id, round).await? {
            last = Some((round, ended));
            round += 1;
        }
        Ok(match last {
            Some((round, _)) if self.records.is_claimed(id, round + 1).await? => None,
            last => last,
        })
    }

    /// Returns the responses to the requests of a round, and the requests without one.
    pub(super) async fn responses(
        &self,
        id: &TaskId,
        ended: &RoundEnd,
    ) -> Result<(Vec<TaskInputResponse>, Vec<TaskInputRequest>), store::Error> {
        let mut responses = Vec::new();
        let mut pending = Vec::new();
        for request in &ended.requests {
            match self.records.input_response(id, request.number).await? {
                Some(response) => responses.push(response),
                None => pending.push(request.clone()),
            }
        }
        Ok((responses, pending))
    }
}
