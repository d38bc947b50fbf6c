//! Revisions of the protocol, and their negotiation (2025-11-25, Lifecycle, Version Negotiation).

use crate::icon::Icon;
use serde::{Deserialize, Serialize};

/// A revision of the protocol that this server speaks, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Revision {
    /// HTTP+SSE.
    #[serde(rename = "2024-11-05")]
    V2024_11_05,
    /// Streamable HTTP, batches, annotations, audio.
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// Structured content, titles, resource links; no batches.
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// Icons, scope challenges.
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// No handshake and no sessions: each request says all there is to know.
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The newest one.
    pub const NEWEST: Self = Self::V2026_07_28;

    /// The newest one that begins with `initialize`: what is offered to a client that asks there
    /// for an unknown revision.
    pub const NEWEST_WITH_SESSIONS: Self = Self::V2025_11_25;

    /// What an HTTP request without `MCP-Protocol-Version` speaks, if nothing else tells (2025-11-25,
    /// Transports, Protocol Version Header).
    pub const DEFAULT_WITHOUT_HEADER: Self = Self::V2025_03_26;

    /// The date that names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of this name, if it is spoken here.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|revision| revision.as_str() == name)
    }

    /// Whether `name` is a date later than the newest revision spoken here.
    pub fn is_newer(name: &str) -> bool {
        name.len() == 10
            && name.bytes().all(|b| b.is_ascii_digit() || b == b'-')
            && name > Self::NEWEST.as_str()
    }

    /// What to answer to an `initialize` that asks for `requested` (2025-11-25, Lifecycle, Version
    /// Negotiation).
    pub fn negotiate(requested: &str) -> Self {
        Self::parse(requested)
            .filter(|revision| !revision.is_stateless())
            .unwrap_or(Self::NEWEST_WITH_SESSIONS)
    }

    /// Its place in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether several messages may come in one array.
    pub fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// Whether tools have annotations, content may be audio, and progress has a message.
    pub fn has_annotations(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether there are titles, output schemas, structured content and resource links.
    pub fn has_structured_content(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether a server may close a stream before it is over, and an event may be empty.
    pub fn polls(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether there are icons.
    pub fn has_icons(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// These, if the revision knows icons.
    pub(crate) fn icons(self, icons: Vec<Icon>) -> Vec<Icon> {
        if self.has_icons() { icons } else { Vec::new() }
    }

    /// Whether there is neither handshake nor session, and every request says all there is to know.
    pub fn is_stateless(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Whether an error that belongs to no request goes without an `id`; before, JSON-RPC's null
    /// is all there is.
    pub fn omits_unknown_id(self) -> bool {
        self >= Self::V2025_11_25
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_revision_is_taken_and_an_unknown_one_answered_with_the_newest() {
        for revision in Revision::ALL {
            if !revision.is_stateless() {
                assert_eq!(Revision::negotiate(revision.as_str()), revision);
            }
            assert_eq!(Revision::ALL[revision.index()], revision);
        }
        // The stateless one is not begun with initialize.
        for unknown in ["2026-07-28", "2027-01-01", "1.0", "", "2025-11-25 "] {
            assert_eq!(Revision::negotiate(unknown), Revision::NEWEST_WITH_SESSIONS);
        }
    }

    #[test]
    fn only_a_later_date_is_newer() {
        assert!(Revision::is_newer("2027-01-01"));
        for name in [
            "2026-07-28",
            "2025-11-25",
            "2024-01-01",
            "DRAFT-2026",
            "zzzz-zz-zz",
            "",
        ] {
            assert!(!Revision::is_newer(name), "{name}");
        }
    }
}
