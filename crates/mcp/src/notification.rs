//! Notifications of progress and log messages (2025-11-25, Utilities, Progress and Logging).

use crate::Revision;
use crate::json::{self, InvalidJson};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How far a request has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Grows with every report.
    pub progress: f64,
    /// Of how much, if that is known.
    pub total: Option<f64>,
    /// For people; from 2025-03-26 on.
    pub message: Option<String>,
}

impl Progress {
    /// The `notifications/progress` message with the client's `token` (JSON text), or `None` if it
    /// cannot be told: JSON has no infinities.
    pub fn to_message(&self, token: &str, revision: Revision) -> Option<String> {
        #[derive(Serialize)]
        struct Wire<'a> {
            jsonrpc: &'static str,
            method: &'static str,
            params: Params<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Params<'a> {
            progress_token: &'a RawValue,
            progress: f64,
            #[serde(skip_serializing_if = "Option::is_none")]
            total: Option<f64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: Option<&'a str>,
        }
        if !self.progress.is_finite() {
            return None;
        }
        let wire = Wire {
            jsonrpc: "2.0",
            method: "notifications/progress",
            params: Params {
                progress_token: serde_json::from_str(token).ok()?,
                progress: self.progress,
                total: self.total.filter(|total| total.is_finite()),
                message: self
                    .message
                    .as_deref()
                    .filter(|_| revision.has_annotations()),
            },
        };
        serde_json::to_string(&wire).ok()
    }
}

/// Something worth telling the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How much it matters.
    pub level: LogLevel,
    /// What happened: any JSON value.
    pub data: String,
    /// Who says so.
    pub logger: Option<String>,
}

/// The levels of RFC 5424 section 6.2.1, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "RFC 5424 says it")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    /// The level of this name.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }
}

impl Log {
    /// The `notifications/message` message.
    ///
    /// # Errors
    ///
    /// [`InvalidJson`], if the data are not JSON.
    pub fn to_message(&self) -> Result<String, InvalidJson> {
        #[derive(Serialize)]
        struct Wire<'a> {
            jsonrpc: &'static str,
            method: &'static str,
            params: Params<'a>,
        }
        #[derive(Serialize)]
        struct Params<'a> {
            level: LogLevel,
            #[serde(skip_serializing_if = "Option::is_none")]
            logger: Option<&'a str>,
            #[serde(serialize_with = "json::value")]
            data: &'a str,
        }
        json::write(&Wire {
            jsonrpc: "2.0",
            method: "notifications/message",
            params: Params {
                level: self.level,
                logger: self.logger.as_deref(),
                data: &self.data,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_carries_the_clients_token_and_what_its_revision_knows() {
        let progress = Progress {
            progress: 1.0,
            total: Some(f64::INFINITY),
            message: Some("half".into()),
        };
        assert_eq!(
            progress.to_message("7", Revision::V2024_11_05).as_deref(),
            Some(
                r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":1.0}}"#
            )
        );
        let newer = progress.to_message("\"t\"", Revision::V2025_03_26);
        assert!(newer.is_some_and(|text| text.contains(r#""message":"half""#)));
        let endless = Progress {
            progress: f64::NAN,
            ..progress
        };
        assert_eq!(endless.to_message("7", Revision::NEWEST), None);
    }

    #[test]
    fn a_log_message_carries_any_json_and_nothing_else() {
        let log = Log {
            level: LogLevel::Warning,
            data: r#"{"disk": 0.97}"#.into(),
            logger: None,
        };
        assert_eq!(
            log.to_message().unwrap(),
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"warning","data":{"disk": 0.97}}}"#
        );
        let garbage = Log {
            data: "not json".into(),
            ..log
        };
        assert!(garbage.to_message().is_err());
    }

    #[test]
    fn the_levels_are_ordered() {
        assert!(LogLevel::Debug < LogLevel::Info && LogLevel::Alert < LogLevel::Emergency);
    }
}
