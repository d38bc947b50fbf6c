//! Injected faults: the response of an endpoint in place of its own, and for how many requests.

use serde_json::Value;
use std::time::Duration;

/// The emulator's endpoints, for counting requests and for faults. Those below `/openid` count as their like of
/// Descope's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET /oauth2/v1/apps/authorize`.
    Authorize,
    /// The sign-in page's form.
    SignIn,
    /// `POST /oauth2/v1/apps/token`.
    Token,
    /// `POST /oauth2/v1/apps/revoke`.
    Revoke,
    /// `GET` and `POST /oauth2/v1/apps/userinfo`.
    UserInfo,
    /// `GET /{project id}/.well-known/jwks.json` and `GET /v2/keys/{project id}`.
    Jwks,
    /// The metadata documents.
    Discovery,
    /// `POST /v1/mgmt/mcp/client/{project id}/{mcp server id}/register`.
    Register,
}

impl Endpoint {
    /// How many there are.
    pub(crate) const COUNT: usize = 8;
}

/// What an endpoint does instead of its work.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answer with this status and an HTML body, as a proxy in front of Descope would.
    Status(u16),
    /// Answer 200 with a body that says it is JSON and is not.
    Garbage,
    /// Answer 200 with this JSON.
    Json(Value),
    /// Never answer: the request stays open until the caller gives up or the emulator stops.
    Hang,
    /// Answer truly, but only after this long.
    Delay(Duration),
    /// Do the work, then answer 502 as if the answer had been lost on the way.
    LoseAnswer,
}

/// A fault and how many requests it is still for.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) endpoint: Endpoint,
    pub(crate) fault: Fault,
    pub(crate) times: u32,
}
