//! Other MCP servers, whose `tools/call` is measured in the same run.

use crate::targets::{CALL, CALL_IN_A_SESSION, Target, add};
use anyhow::{Context, Result, ensure};
use reqwest::Request;
use serde_json::json;
use tests::{Mcp, Stateless};

/// The sessions of a server that has them: one for each of the most connections.
const SESSIONS: usize = 64;

/// The sum of what [`add`] adds, as text.
const SUM: &[&str] = &["\"result\"", "\"text\":\"5\""];

/// A server that runs already, whose tool `add` adds its arguments `a` and `b`.
#[derive(Clone)]
pub struct OtherServer {
    name: String,
    url: String,
}

impl OtherServer {
    /// Reads `NAME=URL`.
    ///
    /// # Errors
    ///
    /// If there is no `=`.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, url) = text.split_once('=').context("it has no `=`")?;
        Ok(Self {
            name: name.to_owned(),
            url: url.to_owned(),
        })
    }

    /// Returns its `tools/call`, with `token`: of revision 2026-07-28 if the server takes that, else in sessions of 2025-11-25.
    ///
    /// # Errors
    ///
    /// If it refuses both.
    pub async fn target(&self, token: &str) -> Result<Target> {
        let stateless = self.stateless_call(token)?;
        let answer = stateless.try_clone().context("it has a stream")?;
        let answer = reqwest::Client::new().execute(answer).await?;
        let (name, requests) = if answer.status() == 200 {
            (CALL, vec![stateless])
        } else {
            (CALL_IN_A_SESSION, self.calls_in_sessions(token).await?)
        };
        Ok(Target::elsewhere(
            name,
            format!("{}: ", self.name),
            SUM,
            requests,
        ))
    }

    fn stateless_call(&self, token: &str) -> Result<Request> {
        let client = Stateless::new(&self.url, token);
        let message = client.request("tools/call", add());
        Ok(client.message(&message).build()?)
    }

    async fn calls_in_sessions(&self, token: &str) -> Result<Vec<Request>> {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": add() });
        let mut requests = Vec::new();
        for _ in 0..SESSIONS {
            let mut session = Mcp::new(&self.url, Some(token));
            let result = session.initialize(tests::mcp::NEWEST).await;
            ensure!(
                result["protocolVersion"] == tests::mcp::NEWEST,
                "{} speaks another revision: {result}",
                self.name
            );
            let request = session
                .message(&message)
                .header("mcp-protocol-version", tests::mcp::NEWEST);
            requests.push(request.build()?);
        }
        Ok(requests)
    }
}
