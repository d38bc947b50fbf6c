//! The state of a task (SEP-2663), as its caller sees it.

use super::record::{Answered, Asked, Asking, Beginning, EndKind, TaskId, TaskRecords};
use super::{POLL_INTERVAL, TASK_TTL};
use crate::context::Context;
use crate::http::authenticated::Authenticated;
use crate::http::grant_watch::GrantWatch;
use crate::http::rejection::Rejection;
use crate::protocol::catalog::CatalogSource;
use crate::{Environment, Parts};
use mcp::{Error, ErrorCode, InputRequest, Task, TaskState};
use std::sync::Arc;

/// Seconds after its last sign of life at which a runner counts as dead: four of them are missing.
pub(super) const RUNNER_TIMEOUT: u64 = 40;

/// A task, as it is now.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) beginning: Beginning,
    pub(crate) updated_at: u64,
    pub(crate) message: Option<String>,
    pub(crate) state: State,
}

/// Tells a state from another.
pub(crate) type Fingerprint = (usize, Option<String>);

/// How far it has come.
#[derive(Debug)]
pub(crate) enum State {
    /// It runs.
    Working,
    /// It waits for answers.
    InputRequired {
        /// The round that asked.
        round: u32,
        /// Not yet answered.
        pending: Vec<Asking>,
    },
    /// It came to this result.
    Completed(String),
    /// It came to this error.
    Failed(String),
    /// It was given up.
    Cancelled,
}

impl State {
    /// Whether it stays as it is.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::Working | Self::InputRequired { .. })
    }
}

impl View {
    /// As clients see it.
    pub(crate) fn task<'a>(&'a self, id: &'a TaskId) -> Task<'a> {
        Task {
            id: &id.shown,
            created_at: self.beginning.created_at,
            updated_at: self.updated_at,
            ttl: TASK_TTL * 1000,
            poll_interval: POLL_INTERVAL,
            message: self.message.as_deref(),
            state: match &self.state {
                State::Working => TaskState::Working,
                State::InputRequired { pending, .. } => {
                    let questions = pending.iter().map(|asking| InputRequest {
                        id: &asking.key,
                        method: &asking.method,
                        params: &asking.params,
                    });
                    TaskState::InputRequired(questions.collect())
                }
                State::Completed(result) => TaskState::Completed(result),
                State::Failed(error) => TaskState::Failed(error),
                State::Cancelled => TaskState::Cancelled,
            },
        }
    }

    /// Returns what tells one state from another.
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

/// Why a caller does not see a task.
#[derive(Debug)]
pub(crate) enum NotVisible {
    /// The token lacks a scope that the tool takes.
    Scopes(Rejection),
    /// The store's error.
    Store(store::Error),
}

impl From<store::Error> for NotVisible {
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

    /// The task as it is now, for this caller; `None` once it is gone. The one way to what is in a
    /// task.
    ///
    /// # Errors
    ///
    /// [`NotVisible`]: what the tool takes, what came of it takes as well.
    pub(crate) async fn view(
        &self,
        id: &TaskId,
        authenticated: &Authenticated,
    ) -> Result<Option<View>, NotVisible> {
        let Some(beginning) = self.records.beginning(id).await? else {
            return Ok(None);
        };
        authenticated
            .require_scopes(&beginning.scopes)
            .map_err(NotVisible::Scopes)?;
        // It may take more by now.
        if let Ok(catalog) = self.catalog.current().await
            && let Some(tool) = catalog.tool(&beginning.tool)
        {
            authenticated
                .require_scopes(&tool.offered.scopes)
                .map_err(NotVisible::Scopes)?;
        }
        Ok(self.look_at(id, beginning).await?)
    }

    async fn look_at(
        &self,
        id: &TaskId,
        beginning: Beginning,
    ) -> Result<Option<View>, store::Error> {
        let view = |beginning, updated_at, message, state| {
            Ok(Some(View {
                beginning,
                updated_at,
                message,
                state,
            }))
        };
        if let Some((at, state)) = self.final_state(id).await? {
            return view(beginning, at, None, state);
        }
        if let Some(authority) = &beginning.authority
            && !self.grants.is_valid(authority).await?
        {
            // There may be no runner left that would find out.
            self.cancel(id).await?;
            let now = self.context.environment.now();
            let (at, state) = match self.final_state(id).await? {
                Some(ended) => ended,
                None => (now, State::Cancelled),
            };
            return view(beginning, at, None, state);
        }
        let mut heard = beginning.created_at;
        let mut message = None;
        if let Some((round, asked)) = self.last_asked(id).await? {
            let (answers, pending) = self.answers(id, &asked).await?;
            if !pending.is_empty() {
                let last = answers.iter().map(|answered| answered.at).max();
                let at = last.unwrap_or(asked.at);
                let state = State::InputRequired { round, pending };
                return view(beginning, at, None, state);
            }
            heard = answers
                .iter()
                .map(|answered| answered.at)
                .fold(asked.at, u64::max);
        }
        if let Some(beat) = self.records.last_beat(id).await? {
            heard = heard.max(beat.at);
            message = beat.message;
        }
        if self.context.environment.now() < heard + RUNNER_TIMEOUT {
            return view(beginning, heard, message, State::Working);
        }
        // In the store, so that it stays failed.
        let error = Error::new(
            ErrorCode::InternalError,
            "The server that ran the task stopped before it was done. Call the tool again.",
        );
        let error = serde_json::to_string(&error).unwrap_or_default();
        self.records.end(id, EndKind::Failed, &error).await?;
        match self.final_state(id).await? {
            Some((at, state)) => view(beginning, at, None, state),
            // The instance that would have ended it died before it did.
            None => view(
                beginning,
                heard + RUNNER_TIMEOUT,
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

    /// The last round that asked something, and what; `None`, if the rounds after it run.
    pub(super) async fn last_asked(
        &self,
        id: &TaskId,
    ) -> Result<Option<(u32, Asked)>, store::Error> {
        let mut last = None;
        let mut round = 0;
        while let Some(asked) = self.records.asked(id, round).await? {
            last = Some((round, asked));
            round += 1;
        }
        Ok(match last {
            Some((round, _)) if self.records.is_claimed(id, round + 1).await? => None,
            last => last,
        })
    }

    /// The answers there are to these questions, and the questions without one.
    pub(super) async fn answers(
        &self,
        id: &TaskId,
        asked: &Asked,
    ) -> Result<(Vec<Answered>, Vec<Asking>), store::Error> {
        let mut answers = Vec::new();
        let mut pending = Vec::new();
        for asking in &asked.questions {
            match self.records.answered(id, asking.number).await? {
                Some(answered) => answers.push(answered),
                None => pending.push(asking.clone()),
            }
        }
        Ok((answers, pending))
    }
}
