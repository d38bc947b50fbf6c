//! Tools that tell something while they run.

use crate::contract::Changed;
use crate::fixture::{Fixture, output, text};
use crate::resources::WATCHED;
use crate::script::{Script, changed, done, log, progress, wait};

pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture::new(
        "test_tool_with_progress",
        "Reports progress three times",
        |_| {
            vec![
                progress(0, 100),
                wait(50),
                progress(50, 100),
                wait(50),
                progress(100, 100),
                done(output(vec![text("All of it is done.")])),
            ]
        },
    ),
    Fixture::new("test_tool_with_logging", "Sends three log messages", |_| {
        vec![
            log("Tool execution started"),
            wait(50),
            log("Tool processing data"),
            wait(50),
            log("Tool execution completed"),
            done(output(vec![text("It was logged.")])),
        ]
    }),
    Fixture::new("test_logging_tool", "Sends a log message", |_| {
        vec![
            log("This is a log message"),
            done(output(vec![text("It was logged.")])),
        ]
    }),
    Fixture::new(
        "test_trigger_tool_change",
        "Says that the tools have changed",
        |_| {
            vec![
                changed(Changed::Tools),
                done(output(vec![text("The tools have changed.")])),
            ]
        },
    ),
    Fixture::new(
        "test_trigger_prompt_change",
        "Says that the prompts have changed",
        |_| {
            vec![
                changed(Changed::Prompts),
                done(output(vec![text("The prompts have changed.")])),
            ]
        },
    ),
    Fixture::new(
        "test_trigger_resource_change",
        "Says that the resources have changed, and what one of them holds",
        |_| {
            vec![
                changed(Changed::Resources),
                changed(Changed::Resource(WATCHED.to_owned())),
                done(output(vec![text("The resources have changed.")])),
            ]
        },
    ),
    Fixture::new(
        "test_reconnection",
        "Takes long enough for a stream to be closed and opened again",
        |_| {
            vec![
                wait(100),
                done(output(vec![text("The answer is there after all.")])),
            ]
        },
    ),
    Fixture::new("test_tool_that_panics", "Panics", |_| {
        panic!("the fixture test_tool_that_panics was called")
    }),
    Fixture::new("ten_steps", "Reports progress ten times at once", |_| {
        let mut script: Script = (1..=10).map(|step| progress(step, 10)).collect();
        script.push(done(output(vec![text("All of it is done.")])));
        script
    }),
];
