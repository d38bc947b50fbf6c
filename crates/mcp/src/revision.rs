//! The revisions of the protocol, and choosing one.

use serde::{Deserialize, Serialize};

/// A revision of the protocol that this server speaks, oldest first.
///
/// 2026-07-28 has neither handshake nor sessions and is no further variant here: a client that
/// begins with it is told so ([`Revision::is_newer`]) and falls back to `initialize`.
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
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 4] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
    ];

    /// What is offered to a client that asks for an unknown revision.
    pub const NEWEST: Self = Self::V2025_11_25;

    /// What an HTTP request without `MCP-Protocol-Version` speaks, if nothing else tells (2025-11-25,
    /// Transports, Protocol Version Header).
    pub const ASSUMED: Self = Self::V2025_03_26;

    /// The date that names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
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
        Self::parse(requested).unwrap_or(Self::NEWEST)
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
            assert_eq!(Revision::negotiate(revision.as_str()), revision);
            assert_eq!(Revision::ALL[revision.index()], revision);
        }
        for unknown in ["2026-07-28", "1.0", "", "2025-11-25 "] {
            assert_eq!(Revision::negotiate(unknown), Revision::NEWEST);
        }
    }

    #[test]
    fn only_a_later_date_is_newer() {
        assert!(Revision::is_newer("2026-07-28"));
        for name in ["2025-11-25", "2024-01-01", "DRAFT-2026", "zzzz-zz-zz", ""] {
            assert!(!Revision::is_newer(name), "{name}");
        }
    }
}
