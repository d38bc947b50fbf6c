//! The reasons why an operation does not become a tool.

use crate::credential::NoSecretLocation;
use crate::document::ReferenceError;

/// What keeps an operation from being a tool, for the operator's log.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unusable {
    /// A reference leads nowhere.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The secret has no location in its requests.
    #[error(transparent)]
    NoSecretLocation(#[from] NoSecretLocation),
    /// Its path is no template of a path.
    #[error(
        "its path {0} cannot be used: it is too long, or has a query, a fragment, `..` or a brace without its other"
    )]
    Path(String),
    /// Its server has no URL that may be called.
    #[error("its server {0} cannot be used; set base_url")]
    Server(String),
    /// Its server is not where the secret belongs.
    #[error(
        "its server {0} is at another origin than the document's first, and credentials go to one origin alone; set base_url"
    )]
    OtherOrigin(String),
    /// A parameter is written in a way that its location does not have.
    #[error("its parameter {0} has a location or a style that does not exist")]
    Parameter(String),
    /// The tools before it are as much as can be offered.
    #[error(
        "the tools before it have {0} bytes already; select fewer with tags, methods, operations and deny"
    )]
    Offer(usize),
    /// A model could not choose among them.
    #[error("it has more than {0} parameters")]
    Parameters(usize),
    /// A header that only the sender of a request may decide is required.
    #[error("it requires the header {0}, which no caller may set")]
    Header(String),
    /// The schemas of its arguments are too large.
    #[error("the schema of its arguments is larger than {0} bytes")]
    TooLarge(usize),
}
