//! Audit events, and the fields of each.

use crate::Kind;
use serde::{Serialize, Serializer};

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A person came back from the identity provider, which has confirmed who it is.
    SignIn {
        /// What they signed in for.
        purpose: SignInPurpose,
    },
    /// A request was refused, or a person or client was.
    Refusal {
        /// The path of the endpoint.
        endpoint: &'a str,
        /// The error code of OAuth (RFC 6749, RFC 6750, RFC 7591, RFC 9449) where the answer has
        /// one, otherwise the status code in words.
        error: &'a str,
        /// Why, as the client or person was told.
        reason: &'a str,
    },
    /// A person was asked to let a client in, now or earlier.
    Consent {
        /// What they said.
        decision: Decision,
        /// The scopes they were asked about.
        #[serde(serialize_with = "joined")]
        scope: &'a [String],
    },
    /// A grant began: the client gets a code.
    Grant {
        /// The client's name, as it registered it.
        client_name: &'a str,
        /// The host that the code goes to, or the kind of application.
        destination: &'a str,
        /// The granted scopes.
        #[serde(serialize_with = "joined")]
        scope: &'a [String],
    },
    /// A client got an access token for a code, or for its own credentials.
    Token {
        /// `authorization_code` or `client_credentials` (RFC 6749 section 4).
        grant_type: &'a str,
        /// The scopes of the access token.
        scope: &'a str,
    },
    /// A client got an access token for a refresh token (RFC 6749 section 6).
    Refresh {
        /// The scopes of the access token.
        scope: &'a str,
    },
    /// A code or refresh token was presented that had been used before (RFC 9700 sections 2.1.1 and
    /// 4.14).
    Reuse {
        /// Which of the two.
        credential: PresentedCredential,
        /// Whether the grant ended because of it.
        grant_ended: bool,
    },
    /// Grants ended before their time, with every token that was issued for them.
    Revocation {
        /// Who ended them.
        by: EndedBy,
        /// How many.
        grants: usize,
    },
    /// A client's registration was created, changed or deleted (RFC 7591, RFC 7592).
    Registration {
        /// Which of the three.
        change: RegistrationChange,
        /// The client's name; empty where it has none.
        client_name: &'a str,
    },
    /// An operator used the administration.
    Administration {
        /// For what.
        action: Action,
        /// How many grants were listed or ended, or records removed.
        count: u64,
    },
    /// A tool was called.
    ToolCall {
        /// The tool's name.
        tool: &'a str,
        /// What became of the call.
        outcome: Outcome,
        /// Milliseconds from the beginning of the call to its end.
        duration_ms: u64,
    },
}

impl Event<'_> {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::SignIn { .. } => Kind::SignIn,
            Self::Refusal { .. } => Kind::Refusal,
            Self::Consent { .. } => Kind::Consent,
            Self::Grant { .. } => Kind::Grant,
            Self::Token { .. } => Kind::Token,
            Self::Refresh { .. } => Kind::Refresh,
            Self::Reuse { .. } => Kind::Reuse,
            Self::Revocation { .. } => Kind::Revocation,
            Self::Registration { .. } => Kind::Registration,
            Self::Administration { .. } => Kind::Administration,
            Self::ToolCall { .. } => Kind::ToolCall,
        }
    }
}

/// What a person signs in for.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInPurpose {
    /// To let a client in.
    Client,
    /// To see their account page.
    Account,
}

/// What a person said to a client's request.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes, this time.
    Allowed,
    /// Yes, and the browser remembers it.
    AllowedAndRemembered,
    /// Yes at an earlier time, which the browser remembers.
    Remembered,
    /// No.
    Denied,
}

/// What was presented again.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PresentedCredential {
    /// An authorization code.
    Code,
    /// A refresh token.
    RefreshToken,
}

/// Who ended a grant.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The client, with a revocation request (RFC 7009).
    Client,
    /// The person, on their account page.
    Person,
    /// An operator.
    Operator,
    /// The policy of who may come in.
    Policy,
    /// The identity provider, which no longer knows the sign-in.
    Provider,
    /// The bound on the grants that one person has with one client.
    Limit,
}

/// What became of a registration.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationChange {
    /// It was created.
    Created,
    /// It was replaced.
    Changed,
    /// It was deleted.
    Deleted,
}

/// What an operator did.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Listed a subject's grants.
    ListGrants,
    /// Ended grants of a subject.
    EndGrants,
    /// Removed dead records.
    Sweep,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The tool gave a result.
    Ok,
    /// The tool gave a result that says that it failed.
    ToolError,
    /// The tool asked the client for input, and is called again with it.
    InputRequired,
    /// The arguments are not those of the tool.
    InvalidArguments,
    /// There is no such tool.
    UnknownTool,
    /// The token lacks a scope that the tool needs.
    InsufficientScope,
    /// The client lacks a capability that the tool needs.
    MissingCapability,
    /// The call was not finished within `call_timeout`.
    Timeout,
    /// The client gave the call up, or is gone.
    Cancelled,
    /// The grant ended during the call.
    GrantEnded,
    /// The tool, or what it needs, failed; the log says more.
    Failed,
}

fn joined<S: Serializer>(scopes: &&[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&scopes.join(" "))
}
