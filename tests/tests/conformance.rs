//! The official conformance suite, over our own fixtures (tests/conformance) and with a token from a
//! login. docs/conformance.md says what it covers.

use gatehouse_tests::scripts::node;
use gatehouse_tests::{Flavour, Gatehouse, Settings};
use serde_json::Value;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_2025_11_25_requires_passes() {
    let unscored = ["json-schema-2020-12", SESSIONS, "server-sse-polling"];
    let expected = [&SESSIONFUL[..], &COMMON, &IN_2025_11_25, &unscored].concat();
    let tolerated = [];
    judge(&["requirements", "2025-11-25"], &expected, &tolerated).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_2026_07_28_requires_passes() {
    let unscored = [
        "http-custom-header-server-validation",
        "http-header-validation",
        "json-schema-2020-12",
    ];
    let expected = [
        &COMMON[..],
        &IN_2026_07_28,
        &INPUT_REQUIRED,
        &TASKS,
        &unscored,
    ]
    .concat();
    let tolerated = [Tolerated {
        scenario: "tasks-status-notifications",
        check: "tasks-status-notifications",
        status: "SKIPPED",
    }];
    judge(&["requirements", "2026-07-28"], &expected, &tolerated).await;
}

/// All of it is in 2025-11-25 too, which is tried with the fixtures composed: these are behind a tool server.
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_applies_to_2025_06_18_passes() {
    let expected = [&SESSIONFUL[..], &COMMON, &[SESSIONS]].concat();
    let settings = match Flavour::chosen() {
        None => Settings::default()
            .tool_server(
                "fixtures",
                "target/wasm32-wasip2/wasm/conformance_tools.wasm",
            )
            .variable("tools", "fixtures"),
        // Not every host has service chaining.
        Some(_) => Settings::default().conformance_tools(),
    };
    judge_with(settings, &["revision", "2025-06-18"], &expected, &[]).await;
}

/// The suite has one scenario for it. The others of 2025-06-18 pass as well, but for elicitation,
/// which is newer.
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_applies_to_2025_03_26_passes() {
    let expected = [&SESSIONFUL[..], &COMMON, &[SESSIONS]].concat();
    let expected: Vec<&str> = expected
        .into_iter()
        .filter(|scenario| *scenario != "tools-call-elicitation")
        .collect();
    let arguments = [&["forced", "2025-03-26"][..], &expected].concat();
    judge(&arguments, &expected, &[]).await;
}

/// What a check may end with other than success. docs/conformance.md says why.
struct Tolerated {
    scenario: &'static str,
    check: &'static str,
    status: &'static str,
}

/// Runs the suite, which has to run what is expected, and no check may fail, be skipped, or warn.
async fn judge(arguments: &[&str], expected: &[&str], tolerated: &[Tolerated]) {
    let settings = Settings::default().conformance_tools();
    judge_with(settings, arguments, expected, tolerated).await;
}

/// The same, with the fixtures where these settings have them.
async fn judge_with(
    settings: Settings,
    arguments: &[&str],
    expected: &[&str],
    tolerated: &[Tolerated],
) {
    let gatehouse = Gatehouse::start_with(settings).await;
    let base = gatehouse.base();
    let arguments = [&[base.as_str()], arguments].concat();
    let saw = node("conformance-server.mjs", &arguments).await;
    let scenarios = saw["scenarios"].as_object().expect("scenarios");
    let ran: BTreeSet<&str> = scenarios.keys().map(String::as_str).collect();
    assert_eq!(ran, expected.iter().copied().collect());

    let mut used = 0;
    let mut wrong = Vec::new();
    for (scenario, checks) in scenarios {
        let checks = checks.as_array().expect("checks");
        for check in checks {
            let is = |tolerated: &&Tolerated| {
                tolerated.scenario == scenario
                    && check["id"] == tolerated.check
                    && check["status"] == tolerated.status
            };
            if tolerated.iter().any(|tolerated| is(&tolerated)) {
                used += 1;
            } else if check["status"] != "SUCCESS" && check["status"] != "INFO" {
                wrong.push(format!("{scenario}: {check}"));
            }
        }
        let validates = |check: &Value| check["id"] == "wire-schema-valid";
        if !checks.iter().any(validates) && !NOT_ON_THE_WIRE.contains(&scenario.as_str()) {
            wrong.push(format!("{scenario}: no message was validated"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(used, tolerated.len(), "something tolerated did not happen");
    assert_eq!(saw["code"], 0);
}

/// What both 2025-11-25 and 2026-07-28 have.
const COMMON: [&str; 17] = [
    "completion-complete",
    "prompts-get-embedded-resource",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-with-image",
    "prompts-list",
    "resources-list",
    "resources-read-binary",
    "resources-read-text",
    "resources-templates-read",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-error",
    "tools-call-image",
    "tools-call-mixed-content",
    "tools-call-simple-text",
    "tools-list",
];

/// What the revisions with sessions have.
const SESSIONFUL: [&str; 9] = [
    "logging-set-level",
    "ping",
    "resources-subscribe",
    "resources-unsubscribe",
    "server-initialize",
    "tools-call-elicitation",
    "tools-call-sampling",
    "tools-call-with-logging",
    "tools-call-with-progress",
];

const SESSIONS: &str = "server-session-lifecycle";

const IN_2025_11_25: [&str; 4] = [
    "dns-rebinding-protection",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
    "server-sse-multiple-streams",
];

const IN_2026_07_28: [&str; 6] = [
    "caching",
    "dns-rebinding-protection",
    "sep-2164-resource-not-found",
    "server-sse-multiple-streams",
    "server-stateless",
    "tools-call-with-progress",
];

const INPUT_REQUIRED: [&str; 14] = [
    "input-required-result-basic-elicitation",
    "input-required-result-basic-list-roots",
    "input-required-result-basic-sampling",
    "input-required-result-capability-check",
    "input-required-result-ignore-extra-params",
    "input-required-result-missing-input-response",
    "input-required-result-multi-round",
    "input-required-result-multiple-input-requests",
    "input-required-result-non-tool-request",
    "input-required-result-request-state",
    "input-required-result-result-type",
    "input-required-result-tampered-state",
    "input-required-result-unsupported-methods",
    "input-required-result-validate-input",
];

/// The extension `io.modelcontextprotocol/tasks`.
const TASKS: [&str; 10] = [
    "tasks-capability-negotiation",
    "tasks-dispatch-and-envelope",
    "tasks-lifecycle",
    "tasks-mrtr-composition",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-request-state-removal",
    "tasks-required-task-error",
    "tasks-status-notifications",
    "tasks-wire-fields",
];

/// The scenarios whose messages the runner reads itself, without its schemas. Ours see them: every
/// Gatehouse of the tests validates what it sends.
const NOT_ON_THE_WIRE: [&str; 6] = [
    "dns-rebinding-protection",
    SESSIONS,
    "server-sse-multiple-streams",
    "server-sse-polling",
    "server-stateless",
    "tasks-status-notifications",
];
