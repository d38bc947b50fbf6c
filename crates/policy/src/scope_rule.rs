//! Scope rules: the entries of `scope_rules`.

use crate::condition::AnyOf;

/// Scopes for those whom conditions hold for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScopeRule {
    /// `None`: everyone.
    pub(crate) who: Option<AnyOf>,
    pub(crate) scopes: Vec<String>,
}
