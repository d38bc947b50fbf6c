//! The black-box tests of what a flavour's host does not have. docs/deploy.md says what a client is told in its place.

use project::flavours::Flavour;

/// A part of a test's name, and why the test does not apply.
type Difference = (&'static str, &'static str);

/// Returns the tests that do not apply to a flavour.
pub fn not_tested(flavour: Flavour) -> Vec<Difference> {
    match flavour {
        Flavour::Spin => Vec::new(),
        Flavour::Portable => WASI_0_2.to_vec(),
        Flavour::Akamai => [WASI_0_2, HALF_A_MINUTE, WITHOUT_ATOMICS, FEW_WRITES].concat(),
        Flavour::FermyonCloud => [
            WASI_0_2,
            HALF_A_MINUTE,
            WITHOUT_ATOMICS,
            WITHOUT_SERVICE_CHAINING,
        ]
        .concat(),
    }
}

/// Calls of the store are synchronous: no clock runs while one waits, and the host ends the request.
const WASI_0_2: &[Difference] = &[(
    "stalls::a_stalled_store_is_answered_503_by_every_endpoint_until_it_is_back",
    "a request waits for the store until its host ends it",
)];

/// The host ends a request after 30 seconds.
const HALF_A_MINUTE: &[Difference] = &[
    (
        "session_streams::a_session_that_was_ended_has_no_stream_or_call_at_any_machine",
        WAITS,
    ),
    (
        "sessions::a_streamed_call_and_a_get_stream_end_when_their_grant_is_revoked",
        WAITS,
    ),
];

const WAITS: &str =
    "a tool that waits for 50 seconds blocks its instance, so that its stream does not begin";

const WITHOUT_ATOMICS: &[Difference] = &[
    ("_over_sse", NO_HTTP_SSE),
    (
        "sse::answers_to_posted_messages_come_through_the_stream",
        NO_HTTP_SSE,
    ),
    (
        "sse::a_stream_and_its_messages_may_meet_two_machines",
        NO_HTTP_SSE,
    ),
    ("sse::a_session_belongs_to_who_opened_it", NO_HTTP_SSE),
    ("sse::the_stream_and_its_messages_need_a_token", NO_HTTP_SSE),
    (
        "sweep::a_sweep_removes_what_is_dead_from_the_store_and_nothing_that_lives",
        LISTING_SWEEP,
    ),
    ("sweep::ordinary_traffic_sweeps_a_little", LISTING_SWEEP),
    (
        "sweep::two_sweeps_at_once_do_each_other_no_harm",
        LISTING_SWEEP,
    ),
];

const NO_HTTP_SSE: &str = "a stream with many writers needs a counter";

const LISTING_SWEEP: &str = "the sweep lists the keys, a part in each request to /admin/sweep";

/// The host allows 50 writes a second. What exceeds them is answered 503 with `Retry-After`.
const FEW_WRITES: &[Difference] = &[(
    "account::a_person_with_many_connections_gets_them_in_pages",
    "a hundred grants are ended at once",
)];

const WITHOUT_SERVICE_CHAINING: &[Difference] = &[(
    "client_documents::",
    "no client's metadata document is fetched",
)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::root;
    use std::fs;

    /// A test that is renamed would run, and fail, where it does not apply.
    #[test]
    fn every_test_that_is_left_out_exists() {
        let folder = root().join("tests/tests");
        for (name, _) in [
            WASI_0_2,
            HALF_A_MINUTE,
            WITHOUT_ATOMICS,
            FEW_WRITES,
            WITHOUT_SERVICE_CHAINING,
        ]
        .concat()
        {
            let Some((module, function)) = name.split_once("::") else {
                assert_eq!(name, "_over_sse");
                continue;
            };
            let file = fs::read_to_string(folder.join(format!("http/{module}.rs"))).unwrap();
            assert!(file.contains(&format!("fn {function}")), "{name}");
        }
    }
}
