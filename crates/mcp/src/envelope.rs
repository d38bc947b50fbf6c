//! What 2026-07-28 puts around every result.

use crate::Revision;

/// For how long a result may be kept, and by whom (2026-07-28, Caching).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Milliseconds.
    pub ttl: u32,
    /// Whether it is the same for everybody.
    pub is_shared: bool,
}

/// A complete result: `result`, which is a JSON object, with what `revision` wants to be said of it.
pub(crate) fn complete(result: String, revision: Revision, freshness: Option<Freshness>) -> String {
    if !revision.is_stateless() {
        return result;
    }
    let mut whole = String::with_capacity(result.len() + 80);
    whole.push_str(r#"{"resultType":"complete""#);
    if let Some(Freshness { ttl, is_shared }) = freshness {
        let scope = if is_shared { "public" } else { "private" };
        whole.push_str(&format!(r#","ttlMs":{ttl},"cacheScope":"{scope}""#));
    }
    let members = &result[1..];
    if !members.starts_with('}') {
        whole.push(',');
    }
    whole.push_str(members);
    whole
}

/// A complete result that says nothing.
pub fn empty_result(revision: Revision) -> String {
    complete("{}".to_owned(), revision, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stateless_revision_names_the_type_of_a_result() {
        for revision in Revision::ALL {
            let freshness = Some(Freshness {
                ttl: 5,
                is_shared: true,
            });
            let expected = if revision.is_stateless() {
                r#"{"resultType":"complete","ttlMs":5,"cacheScope":"public","a":1}"#
            } else {
                r#"{"a":1}"#
            };
            assert_eq!(complete(r#"{"a":1}"#.into(), revision, freshness), expected);
        }
        assert_eq!(
            empty_result(Revision::V2026_07_28),
            r#"{"resultType":"complete"}"#
        );
    }
}
