//! Other MCP servers, whose `tools/call` is measured in the same run.

use crate::targets::{CALL, CALL_IN_A_SESSION, Target, add, session_call, stateless_request};
use anyhow::{Context, Result, ensure};
use reqwest::{Client, Request};
use tests::{Mcp, Stateless};

/// The sum of what [`add`] adds, as text.
const SUM: &[&str] = &["\"result\"", "\"text\":\"5\""];

/// Returns the `tools/call` of a server that runs already, whose tool `add` adds its arguments `a` and `b`: of revision
/// 2026-07-28 if it takes that, else in so many `sessions` of 2025-11-25.
///
/// # Errors
///
/// If it refuses both.
pub async fn target(name: &str, url: &str, token: &str, sessions: usize) -> Result<Target> {
    let stateless = stateless_request(&Stateless::new(url, token), "tools/call", add())?;
    let answer = stateless.try_clone().context("it has a stream")?;
    let answer = Client::new().execute(answer).await?;
    let (call, requests) = if answer.status() == 200 {
        (CALL, vec![stateless])
    } else {
        let requests = calls_in_sessions(url, token, sessions).await;
        (
            CALL_IN_A_SESSION,
            requests.with_context(|| name.to_owned())?,
        )
    };
    let mut target = Target::in_turn(call, 200, SUM, requests);
    target.label = format!("{name}: ");
    target.is_external = true;
    Ok(target)
}

async fn calls_in_sessions(url: &str, token: &str, sessions: usize) -> Result<Vec<Request>> {
    let mut requests = Vec::new();
    for _ in 0..sessions {
        let mut session = Mcp::new(url, Some(token));
        let result = session.initialize(tests::mcp::NEWEST).await;
        ensure!(
            result["protocolVersion"] == tests::mcp::NEWEST,
            "it speaks another revision: {result}"
        );
        requests.push(session_call(&session)?);
    }
    Ok(requests)
}
