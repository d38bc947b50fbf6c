//! Subjects of clients, which have grants of their own without a person.

/// The prefix of a client's subject. A person whose subject at the identity provider has it is refused, since
/// that person would have a client's name.
const PREFIX: &str = "client:";

/// Returns the subject of a client's own grants (RFC 9068 section 2.2).
pub fn client_subject(client_id: &str) -> String {
    format!("{PREFIX}{client_id}")
}

/// Returns whether a subject is a client's, and so not a person's.
pub fn is_client_subject(subject: &str) -> bool {
    subject.starts_with(PREFIX)
}
