//! One file an endpoint, named by its path.

pub mod account;
pub mod account_sign_in;
pub mod admin;
pub mod authorize;
pub mod callback;
pub mod external_authorization_server;
pub mod introspect;
pub mod register;
pub mod registered_client;
pub mod revoke;
pub mod token;
pub mod well_known;
