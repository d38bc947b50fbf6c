//! The state of a session: the level of log messages (2025-11-25, Logging) and the subscriptions to
//! resources (2025-11-25, Resources, Subscriptions).

use mcp::{LogLevel, MAX_SUBSCRIPTION_URI_BYTES};
use serde::{Deserialize, Serialize};
use store::Record;

/// The changes that a client made to its session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionState {
    /// The client has deleted the session.
    pub(crate) is_over: bool,
    /// The level of `logging/setLevel`.
    pub(crate) log_level: Option<LogLevel>,
    /// The resources of `resources/subscribe`, by their URIs.
    pub(crate) subscriptions: Vec<String>,
}

impl Record for SessionState {
    const KIND: &'static str = "mcp-session";
}

/// A change of a session that a client requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SessionUpdate {
    /// `logging/setLevel`.
    LogLevel(LogLevel),
    /// `resources/subscribe`.
    Subscribe(String),
    /// `resources/unsubscribe`.
    Unsubscribe(String),
}

/// Subscriptions of one session.
const MAX_SUBSCRIPTIONS: usize = 100;

impl SessionState {
    /// Applies a change. Returns whether the state is different from before.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if there are too many subscriptions, or the URI is too long.
    pub(crate) fn apply(&mut self, update: SessionUpdate) -> Result<bool, mcp::Error> {
        match update {
            SessionUpdate::LogLevel(level) => Ok(self.log_level.replace(level) != Some(level)),
            SessionUpdate::Unsubscribe(uri) => {
                let before = self.subscriptions.len();
                self.subscriptions.retain(|one| *one != uri);
                Ok(self.subscriptions.len() != before)
            }
            SessionUpdate::Subscribe(uri) if self.subscriptions.contains(&uri) => Ok(false),
            SessionUpdate::Subscribe(uri) => {
                if self.subscriptions.len() >= MAX_SUBSCRIPTIONS
                    || uri.len() > MAX_SUBSCRIPTION_URI_BYTES
                {
                    let reason = format!(
                        "A session may subscribe to {MAX_SUBSCRIPTIONS} resources, whose URIs may have {MAX_SUBSCRIPTION_URI_BYTES} bytes."
                    );
                    return Err(mcp::Error::invalid_params(reason));
                }
                self.subscriptions.push(uri);
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_listens_for_so_many_resources_and_no_more() {
        let mut state = SessionState::default();
        let uri = |n: usize| format!("test:{n}");
        for n in 0..MAX_SUBSCRIPTIONS {
            assert_eq!(state.apply(SessionUpdate::Subscribe(uri(n))), Ok(true));
        }
        assert_eq!(state.apply(SessionUpdate::Subscribe(uri(1))), Ok(false));
        assert!(
            state
                .apply(SessionUpdate::Subscribe("test:more".into()))
                .is_err()
        );
        assert_eq!(state.apply(SessionUpdate::Unsubscribe(uri(1))), Ok(true));
        assert_eq!(state.apply(SessionUpdate::Unsubscribe(uri(1))), Ok(false));
        let long = SessionUpdate::Subscribe("x".repeat(MAX_SUBSCRIPTION_URI_BYTES + 1));
        assert!(state.apply(long).is_err());
    }
}
