//! The authorization server: discovery, client registration, `/authorize`, `/callback`, `/token`,
//! `/revoke` and `/introspect`, over any key-value store and any identity provider.
//!
//! The protocol is in `oauth`, and a grant in `grants`. Here the two meet storage,
//! pages and the provider. The components `metadata`, `authorize`
//! and `account` each serve one table of [`routes`].
//!
//! # The way of a sign-in
//!
//! Nothing is stored until a person has signed in: what one step hands to the next is sealed, and
//! travels with the browser.
//!
//! 1. `GET /authorize` shows the consent page. Its form carries the checked request, sealed for the
//!    browser's consent cookie.
//! 2. `POST /authorize` opens it: a form that another site made has no such seal. After the
//!    person's yes it sets the login cookie and sends the browser to the identity provider, with a
//!    `state` that is sealed for that cookie.
//! 3. `GET /callback` opens the state with the cookie: another browser's state stays shut. Then the
//!    grant is made, and the browser goes back to the client with a code.

mod client_authentication;
pub mod client_metadata_documents;
mod client_registration;
pub mod clients;
mod consent;
mod context;
mod date;
mod destination;
pub mod dispatch;
pub mod endpoints;
mod fingerprint;
mod limits;
mod pages;
mod remembered_consents;
mod responses;
pub mod routes;
mod session;
mod sign_in;
mod sign_ins_in_progress;
pub mod upstream_revocation;

pub use context::{Context, request_events, request_source};
pub use grants::RevocationQueue;
pub use sign_ins_in_progress::SignInsInProgress;

#[cfg(test)]
mod tests;
