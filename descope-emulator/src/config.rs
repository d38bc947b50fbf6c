//! The configuration of an emulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use jwt::Algorithm;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::user::User;

/// How the emulator behaves. [`Config::default`] listens on a free loopback port and shows the sign-in page.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines reach. The emulator signs anyone in.
    pub allow_remote: bool,
    /// The base URL that browsers and services use, if it is not `http://` and the listening address. Issuers and
    /// endpoints in metadata start with it.
    pub base_url: Option<String>,
    /// The Descope project id.
    pub project_id: String,
    /// The client id of the inbound app.
    pub client_id: String,
    /// The client secret of the inbound app.
    pub client_secret: String,
    /// The management key of the project.
    pub management_key: String,
    /// The id of the MCP server defined in the project; it names the agentic issuer.
    pub mcp_server_id: String,
    /// The URL of that MCP server, which becomes the audience of agentic tokens that asked for no `resource`.
    pub mcp_server_url: Option<String>,
    /// Which issuer the endpoints below `/oauth2/v1/apps/` name in their tokens. Those below
    /// `/oauth2/v1/apps/agentic/` always name the agentic one.
    pub token_issuer: TokenIssuer,
    /// Whether userinfo answers for tokens of the agentic issuer. Descope's does not.
    pub userinfo_for_agentic_tokens: bool,
    /// What the issuer at `/openid` signs with. RS256 is with the project's own key; the others have a key that lives as
    /// long as the emulator.
    pub openid_algorithm: Algorithm,
    /// The scopes defined on the app. `openid` need not be among them.
    pub scopes: Vec<String>,
    /// Redirect URIs that are approved, compared exactly.
    pub redirect_uris: Vec<String>,
    /// Whether any `http` redirect URI on a loopback host is approved too.
    pub allow_loopback_redirects: bool,
    /// Whether a login without PKCE is refused (Descope's switch "force PKCE").
    pub force_pkce: bool,
    /// Whether a login is answered at once, without the page.
    pub auto_login: bool,
    /// Who signs in without the page, and whom the page suggests.
    pub user: User,
    /// How long a code may wait, in seconds.
    pub code_lifetime: u64,
    /// How long an access token or an ID token is good for, in seconds.
    pub access_token_lifetime: u64,
    /// How long a refresh token is good for, in seconds.
    pub refresh_token_lifetime: u64,
    /// Whether a refresh token is good for one use and replaced by the next (Descope's switch "refresh token
    /// rotation").
    pub rotate_refresh_tokens: bool,
    /// The file that keeps keys, people, grants and refresh tokens across restarts. Without it they live in memory.
    pub state_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            base_url: None,
            project_id: DEFAULT_PROJECT_ID.to_owned(),
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.to_owned(),
            management_key: DEFAULT_MANAGEMENT_KEY.to_owned(),
            mcp_server_id: DEFAULT_MCP_SERVER_ID.to_owned(),
            mcp_server_url: None,
            token_issuer: TokenIssuer::InboundApp,
            userinfo_for_agentic_tokens: false,
            openid_algorithm: Algorithm::Rs256,
            scopes: DEFAULT_SCOPES.split(' ').map(ToOwned::to_owned).collect(),
            redirect_uris: Vec::new(),
            allow_loopback_redirects: true,
            force_pkce: false,
            auto_login: false,
            user: User::default(),
            code_lifetime: 60,
            access_token_lifetime: 600,
            refresh_token_lifetime: 28 * 24 * 3600,
            rotate_refresh_tokens: true,
            state_file: None,
        }
    }
}

impl Config {
    /// Returns a configuration for tests: a free loopback port, and logins answered without the page.
    pub fn for_tests() -> Self {
        Self {
            auto_login: true,
            ..Self::default()
        }
    }

    /// Whether `redirect_uri` is approved.
    pub(crate) fn approves_redirect(&self, redirect_uri: &str) -> bool {
        if self.redirect_uris.iter().any(|known| known == redirect_uri) {
            return true;
        }
        let Ok(url) = Url::parse(redirect_uri) else {
            return false;
        };
        self.allow_loopback_redirects
            && url.scheme() == "http"
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && match url.host() {
                Some(url::Host::Domain(name)) => name == "localhost",
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    }

    /// Whether `client_id` names the inbound app or the project.
    pub(crate) fn knows_client(&self, client_id: &str) -> bool {
        client_id == self.client_id || client_id == self.project_id
    }

    /// Returns the scopes in `requested`, each once, or nothing if one of them is not defined on the app.
    pub(crate) fn granted_scopes(&self, requested: &str) -> Option<Vec<String>> {
        let mut granted: Vec<String> = Vec::new();
        for scope in requested.split(' ').filter(|scope| !scope.is_empty()) {
            if scope != "openid" && !self.scopes.iter().any(|defined| defined == scope) {
                return None;
            }
            if !granted.iter().any(|known| known == scope) {
                granted.push(scope.to_owned());
            }
        }
        Some(granted)
    }
}

/// Which issuer a token names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenIssuer {
    /// `/v1/apps/{project id}`: the inbound apps of the project.
    #[default]
    InboundApp,
    /// `/v1/apps/agentic/{project id}/{mcp server id}`: an MCP server defined in the project.
    Agentic,
    /// `/openid`: an OpenID Connect provider that is not Descope.
    OpenId,
}

/// The project id where none is given.
pub const DEFAULT_PROJECT_ID: &str = "P_LOCAL";
/// The client id where none is given.
pub const DEFAULT_CLIENT_ID: &str = "local-client";
/// The client secret where none is given.
pub const DEFAULT_CLIENT_SECRET: &str = "local-secret-not-for-production";
/// The management key where none is given.
pub const DEFAULT_MANAGEMENT_KEY: &str = "local-management-key-not-for-production";
/// The MCP server id where none is given.
pub const DEFAULT_MCP_SERVER_ID: &str = "MS_LOCAL";
/// The scopes defined on the app where none are given, separated by spaces.
pub const DEFAULT_SCOPES: &str = "openid profile email phone";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_loopback_port_is_an_approved_redirect_and_no_other_host_is() {
        let config = Config::default();
        for good in [
            "http://127.0.0.1:3000/callback",
            "http://localhost/cb",
            "http://[::1]:9/x?y=1",
        ] {
            assert!(config.approves_redirect(good), "{good}");
        }
        for bad in [
            "https://127.0.0.1/cb",
            "http://127.0.0.1.example.com/cb",
            "http://localhost@example.com/cb",
            "http://user@localhost/cb",
            "http://localhost/cb#fragment",
            "javascript:alert(1)",
            "/callback",
            "",
        ] {
            assert!(!config.approves_redirect(bad), "{bad}");
        }
    }

    #[test]
    fn a_configured_redirect_uri_matches_exactly() {
        let config = Config {
            redirect_uris: vec!["https://gatehouse.example.com/callback".to_owned()],
            allow_loopback_redirects: false,
            ..Config::default()
        };
        assert!(config.approves_redirect("https://gatehouse.example.com/callback"));
        assert!(!config.approves_redirect("https://gatehouse.example.com/callback/"));
        assert!(!config.approves_redirect("http://127.0.0.1/callback"));
    }

    #[test]
    fn one_undefined_scope_refuses_all_and_openid_is_always_defined() {
        let config = Config {
            scopes: vec!["email".to_owned()],
            ..Config::default()
        };
        assert_eq!(
            config.granted_scopes("openid email  email"),
            Some(vec!["openid".to_owned(), "email".to_owned()])
        );
        assert_eq!(config.granted_scopes("openid profile"), None);
    }
}
