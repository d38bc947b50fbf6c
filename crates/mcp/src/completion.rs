//! Completion of arguments (2025-11-25, Completion).

use crate::result_envelope::{Envelope, complete};
use serde::Serialize;

/// Values of one result (every revision, Completion).
const MAX_VALUES: usize = 100;

/// What an argument may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestions {
    /// The best first.
    pub values: Vec<String>,
    /// Of how many, if that is known.
    pub total: Option<u32>,
}

impl Suggestions {
    /// Returns the result of `completion/complete` in `envelope`, as JSON.
    pub fn to_result(&self, envelope: &Envelope) -> String {
        #[derive(Serialize)]
        struct Wire<'a> {
            completion: Completion<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Completion<'a> {
            values: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            total: Option<u32>,
            has_more: bool,
        }
        let values = &self.values[..self.values.len().min(MAX_VALUES)];
        let result = serde_json::to_string(&Wire {
            completion: Completion {
                values,
                total: self.total,
                has_more: self.values.len() > values.len()
                    || self
                        .total
                        .is_some_and(|total| total as usize > values.len()),
            },
        });
        complete(result.unwrap_or_default(), None, envelope, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Revision;

    #[test]
    fn a_hundred_values_at_most_and_a_word_that_there_are_more() {
        let suggestions = Suggestions {
            values: (0..101).map(|n| n.to_string()).collect(),
            total: None,
        };
        let result = suggestions.to_result(&Revision::V2025_11_25.into());
        assert!(result.contains(r#""99"],"hasMore":true"#), "{result}");
        let none = Suggestions {
            values: Vec::new(),
            total: Some(0),
        };
        assert_eq!(
            none.to_result(&Revision::V2025_11_25.into()),
            r#"{"completion":{"values":[],"total":0,"hasMore":false}}"#
        );
    }
}
