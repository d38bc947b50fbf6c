//! The black-box tests of what a flavour's host does not have. docs/deploy.md says what a client is told in its place.

use super::Flavour;

/// The part of a test's name, and why the test does not apply.
type Difference = (&'static str, &'static str);

/// Returns the tests that do not apply to a flavour.
pub fn not_tested(flavour: Flavour) -> Vec<Difference> {
    match flavour {
        Flavour::Spin => Vec::new(),
        Flavour::Portable => WASI_0_2.to_vec(),
        Flavour::Akamai | Flavour::FermyonCloud => [WASI_0_2, WITHOUT_ATOMICS, LIMITS].concat(),
    }
}

/// Calls of the store are synchronous: no clock runs while one waits, and the host ends the request.
const WASI_0_2: &[Difference] = &[(
    "stalls::a_stalled_store_is_answered_503_by_every_endpoint_until_it_is_back",
    "a request waits for the store until its host ends it",
)];

const WITHOUT_ATOMICS: &[Difference] = &[
    ("_over_sse", NO_SSE),
    ("sse::", NO_SSE),
    (
        "token::another_resource_of_ours_than_was_asked_for_at_first_is_taken_and_adds_nothing",
        NO_SSE,
    ),
    (
        "unread_bodies::an_answer_before_the_body_was_read_comes_through_a_proxy",
        NO_SSE,
    ),
    (
        "descope_mode::a_token_for_another_server_of_another_issuer_forged_or_over_is_invalid",
        NO_SSE,
    ),
    (
        "capabilities::everything_that_a_protected_resource_advertises_is_true",
        NO_SSE,
    ),
    (
        "descope_mode::the_protected_resources_name_descopes_issuer_of_the_mcp_server_or_of_the_project",
        NO_SSE,
    ),
    (
        "discovery::a_browser_client_may_read_every_document_and_no_method_but_get_is_taken",
        NO_SSE,
    ),
    (
        "discovery::a_document_may_be_kept_for_minutes_and_is_sent_again_only_when_it_has_changed",
        NO_SSE,
    ),
    (
        "discovery::every_protected_resource_names_itself_and_its_authorization_server",
        NO_SSE,
    ),
    ("sweep::", "the sweep lists the keys, at /admin/sweep alone"),
];

const NO_SSE: &str = "/sse is 404: many writers of one stream need a counter";

/// 50 writes a second are less than these tests make; the rest are answered 503 with `Retry-After`.
const LIMITS: &[Difference] = &[(
    "account::a_person_with_many_connections_gets_them_in_pages",
    "a hundred grants are ended at once",
)];
