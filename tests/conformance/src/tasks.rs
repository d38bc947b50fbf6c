//! Tools that become tasks (the extension `io.modelcontextprotocol/tasks`).
//!
//! A call becomes a task when it reports anything, or takes its time, before it asks or answers.

use crate::asking::{ask, elicitation};
use crate::contract::{Call, Output, TaskUse};
use crate::fixture::{Fixture, arguments, output, text};
use crate::script::{Script, Step, done, progress, wait};

pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture::new("greet", "Greets, at once", |call| {
        let name = arguments(call)["name"].clone();
        let name = name.as_str().unwrap_or_default();
        vec![done(output(vec![text(format!("Hello, {name}!"))]))]
    })
    .input(
        r#"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#,
    ),
    Fixture::new("slow_compute", "Takes so many seconds", slow_compute)
        .input(
            r#"{"type":"object","properties":{"seconds":{"type":"integer","minimum":0,"maximum":60},"label":{"type":"string"}},"required":["seconds"]}"#,
        )
        .scopes(&["tools"])
        .tasks(TaskUse::Optional),
    Fixture::new("failing_job", "Ends with an error of the tool", |_| {
        let error = Output {
            is_error: true,
            ..output(vec![text("The job failed.")])
        };
        vec![progress(0, 1), wait(200), done(error)]
    })
    .tasks(TaskUse::Required),
    Fixture::new(
        "protocol_error_job",
        "Ends without a result, as a tool that crashes",
        |_| vec![progress(0, 1), wait(200)],
    )
    .tasks(TaskUse::Optional),
    Fixture::new("confirm_delete", "Asks before it deletes", |call| {
        let file = arguments(call)["filename"].clone();
        let question = format!("Delete {file}?");
        after_a_start(ask(
            call,
            vec![elicitation("confirm", &question, r#"{"confirm":{"type":"boolean"}}"#)],
            |_| output(vec![text(format!("Nothing happened to {file}."))]),
        ))
    })
    .input(
        r#"{"type":"object","properties":{"filename":{"type":"string"}},"required":["filename"]}"#,
    )
    .tasks(TaskUse::Optional),
    Fixture::new("multi_input", "Asks two questions at once", |call| {
        let name = r#"{"name":{"type":"string"}}"#;
        after_a_start(ask(
            call,
            vec![
                elicitation("first", "Who is the first?", name),
                elicitation("second", "Who is the second?", name),
            ],
            |_| output(vec![text("Both are known.")]),
        ))
    })
    .tasks(TaskUse::Optional),
    Fixture::new(
        "test_tool_with_task",
        "Asks first, and then takes its time",
        |call| {
            let name = r#"{"name":{"type":"string"}}"#;
            let script = ask(
                call,
                vec![elicitation("user_name", "What is your name?", name)],
                |answers| {
                    let name = answers.elicited("user_name", "name");
                    output(vec![text(format!("Hello, {name}!"))])
                },
            );
            if call.context.answers.is_empty() {
                script
            } else {
                after_a_start(script)
            }
        },
    )
    .tasks(TaskUse::Required),
];

fn slow_compute(call: &Call) -> Script {
    let seconds = arguments(call)["seconds"].as_u64().unwrap_or(0);
    // Short steps, so that a cancelled call ends soon.
    let steps = u32::try_from(seconds * 10).unwrap_or(0);
    let mut script: Script = (0..steps)
        .flat_map(|step| [progress(step, steps), wait(100)])
        .collect();
    script.push(done(output(vec![text(format!(
        "Computed for {seconds} s."
    ))])));
    script
}

/// The script after a report, which makes the call a task.
fn after_a_start(script: Script) -> Script {
    let start: [Step; 2] = [progress(0, 1), wait(50)];
    start.into_iter().chain(script).collect()
}
