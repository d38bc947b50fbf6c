//! The authorization server's rules, endpoint by endpoint, over the memory store and a provider
//! that lives in the test.

mod account;
mod authorize;
mod callback;
mod client_credentials;
mod clients;
mod consent;
mod discovery;
mod dpop;
mod events;
mod introspect;
mod policy;
mod register;
mod registered_client;
mod revoke;
mod store_failures;
mod token;
mod without_atomics;
mod world;
