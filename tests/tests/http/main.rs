//! Gatehouse over HTTP, rule by rule.

/// Makes each of these functions, which take the build to test, two tests: over the main build, and over the one for
/// hosts of WASI 0.2.
macro_rules! in_both_builds {
    ($($rule:ident),+ $(,)?) => { $(
        mod $rule {
            #[tokio::test]
            async fn in_the_main_build() {
                super::$rule(None).await;
            }

            #[tokio::test]
            async fn in_the_portable_build() {
                super::$rule(Some(gatehouse_tests::Flavour::Portable)).await;
            }
        }
    )+ };
}

mod account;
mod admin;
mod authorization_request;
mod authorize;
mod callback;
mod capabilities;
mod client_authentication;
mod client_credentials;
mod client_documents;
mod configuration;
mod configured_clients;
mod consent;
mod descope_mode;
mod discovery;
mod dpop;
mod events;
mod identity_provider;
mod introspect;
mod issuer_with_a_path;
mod mcp_2026;
mod mcp_endpoint;
mod message_shapes;
mod methods;
mod misplaced;
mod openapi_tools;
mod pages;
mod policy;
mod presented_tokens;
mod register;
mod registered_client;
mod remote_mcp;
mod restart;
mod resumption;
mod revoke;
mod rotation;
mod scopes;
mod session_streams;
mod sessions;
mod sse;
mod stalls;
mod store_writes;
mod subscriptions;
mod sweep;
mod tasks;
mod token;
mod tool_servers;
mod tools;
mod unread_bodies;
mod way_through;
