//! Reading and checking the application's variables, in one place.
//!
//! The components read them once per instance; `cargo xtask doctor` and `up` read them before
//! anything starts. Both get the same [`Problem`]s, which name a variable and never its value.

mod admin_token;
mod authorization_server;
mod clients;
mod consent;
mod descope;
mod dpop;
pub mod granted;
mod http_sse;
mod origins;
mod policy;
mod presented;
mod problem;
mod public_url;
mod redis_url;
mod scopes;
mod server;
mod store_settings;
mod tools;

pub use admin_token::AdminToken;
pub use authorization_server::{AuthorizationServer, External};
pub use clients::{Clients, Registration, documents_origin};
pub use descope::{DESCOPE, DescopeProject};
pub use http_sse::{HTTP_SSE, read_http_sse};
pub use policy::unread_policy;
pub use presented::{Presented, PresentedTokens};
pub use problem::Problem;
pub use public_url::{BaseUrl, PublicUrl, is_loopback};
pub use redis_url::RedisUrl;
pub use server::Server;
pub use store_settings::StoreSettings;
pub use tools::COMPOSED;

/// Characters that a token which the operator chooses has at least: it is all that stands between the Internet and
/// what it opens.
const MIN_TOKEN_CHARS: usize = 32;

/// Reads a variable that is true or false, and `default` if it is not set.
fn read_bool<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
    name: &'static str,
    default: bool,
    remedy: &'static str,
) -> Result<bool, Problem> {
    match non_empty(values, name) {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(Problem::new(name, "it is neither true nor false", remedy)),
    }
}

/// Returns the value of a variable, if it is there and not blank.
fn non_empty<'a>(values: &impl Fn(&str) -> Option<&'a str>, name: &str) -> Option<&'a str> {
    values(name)
        .map(str::trim)
        .filter(|value| !value.is_empty())
}
