//! A stand-in for Descope's OAuth endpoints, for local use without an account and for tests.
//!
//! It answers, under its own base URL, what an application sends to `https://api.descope.com`:
//!
//! | request | what it is |
//! | --- | --- |
//! | `GET /oauth2/v1/apps/authorize` | the start of a login; a plain sign-in page, or at once with `auto_login` |
//! | `POST /oauth2/v1/apps/token` | grants `authorization_code` and `refresh_token`, with a client secret or a management key |
//! | `POST /oauth2/v1/apps/revoke` | the end of a grant |
//! | `GET`, `POST /oauth2/v1/apps/userinfo` | who the person is |
//! | `GET /{project}/.well-known/jwks.json`, `GET /v2/keys/{project}` | the project's public keys |
//! | `GET /v1/apps/{project}/.well-known/openid-configuration` | metadata of the inbound apps' issuer; `oauth-authorization-server` is the same |
//! | `GET /v1/apps/agentic/{project}/{server}/.well-known/...` | metadata of an MCP server's issuer |
//! | `POST /v1/mgmt/mcp/client/{project}/{server}/register` | a client registers itself with an MCP server (RFC 7591) |
//!
//! The first four exist below `/oauth2/v1/apps/{project}/` too, and `authorize` and `token` below
//! `/oauth2/v1/apps/agentic/{project}/{server}/`, where tokens name the agentic issuer.
//!
//! Below `/openid` it plays a second provider for the same people: one of OpenID Connect that is not Descope, for
//! applications that sign in with any. That path under the base URL is its issuer; the client id and secret are the
//! inbound app's, by HTTP Basic alone; `iss` comes with every code (RFC 9207); access tokens are those of RFC 9068. The
//! controls below are for both.
//!
//! **It signs anyone in, with any name.** It listens on loopback addresses alone unless told otherwise.
//!
//! # What is Descope's and what is assumed
//!
//! From Descope's documents, its SDKs and applications that use it: the paths; the parameters and their two credential
//! styles; the fields of the token answer; RS256 and one JWKS for a project; the two issuers; `aud` holding the project
//! id, and the MCP server's URL for the agentic issuer; "Received invalid scope" for scopes that are not defined on the
//! app, with `openid` always defined; `state` and `scope` being needed; the error envelope
//! `{"errorCode", "errorDescription", "errorMessage", "message"}`; a revoked consent that refuses refreshes with 404
//! E063302 while access tokens stay good until they end; userinfo that does not answer for the agentic issuer.
//!
//! Assumed, because no public text says it: the error codes of wrong secrets and spent codes (the statuses are the
//! RFCs'); that errors of a login reach the redirect URI; that a refresh token used twice is refused without ending
//! its grant; that revoking either token ends the grant; what registration answers, and that a client which registered
//! comes back to exactly what it registered.
//!
//! # In a test
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use descope_emulator::{Config, Emulator, Endpoint, Fault, Mint, User};
//!
//! let descope = Emulator::start(Config::for_tests()).await?;
//! descope.sign_in_as(User::new("Ada Lovelace", "ada@example.com"));
//! descope.fail(Endpoint::Token, Fault::Status(500), 1);
//! let pasted = descope.mint(Mint::new().scopes("openid email").lifetime(60))?;
//! assert_eq!(pasted.split('.').count(), 3);
//! println!("descope_base_url = {}", descope.base_url());
//! descope.stop().await;
//! # Ok(())
//! # }
//! ```

mod app;
mod client;
mod config;
mod emulator;
mod endpoints;
mod error;
mod fault;
mod keys;
mod page;
mod params;
mod state;
mod tokens;
mod user;

pub use config::{
    Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_MANAGEMENT_KEY,
    DEFAULT_MCP_SERVER_ID, DEFAULT_PROJECT_ID, DEFAULT_SCOPES, TokenIssuer,
};
pub use emulator::{Emulator, Running, StartError};
pub use fault::{Endpoint, Fault};
pub use jwt::Algorithm;
pub use keys::KeyError;
pub use state::StateError;
pub use tokens::{Mint, Signature};
pub use user::User;
