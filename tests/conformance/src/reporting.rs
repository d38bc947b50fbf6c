//! Tools that report something while they run.

use crate::resources::WATCHED;
use gatehouse_sdk::time::sleep;
use gatehouse_sdk::{Changes, Log, Progress, tool};
use std::time::Duration;

/// Reports progress three times
#[tool]
pub(crate) async fn test_tool_with_progress(progress: Progress) -> &'static str {
    for percent in [0, 50, 100] {
        if percent > 0 {
            sleep(SHORT).await;
        }
        step(&progress, percent, 100).await;
    }
    "All of it is done."
}

/// Sends three log messages
#[tool]
pub(crate) async fn test_tool_with_logging(log: Log) -> &'static str {
    let log = log.named("conformance");
    log.info("Tool execution started").await;
    sleep(SHORT).await;
    log.info("Tool processing data").await;
    sleep(SHORT).await;
    log.info("Tool execution completed").await;
    "It was logged."
}

/// Sends a log message
#[tool]
pub(crate) async fn test_logging_tool(log: Log) -> &'static str {
    log.named("conformance").info("This is a log message").await;
    "It was logged."
}

/// Says that the tools have changed
#[tool]
pub(crate) async fn test_trigger_tool_change(changes: Changes) -> &'static str {
    changes.tools().await;
    "The tools have changed."
}

/// Says that the prompts have changed
#[tool]
pub(crate) async fn test_trigger_prompt_change(changes: Changes) -> &'static str {
    changes.prompts().await;
    "The prompts have changed."
}

/// Says that the resources have changed, and what one of them holds
#[tool]
pub(crate) async fn test_trigger_resource_change(changes: Changes) -> &'static str {
    changes.resources().await;
    changes.resource(WATCHED).await;
    "The resources have changed."
}

/// Takes long enough for a stream to be closed and opened again
#[tool]
pub(crate) async fn test_reconnection() -> &'static str {
    sleep(2 * SHORT).await;
    "The answer is there after all."
}

/// Panics
#[tool]
pub(crate) fn test_tool_that_panics() -> String {
    panic!("the fixture test_tool_that_panics was called")
}

/// Reports progress ten times at once
#[tool]
pub(crate) async fn ten_steps(progress: Progress) -> &'static str {
    for number in 1..=10 {
        step(&progress, number, 10).await;
    }
    "All of it is done."
}

/// Reports so many steps out of `total`.
pub(crate) async fn step(progress: &Progress, steps: u32, total: u32) {
    let message = format!("Completed step {steps} of {total}");
    progress.report(steps).of(total).message(message).await;
}

pub(crate) const SHORT: Duration = Duration::from_millis(50);
