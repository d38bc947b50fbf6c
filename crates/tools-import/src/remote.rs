//! Another component of the application that serves tools: what its tool server is asked, by service chaining.

use crate::contract::tools;
use crate::wire::{Frames, Function, WireError, decode, encode};
use bytes::Bytes;
use http::{Request, StatusCode};
use platform::http_client::{self, Error, IncomingBody};
use platform::time::timeout;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a component may take to describe itself: until then nothing of the others is offered.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the head of a response may take. A tool server gives it long before, except in the portable build, where it
/// waits for the tool.
const HEAD_TIMEOUT: Duration = Duration::from_secs(600);

/// Another component of the application that serves tools.
pub struct Remote {
    /// Its id in the manifest.
    id: String,
}

/// The events of a call.
pub struct RemoteEvents {
    id: String,
    frames: Frames<IncomingBody>,
    first: Option<tools::Event>,
}

impl Remote {
    pub(crate) fn new(id: String) -> Self {
        Self { id }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) async fn describe(&self) -> Result<tools::Offer, tools::Failure> {
        let described = async {
            // A call that traps ends its instance, with whatever else was asked there.
            match self.ask(Function::Describe, &()).await {
                Err(_) => self.ask(Function::Describe, &()).await,
                described => described,
            }
        };
        timeout(DESCRIBE_TIMEOUT, described)
            .await
            .unwrap_or_else(|| {
                let seconds = DESCRIBE_TIMEOUT.as_secs();
                Err(self.failure(format_args!(
                    "did not describe its tools within {seconds} seconds"
                )))
            })
    }

    /// Calls a function with one result.
    pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        function: Function,
        parameters: &Q,
    ) -> Result<A, tools::Failure> {
        let mut frames = self.send(function, parameters).await?;
        self.next(&mut frames).await
    }

    pub(crate) async fn call_tool(
        &self,
        call: &tools::Call,
    ) -> Result<RemoteEvents, tools::Failure> {
        let mut frames = self.send(Function::CallTool, call).await?;
        let first = self.next(&mut frames).await?;
        Ok(RemoteEvents {
            id: self.id.clone(),
            frames,
            first: Some(first),
        })
    }

    async fn send(
        &self,
        function: Function,
        parameters: &impl Serialize,
    ) -> Result<Frames<IncomingBody>, tools::Failure> {
        let body = encode(parameters).map_err(|error| self.failure(error))?;
        let uri = format!("http://{}.spin.internal{}", self.id, function.path());
        let request = Request::post(uri).body(Bytes::from(body));
        let request = request.map_err(|error| self.failure(error))?;
        let response = http_client::open(request, HEAD_TIMEOUT)
            .await
            .map_err(|error| self.unreachable(&error))?;
        match response.status() {
            StatusCode::OK => Ok(Frames::new(response.into_body())),
            StatusCode::NOT_FOUND => Err(self.failure(
                "is not a tool server of this version: its source in spin.toml has to be gatehouse_tool_server.wasm of the same release",
            )),
            status => Err(self.failure(format_args!("answered {status}: its own log may say why"))),
        }
    }

    /// Returns the next result.
    async fn next<T: DeserializeOwned>(
        &self,
        frames: &mut Frames<IncomingBody>,
    ) -> Result<T, tools::Failure> {
        let payload = frames.next().await.map_err(|error| self.failure(error))?;
        let payload = payload.ok_or_else(|| self.failure(WireError::BrokenOff))?;
        let result: Result<T, tools::Failure> =
            decode(&payload).map_err(|error| self.failure(error))?;
        result
    }

    fn unreachable(&self, error: &Error) -> tools::Failure {
        let id = &self.id;
        match error {
            Error::Denied(_) => self.failure(format_args!(
                "may not be called: add \"http://{id}.spin.internal\" to allowed_outbound_hosts of [component.mcp]"
            )),
            error => self.failure(format_args!(
                "gave no answer ({error}): the manifest has no such component, or it failed"
            )),
        }
    }

    fn failure(&self, reason: impl std::fmt::Display) -> tools::Failure {
        tools::Failure::Internal(format!("the component {}: {reason}", self.id))
    }
}

impl RemoteEvents {
    /// Returns the next event; `None` at the end of the stream, or where it broke off.
    pub(crate) async fn next(&mut self) -> Option<tools::Event> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let payload = match self.frames.next().await {
            Ok(payload) => payload?,
            Err(error) => return self.ended(&error),
        };
        match decode::<Result<_, tools::Failure>>(&payload) {
            Ok(Ok(event)) => Some(event),
            Ok(Err(failure)) => self.ended(&failure),
            Err(error) => self.ended(&error),
        }
    }

    fn ended(&self, reason: &impl std::fmt::Debug) -> Option<tools::Event> {
        log_line::write(format_args!(
            "mcp: the component {}: a call ended with {reason:?}",
            self.id
        ));
        None
    }
}
