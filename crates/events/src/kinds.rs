//! The kinds of events that are written, as the variable `events` selects them.

use std::fmt;

/// A kind of event, named as in its `event` member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// `sign_in`
    SignIn,
    /// `refusal`
    Refusal,
    /// `consent`
    Consent,
    /// `grant`
    Grant,
    /// `token`
    Token,
    /// `refresh`
    Refresh,
    /// `reuse`
    Reuse,
    /// `revocation`
    Revocation,
    /// `registration`
    Registration,
    /// `administration`
    Administration,
    /// `tool_call`
    ToolCall,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::SignIn,
        Self::Refusal,
        Self::Consent,
        Self::Grant,
        Self::Token,
        Self::Refresh,
        Self::Reuse,
        Self::Revocation,
        Self::Registration,
        Self::Administration,
        Self::ToolCall,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Refusal => "refusal",
            Self::Consent => "consent",
            Self::Grant => "grant",
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::Reuse => "reuse",
            Self::Revocation => "revocation",
            Self::Registration => "registration",
            Self::Administration => "administration",
            Self::ToolCall => "tool_call",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

/// A name that is not one of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl Kinds {
    /// Every kind.
    pub const ALL: Self = Self((1 << Kind::ALL.len()) - 1);

    /// No kind.
    pub const NONE: Self = Self(0);

    /// Reads `all`, `none`, or names of kinds with spaces between them.
    ///
    /// # Errors
    ///
    /// If a name is not one of a kind.
    pub fn parse(text: &str) -> Result<Self, UnknownKind> {
        match text.trim() {
            "all" => Ok(Self::ALL),
            "none" => Ok(Self::NONE),
            names => names
                .split_whitespace()
                .try_fold(Self::NONE, |kinds, name| {
                    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                    kind.map(|kind| Self(kinds.0 | kind.bit()))
                        .ok_or(UnknownKind)
                }),
        }
    }

    /// Whether a kind is in the set.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }
}

impl Kind {
    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_none_and_lists_of_names_are_read() {
        assert_eq!(Kinds::parse(" all "), Ok(Kinds::ALL));
        assert_eq!(Kinds::parse("none"), Ok(Kinds::NONE));
        let some = Kinds::parse("refusal  tool_call");
        let some = some.unwrap_or(Kinds::NONE);
        for kind in Kind::ALL {
            assert!(Kinds::ALL.contains(kind));
            assert!(!Kinds::NONE.contains(kind));
            let is_named = matches!(kind, Kind::Refusal | Kind::ToolCall);
            assert_eq!(some.contains(kind), is_named, "{kind}");
            assert_eq!(
                Kinds::parse(kind.name()).map(|one| one.contains(kind)),
                Ok(true)
            );
        }
    }

    #[test]
    fn a_name_that_is_not_a_kind_is_refused() {
        for text in ["everything", "all refusal", "refusal,tool_call", "Refusal"] {
            assert_eq!(Kinds::parse(text), Err(UnknownKind), "{text}");
        }
    }
}
