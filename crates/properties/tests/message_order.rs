//! Requests in any order: what is found wrong is made as short as it can be.

use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_order_of_messages_breaks_an_answer_or_shows_what_is_anothers(
        settings: u8,
        steps in vec(any::<[u8; gatehouse_properties::STEP]>(), 1..16),
    ) {
        gatehouse_properties::message_order(&[&[settings][..], &steps.concat()].concat());
    }
}
