//! Tools that become tasks (the extension `io.modelcontextprotocol/tasks`).
//!
//! A call becomes a task when it reports anything, or takes its time, before it asks or answers.

use crate::asking::Name;
use crate::reporting::{SHORT, step};
use futures::join;
use gatehouse_sdk::time::sleep;
use gatehouse_sdk::{Client, Error, Progress, Result, data, tool};

/// Greets, at once
#[tool]
pub(crate) fn greet(name: &str) -> String {
    format!("Hello, {name}!")
}

/// Takes so many seconds
#[tool(scopes = ["tools"], task = "optional")]
pub(crate) async fn slow_compute(
    #[schemars(range(max = 60))] seconds: u32,
    _label: Option<String>,
    progress: Progress,
) -> String {
    // Short steps, so that a cancelled call ends soon.
    let steps = seconds * 10;
    for number in 0..steps {
        step(&progress, number, steps).await;
        sleep(2 * SHORT).await;
    }
    format!("Computed for {seconds} s.")
}

/// Ends with an error of the tool
#[tool(task = "required")]
pub(crate) async fn failing_job(progress: Progress) -> Result<(), &'static str> {
    step(&progress, 0, 1).await;
    sleep(4 * SHORT).await;
    Err("The job failed.")
}

/// Ends without a result, as a tool that crashes
#[tool(task = "optional")]
pub(crate) async fn protocol_error_job(progress: Progress) -> Result<()> {
    step(&progress, 0, 1).await;
    sleep(4 * SHORT).await;
    Err(Error::internal("the fixture protocol_error_job was called"))
}

/// Asks before it deletes
#[tool(task = "optional")]
pub(crate) async fn confirm_delete(
    filename: &str,
    client: Client,
    progress: Progress,
) -> Result<String> {
    start(&progress).await;
    let question = format!("Delete {filename:?}?");
    let Confirmation { confirm } = client.elicit("confirm", &question).await?;
    let answer = if confirm { "yes" } else { "no" };
    Ok(format!(
        "The answer is {answer}, and nothing happened to {filename:?}."
    ))
}

/// Asks two questions at once
#[tool(task = "optional")]
pub(crate) async fn multi_input(client: Client, progress: Progress) -> Result<&'static str> {
    start(&progress).await;
    let (first, second) = join!(
        client.elicit::<Name>("first", "Who is the first?"),
        client.elicit::<Name>("second", "Who is the second?"),
    );
    first.and(second)?;
    Ok("Both are known.")
}

/// Asks first, and then takes its time
#[tool(task = "required")]
pub(crate) async fn test_tool_with_task(client: Client, progress: Progress) -> Result<String> {
    let Name { name } = client.elicit("user_name", "What is your name?").await?;
    start(&progress).await;
    Ok(format!("Hello, {name}!"))
}

#[data(input)]
struct Confirmation {
    confirm: bool,
}

/// Reports something, which makes the call a task.
async fn start(progress: &Progress) {
    step(progress, 0, 1).await;
    sleep(SHORT).await;
}
